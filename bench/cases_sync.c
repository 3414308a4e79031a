/*
 * cases_sync.c - the locks and waits of sync, and what panic and defer cost.
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

/* ------------------------------------------------------------------------------ rwmutex, cond, sem */

static double read_alone(const bench_case *self, int64_t n)
{
    (void)self;
    rn_rwmutex mu = {0};
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_rwmutex_rlock(&mu);
        rn_rwmutex_runlock(&mu);
    }
    return bench_per_op(begin, n);
}

typedef struct table {
    rn_rwmutex mu; /* guards value */
    int64_t value;
    rn_waitgroup wg;
} table;

/* every: one operation in so many writes; 0: none */
static void read_and_write(table *t, int64_t share, int every)
{
    int64_t seen = 0;
    for (int64_t i = 0; i < share; i++) {
        if (every != 0 && i % every == 0) {
            rn_rwmutex_lock(&t->mu);
            t->value++;
            rn_rwmutex_unlock(&t->mu);
        } else {
            rn_rwmutex_rlock(&t->mu);
            seen = t->value;
            rn_rwmutex_runlock(&t->mu);
        }
    }
    atomic_fetch_add(&bench_sink, seen);
    rn_waitgroup_done(&t->wg);
}
GO_FUNC(read_and_write, table *, int64_t, int);

/* a: number of goroutines; b: one operation in so many writes */
static double read_crowd(const bench_case *self, int64_t n)
{
    int64_t share = bench_share(n, self->a);
    table t = {0};
    int64_t begin = bench_now();
    for (int g = 0; g < self->a; g++) {
        rn_waitgroup_add(&t.wg, 1);
        go(read_and_write, &t, share, self->b);
    }
    rn_waitgroup_wait(&t.wg);
    if (self->b != 0 && t.value != (share + self->b - 1) / self->b * self->a)
        bench_wrong("rwmutex_mixed: lost an increment");
    return bench_per_op(begin, share * self->a);
}

typedef struct pingpong {
    rn_mutex mu; /* guards turn */
    rn_cond c;
    int turn;
    rn_waitgroup wg;
} pingpong;

static void take_turns(pingpong *p, int me, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        rn_mutex_lock(&p->mu);
        while (p->turn != me)
            rn_cond_wait(&p->c, &p->mu);
        p->turn = 1 - me;
        rn_cond_signal(&p->c);
        rn_mutex_unlock(&p->mu);
    }
    rn_waitgroup_done(&p->wg);
}
GO_FUNC(take_turns, pingpong *, int, int64_t);

static double cond_pingpong(const bench_case *self, int64_t n)
{
    (void)self;
    pingpong p = {.turn = 0};
    int64_t begin = bench_now();
    for (int me = 0; me < 2; me++) {
        rn_waitgroup_add(&p.wg, 1);
        go(take_turns, &p, me, n);
    }
    rn_waitgroup_wait(&p.wg);
    return bench_per_op(begin, n);
}

static double sem_alone(const bench_case *self, int64_t n)
{
    (void)self;
    rn_sem sem = RN_SEM_INIT(10);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_sem_acquire(&sem, 1);
        rn_sem_release(&sem, 1);
    }
    return bench_per_op(begin, n);
}

typedef struct slots {
    rn_sem sem;
    rn_waitgroup wg;
} slots;

static void use_slots(slots *s, int64_t share)
{
    for (int64_t i = 0; i < share; i++) {
        rn_sem_acquire(&s->sem, 1);
        rn_yield();
        rn_sem_release(&s->sem, 1);
    }
    rn_waitgroup_done(&s->wg);
}
GO_FUNC(use_slots, slots *, int64_t);

/* a: number of goroutines; b: units, one each */
static double sem_crowd(const bench_case *self, int64_t n)
{
    int64_t share = bench_share(n, self->a);
    slots s = {.sem = RN_SEM_INIT(self->b)};
    int64_t begin = bench_now();
    for (int g = 0; g < self->a; g++) {
        rn_waitgroup_add(&s.wg, 1);
        go(use_slots, &s, share);
    }
    rn_waitgroup_wait(&s.wg);
    if (rn_sem_available(&s.sem) != self->b)
        bench_wrong("sem_workers: units are missing");
    return bench_per_op(begin, share * self->a);
}

static void meet(rn_barrier *b, rn_waitgroup *wg, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        rn_barrier_wait(b);
    rn_waitgroup_done(wg);
}
GO_FUNC(meet, rn_barrier *, rn_waitgroup *, int64_t);

/* a: number of parties */
static double barrier_phases(const bench_case *self, int64_t n)
{
    rn_barrier b = RN_BARRIER_INIT((uint32_t)self->a);
    rn_waitgroup wg = {0};
    int64_t begin = bench_now();
    for (int g = 0; g < self->a; g++) {
        rn_waitgroup_add(&wg, 1);
        go(meet, &b, &wg, n);
    }
    rn_waitgroup_wait(&wg);
    return bench_per_op(begin, n);
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
    {"rwmutex_rlock_uncontended", "ns/op", 10000000, 0, read_alone, 0, 0, 0},
    {"rwmutex_rlock_4readers", "ns/op", 4000000, 0, read_crowd, 4, 0, 0},
    {"rwmutex_mixed_10pct_write_8", "ns/op", 1000000, 0, read_crowd, 8, 10, 0},
    {"cond_pingpong", "ns/roundtrip", 200000, 0, cond_pingpong, 0, 0, 0},
    {"sem_uncontended", "ns/op", 10000000, 0, sem_alone, 0, 0, 0},
    {"sem_workers_100_of_10", "ns/op", 1000000, 0, sem_crowd, 100, 10, 0},
    {"barrier_10", "ns/phase", 200000, 0, barrier_phases, 10, 0, 0},
    {"waitgroup_add_done", "ns/op", 10000000, 0, add_done, 0, 0, 0},
    {"once_do_hot", "ns/op", 50000000, 0, once_hot, 0, 0, 0},
    {"panic_recover", "ns/op", 1000000, 0, panic_recover, 0, 0, 0},
    {"panic_try", "ns/op", 1000000, 0, panic_try, 0, 0, 0},
    {"defer_call", "ns/op", 20000000, 0, defer_call, 0, 0, 0},
    {0},
};
