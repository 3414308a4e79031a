/*
 * j_rwmutex.c - items 125 and 133 to 136: RWMutex; and deadlines on both locks, which Go does not have.
 *
 * Invariants
 *  - What must wait is seen to be parked; order is shown under the deterministic policy, where a
 *    goroutine runs only while the test is parked or yields.
 */
#include "../test.h"
#include <errno.h>

static void deterministic(void)
{
    setenv("RUNNEL_DEBUG", "seed=1", 1);
    rn_yield(); /* starts the runtime, and with it the virtual clock */
}

static rn_rwmutex rw;
static char order[32];
static _Atomic(int) nclaimed, norder; /* norder is looked at while others run */
static _Atomic(bool) go_on;

static void note(char c)
{
    order[atomic_fetch_add(&nclaimed, 1)] = c;
    atomic_fetch_add(&norder, 1);
}

static void read_it(void *p)
{
    (void)p;
    rn_rwmutex_rlock(&rw);
    note('r');
    WAIT_UNTIL(go_on);
    rn_rwmutex_runlock(&rw);
}

static void write_it(void *p)
{
    (void)p;
    rn_rwmutex_lock(&rw);
    note('w');
    rn_rwmutex_unlock(&rw);
}

ITEM(125, "the zero value of a rwmutex is unlocked")
{
    static rn_rwmutex a;
    rn_rwmutex b = {0};
    CHECK(rn_rwmutex_trylock(&a) && rn_rwmutex_tryrlock(&b));
    rn_rwmutex_unlock(&a);
    rn_rwmutex_runlock(&b);
}

ITEM(133, "many readers at a time; one writer alone")
{
    rn_gomaxprocs(2);
    for (int i = 0; i < 5; i++)
        test_go(read_it, NULL);
    WAIT_UNTIL(norder == 5); /* all inside at once */
    test_go(write_it, NULL);
    WAIT_PARKED(1, RWMUTEX_LOCK, &rw);
    CHECK_EQ(norder, 5);
    go_on = true;
    WAIT_GONE(1);
    CHECK(strcmp(order, "rrrrrw") == 0);
}

ITEM(133,
     "a waiting writer blocks new readers; those who queue behind it enter before the next writer")
{
    deterministic();
    rn_rwmutex_rlock(&rw);
    test_go(write_it, NULL);
    WAIT_PARKED(1, RWMUTEX_LOCK, &rw);
    for (int i = 0; i < 3; i++)
        test_go(read_it, NULL);
    WAIT_PARKED(3, RWMUTEX_RLOCK, &rw);
    test_go(write_it, NULL);
    WAIT_PARKED(2, RWMUTEX_LOCK, &rw);
    CHECK(!rn_rwmutex_tryrlock(&rw));
    CHECK_EQ(norder, 0);
    rn_rwmutex_runlock(&rw);
    WAIT_UNTIL(norder == 4); /* the second writer waits for the readers */
    for (int i = 0; i < 20; i++)
        rn_yield();
    CHECK(strcmp(order, "wrrr") == 0);
    go_on = true;
    WAIT_GONE(1);
    CHECK(strcmp(order, "wrrrw") == 0);
}

ITEM(133, "what a writer wrote is visible to readers, and they hold the next writer off")
{
    rn_gomaxprocs(4);
    go_on = true;
    for (int i = 0; i < 200; i++) {
        nclaimed = norder = 0;
        for (int k = 0; k < 6; k++)
            test_go(k % 3 == 0 ? write_it : read_it, NULL);
        WAIT_GONE(1);
        CHECK_EQ(norder, 6);
    }
}

/* ---- fatal */

static void runlock(void *p)
{
    rn_rwmutex_runlock((rn_rwmutex *)p);
}
static void unlock(void *p)
{
    rn_rwmutex_unlock((rn_rwmutex *)p);
}

CHILD(runlock_unlocked)
{
    rn_try(runlock, &rw, NULL);
    fprintf(stderr, "still here\n");
}
CHILD(runlock_written)
{
    rn_rwmutex_lock(&rw);
    rn_try(runlock, &rw, NULL);
    fprintf(stderr, "still here\n");
}
CHILD(unlock_unlocked)
{
    rn_try(unlock, &rw, NULL);
    fprintf(stderr, "still here\n");
}
CHILD(unlock_read)
{
    rn_rwmutex_rlock(&rw);
    rn_try(unlock, &rw, NULL);
    fprintf(stderr, "still here\n");
}
CHILD(unlock_draining)
{
    rn_rwmutex_rlock(&rw);
    test_go(write_it, NULL);
    WAIT_PARKED(1, RWMUTEX_LOCK, &rw);
    rn_try(unlock, &rw, NULL);
    fprintf(stderr, "still here\n");
}

ITEM(134, "one unlock too many is fatal, and nothing recovers it")
{
    static const struct {
        const char *child, *text, *more;
    } all[] = {
        {"runlock_unlocked", "fatal error: sync: RUnlock of unlocked RWMutex\n", "never written"},
        {"runlock_written", "fatal error: sync: RUnlock of unlocked RWMutex\n",
         "locked by goroutine 1 at "},
        {"unlock_unlocked", "fatal error: sync: Unlock of unlocked RWMutex\n", "unlocked at "},
        {"unlock_read", "fatal error: sync: Unlock of unlocked RWMutex\n", "locked by 1 reader"},
        {"unlock_draining", "fatal error: sync: Unlock of unlocked RWMutex\n",
         "locked by 1 reader"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        test_child *r = test_run_child(all[i].child, NULL);
        CHECK_EQ(r->status, 2);
        CHECK(strncmp(r->err, all[i].text, strlen(all[i].text)) == 0);
        CHECK_HAS(r->err, all[i].more);
        CHECK_HAS_NOT(r->err, "still here");
    }
}

ITEM(135, "tryrlock fails while a writer has it or waits; trylock while anybody has it")
{
    deterministic();
    rn_rwmutex_lock(&rw);
    CHECK(!rn_rwmutex_tryrlock(&rw) && !rn_rwmutex_trylock(&rw));
    rn_rwmutex_unlock(&rw);
    rn_rwmutex_rlock(&rw);
    CHECK(rn_rwmutex_tryrlock(&rw) && !rn_rwmutex_trylock(&rw));
    rn_rwmutex_runlock(&rw);
    test_go(write_it, NULL);
    WAIT_PARKED(1, RWMUTEX_LOCK, &rw);
    CHECK(!rn_rwmutex_tryrlock(&rw));
    rn_rwmutex_runlock(&rw);
    WAIT_GONE(1);
    CHECK(rn_rwmutex_trylock(&rw));
    rn_rwmutex_unlock(&rw);
}

CHILD(rlock_twice)
{
    rn_rwmutex_rlock(&rw);
    test_go(write_it, NULL);
    WAIT_PARKED(1, RWMUTEX_LOCK, &rw);
    rn_rwmutex_rlock(&rw);
}

ITEM(136, "a second read lock deadlocks if a writer waits in between; dumps show why")
{
    test_child *r = test_run_child("rlock_twice", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: all goroutines are asleep - deadlock!");
    CHECK_HAS(r->err, "goroutine 1 [sync.RWMutex.RLock]:\nrn_rwmutex_rlock(");
    CHECK_HAS(r->err, "[sync.RWMutex.Lock]:\nrn_rwmutex_lock(");
    CHECK_HAS(r->err, "locked by 1 reader)");
}

/* ---- deadlines */

static void write_until(void *p)
{
    int64_t *after = p;
    CHECK_EQ(rn_rwmutex_lock_until(&rw, rn_now() + *after), -ETIMEDOUT);
    note('t');
}

static void read_until(void *p)
{
    int64_t *after = p;
    CHECK_EQ(rn_rwmutex_rlock_until(&rw, rn_now() + *after), -ETIMEDOUT);
    note('t');
}

ITEM(133, "a writer that gives up lets the readers in that it kept out, and the next writer wait")
{
    deterministic();
    static int64_t ms = RN_MS;
    go_on = true;
    rn_rwmutex_rlock(&rw);
    test_go(write_until, &ms);
    WAIT_PARKED(1, RWMUTEX_LOCK, &rw);
    test_go(read_it, NULL);
    WAIT_PARKED(1, RWMUTEX_RLOCK, &rw);
    rn_sleep(2 * RN_MS);
    WAIT_GONE(1);
    CHECK_EQ(norder, 2);
    CHECK(rn_rwmutex_tryrlock(&rw)); /* nobody waits any more */
    rn_rwmutex_runlock(&rw);
    /* among the writers' queue */
    nclaimed = norder = 0;
    test_go(write_it, NULL);
    WAIT_PARKED(1, RWMUTEX_LOCK, &rw);
    test_go(write_until, &ms);
    WAIT_PARKED(2, RWMUTEX_LOCK, &rw);
    test_go(read_until, &ms);
    WAIT_PARKED(1, RWMUTEX_RLOCK, &rw);
    rn_sleep(2 * RN_MS);
    CHECK_EQ(norder, 2);
    rn_rwmutex_runlock(&rw);
    WAIT_GONE(1);
    CHECK_EQ(norder, 3);
    CHECK_EQ(rw.rn_word, 0);
}

static rn_mutex m;
static void lock_until(void *p)
{
    int64_t *after = p;
    int64_t deadline = rn_now() + *after;
    CHECK_EQ(rn_mutex_lock_until(&m, deadline), -ETIMEDOUT);
    CHECK(rn_now() >= deadline);
    note('t');
}
static void lock_plain(void *p)
{
    (void)p;
    rn_mutex_lock(&m);
    note('l');
    rn_mutex_unlock(&m);
}

ITEM(129, "a waiter that gives up leaves the queue; those behind it lose nothing")
{
    deterministic();
    static int64_t ms = RN_MS, us = RN_US;
    rn_mutex_lock(&m);
    test_go(lock_until, &us);
    WAIT_PARKED(1, MUTEX_LOCK, &m);
    test_go(lock_plain, NULL);
    WAIT_PARKED(2, MUTEX_LOCK, &m);
    test_go(lock_until, &ms);
    WAIT_PARKED(3, MUTEX_LOCK, &m);
    rn_sleep(RN_US);
    WAIT_UNTIL(norder == 1);
    rn_sleep(2 * RN_MS);
    WAIT_UNTIL(norder == 2);
    CHECK_EQ(test_parked(RN__WAIT_MUTEX_LOCK, &m), 1);
    rn_mutex_unlock(&m);
    WAIT_GONE(1);
    CHECK(strcmp(order, "ttl") == 0);
    CHECK_EQ(m.rn_word, 0);
}

ITEM(128, "past deadlines try, RN_NEVER waits")
{
    CHECK_EQ(rn_mutex_lock_until(&m, 0), 0);
    CHECK_EQ(rn_mutex_lock_until(&m, 0), -ETIMEDOUT);
    CHECK_EQ(rn_mutex_lock_until(&m, rn_now() + RN_MS), -ETIMEDOUT);
    rn_mutex_unlock(&m);
    CHECK_EQ(rn_mutex_lock_until(&m, RN_NEVER), 0);
    rn_mutex_unlock(&m);
    CHECK_EQ(rn_rwmutex_rlock_until(&rw, 0), 0);
    CHECK_EQ(rn_rwmutex_rlock_until(&rw, RN_NEVER), 0);
    CHECK_EQ(rn_rwmutex_lock_until(&rw, 0), -ETIMEDOUT);
    CHECK_EQ(rn_rwmutex_lock_until(&rw, rn_now() + RN_MS), -ETIMEDOUT);
    rn_rwmutex_runlock(&rw);
    rn_rwmutex_runlock(&rw);
    CHECK_EQ(rn_rwmutex_lock_until(&rw, RN_NEVER), 0);
    CHECK_EQ(rn_rwmutex_rlock_until(&rw, 0), -ETIMEDOUT);
    CHECK_EQ(rn_rwmutex_rlock_until(&rw, rn_now() + RN_MS), -ETIMEDOUT);
    rn_rwmutex_unlock(&rw);
}

CHILD(mutex_holder)
{
    rn_mutex_lock(&m);
    test_go(lock_plain, NULL);
    WAIT_PARKED(1, MUTEX_LOCK, &m);
    rn_dump(2, true);
}

ITEM(131, "dumps show who holds the mutex, and where it was locked")
{
    test_child *r = test_run_child("mutex_holder", NULL);
    CHECK_EQ(r->status, 0);
    CHECK_HAS(r->err, "[sync.Mutex.Lock]:\nrn_mutex_lock(0x");
    CHECK_HAS(r->err, ", locked by goroutine 1 at ");
    CHECK_HAS(r->err, "j_rwmutex.c:");
}

TEST_MAIN
