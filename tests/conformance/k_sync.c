/*
 * k_sync.c - items 139 and 143 to 145, the semaphore of 149, and the barrier, which Go does not have.
 *
 * Invariants
 *  - What must wait is seen to be parked; order is shown under the deterministic policy.
 */
#include "../test.h"
#include <errno.h>

static void deterministic(void)
{
    setenv("RUNNEL_DEBUG", "seed=1", 1);
    rn_yield(); /* starts the runtime, and with it the virtual clock */
}

static rn_mutex m;
static rn_cond c;
static int order[32];
static _Atomic(int) nclaimed, norder; /* norder is looked at while others run */

static void note(int id)
{
    order[atomic_fetch_add(&nclaimed, 1)] = id;
    atomic_fetch_add(&norder, 1);
}

/* ---- OnceFunc, OnceValue */

static _Atomic(int) runs;
static int answer = 42;

static void *compute(void *p)
{
    atomic_fetch_add(&runs, 1);
    rn_yield();
    return p;
}
static rn_oncevalue value = RN_ONCEVALUE_INIT(compute, &answer);
static rn_oncefunc func;

static void get(void *p)
{
    (void)p;
    CHECK(rn_oncevalue_get(&value) == &answer);
    note(0);
}

static void fail(void *p)
{
    atomic_fetch_add(&runs, 1);
    rn_panic_value(p, "it failed");
}
static void leave(void *p)
{
    (void)p;
    rn_goexit();
}
static void call(void *p)
{
    rn_oncefunc_call((rn_oncefunc *)p);
}

ITEM(143, "a once value runs once and gives everybody the same")
{
    rn_gomaxprocs(2);
    for (int i = 0; i < 10; i++)
        test_go(get, NULL);
    WAIT_GONE(1);
    CHECK_EQ(norder, 10);
    CHECK_EQ(runs, 1);
}

ITEM(143, "if the function panicked, every later call panics with the same value")
{
    func = (rn_oncefunc)RN_ONCEFUNC_INIT(fail, &answer);
    for (int i = 0; i < 3; i++) {
        rn_panic_info info;
        CHECK(!rn_try(call, &func, &info));
        CHECK(strcmp(info.text, "it failed") == 0);
        CHECK(info.value == &answer);
    }
    CHECK_EQ(runs, 1);
    func = (rn_oncefunc)RN_ONCEFUNC_INIT(leave, NULL);
    test_go(call, &func); /* ends by rn_goexit: WAIT_GONE would wait for its end */
    WAIT_UNTIL(rn_num_goroutine() == 1);
    CHECK_PANIC(call, &func, "runtime error: panic called with nil argument");
}

/* ---- Cond */

static void wait_for_signal(void *id)
{
    rn_mutex_lock(&m);
    rn_cond_wait(&c, &m);
    CHECK(!rn_mutex_trylock(&m)); /* it is locked again */
    note((int)(intptr_t)id);
    rn_mutex_unlock(&m);
}

ITEM(144, "wait unlocks and locks again; signal wakes the longest waiter, broadcast all")
{
    deterministic();
    for (int i = 0; i < 5; i++) {
        test_go(wait_for_signal, (void *)(intptr_t)i);
        WAIT_PARKED(i + 1, COND_WAIT, &c);
    }
    CHECK(rn_mutex_trylock(&m)); /* they do not hold it */
    rn_cond_signal(&c);
    for (int i = 0; i < 20; i++)
        rn_yield();
    CHECK_EQ(norder, 0); /* it waits for the mutex */
    rn_mutex_unlock(&m);
    WAIT_UNTIL(norder == 1);
    rn_cond_signal(&c);
    WAIT_UNTIL(norder == 2);
    for (int i = 0; i < 20; i++)
        rn_yield();
    CHECK_EQ(norder, 2);
    CHECK_EQ(test_parked(RN__WAIT_COND_WAIT, &c), 3);
    rn_cond_broadcast(&c);
    WAIT_GONE(1);
    CHECK_EQ(norder, 5);
    CHECK(order[0] == 0 && order[1] == 1); /* the others are awake at once and race for the mutex */
}

ITEM(144, "signals are not stored; nobody wakes without one; deadlines")
{
    deterministic();
    rn_cond_signal(&c);
    rn_cond_broadcast(&c);
    rn_mutex_lock(&m);
    int64_t deadline = rn_now() + RN_SEC;
    CHECK_EQ(rn_cond_wait_until(&c, &m, deadline), -ETIMEDOUT);
    CHECK(rn_now() >= deadline);
    CHECK_EQ(rn_cond_wait_until(&c, &m, 0), -ETIMEDOUT);
    CHECK(!rn_mutex_trylock(&m));
    rn_mutex_unlock(&m);
    CHECK_EQ(c.rn_queue, 0);
    test_go(wait_for_signal, NULL);
    WAIT_PARKED(1, COND_WAIT, &c);
    rn_sleep(RN_SEC);
    CHECK_EQ(norder, 0);
    rn_cond_signal(&c);
    WAIT_GONE(1);
    CHECK_EQ(norder, 1);
}

static void wait_limited(void *p)
{
    rn_mutex_lock(&m);
    int err = rn_cond_wait_until(&c, &m, *(int64_t *)p);
    note(err);
    rn_mutex_unlock(&m);
}

ITEM(144, "a signal is not lost with a waiter that has given up")
{
    deterministic();
    static int64_t soon, later;
    soon = rn_now() + RN_MS;
    later = rn_now() + RN_SEC;
    test_go(wait_limited, &soon);
    WAIT_PARKED(1, COND_WAIT, &c);
    test_go(wait_limited, &later);
    WAIT_PARKED(2, COND_WAIT, &c);
    rn_sleep(2 * RN_MS);
    rn_cond_signal(&c);
    WAIT_GONE(1);
    CHECK(norder == 2 && order[0] == -ETIMEDOUT && order[1] == 0);
}

CHILD(cond_dump)
{
    rn_mutex_lock(&m);
    rn_cond_wait(&c, &m);
}

ITEM(144, "dumps say sync.Cond.Wait")
{
    test_child *r = test_run_child("cond_dump", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "goroutine 1 [sync.Cond.Wait]:\nrn_cond_wait(0x");
}

static void use_copy(void *p)
{
    rn_cond_signal((rn_cond *)p);
}
static void wait_copy(void *p)
{
    rn_mutex_lock(&m);
    rn_cond_wait((rn_cond *)p, &m);
}

ITEM(145, "a copied cond panics")
{
    rn_cond unused = c; /* before the first use it may be copied */
    rn_cond_signal(&unused);
    rn_cond_signal(&c);
    rn_cond copy = c;
    CHECK_PANIC(use_copy, &copy, "sync.Cond is copied");
    CHECK_PANIC(wait_copy, &copy, "sync.Cond is copied");
}

/* ---- wait group with a deadline */

static rn_waitgroup wg;

static void wait_group(void *p)
{
    note(rn_waitgroup_wait_until(&wg, *(int64_t *)p));
}

ITEM(139, "a wait with a deadline: too late, in time, at once; the counter goes on")
{
    deterministic();
    static int64_t soon, later;
    CHECK_EQ(rn_waitgroup_wait_until(&wg, 0), 0);
    rn_waitgroup_add(&wg, 1);
    CHECK_EQ(rn_waitgroup_wait_until(&wg, 0), -ETIMEDOUT);
    soon = rn_now() + RN_MS;
    later = RN_NEVER;
    test_go(wait_group, &soon);
    test_go(wait_group, &later);
    WAIT_PARKED(2, WAITGROUP_WAIT, &wg);
    rn_sleep(2 * RN_MS);
    WAIT_UNTIL(norder == 1);
    rn_waitgroup_done(&wg);
    WAIT_GONE(1);
    CHECK(norder == 2 && order[0] == -ETIMEDOUT && order[1] == 0);
    rn_waitgroup_add(&wg, 1); /* nobody is left inside */
    rn_waitgroup_done(&wg);
}

/* ---- semaphore */

static rn_sem sem;

static void acquire_some(void *n)
{
    rn_sem_acquire(&sem, (int64_t)(intptr_t)n);
    note((int)(intptr_t)n);
}

ITEM(149,
     "semaphore: first come, first served; a large request at the head blocks later small ones")
{
    deterministic();
    rn_sem_init(&sem, 10);
    CHECK_EQ(rn_sem_size(&sem), 10);
    rn_sem_acquire(&sem, 8);
    CHECK_EQ(rn_sem_available(&sem), 2);
    test_go(acquire_some, (void *)5);
    WAIT_PARKED(1, SEM_ACQUIRE, &sem);
    test_go(acquire_some, (void *)1);
    WAIT_PARKED(2, SEM_ACQUIRE, &sem); /* one unit is free, but it has to queue */
    CHECK(!rn_sem_tryacquire(&sem, 1));
    rn_sem_release(&sem, 2);
    CHECK_EQ(test_parked(RN__WAIT_SEM_ACQUIRE, &sem), 2); /* 4 are not enough for 5 */
    rn_sem_release(&sem, 1);
    WAIT_UNTIL(norder == 1);
    CHECK_EQ(test_parked(RN__WAIT_SEM_ACQUIRE, &sem), 1); /* now nothing is left for 1 */
    rn_sem_release(&sem, 1);
    WAIT_GONE(1);
    CHECK(norder == 2 && order[0] == 5 && order[1] == 1);
    CHECK_EQ(rn_sem_available(&sem), 0);
    CHECK(!rn_sem_tryacquire(&sem, 1) && rn_sem_tryacquire(&sem, 0));
    rn_sem_release(&sem, 10);
    CHECK(rn_sem_tryacquire(&sem, 10));
    rn_sem_release(&sem, 10);
}

static void acquire_until(void *p)
{
    note(rn_sem_acquire_until(&sem, 5, *(int64_t *)p));
}

ITEM(149, "semaphore: whoever gives up at the head lets those behind it try")
{
    deterministic();
    static int64_t soon;
    rn_sem_init(&sem, 5);
    rn_sem_acquire(&sem, 3);
    soon = rn_now() + RN_MS;
    test_go(acquire_until, &soon);
    WAIT_PARKED(1, SEM_ACQUIRE, &sem);
    test_go(acquire_some, (void *)2);
    WAIT_PARKED(2, SEM_ACQUIRE, &sem);
    rn_sleep(2 * RN_MS);
    WAIT_GONE(1);
    CHECK(norder == 2 && order[0] + order[1] == 2 - ETIMEDOUT);
    CHECK_EQ(rn_sem_available(&sem), 0);
    CHECK_EQ(rn_sem_acquire_until(&sem, 1, 0), -ETIMEDOUT);
    /* more than there is: until the deadline, and nobody queues behind it */
    rn_sem_release(&sem, 5);
    CHECK_EQ(rn_sem_acquire_until(&sem, 6, rn_now() + RN_MS), -ETIMEDOUT);
}

static void release_too_much(void *p)
{
    rn_sem_release((rn_sem *)p, 2);
}
static void acquire_negative(void *p)
{
    rn_sem_acquire((rn_sem *)p, -1);
}
static void release_negative(void *p)
{
    rn_sem_release((rn_sem *)p, -1);
}

CHILD(sem_too_large)
{
    rn_sem_init(&sem, 3);
    rn_sem_acquire(&sem, 4);
}

ITEM(149, "semaphore: misuse, and what dumps show")
{
    rn_sem_init(&sem, 5);
    rn_sem_acquire(&sem, 1);
    CHECK_PANIC(release_too_much, &sem, "semaphore: released more than held");
    CHECK_PANIC(acquire_negative, &sem, "semaphore: negative weight");
    CHECK_PANIC(release_negative, &sem, "semaphore: negative weight");
    CHECK_EQ(rn_sem_available(&sem), 4);
    test_child *r = test_run_child("sem_too_large", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: all goroutines are asleep - deadlock!");
    CHECK_HAS(r->err, "goroutine 1 [semaphore acquire]:\nrn_sem_acquire(0x");
    CHECK_HAS(r->err, ", 3 of 3 free)");
}

/* ---- barrier: no item of Go's */

static rn_barrier barrier = RN_BARRIER_INIT(3);
static int phase_of[3];

static void phases(void *p)
{
    int me = (int)(intptr_t)p;
    for (int i = 1; i <= 50; i++) {
        phase_of[me] = i;
        if (rn_barrier_wait(&barrier))
            norder++;
        for (int k = 0; k < 3; k++)
            CHECK_EQ(phase_of[k], i); /* nobody is ahead or behind */
        rn_barrier_wait(&barrier);
        CHECK_EQ(norder, i); /* one of them was told */
        rn_barrier_wait(&barrier);
    }
}

static void meet_nobody(void *p)
{
    rn_barrier_wait((rn_barrier *)p);
}

CHILD(barrier_alone)
{
    rn_barrier_wait(&barrier);
}

ITEM(139, "a barrier: phases in step, one of the parties is told to be the last")
{
    rn_gomaxprocs(2);
    for (intptr_t i = 0; i < 3; i++)
        test_go(phases, (void *)i);
    WAIT_GONE(1);
    CHECK_EQ(norder, 50);
    CHECK_EQ(rn_barrier_wait_until(&barrier, 0), -ETIMEDOUT);
    CHECK_EQ(barrier.rn_arrived, 0);
    rn_barrier one = RN_BARRIER_INIT(1), none = {0};
    CHECK(rn_barrier_wait(&one));
    CHECK_EQ(rn_barrier_wait_until(&one, 0), 1);
    CHECK_PANIC(meet_nobody, &none, "barrier: no parties");
    test_child *r = test_run_child("barrier_alone", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "goroutine 1 [barrier wait]:\nrn_barrier_wait(0x");
    CHECK_HAS(r->err, ", 1 of 3 have come)");
}

TEST_MAIN
