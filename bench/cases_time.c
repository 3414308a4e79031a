/*
 * cases_time.c - timers: making and stopping, many of them outstanding, firing, time-outs in selects.
 *
 * Invariants
 *  - Every timer is stopped or has fired before its memory goes.
 *  - Go allocates a timer when it makes it. Here the caller owns the memory, which is asked for
 *    inside of the timed part where Go's is.
 */
#include "bench.h"

#include <string.h>

static double after_stop(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_timer t = {0};
        rn_timer_start(&t, RN_HOUR);
        if (!rn_timer_stop(&t))
            bench_wrong("timer_after_stop_alone: it has fired");
    }
    return bench_per_op(begin, n);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* Due in an hour and up to n microseconds, in no order. */
static int64_t later(int64_t i, int64_t n)
{
    return RN_HOUR + i * 7919 % n * RN_US;
}

/* malloc and memset: to read pages of calloc before they are written costs a second fault each. */
static rn_timer *zeroed(int64_t n)
{
    rn_timer *t = malloc((size_t)n * sizeof *t);
    if (t == NULL)
        bench_wrong("out of memory for the timers");
    memset(t, 0, (size_t)n * sizeof *t);
    return t;
}

static rn_timer *make_many(int64_t n)
{
    rn_timer *t = zeroed(n);
    for (int64_t i = 0; i < n; i++)
        rn_after_func(&t[i], later(i, n), nothing, NULL);
    return t;
}

static void stop_many(rn_timer *t, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!rn_timer_stop(&t[i]))
            bench_wrong("a timer has fired an hour early");
    free(t);
}

static double create_many(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t begin = bench_now();
    rn_timer *t = make_many(n);
    double v = bench_per_op(begin, n);
    stop_many(t, n);
    return v;
}

static double reset_many(const bench_case *self, int64_t n)
{
    (void)self;
    rn_timer *t = make_many(n);
    uint32_t x = 1;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        rn_timer_reset(&t[(x >> 4) % (uint32_t)n], RN_HOUR + (int64_t)(x >> 8) * RN_US);
    }
    double v = bench_per_op(begin, n);
    stop_many(t, n);
    return v;
}

static void done(void *wg)
{
    rn_waitgroup_done((rn_waitgroup *)wg);
}

static double fire_many(const bench_case *self, int64_t n)
{
    (void)self;
    rn_waitgroup wg = {0};
    rn_waitgroup_add(&wg, (int)n);
    int64_t begin = bench_now();
    rn_timer *t = zeroed(n);
    for (int64_t i = 0; i < n; i++)
        rn_after_func(&t[i], RN_US, done, &wg);
    rn_waitgroup_wait(&wg);
    double v = bench_per_op(begin, n);
    free(t);
    return v;
}

/* A stream in which every receive has a time-out that does not come. */
static void send_all(chan(int64_t) c, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        chan_send(c, i);
}
GO_FUNC(send_all, chan(int64_t), int64_t);

static double select_after(const bench_case *self, int64_t n)
{
    (void)self;
    chan(int64_t) c = chan_make(int64_t, 0);
    int64_t begin = bench_now();
    go(send_all, c, n);
    for (int64_t i = 0; i < n; i++) {
        int64_t v = -1;
        if (chan_select(on_recv(c, &v), on_after(RN_MIN)) != 0 || v != i)
            bench_wrong("timer_select_after: timed out");
    }
    double v = bench_per_op(begin, n);
    bench_await_goroutines(1);
    chan_unref(c);
    return v;
}

/* The same with one timer that is reset for each receive, as careful Go programs do it. */
static double select_reset(const bench_case *self, int64_t n)
{
    (void)self;
    chan(int64_t) c = chan_make(int64_t, 0);
    rn_timer t = {0};
    rn_timer_start(&t, RN_MIN);
    int64_t begin = bench_now();
    go(send_all, c, n);
    for (int64_t i = 0; i < n; i++) {
        int64_t v = -1;
        rn_timer_reset(&t, RN_MIN);
        if (chan_select(on_recv(c, &v), on_recv(rn_timer_chan(&t), NULL)) != 0 || v != i)
            bench_wrong("timer_select_reset: timed out");
    }
    double v = bench_per_op(begin, n);
    rn_timer_stop(&t);
    bench_await_goroutines(1);
    chan_unref(c);
    return v;
}

/* A channel of time that nobody waits for: made and let go. */
static double after_unref(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        chan_unref(rn_after(RN_MIN));
    return bench_per_op(begin, n);
}

const bench_case bench_time_cases[] = {
    {"timer_after_stop_alone", "ns/op", 300000, 0, after_stop, 0, 0, 0},
    {"timer_after_abandoned", "ns/op", 300000, 0, after_unref, 0, 0, 0},
    {"timer_create_1M", "ns/op", 1000000, 5, create_many, 0, 0, 0},
    {"timer_reset_1M_outstanding", "ns/op", 1000000, 5, reset_many, 0, 0, 0},
    {"timer_fire_100k", "ns/timer", 100000, 5, fire_many, 0, 0, 0},
    {"timer_select_after", "ns/msg", 300000, 0, select_after, 0, 0, 0},
    {"timer_select_reset", "ns/msg", 300000, 0, select_reset, 0, 0, 0},
    {0},
};
