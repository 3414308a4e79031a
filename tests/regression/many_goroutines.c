/*
 * many_goroutines.c - the walls that other libraries hit when there are many tasks.
 *
 * Invariants
 *  - In sanitizer builds the numbers are smaller: their shadow of each goroutine is large.
 *
 * runnel-test: timeout=200
 */
#include "../test.h"
#include <dirent.h>

static int many(int n)
{
    return TEST_SANITIZED ? (n > 3000 ? 3000 : n) : n;
}

struct crowd {
    chan(int) gate; /* closed to let all go */
    _Atomic(int) ran;
};

static void stand(void *p)
{
    struct crowd *k = p;
    volatile char touch[512]; /* a frame that is really used */
    touch[0] = 1;
    touch[511] = touch[0];
    CHECK(!chan_recv(k->gate, NULL));
    atomic_fetch_add(&k->ran, touch[511]);
}

static int threads_of_this_process(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    CHECK(d != NULL);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

ITEM(1, "libdill #130 (32,753), neco (4,091), state-threads #509: a wall on the number of stacks")
{
    struct crowd k = {.gate = chan_make(int, 0)};
    int n = many(40000);
    for (int i = 0; i < n; i++)
        test_go(stand, &k);
    WAIT_UNTIL(test_parked(RN__WAIT_CHAN_RECEIVE, k.gate) == n);
    chan_close(k.gate);
    WAIT_GONE(1);
    CHECK_EQ(k.ran, n);
    chan_unref(k.gate);
}

ITEM(2, "libdill #130: the same with stacks that were used, given back, and used again")
{
    struct crowd k = {0};
    for (int round = 0; round < 4; round++) {
        int n = many(10000);
        k.ran = 0;
        k.gate = chan_make(int, 0);
        for (int i = 0; i < n; i++) {
            size_t stack = (size_t)(i % 4 == 0 ? 256 << 10 : i % 4 == 1 ? 128 << 10 : 0);
            go1_with(((rn_go_attr){.stack = stack}), stand, &k);
        }
        WAIT_UNTIL(test_parked(RN__WAIT_CHAN_RECEIVE, k.gate) == n);
        chan_close(k.gate);
        WAIT_GONE(1);
        CHECK_EQ(k.ran, n);
        chan_unref(k.gate);
    }
}

ITEM(3, "tylertreat/chan #29, Plan 9: threads as many as tasks or as elements of capacity")
{
    struct crowd k = {.gate = chan_make(int, 100000)};
    rn_gomaxprocs(2);
    for (int i = 0; i < many(5000); i++)
        test_go(stand, &k);
    WAIT_UNTIL(test_parked(RN__WAIT_CHAN_RECEIVE, k.gate) == many(5000));
    /* two workers, the watcher, and the few spares that a busy machine may make look necessary */
    CHECK(threads_of_this_process() < 32);
    chan_close(k.gate);
    WAIT_GONE(1);
    chan_unref(k.gate);
}

static _Atomic(int64_t) turns;
static _Atomic(bool) stop;

static void yield_on(void *p)
{
    (void)p;
    while (!atomic_load(&stop)) {
        atomic_fetch_add(&turns, 1);
        rn_yield();
    }
}

static void nothing(void *p)
{
    (void)p;
}

ITEM(4, "neco #10: starting a task lets every yielded task run first")
{
    rn_gomaxprocs(1);
    int n = many(2000);
    for (int i = 0; i < n; i++)
        test_go(yield_on, NULL);
    WAIT_UNTIL(atomic_load(&turns) >= n);
    int64_t before = atomic_load(&turns);
    for (int i = 0; i < 1000; i++)
        test_go(nothing, NULL);
    /* 1000 starts that each let 2000 tasks run would be 2,000,000 turns. Ours let none run; a spare
     * worker may, if this thread is kept off the processor meanwhile. */
    CHECK(atomic_load(&turns) - before < (int64_t)n * 500);
    atomic_store(&stop, true);
    WAIT_GONE(1);
}

TEST_MAIN
