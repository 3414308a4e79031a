/*
 * cases_sched.c - the scheduler: starting goroutines, yielding, sleeping, and waiting behind a hog.
 *
 * Invariants
 *  - A wait group lives on the stack of the case; the case waits for it before returning.
 *  - The hog computes without a single call into the library.
 */
#include "bench.h"

static void finish(rn_waitgroup *wg)
{
    rn_waitgroup_done(wg);
}
GO_FUNC(finish, rn_waitgroup *);

/* -------------------------------------------------------------------------------------- spawn */

static double spawn_join(const bench_case *self, int64_t n)
{
    (void)self;
    rn_waitgroup wg = {0};
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_waitgroup_add(&wg, 1);
        go(finish, &wg);
        rn_waitgroup_wait(&wg);
    }
    return bench_per_op(begin, n);
}

static void send_one(send_chan(int64_t) c)
{
    chan_send(c, 1);
}
GO_FUNC(send_one, send_chan(int64_t));

static double spawn_join_chan(const bench_case *self, int64_t n)
{
    (void)self;
    chan(int64_t) c = chan_make(int64_t, 0);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        go(send_one, c);
        chan_recv(c, NULL);
    }
    double ns = bench_per_op(begin, n);
    chan_unref(c);
    return ns;
}

static double spawn_batch(const bench_case *self, int64_t n)
{
    (void)self;
    rn_waitgroup wg = {0};
    int64_t begin = bench_now();
    rn_waitgroup_add(&wg, (int)n);
    for (int64_t i = 0; i < n; i++)
        go(finish, &wg);
    rn_waitgroup_wait(&wg);
    return bench_per_op(begin, n);
}

static void pass_gate(recv_chan(rn_unit) gate, rn_waitgroup *wg)
{
    chan_recv(gate, NULL);
    rn_waitgroup_done(wg);
}
GO_FUNC(pass_gate, recv_chan(rn_unit), rn_waitgroup *);

static double spawn_parked(const bench_case *self, int64_t n)
{
    (void)self;
    rn_waitgroup wg = {0};
    chan(rn_unit) gate = chan_make(rn_unit, 0);
    int64_t begin = bench_now();
    rn_waitgroup_add(&wg, (int)n);
    for (int64_t i = 0; i < n; i++)
        go(pass_gate, gate, &wg);
    chan_close(gate);
    rn_waitgroup_wait(&wg);
    double ns = bench_per_op(begin, n);
    chan_unref(gate);
    return ns;
}

/* Uses, and like Go clears, 512 bytes of stack per level. */
__attribute__((noinline)) static int dig(int levels)
{
    unsigned char room[512] = {0};
    room[levels] = (unsigned char)levels;
    __asm__ volatile("" : : "r"(room) : "memory"); /* somebody could look: keep it in memory */
    if (levels == 0)
        return room[0];
    return dig(levels - 1) + room[levels];
}

static void dig_and_finish(rn_waitgroup *wg)
{
    atomic_fetch_add(&bench_sink, dig(32));
    rn_waitgroup_done(wg);
}
GO_FUNC(dig_and_finish, rn_waitgroup *);

static double spawn_deep(const bench_case *self, int64_t n)
{
    (void)self;
    rn_waitgroup wg = {0};
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_waitgroup_add(&wg, 1);
        go(dig_and_finish, &wg);
        rn_waitgroup_wait(&wg);
    }
    return bench_per_op(begin, n);
}

/* ----------------------------------------------------------------------------- yield and sleep */

static double yield_alone(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        rn_yield();
    return bench_per_op(begin, n);
}

static void yield_often(int64_t times, rn_waitgroup *wg)
{
    for (int64_t i = 0; i < times; i++)
        rn_yield();
    rn_waitgroup_done(wg);
}
GO_FUNC(yield_often, int64_t, rn_waitgroup *);

static double yield_crowd(const bench_case *self, int64_t n)
{
    (void)self;
    enum { CROWD = 100 };
    rn_waitgroup wg = {0};
    int64_t begin = bench_now();
    for (int g = 0; g < CROWD; g++) {
        rn_waitgroup_add(&wg, 1);
        go(yield_often, n / CROWD, &wg);
    }
    rn_waitgroup_wait(&wg);
    return bench_per_op(begin, n);
}

/* By how much a sleep of a millisecond lasts longer, in microseconds. */
static double sleep_overshoot(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        rn_sleep(RN_MS);
    return (bench_per_op(begin, n) - 1e6) / 1e3;
}

static void sleep_and_finish(rn_waitgroup *wg)
{
    rn_sleep(10 * RN_MS);
    rn_waitgroup_done(wg);
}
GO_FUNC(sleep_and_finish, rn_waitgroup *);

static double sleep_crowd(const bench_case *self, int64_t n)
{
    (void)self;
    rn_waitgroup wg = {0};
    rn_waitgroup_add(&wg, (int)n);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        go(sleep_and_finish, &wg);
    rn_waitgroup_wait(&wg);
    return bench_millis(begin);
}

/* ---------------------------------------------------------------------------------------- hog */

typedef struct hog_state {
    int64_t n;             /* goroutines to start */
    int64_t begin;         /* when the hog started; written by it before it starts the others */
    atomic_llong left;     /* how many have not run; seq_cst by default, it orders `last` too */
    int64_t last;          /* when the last of them ran; written by that one */
    rn_waitgroup finished; /* all of them and the hog */
} hog_state;

static void behind(hog_state *s)
{
    if (atomic_fetch_sub(&s->left, 1) == 1)
        s->last = bench_now();
    rn_waitgroup_done(&s->finished);
}
GO_FUNC(behind, hog_state *);

static void hog(hog_state *s)
{
    s->begin = bench_now();
    for (int64_t i = 0; i < s->n; i++)
        go(behind, s);
    uint64_t x = 0;
    while (bench_now() - s->begin < 100 * RN_MS)
        x = bench_work(x, 1000);
    atomic_fetch_add(&bench_sink, (long long)x);
    rn_waitgroup_done(&s->finished);
}
GO_FUNC(hog, hog_state *);

/* One goroutine starts n others and then computes for 100 ms without a pause; the figure is how long
 * it takes until the last of the others has run. */
static double behind_hog(const bench_case *self, int64_t n)
{
    (void)self;
    hog_state s = {.n = n};
    atomic_init(&s.left, n);
    rn_waitgroup_add(&s.finished, (int)n + 1);
    go(hog, &s);
    rn_waitgroup_wait(&s.finished);
    return (double)(s.last - s.begin) / 1e6;
}

const bench_case bench_sched_cases[] = {
    {"spawn_join", "ns/op", 300000, 0, spawn_join, 0, 0, 0},
    {"spawn_join_chan", "ns/op", 300000, 0, spawn_join_chan, 0, 0, 0},
    {"spawn_1M_batch", "ns/goroutine", 1000000, 5, spawn_batch, 0, 0, 0},
    {"spawn_1M_parked", "ns/goroutine", 1000000, 5, spawn_parked, 0, 0, 0},
    {"spawn_deep_stack_16KB", "ns/op", 30000, 0, spawn_deep, 0, 0, 0},
    {"yield_alone", "ns/op", 2000000, 0, yield_alone, 0, 0, 0},
    {"yield_x100", "ns/op", 2000000, 0, yield_crowd, 0, 0, 0},
    {"sleep_1ms_overshoot", "us", 200, 5, sleep_overshoot, 0, 0, 0},
    {"sleep_100k_goroutines_10ms", "ms", 100000, 5, sleep_crowd, 0, 0, 0},
    {"hog_1000_behind_100ms", "ms", 1000, 5, behind_hog, 0, 0, 0},
    {0},
};
