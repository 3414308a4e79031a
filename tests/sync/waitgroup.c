/*
 * waitgroup.c - what tests/conformance/j_sync.c leaves: misuse, rn_waitgroup_go, memory that is freed as
 * early as the rules allow.
 */
#include "../test.h"

/* ------------------------------------------------------------------------------------- misuse */

static void add_one(void *wg)
{
    rn_waitgroup_add((rn_waitgroup *)wg, 1);
}

ITEM(138, "an add that leaves zero while somebody waits panics")
{
    /* The state between the last done and the release of the waiters, which no schedule can hold. */
    rn_waitgroup wg = {.rn_count = 1};
    CHECK_PANIC(add_one, &wg, "sync: WaitGroup misuse: Add called concurrently with Wait");
}

static rn_waitgroup shared;
static int woken;

static void wait_once(void *p)
{
    (void)p;
    rn_waitgroup_wait(&shared);
    woken++;
}

ITEM(138, "an add before a woken waiter has returned panics, in the one that adds")
{
    setenv("RUNNEL_DEBUG", "seed=1", 1); /* one worker: the waiter does not run before we park */
    rn_waitgroup_add(&shared, 1);
    test_go(wait_once, NULL);
    WAIT_PARKED(1, WAITGROUP_WAIT, &shared);
    rn_waitgroup_done(&shared);
    CHECK_PANIC(add_one, &shared, "sync: WaitGroup is reused before previous Wait has returned");
    WAIT_GONE(1);
    CHECK_EQ(woken, 1);
}

ITEM(139, "no panic when the waiter has returned, whatever it does then")
{
    setenv("RUNNEL_DEBUG", "seed=1", 1);
    for (int i = 1; i <= 10; i++) {
        rn_waitgroup_add(&shared, 1);
        test_go(wait_once, NULL);
        WAIT_PARKED(1, WAITGROUP_WAIT, &shared);
        rn_waitgroup_done(&shared);
        WAIT_GONE(1);
        CHECK_EQ(woken, i);
    }
}

/* ------------------------------------------------------------------------------ rn_waitgroup_go */

static _Atomic(int) sum;

static void add_product(int a, short b)
{
    rn_yield();
    atomic_fetch_add(&sum, a * b);
}
GO_FUNC(add_product, int, short);

static void add_and_leave(void)
{
    atomic_fetch_add(&sum, 1000);
    rn_goexit();
}
GO_FUNC(add_and_leave);

ITEM(140, "go counts one, and done when the function has returned or called rn_goexit")
{
    rn_waitgroup wg = {0};
    for (int i = 0; i < 100; i++) {
        rn_waitgroup_go(&wg, add_product, i, 2);
        rn_waitgroup_go(&wg, add_and_leave);
    }
    CHECK(wg.rn_count >> 32 > 0);
    rn_waitgroup_wait(&wg);
    CHECK_EQ(sum, 9900 + 100000);
}

static void fail(void)
{
    panic("on purpose");
}
GO_FUNC(fail);

CHILD(panic_in_go)
{
    rn_waitgroup wg = {0};
    rn_waitgroup_go(&wg, fail);
    rn_waitgroup_wait(&wg);
    fprintf(stderr, "wait returned\n");
}

ITEM(140, "a panic is not counted as done: it ends the program before anybody goes on")
{
    test_child *r = test_run_child("panic_in_go", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "panic: on purpose");
    CHECK_HAS_NOT(r->err, "wait returned");
}

/* ------------------------------------------------------------------------------------ early free */

static _Atomic(int64_t) finished;

static void done(void *wg)
{
    rn_waitgroup_done((rn_waitgroup *)wg);
    atomic_fetch_add(&finished, 1);
}

static void *done_in_thread(void *wg)
{
    done(wg);
    return NULL;
}

/* The group is gone as soon as wait has returned; what is written over it must stay as it is. */
static void wait_and_overwrite(rn_waitgroup *wg)
{
    rn_waitgroup_wait(wg);
    memset(wg, 0xDB, sizeof *wg);
}

static void check_overwritten(const rn_waitgroup *wg)
{
    const unsigned char *p = (const unsigned char *)wg;
    for (size_t i = 0; i < sizeof *wg; i++)
        CHECK_EQ(p[i], 0xDB);
}

ITEM(139,
     "the group may be overwritten as soon as wait has returned, whatever the last done is doing")
{
    int64_t rounds = test_scale(TEST_SANITIZED ? 6000 : 100000, 100);
    rn_waitgroup *wg = calloc((size_t)rounds, sizeof *wg);
    CHECK(wg != NULL);
    for (int64_t r = 0; r < rounds; r++) {
        if (r % 100 == 0)
            rn_gomaxprocs(r / 100 % 3 == 0 ? 1 : r / 100 % 3 == 1 ? 2 : 4);
        rn_waitgroup_add(&wg[r], 2);
        test_go(done, &wg[r]);
        test_go(done, &wg[r]);
        wait_and_overwrite(&wg[r]);
    }
    WAIT_GONE(1);
    CHECK_EQ(finished, 2 * rounds);
    for (int64_t r = 0; r < rounds; r++)
        check_overwritten(&wg[r]);
    free(wg);
}

ITEM(139, "the same when threads that runnel does not know count down")
{
    int64_t rounds = test_scale(TEST_SANITIZED ? 150 : 1500, 10);
    for (int64_t r = 0; r < rounds; r++) {
        rn_waitgroup *wg = calloc(1, sizeof *wg);
        pthread_t t[2];
        CHECK(wg != NULL);
        rn_waitgroup_add(wg, 3);
        for (int i = 0; i < 2; i++)
            CHECK(pthread_create(&t[i], NULL, done_in_thread, wg) == 0);
        test_go(done, wg);
        wait_and_overwrite(wg);
        for (int i = 0; i < 2; i++)
            pthread_join(t[i], NULL);
        WAIT_GONE(1);
        check_overwritten(wg);
        free(wg);
    }
    CHECK_EQ(finished, 3 * rounds);
}

/* ----------------------------------------------------------------------------------- many waiters */

struct round {
    rn_waitgroup start, end;
    _Atomic(int) passed;
};

static void take_part(void *p)
{
    struct round *r = p;
    rn_waitgroup_wait(&r->start);
    atomic_fetch_add(&r->passed, 1);
    rn_waitgroup_done(&r->end);
}

static void *take_part_in_thread(void *p)
{
    take_part(p);
    return NULL;
}

ITEM(139, "one done lets many waiters go, goroutines and threads")
{
    enum { WAITERS = 200, THREADS = 2 };
    for (int workers = 1; workers <= 4; workers *= 2) {
        rn_gomaxprocs(workers);
        struct round r = {.passed = 0};
        pthread_t t[THREADS];
        rn_waitgroup_add(&r.start, 1);
        rn_waitgroup_add(&r.end, WAITERS + THREADS);
        for (int i = 0; i < WAITERS; i++)
            test_go(take_part, &r);
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_create(&t[i], NULL, take_part_in_thread, &r) == 0);
        WAIT_PARKED(WAITERS + THREADS, WAITGROUP_WAIT, &r.start);
        CHECK_EQ(r.passed, 0);
        rn_waitgroup_done(&r.start);
        rn_waitgroup_wait(&r.end);
        CHECK_EQ(r.passed, WAITERS + THREADS);
        for (int i = 0; i < THREADS; i++)
            pthread_join(t[i], NULL);
        WAIT_GONE(1);
    }
}

TEST_MAIN
