/*
 * breakers.c - the waits of src/sync/sync.h with a breaker that somebody else pulls at any time, as a context
 * does: granted or cancelled, never both, and in the end everything is free.
 *
 * Invariants
 *  - A breaker is used for one wait at a time; pulling it ends the present wait, or the next one.
 *
 * runnel-test: timeout=600
 */
#include "account.h"
#include "../../src/sync/sync.h"
#include <errno.h>

typedef struct cord {
    rn__breaker base;
    pthread_mutex_t lock; /* guards the rest; nothing parks under it, and race detectors know it */
    rn__g *g;             /* who waits; NULL: nobody */
    uint64_t gen;         /* its token */
    bool pulled;
} cord;

static bool cord_arm(rn__breaker *b, rn__g *g, uint64_t gen)
{
    cord *c = (cord *)(void *)b;
    pthread_mutex_lock(&c->lock);
    bool over = c->pulled;
    if (!over) {
        c->g = g;
        c->gen = gen;
    }
    pthread_mutex_unlock(&c->lock);
    return !over;
}
static void cord_disarm(rn__breaker *b)
{
    cord *c = (cord *)(void *)b;
    pthread_mutex_lock(&c->lock);
    c->g = NULL;
    pthread_mutex_unlock(&c->lock);
}
static int cord_how(rn__breaker *b)
{
    (void)b;
    return -ECANCELED;
}
static void pull(cord *c)
{
    pthread_mutex_lock(&c->lock);
    c->pulled = true;
    rn__g *g = c->g;
    c->g = NULL;
    if (g != NULL && rn__token_take(g, c->gen))
        g->won_how = RN__WON_CANCELED;
    else
        g = NULL;
    pthread_mutex_unlock(&c->lock);
    if (g != NULL)
        rn__ready_permit(g);
}
static void rearm(cord *c)
{
    pthread_mutex_lock(&c->lock);
    c->pulled = false;
    pthread_mutex_unlock(&c->lock);
}

enum { USERS = 6, WITH_THREADS = 2 };
static struct scene {
    rn_mutex m;
    rn_rwmutex rw;
    rn_sem sem;
    rn_cond c;
    int64_t count, a, z; /* count guarded by m; a and z by rw */
    _Atomic(int64_t) counted, written, cancelled, units;
    cord cord[USERS + WITH_THREADS];
    _Atomic(int) next, running;
    int64_t rounds;
    rn_waitgroup done;
} s;

static bool went(int err)
{
    CHECK(err == 0 || err == -ECANCELED);
    if (err != 0)
        atomic_fetch_add(&s.cancelled, 1);
    return err == 0;
}

static void use_one(uint64_t what, rn__breaker *b, uint64_t *seed)
{
    switch (what) {
    case 0:
    case 1:
        if (went(rn__mutex_lock_by(&s.m, b, RN_HERE))) {
            s.count++;
            if (test_random(seed) % 4 == 0)
                rn_yield();
            rn_mutex_unlock(&s.m);
            atomic_fetch_add(&s.counted, 1);
        }
        break;
    case 2:
        if (went(rn__rwmutex_lock_by(&s.rw, b, RN_HERE))) {
            s.a++;
            if (test_random(seed) % 4 == 0)
                rn_yield();
            s.z++;
            rn_rwmutex_unlock(&s.rw);
            atomic_fetch_add(&s.written, 1);
        }
        break;
    case 3:
        if (went(rn__rwmutex_rlock_by(&s.rw, b, RN_HERE))) {
            int64_t a = s.a;
            if (test_random(seed) % 4 == 0)
                rn_yield();
            CHECK_EQ(s.z, a);
            rn_rwmutex_runlock(&s.rw);
        }
        break;
    case 4: {
        int64_t n = 1 + (int64_t)(test_random(seed) % 3);
        if (went(rn__sem_acquire_by(&s.sem, n, b, RN_HERE))) {
            CHECK(atomic_fetch_add(&s.units, n) + n <= 3);
            rn_yield();
            atomic_fetch_sub(&s.units, n);
            rn_sem_release(&s.sem, n);
        }
        break;
    }
    default:
        rn_mutex_lock(&s.m);
        (void)went(rn__cond_wait_by(&s.c, &s.m, b, RN_HERE));
        s.count++;
        rn_mutex_unlock(&s.m);
        atomic_fetch_add(&s.counted, 1);
        break;
    }
}

static void user(void *p)
{
    (void)p;
    cord *c = &s.cord[atomic_fetch_add(&s.next, 1)];
    uint64_t seed = (uint64_t)(c - s.cord);
    for (int64_t i = 0; i < s.rounds; i++) {
        rearm(c);
        use_one(test_random(&seed) % 6, &c->base, &seed);
    }
    atomic_fetch_sub(&s.running, 1);
    rn_waitgroup_done(&s.done);
}
static void *user_thread(void *p)
{
    user(p);
    return NULL;
}

static void puller(void *p)
{
    (void)p;
    uint64_t seed = 99;
    while (atomic_load(&s.running) > 0) {
        pull(&s.cord[test_random(&seed) % (USERS + WITH_THREADS)]);
        if (test_random(&seed) % 4 == 0)
            rn_cond_signal(&s.c);
        if (test_random(&seed) % 32 == 0)
            rn_cond_broadcast(&s.c);
        rn_yield();
    }
    rn_waitgroup_done(&s.done);
}

ITEM(1, "cancellation at any time: mutex, rwmutex, semaphore, cond")
{
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        memset(&s, 0, sizeof s);
        s.rounds = test_scale(TEST_SANITIZED ? 1500 : 6000, 50);
        rn_sem_init(&s.sem, 3);
        for (int i = 0; i < USERS + WITH_THREADS; i++)
            s.cord[i].base = (rn__breaker){cord_arm, cord_disarm, cord_how};
        int threads = w % 2 == 0 ? 0 : WITH_THREADS;
        pthread_t t[WITH_THREADS];
        atomic_store(&s.running, USERS + threads);
        rn_waitgroup_add(&s.done, USERS + threads + 1);
        for (int i = 0; i < threads; i++)
            CHECK(pthread_create(&t[i], NULL, user_thread, NULL) == 0);
        for (int i = 0; i < USERS; i++)
            test_go(user, NULL);
        test_go(puller, NULL);
        rn_waitgroup_wait(&s.done);
        for (int i = 0; i < threads; i++)
            pthread_join(t[i], NULL);
        WAIT_GONE(1);
        CHECK_EQ(s.count, s.counted);
        CHECK(s.a == s.written && s.z == s.written);
        CHECK(s.cancelled > 0);
        CHECK_EQ(rn_sem_available(&s.sem), 3);
        CHECK(s.m.rn_word == 0 && s.rw.rn_word == 0 && s.c.rn_queue == 0);
        CHECK(s.sem.rn_waiters == NULL);
    }
}

TEST_MAIN
