/*
 * j_sync.c - items 125 to 142, as far as mutex, wait group and once go.
 *
 * Invariants
 *  - What must wait is seen to be parked; what must not return has not after many turns of others.
 */
#include "../test.h"

/* ---- mutex */

static rn_mutex static_mutex;

struct mutex_job {
    rn_mutex *m;
    int *count; /* guarded by m */
    int rounds;
};

static void lock_and_count(void *p)
{
    struct mutex_job *j = p;
    for (int i = 0; i < j->rounds; i++) {
        rn_mutex_lock(j->m);
        ++*j->count;
        if (i % 16 == 0)
            rn_yield(); /* it may be held across a switch */
        rn_mutex_unlock(j->m);
    }
}

static void *lock_in_thread(void *p)
{
    lock_and_count(p);
    return NULL;
}

ITEM(125, "the zero value is an unlocked mutex: static, on the stack, on the heap")
{
    rn_mutex m = {0};
    rn_mutex *h = calloc(1, sizeof *h);
    CHECK(h != NULL);
    CHECK(rn_mutex_trylock(&m) && rn_mutex_trylock(h) && rn_mutex_trylock(&static_mutex));
    rn_mutex_unlock(&m);
    rn_mutex_unlock(h);
    rn_mutex_unlock(&static_mutex);
    free(h);
}

static void unlock_it(void *p)
{
    rn_mutex_unlock((rn_mutex *)p);
}

ITEM(127, "unlock may come from another goroutine")
{
    rn_mutex m = {0};
    rn_mutex_lock(&m);
    test_go(unlock_it, &m);
    rn_mutex_lock(&m); /* waits for it */
    rn_mutex_unlock(&m);
    WAIT_GONE(1);
}

ITEM(128, "trylock never blocks, and says whether it has the lock")
{
    rn_mutex m = {0};
    for (int i = 0; i < 100; i++) {
        CHECK(rn_mutex_trylock(&m));
        CHECK(!rn_mutex_trylock(&m));
        rn_mutex_unlock(&m);
    }
}

CHILD(lock_twice)
{
    rn_mutex m = {0};
    rn_mutex_lock(&m);
    rn_mutex_lock(&m);
}

ITEM(131, "locking twice in one goroutine deadlocks")
{
    test_child *r = test_run_child("lock_twice", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: all goroutines are asleep - deadlock!");
    CHECK_HAS(r->err, "goroutine 1 [sync.Mutex.Lock]:");
}

ITEM(132, "what was written before unlock is visible after the next lock, threads included")
{
    rn_mutex m = {0};
    int count = 0;
    struct mutex_job j = {&m, &count, (int)test_scale(20000, 200)};
    pthread_t t[2];
    rn_gomaxprocs(4);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&t[i], NULL, lock_in_thread, &j) == 0);
    for (int i = 0; i < 6; i++)
        test_go(lock_and_count, &j);
    WAIT_GONE(1);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    CHECK_EQ(count, 8 * j.rounds);
}

/* ---- wait group */

static void done_too_often(void *p)
{
    rn_waitgroup_done((rn_waitgroup *)p);
}

static void add_too_little(void *p)
{
    rn_waitgroup_add((rn_waitgroup *)p, -2);
}

ITEM(137, "a counter below zero panics")
{
    rn_waitgroup wg = {0};
    CHECK_PANIC(done_too_often, &wg, "sync: negative WaitGroup counter");
    rn_waitgroup other = {0};
    rn_waitgroup_add(&other, 1);
    CHECK_PANIC(add_too_little, &other, "sync: negative WaitGroup counter");
}

struct group_job {
    rn_waitgroup *wg;
    _Atomic(int) *passed;
};

static void wait_and_pass(void *p)
{
    struct group_job *j = p;
    rn_waitgroup_wait(j->wg);
    atomic_fetch_add(j->passed, 1);
}

ITEM(139, "wait on zero returns at once; any number may wait; reusable after all have returned")
{
    rn_waitgroup wg = {0};
    _Atomic(int) passed = 0;
    struct group_job j = {&wg, &passed};
    for (int i = 0; i < 10; i++)
        rn_waitgroup_wait(&wg);
    for (int round = 1; round <= 20; round++) {
        rn_waitgroup_add(&wg, 2);
        for (int i = 0; i < 5; i++)
            test_go(wait_and_pass, &j);
        WAIT_PARKED(5, WAITGROUP_WAIT, NULL);
        rn_waitgroup_done(&wg);
        for (int i = 0; i < 20; i++)
            rn_yield();
        CHECK_EQ(passed, 5 * (round - 1)); /* one is still to come */
        rn_waitgroup_done(&wg);
        WAIT_GONE(1);
        CHECK_EQ(passed, 5 * round);
    }
}

/* ---- once */

static rn_once once;
static chan(int) gate;
static _Atomic(int) runs, returned;

static void run_once(void)
{
    atomic_fetch_add(&runs, 1);
    chan_recv(gate, NULL);
}

static void call_once(void *p)
{
    (void)p;
    rn_once_do(&once, run_once);
    atomic_fetch_add(&returned, 1);
}

static void panic_in_once(void)
{
    atomic_fetch_add(&runs, 1);
    rn_panic("first");
}

static void call_panicking(void *p)
{
    rn_once_do((rn_once *)p, panic_in_once);
}

ITEM(141, "all calls return after the first has ended; a panic counts as done")
{
    rn_gomaxprocs(2);
    gate = chan_make(int, 0);
    for (int i = 0; i < 10; i++)
        test_go(call_once, NULL);
    WAIT_PARKED(1, CHAN_RECEIVE, gate);
    for (int i = 0; i < 50; i++)
        rn_yield();
    CHECK_EQ(runs, 1);
    CHECK_EQ(returned, 0);
    chan_close(gate);
    WAIT_GONE(1);
    CHECK_EQ(runs, 1);
    CHECK_EQ(returned, 10);
    rn_once bad = {0};
    CHECK_PANIC(call_panicking, &bad, "first");
    rn_once_do(&bad, panic_in_once);
    CHECK_EQ(runs, 2);
    chan_unref(gate);
}

static void again(void)
{
    rn_once_do(&once, again);
}

CHILD(once_in_itself)
{
    rn_once_do(&once, again);
}

ITEM(142, "once inside its own function deadlocks")
{
    test_child *r = test_run_child("once_in_itself", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: all goroutines are asleep - deadlock!");
}

TEST_MAIN
