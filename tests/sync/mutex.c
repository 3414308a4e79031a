/*
 * mutex.c - what tests/conformance/j_sync.c leaves: the fatal unlock, both modes, memory that is freed
 * as early as the rules allow.
 *
 * Invariants
 *  - The modes are shown under the deterministic policy: one worker, which switches only where the
 *    test lets it, and a clock that stands still but for rn_sleep.
 */
#include "../test.h"

/* Before the first use of the runtime: one worker, virtual time. */
static void deterministic(void)
{
    setenv("RUNNEL_DEBUG", "seed=1", 1);
}

/* ------------------------------------------------------------------------------- fatal unlock */

static void unlock(void *m)
{
    rn_mutex_unlock((rn_mutex *)m);
}

CHILD(unlock_unlocked)
{
    rn_mutex m = {0};
    rn_try(unlock, &m, NULL); /* a fatal error is no panic */
    fprintf(stderr, "still here\n");
}

CHILD(unlock_twice)
{
    rn_mutex m = {0};
    rn_mutex_lock(&m);
    rn_mutex_unlock(&m);
    rn_mutex_unlock(&m);
}

ITEM(126, "unlock of an unlocked mutex is a fatal error that nothing recovers")
{
    test_child *r = test_run_child("unlock_unlocked", NULL);
    CHECK_EQ(r->status, 2);
    CHECK(strncmp(r->err, "fatal error: sync: unlock of unlocked mutex\n", 44) == 0);
    CHECK_HAS(r->err, "never locked");
    CHECK_HAS_NOT(r->err, "still here");
    r = test_run_child("unlock_twice", NULL);
    CHECK_EQ(r->status, 2);
    CHECK(strncmp(r->err, "fatal error: sync: unlock of unlocked mutex\n", 44) == 0);
    CHECK_HAS(r->err, "last locked at ");
}

/* ------------------------------------------------------------------------------------- the modes */

static rn_mutex m;
static int order[16];
static _Atomic(int) norder; /* order is written under m; norder is looked at without it */

static void lock_and_note(void *id)
{
    rn_mutex_lock(&m);
    order[norder++] = (int)(intptr_t)id;
    rn_mutex_unlock(&m);
}

ITEM(129,
     "normal mode: unlock wakes, the running one may take it again, the woken one keeps its place")
{
    deterministic();
    rn_mutex_lock(&m);
    test_go(lock_and_note, (void *)1);
    WAIT_PARKED(1, MUTEX_LOCK, &m);
    test_go(lock_and_note, (void *)2);
    WAIT_PARKED(2, MUTEX_LOCK, &m);
    for (int i = 0; i < 3; i++) {
        rn_mutex_unlock(&m);
        CHECK_EQ(test_parked(RN__WAIT_MUTEX_LOCK, &m), 1); /* one is woken, no more */
        CHECK(rn_mutex_trylock(&m));                       /* it has not been handed over */
        WAIT_PARKED(2, MUTEX_LOCK, &m);                    /* it has lost, and waits again */
    }
    rn_mutex_unlock(&m);
    WAIT_GONE(1);
    CHECK(norder == 2 && order[0] == 1 && order[1] == 2);
}

ITEM(130,
     "starvation mode: who has waited for 1 ms gets it before anybody else, then the mode ends")
{
    deterministic();
    rn_mutex_lock(&m);
    test_go(lock_and_note, (void *)1);
    WAIT_PARKED(1, MUTEX_LOCK, &m);
    rn_sleep(2 * RN_MS);
    rn_mutex_unlock(&m);
    CHECK(rn_mutex_trylock(&m));    /* normal mode still: nobody has said that it starves */
    WAIT_PARKED(1, MUTEX_LOCK, &m); /* now it has */
    test_go(lock_and_note, (void *)2);
    WAIT_PARKED(2, MUTEX_LOCK, &m);
    rn_mutex_unlock(&m);
    CHECK(!rn_mutex_trylock(&m)); /* handed over, though nobody has run yet */
    CHECK_EQ(norder, 0);
    WAIT_GONE(1);
    CHECK(norder == 2 && order[0] == 1 && order[1] == 2);
    /* normal again: barging works */
    rn_mutex_lock(&m);
    test_go(lock_and_note, (void *)3);
    WAIT_PARKED(1, MUTEX_LOCK, &m);
    rn_mutex_unlock(&m);
    CHECK(rn_mutex_trylock(&m));
    rn_mutex_unlock(&m);
    WAIT_GONE(1);
    CHECK_EQ(norder, 3);
}

static bool barged;
static void lock_and_barge(void *id)
{
    lock_and_note(id);
    barged = rn_mutex_trylock(&m); /* only if the unlock before has not handed over */
    if (barged)
        rn_mutex_unlock(&m);
}

ITEM(130, "the mode ends with a waiter that did not wait for 1 ms, though others wait")
{
    deterministic();
    rn_mutex_lock(&m);
    test_go(lock_and_note, (void *)1);
    WAIT_PARKED(1, MUTEX_LOCK, &m);
    rn_sleep(2 * RN_MS);
    rn_mutex_unlock(&m);
    CHECK(rn_mutex_trylock(&m));
    WAIT_PARKED(1, MUTEX_LOCK, &m); /* starves */
    test_go(lock_and_barge, (void *)2);
    WAIT_PARKED(2, MUTEX_LOCK, &m);
    test_go(lock_and_note, (void *)3);
    WAIT_PARKED(3, MUTEX_LOCK, &m);
    rn_mutex_unlock(&m); /* to 1; it hands over to 2, which ends the mode */
    WAIT_GONE(1);
    CHECK(norder == 3 && order[0] == 1 && order[1] == 2 && order[2] == 3);
    CHECK(barged);
}

/* A goroutine that locks and unlocks without end must not keep the woken waiter, which stands in the
 * queue of the same worker, from its turn. */
static bool stop;
static void stop_it(void *p)
{
    (void)p;
    rn_mutex_lock(&m);
    stop = true;
    rn_mutex_unlock(&m);
}

ITEM(129, "a burst of locking gives way to the woken waiter, also on one worker")
{
    deterministic();
    rn_mutex_lock(&m);
    test_go(stop_it, NULL);
    WAIT_PARKED(1, MUTEX_LOCK, &m);
    rn_mutex_unlock(&m);
    for (bool seen = false; !seen;) {
        rn_mutex_lock(&m);
        seen = stop;
        rn_mutex_unlock(&m);
    }
    WAIT_GONE(1);
}

/* ------------------------------------------------------------------------------------ early free */

/* Users count themselves out under the mutex; the last one frees it right after its unlock, while
 * the unlock before it may still be on its way out. */
struct shared {
    rn_mutex m;
    int users;
    int count;
};

static _Atomic(int64_t) counted;

static void use(void *p)
{
    struct shared *s = p;
    for (int i = 0; i < 3; i++) {
        rn_mutex_lock(&s->m);
        s->count++;
        rn_mutex_unlock(&s->m);
    }
    rn_mutex_lock(&s->m);
    bool last = --s->users == 0;
    int count = s->count;
    rn_mutex_unlock(&s->m);
    if (last) {
        atomic_fetch_add(&counted, count);
        memset(s, 0xDB, sizeof *s); /* a late access would find no mutex */
        free(s);
    }
}

static void *use_many(void *p)
{
    struct shared **all = p;
    for (; *all != NULL; all++)
        use(*all);
    return NULL;
}

ITEM(132, "the last user may free the mutex as soon as its unlock has returned")
{
    enum { BATCH = 64, GOROUTINES = 5 };
    int64_t rounds = test_scale(TEST_SANITIZED ? 60 : 600, 4), want = 0;
    for (int64_t r = 0; r < rounds; r++) {
        rn_gomaxprocs(r % 3 == 0 ? 1 : r % 3 == 1 ? 2 : 4);
        struct shared *all[BATCH + 1] = {NULL};
        pthread_t thread;
        for (int i = 0; i < BATCH; i++) {
            all[i] = calloc(1, sizeof *all[i]);
            CHECK(all[i] != NULL);
            all[i]->users = GOROUTINES + 1;
            want += 3 * (GOROUTINES + 1);
        }
        CHECK(pthread_create(&thread, NULL, use_many, all) == 0);
        for (int i = 0; i < BATCH; i++) {
            struct shared *s = all[i];
            for (int k = 0; k < GOROUTINES; k++)
                test_go(use, s);
        }
        WAIT_GONE(1);
        pthread_join(thread, NULL);
    }
    CHECK_EQ(counted, want);
}

TEST_MAIN
