/*
 * k_pool_map.c - items 146 and 147: pool and map.
 *
 * Invariants
 *  - Every item that a test makes is counted, and is dropped or freed exactly once.
 */
#include "../test.h"

/* ------------------------------------------------------------------------------------------ pool */

struct made {
    _Atomic(int) made, dropped;
};

static void *make_int(void *arg)
{
    atomic_fetch_add(&((struct made *)arg)->made, 1);
    return calloc(1, sizeof(int));
}

static void drop_int(void *item, void *arg)
{
    atomic_fetch_add(&((struct made *)arg)->dropped, 1);
    free(item);
}

ITEM(146, "get on an empty pool gives NULL, or what make makes; put of NULL is ignored")
{
    rn_pool bare = {0};
    CHECK(rn_pool_get(&bare) == NULL);
    rn_pool_put(&bare, NULL);
    CHECK(rn_pool_get(&bare) == NULL);
    int x;
    rn_pool_put(&bare, &x);
    CHECK(rn_pool_get(&bare) == &x);
    CHECK(rn_pool_get(&bare) == NULL);
    rn_pool_destroy(&bare);
    struct made c = {0, 0};
    rn_pool p = {.make = make_int, .drop = drop_int, .arg = &c};
    void *a = rn_pool_get(&p);
    void *b = rn_pool_get(&p);
    CHECK(a != NULL && b != NULL && a != b);
    CHECK_EQ(c.made, 2);
    rn_pool_put(&p, a);
    rn_pool_put(&p, NULL);
    CHECK(rn_pool_get(&p) == a);
    rn_pool_put(&p, a);
    rn_pool_put(&p, b);
    rn_pool_destroy(&p);
    CHECK_EQ(c.dropped, 2);
}

ITEM(146, "no item is handed out twice, however many are in it")
{
    enum { N = 1000 };
    struct made c = {0, 0};
    rn_pool p = {.make = make_int, .drop = drop_int, .arg = &c};
    int *item[N];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            item[i] = rn_pool_get(&p);
            CHECK_EQ(*item[i], 0); /* in nobody's hands */
            *item[i] = 1;
        }
        CHECK_EQ(c.made, N); /* and none was made while there were others */
        for (int i = 0; i < N; i++) {
            *item[i] = 0;
            rn_pool_put(&p, item[i]);
        }
    }
    rn_pool_destroy(&p);
    CHECK_EQ(c.dropped, N);
}

ITEM(146, "an item survives one trim cycle, in reach, and not a second one")
{
    enum { N = 100 };
    /* no watcher: it would trim, too */
    setenv("RUNNEL_DEBUG", "seed=1", 1);
    struct made c = {0, 0};
    rn_pool p = {.make = make_int, .drop = drop_int, .arg = &c};
    void *item[N];
    for (int i = 0; i < N; i++)
        item[i] = rn_pool_get(&p);
    for (int i = 0; i < N; i++)
        rn_pool_put(&p, item[i]);
    rn_pool_trim(&p);
    CHECK_EQ(c.dropped, 0);
    for (int i = 0; i < 10; i++)
        item[i] = rn_pool_get(&p);
    CHECK_EQ(c.made, N); /* taken from those put aside */
    rn_pool_trim(&p);
    CHECK(c.dropped > 0 && c.dropped <= N - 10);
    rn_pool_trim(&p);
    CHECK_EQ(c.dropped, N - 10);
    for (int i = 0; i < 10; i++)
        rn_pool_put(&p, item[i]);
    rn_pool_trim(&p);
    rn_pool_trim(&p);
    CHECK_EQ(c.dropped, N);
    void *last = rn_pool_get(&p);
    CHECK(last != NULL);
    CHECK_EQ(c.made, N + 1);
    rn_pool_destroy(&p);
    CHECK_EQ(c.dropped, N); /* the last one is ours */
    free(last);
}

static void idle(void *p)
{
    (void)p;
}

ITEM(146, "without being asked, the library trims what nobody uses")
{
    static struct made c;
    static rn_pool p = {.make = make_int, .drop = drop_int, .arg = &c};
    void *item = rn_pool_get(&p);
    rn_pool_put(&p, item);
    item = NULL;         /* no pointer to it but the pool's */
    test_go(idle, NULL); /* the watcher is up from now on */
    WAIT_UNTIL(c.dropped == 1);
    WAIT_GONE(1);
    rn_pool_destroy(&p);
    CHECK_EQ(c.dropped, c.made);
}

/* ------------------------------------------------------------------------------------------- map */

#define V(n) ((void *)(uintptr_t)(n))
#define K(n) RN_MAP_KEY(n)

ITEM(147, "every operation on one key, there and not there, with its results")
{
    rn_map m = {0};
    void *v = V(99);
    CHECK(!rn_map_load(&m, K(1), &v) && v == NULL);
    CHECK(!rn_map_delete(&m, K(1)));
    CHECK(!rn_map_compare_and_swap(&m, K(1), NULL, V(1)));
    CHECK(!rn_map_compare_and_delete(&m, K(1), NULL));
    v = V(99);
    CHECK(!rn_map_load_and_delete(&m, K(1), &v) && v == NULL);
    rn_map_store(&m, K(1), V(10));
    CHECK(rn_map_load(&m, K(1), &v) && v == V(10));
    CHECK(rn_map_load(&m, K(1), NULL));
    rn_map_store(&m, K(1), V(11));
    CHECK(rn_map_load(&m, K(1), &v) && v == V(11));
    CHECK(rn_map_load_or_store(&m, K(1), V(12), &v) && v == V(11));
    CHECK(!rn_map_load_or_store(&m, K(2), V(20), &v) && v == V(20));
    CHECK(rn_map_swap(&m, K(2), V(21), &v) && v == V(20));
    CHECK(!rn_map_swap(&m, K(3), V(30), &v) && v == NULL);
    CHECK_EQ(rn_map_len(&m), 3);
    CHECK(!rn_map_compare_and_swap(&m, K(3), V(31), V(32)));
    CHECK(rn_map_compare_and_swap(&m, K(3), V(30), V(32)));
    CHECK(rn_map_load(&m, K(3), &v) && v == V(32));
    CHECK(!rn_map_compare_and_delete(&m, K(3), V(30)));
    CHECK(rn_map_compare_and_delete(&m, K(3), V(32)));
    CHECK(!rn_map_load(&m, K(3), NULL));
    CHECK(rn_map_load_and_delete(&m, K(2), &v) && v == V(21));
    CHECK(rn_map_delete(&m, K(1)));
    CHECK_EQ(rn_map_len(&m), 0);
    rn_map_store(&m, K(0), NULL); /* key 0 and a NULL value are as good as any */
    CHECK(rn_map_load(&m, K(0), &v) && v == NULL);
    CHECK(rn_map_compare_and_swap(&m, K(0), NULL, V(1)));
    rn_map_clear(&m);
    CHECK(!rn_map_load(&m, K(0), NULL) && rn_map_len(&m) == 0);
    rn_map_destroy(&m);
    CHECK(!rn_map_load(&m, K(0), NULL));
    rn_map_store(&m, K(0), NULL);
    CHECK_EQ(rn_map_len(&m), 1);
    rn_map_destroy(&m);
}

struct point {
    int x, y;
};

static uint64_t hash_nocase(const void *key)
{
    uint64_t h = 7;
    for (const char *s = key; *s != '\0'; s++)
        h = h * 31 + (uint64_t)(*s | 32);
    return h;
}
static bool equal_nocase(const void *a, const void *b)
{
    const char *s = a, *t = b;
    for (; *s != '\0' && (*s | 32) == (*t | 32); s++)
        t++;
    return *s == *t;
}

ITEM(147, "keys are words, strings, bytes, or what the caller says; the map keeps copies")
{
    rn_map strings = {.key_size = RN_MAP_STRINGS};
    char key[32];
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "key %d", i);
        rn_map_store(&strings, key, V(i));
    }
    for (int i = 0; i < 3000; i++) {
        void *v;
        snprintf(key, sizeof key, "key %d", i);
        CHECK(rn_map_load(&strings, key, &v) && v == V(i));
    }
    CHECK(!rn_map_load(&strings, "key", NULL) && !rn_map_load(&strings, "", NULL));
    rn_map_store(&strings, "", V(7));
    CHECK(rn_map_load(&strings, "", NULL));
    rn_map_destroy(&strings);

    rn_map points = {.key_size = sizeof(struct point)};
    for (int i = 0; i < 100; i++)
        rn_map_store(&points, &(struct point){i, -i}, V(i));
    for (int i = 0; i < 100; i++) {
        void *v;
        CHECK(rn_map_load(&points, &(struct point){i, -i}, &v) && v == V(i));
        CHECK(i == 0 || !rn_map_load(&points, &(struct point){-i, i}, NULL));
    }
    rn_map_destroy(&points);

    rn_map nocase = {.key_size = RN_MAP_STRINGS, .hash = hash_nocase, .equal = equal_nocase};
    rn_map_store(&nocase, "Content-Type", V(1));
    void *v;
    CHECK(rn_map_load(&nocase, "content-type", &v) && v == V(1));
    CHECK(!rn_map_load(&nocase, "content-typ", NULL));
    CHECK_EQ(rn_map_len(&nocase), 1);
    rn_map_destroy(&nocase);
}

struct walk {
    rn_map *m;
    int seen[4000];
    int n, stop_after;
};

static bool see(const void *key, void *value, void *arg)
{
    struct walk *w = arg;
    CHECK(key == value);
    w->seen[(uintptr_t)key]++;
    return ++w->n != w->stop_after;
}

/* Changes what is being walked: removes, stores again, adds, grows, and lets others run. */
static bool see_and_change(const void *key, void *value, void *arg)
{
    struct walk *w = arg;
    uintptr_t k = (uintptr_t)key;
    (void)value;
    w->seen[k]++;
    if (k < 1000) {
        CHECK(rn_map_delete(w->m, K(k)));
        if (k % 2 == 0)
            rn_map_store(w->m, K(k), V(k));
        rn_map_store(w->m, K(k + 1000), V(k + 1000));
        if (k % 100 == 0)
            rn_yield();
    }
    return true;
}

ITEM(147, "range sees each key at most once, whatever happens to the map; and stops when told")
{
    rn_map m = {0};
    struct walk *w = calloc(1, sizeof *w);
    CHECK(w != NULL);
    w->m = &m;
    rn_map_range(&m, see, w);
    CHECK_EQ(w->n, 0);
    for (int i = 0; i < 1000; i++)
        rn_map_store(&m, K(i), V(i));
    rn_map_range(&m, see, w);
    CHECK_EQ(w->n, 1000);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(w->seen[i], 1);
    memset(w->seen, 0, sizeof w->seen);
    w->n = 0;
    w->stop_after = 10;
    rn_map_range(&m, see, w);
    CHECK_EQ(w->n, 10);
    memset(w->seen, 0, sizeof w->seen);
    rn_map_range(&m, see_and_change, w);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(w->seen[i], 1); /* there from the beginning, nobody else removed it */
    for (int i = 1000; i < 2000; i++)
        CHECK(w->seen[i] <= 1);
    CHECK_EQ(rn_map_len(&m), 500 + 1000);
    rn_map_destroy(&m);
    free(w);
}

static bool break_off(const void *key, void *value, void *arg)
{
    (void)key;
    (void)value;
    CHECK(rn_map_delete(arg, key));
    rn_panic("enough");
}

static void range_and_panic(void *m)
{
    rn_map_range(m, break_off, m);
}

ITEM(147, "a panic in a range's function leaves the map whole")
{
    rn_map m = {.key_size = RN_MAP_STRINGS};
    rn_map_store(&m, "a", NULL);
    rn_map_store(&m, "b", NULL);
    CHECK_PANIC(range_and_panic, &m, "enough");
    CHECK_EQ(rn_map_len(&m), 1);
    rn_map_destroy(&m);
}

ITEM(147, "many keys, removed and stored again, clear in between")
{
    rn_map m = {0};
    for (int round = 0; round < 3; round++) {
        enum { N = 20000 };
        for (uintptr_t i = 0; i < N; i++)
            CHECK(!rn_map_swap(&m, K(i * 4096), V(i), NULL));
        for (uintptr_t i = 0; i < N; i += 2)
            CHECK(rn_map_delete(&m, K(i * 4096)));
        CHECK_EQ(rn_map_len(&m), N / 2);
        for (uintptr_t i = 0; i < N; i++) {
            void *v;
            CHECK_EQ(rn_map_load(&m, K(i * 4096), &v), i % 2);
            CHECK(i % 2 == 0 || v == V(i));
        }
        rn_map_clear(&m);
        CHECK_EQ(rn_map_len(&m), 0);
    }
    rn_map_destroy(&m);
}

static void inside(void *value, void *arg)
{
    (void)value;
    (void)arg;
    rn_map_settle();
}

CHILD(settle_inside)
{
    rn_map m = {0};
    rn_map_store(&m, K(1), NULL);
    rn_map_with(&m, K(1), inside, NULL);
}

static void twice(void *value, void *arg)
{
    *(int *)arg = 2 * *(int *)value;
}

ITEM(147, "with: looks at a value that settle protects")
{
    rn_map m = {0};
    int *x = malloc(sizeof *x), y = 0;
    CHECK(x != NULL);
    *x = 21;
    CHECK(!rn_map_with(&m, K(1), twice, &y));
    rn_map_store(&m, K(1), x);
    CHECK(rn_map_with(&m, K(1), twice, &y) && y == 42);
    CHECK(rn_map_delete(&m, K(1)));
    rn_map_settle();
    free(x);
    rn_map_destroy(&m);
    test_child *r = test_run_child("settle_inside", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: rn_map_settle: called inside rn_map_with");
}

TEST_MAIN
