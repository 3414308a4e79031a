/*
 * cases_sync.c - mutex, wait group, once, and what panic and defer cost.
 *
 * Invariants
 *  - The shared counter of the contended cases is checked.
 *  - Functions that Go must not inline are not inlined here either.
 */
#include "bench.h"

static double mutex_alone(const bench_case *self, int64_t n)
{
    (void)self;
    rn_mutex mu = {0};
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_mutex_lock(&mu);
        rn_mutex_unlock(&mu);
    }
    return bench_per_op(begin, n);
}

typedef struct counter {
    rn_mutex mu; /* guards value; nothing else happens under it */
    int64_t value;
    rn_waitgroup wg;
} counter;

static void count_under_mutex(counter *s, int64_t share)
{
    for (int64_t i = 0; i < share; i++) {
        rn_mutex_lock(&s->mu);
        s->value++;
        rn_mutex_unlock(&s->mu);
    }
    rn_waitgroup_done(&s->wg);
}
GO_FUNC(count_under_mutex, counter *, int64_t);

/* a: number of goroutines */
static double mutex_crowd(const bench_case *self, int64_t n)
{
    int64_t share = bench_share(n, self->a);
    counter s = {0};
    int64_t begin = bench_now();
    for (int g = 0; g < self->a; g++) {
        rn_waitgroup_add(&s.wg, 1);
        go(count_under_mutex, &s, share);
    }
    rn_waitgroup_wait(&s.wg);
    if (s.value != share * self->a)
        bench_wrong("mutex_contended: lost an increment");
    return bench_per_op(begin, share * self->a);
}

static double add_done(const bench_case *self, int64_t n)
{
    (void)self;
    rn_waitgroup wg = {0};
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_waitgroup_add(&wg, 1);
        rn_waitgroup_done(&wg);
    }
    rn_waitgroup_wait(&wg);
    return bench_per_op(begin, n);
}

__attribute__((noinline)) static void nothing(void)
{
    __asm__ volatile(""); /* a call that has no effect could be dropped */
}

static double once_hot(const bench_case *self, int64_t n)
{
    (void)self;
    rn_once once = {0};
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        rn_once_do(&once, nothing);
    return bench_per_op(begin, n);
}

/* ------------------------------------------------------------------------- panic and defer */

static void swallow(void *arg)
{
    if (!recover())
        bench_wrong("panic_recover: there was no panic");
    (void)arg;
}

/* Go's panic(1): a value, and no text to format. */
__attribute__((noreturn)) static void fail(void *value)
{
    rn_panic_value(value, NULL);
}

__attribute__((noinline)) static void fail_once(void *value)
{
    rn_recoverable();
    defer(swallow, NULL);
    fail(value);
}

static double panic_recover(const bench_case *self, int64_t n)
{
    (void)self;
    int value = 1;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        fail_once(&value);
    return bench_per_op(begin, n);
}

/* The same through rn_try, which needs no deferred function. */
static double panic_try(const bench_case *self, int64_t n)
{
    (void)self;
    int value = 1;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        if (rn_try(fail, &value, NULL))
            bench_wrong("panic_try: there was no panic");
    return bench_per_op(begin, n);
}

static void nothing_with(void *arg)
{
    (void)arg;
    nothing();
}

__attribute__((noinline)) static void defer_once(void)
{
    defer(nothing_with, NULL);
}

static double defer_call(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        defer_once();
    return bench_per_op(begin, n);
}

const bench_case bench_sync_cases[] = {
    {"mutex_uncontended", "ns/op", 20000000, 0, mutex_alone, 0, 0, 0},
    {"mutex_contended_2", "ns/op", 3000000, 0, mutex_crowd, 2, 0, 0},
    {"mutex_contended_100", "ns/op", 3000000, 0, mutex_crowd, 100, 0, 0},
    {"waitgroup_add_done", "ns/op", 10000000, 0, add_done, 0, 0, 0},
    {"once_do_hot", "ns/op", 50000000, 0, once_hot, 0, 0, 0},
    {"panic_recover", "ns/op", 1000000, 0, panic_recover, 0, 0, 0},
    {"panic_try", "ns/op", 1000000, 0, panic_try, 0, 0, 0},
    {"defer_call", "ns/op", 20000000, 0, defer_call, 0, 0, 0},
    {0},
};
