/*
 * pool_map.c - pool and map under goroutines and foreign threads, with exact accounting.
 *
 * Invariants
 *  - An item of a pool says whether somebody has it: two owners would show.
 *  - Each goroutine knows what its own keys of the map must have; shared keys are counted.
 */
#include "account.h"

/* runnel-test: timeout=240 */

/* ------------------------------------------------------------------------------------------ pool */

struct item {
    _Atomic(int) owners;
    uint64_t data[4]; /* all the same: written by the owner without any atomics */
};

struct pool_run {
    rn_pool pool;
    int64_t rounds;
    _Atomic(int64_t) made, dropped;
    _Atomic(uint32_t) next;
};

static void *make_item(void *arg)
{
    atomic_fetch_add(&((struct pool_run *)arg)->made, 1);
    return calloc(1, sizeof(struct item));
}

static void drop_item(void *p, void *arg)
{
    struct item *it = p;
    CHECK_EQ(atomic_fetch_add(&it->owners, 1), 0);
    atomic_fetch_add(&((struct pool_run *)arg)->dropped, 1);
    free(it);
}

static void pool_user(void *p)
{
    struct pool_run *r = p;
    uint64_t rng = atomic_fetch_add(&r->next, 1) + 1;
    struct item *mine[24];
    size_t n = 0;
    for (int64_t i = 0; i < r->rounds; i++) {
        uint64_t x = test_random(&rng);
        if (n < 24 && (x % 2 == 0 || n == 0)) {
            struct item *it = rn_pool_get(&r->pool);
            CHECK_EQ(atomic_fetch_add(&it->owners, 1), 0);
            for (int k = 1; k < 4; k++)
                CHECK(it->data[k] == it->data[0]);
            for (int k = 0; k < 4; k++)
                it->data[k] = x;
            mine[n++] = it;
        } else {
            struct item *it = mine[x / 2 % n];
            mine[x / 2 % n] = mine[n - 1];
            n--;
            CHECK_EQ(atomic_fetch_sub(&it->owners, 1), 1);
            rn_pool_put(&r->pool, it);
        }
        if (x % 64 == 5)
            rn_yield(); /* come back on another worker */
        if (x % 1024 == 7)
            rn_pool_trim(&r->pool);
    }
    while (n > 0) {
        atomic_fetch_sub(&mine[--n]->owners, 1);
        rn_pool_put(&r->pool, mine[n]);
    }
}

static void *pool_thread(void *p)
{
    pool_user(p);
    return NULL;
}

ITEM(1, "a pool: one owner at a time, every item dropped once, while it is trimmed")
{
    for (int k = 0; k < WORKER_COUNTS; k++) {
        rn_gomaxprocs(worker_counts[k]);
        struct pool_run r = {.rounds = test_scale(80000 / TEST_SLOW, 200)};
        r.pool = (rn_pool){.make = make_item, .drop = drop_item, .arg = &r};
        pthread_t t[2];
        for (int i = 0; i < 2; i++)
            CHECK(pthread_create(&t[i], NULL, pool_thread, &r) == 0);
        for (int i = 0; i < 8; i++)
            test_go(pool_user, &r);
        WAIT_GONE(1);
        for (int i = 0; i < 2; i++)
            pthread_join(t[i], NULL);
        rn_pool_destroy(&r.pool);
        CHECK_EQ(r.dropped, r.made);
    }
}

/* ------------------------------------------------------------------------------------------- map */

enum { OWN = 64, SHARED = 16, PARTIES = 10 };

struct map_run {
    rn_map map;   /* words */
    rn_map texts; /* strings */
    int64_t rounds;
    _Atomic(uint32_t) next;
    _Atomic(uint64_t) counted; /* successful increments of shared keys */
    _Atomic(int64_t) stored, removed;
};

#define K(n) RN_MAP_KEY(n)
#define V(n) ((void *)(uintptr_t)(n))

/* Adds one to a shared counter by compare-and-swap. */
static void count_up(struct map_run *r, uintptr_t key)
{
    for (;;) {
        void *was;
        if (!rn_map_load_or_store(&r->map, K(key), V(1), &was))
            break;
        if (rn_map_compare_and_swap(&r->map, K(key), was, V((uintptr_t)was + 1)))
            break;
    }
    atomic_fetch_add(&r->counted, 1);
}

static void map_user(void *p)
{
    struct map_run *r = p;
    uint32_t me = atomic_fetch_add(&r->next, 1);
    uint64_t rng = me + 77;
    uintptr_t want[OWN] = {0}; /* 0: not there */
    char text[32];
    for (int64_t i = 0; i < r->rounds; i++) {
        uint64_t x = test_random(&rng);
        uint32_t slot = (uint32_t)(x >> 8) % OWN;
        uintptr_t key = 1000 + (uintptr_t)me * OWN + slot, value = (uintptr_t)(x >> 32) + 1;
        void *v = NULL;
        snprintf(text, sizeof text, "%u/%u", me, slot);
        bool s = slot % 2 != 0; /* by string, or by word */
        rn_map *m = s ? &r->texts : &r->map;
        const void *k = s ? text : K(key);
        switch (x % 8) {
        case 0:
        case 1:
            CHECK_EQ(rn_map_swap(m, k, V(value), &v), want[slot] != 0);
            CHECK(v == V(want[slot]));
            want[slot] = value;
            break;
        case 2:
            CHECK_EQ(rn_map_load_and_delete(m, k, &v), want[slot] != 0);
            CHECK(v == V(want[slot]));
            want[slot] = 0;
            break;
        case 3:
            CHECK(!rn_map_compare_and_delete(m, k, V(want[slot] + 1)));
            CHECK_EQ(rn_map_compare_and_delete(m, k, V(want[slot])), want[slot] != 0);
            want[slot] = 0;
            break;
        case 4: count_up(r, (uintptr_t)(x >> 16) % SHARED); break;
        case 5: /* one key that all store and remove: every store that was new is removed once */
            if (!rn_map_swap(&r->texts, "common", V(value), NULL))
                atomic_fetch_add(&r->stored, 1);
            if (rn_map_delete(&r->texts, "common"))
                atomic_fetch_add(&r->removed, 1);
            break;
        default: CHECK_EQ(rn_map_load(m, k, &v), want[slot] != 0); CHECK(v == V(want[slot]));
        }
        if (x % 32 == 9)
            rn_yield();
    }
    for (uint32_t slot = 0; slot < OWN; slot++) {
        snprintf(text, sizeof text, "%u/%u", me, slot);
        bool s = slot % 2 != 0;
        CHECK_EQ(
            rn_map_delete(s ? &r->texts : &r->map, s ? text : K(1000 + (uintptr_t)me * OWN + slot)),
            want[slot] != 0);
    }
}

static void *map_thread(void *p)
{
    map_user(p);
    return NULL;
}

/* No key twice, while all of that goes on. */
static bool once_only(const void *key, void *value, void *arg)
{
    unsigned char *seen = arg;
    (void)value;
    CHECK_EQ(seen[(uintptr_t)key]++, 0);
    if ((uintptr_t)key % 16 == 0)
        rn_yield();
    return true;
}

static void map_walker(void *p)
{
    struct map_run *r = p;
    for (int64_t i = 0; i < r->rounds / 200 + 1; i++) {
        unsigned char seen[1000 + OWN * (PARTIES + 1)] = {0};
        rn_map_range(&r->map, once_only, seen);
        rn_yield();
    }
}

ITEM(2, "a map: what one owner stores he finds, what all count is counted, no key comes twice")
{
    for (int k = 0; k < WORKER_COUNTS; k++) {
        rn_gomaxprocs(worker_counts[k]);
        struct map_run r = {.rounds = test_scale(60000 / TEST_SLOW, 200)};
        r.texts.key_size = RN_MAP_STRINGS;
        pthread_t t[2];
        for (int i = 0; i < 2; i++)
            CHECK(pthread_create(&t[i], NULL, map_thread, &r) == 0);
        for (int i = 0; i < PARTIES - 2; i++)
            test_go(map_user, &r);
        test_go(map_walker, &r);
        WAIT_GONE(1);
        for (int i = 0; i < 2; i++)
            pthread_join(t[i], NULL);
        uint64_t sum = 0;
        for (uintptr_t i = 0; i < SHARED; i++) {
            void *v = NULL;
            rn_map_load(&r.map, K(i), &v);
            sum += (uintptr_t)v;
        }
        CHECK_EQ(sum, r.counted);
        CHECK_EQ(r.stored, r.removed);
        CHECK(rn_map_len(&r.map) <= SHARED);
        CHECK_EQ(rn_map_len(&r.texts), 0);
        rn_map_destroy(&r.map);
        rn_map_destroy(&r.texts);
    }
}

/* ---- values that are freed: with and settle */

struct live {
    uint64_t check;
    _Atomic(int) refs;
};

struct live_run {
    rn_map map;
    int64_t rounds;
    _Atomic(uint32_t) next;
    _Atomic(int64_t) made, freed, used;
};

static void live_unref(struct live_run *r, struct live *x)
{
    if (atomic_fetch_sub(&x->refs, 1) != 1)
        return;
    memset(x, 0xDB, sizeof *x);
    free(x);
    atomic_fetch_add(&r->freed, 1);
}

static void live_ref(void *value, void *arg)
{
    struct live *x = value;
    atomic_fetch_add(&x->refs, 1);
    *(struct live **)arg = x;
}

static void live_user(void *p)
{
    struct live_run *r = p;
    uint64_t rng = atomic_fetch_add(&r->next, 1) + 5;
    for (int64_t i = 0; i < r->rounds; i++) {
        uint64_t k = test_random(&rng), key = k % 8;
        struct live *x = NULL;
        if (k / 8 % 8 == 0) {
            void *was = NULL;
            x = malloc(sizeof *x);
            CHECK(x != NULL);
            x->check = hash_of(1, (uint32_t)key);
            atomic_init(&x->refs, 1);
            atomic_fetch_add(&r->made, 1);
            if (rn_map_swap(&r->map, K(key), x, &was)) {
                rn_map_settle();
                live_unref(r, was);
            }
        } else if (rn_map_with(&r->map, K(key), live_ref, &x)) {
            if (k % 64 == 0)
                rn_yield();
            CHECK(x->check == hash_of(1, (uint32_t)key));
            atomic_fetch_add(&r->used, 1);
            live_unref(r, x);
        }
    }
}

static void *live_thread(void *p)
{
    live_user(p);
    return NULL;
}

ITEM(3, "values that are freed once nobody can be looking at them")
{
    for (int k = 0; k < WORKER_COUNTS; k++) {
        rn_gomaxprocs(worker_counts[k]);
        struct live_run r = {.rounds = test_scale(40000 / TEST_SLOW, 200)};
        pthread_t t;
        CHECK(pthread_create(&t, NULL, live_thread, &r) == 0);
        for (int i = 0; i < 5; i++)
            test_go(live_user, &r);
        WAIT_GONE(1);
        pthread_join(t, NULL);
        for (uintptr_t i = 0; i < 8; i++) {
            void *x;
            if (rn_map_load_and_delete(&r.map, K(i), &x))
                live_unref(&r, x);
        }
        CHECK_EQ(r.freed, r.made);
        CHECK(r.used > 0);
        rn_map_destroy(&r.map);
    }
}

TEST_MAIN
