/*
 * bench.h - what the benchmark cases share: the description of a case, the clock, a piece of work.
 *
 * Invariants
 *  - A case has the name, unit, operation count and shape of its Go twin in go/. A figure may be
 *    compared only while that holds: change both or none.
 *  - The figure covers what the Go case's figure covers. Making and freeing of what lives longer
 *    than the timed part stays outside of it on both sides; what the timed part makes, it frees.
 *  - Time is read from the system, not from the library that is measured.
 */
#ifndef RUNNEL_BENCH_H
#define RUNNEL_BENCH_H

#include <runnel.h>

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct bench_case bench_case;
struct bench_case {
    const char *name;
    const char *unit;
    int64_t n; /* operations at -scale 1 */
    int reps;  /* 0: warm up, then as many as asked for; else at most so many, without warm-up */
    double (*run)(const bench_case *self, int64_t n); /* does n operations, returns the figure */
    int a, b, c; /* what tells cases of one shape apart: capacity, numbers of goroutines */
};

/* A file's cases in the order in which they run; the list ends with a case without a name. */
extern const bench_case bench_channel_cases[];
extern const bench_case bench_flow_cases[];
extern const bench_case bench_sched_cases[];
extern const bench_case bench_memory_cases[];
extern const bench_case bench_sync_cases[];
extern const bench_case bench_select_cases[];
extern const bench_case bench_time_cases[];
extern const bench_case bench_context_cases[];
extern const bench_case bench_shared_cases[];
extern const bench_case bench_io_cases[];

/* Nanoseconds of the monotonic clock. */
static inline int64_t bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nanoseconds since `begin` for each of n operations. */
static inline double bench_per_op(int64_t begin, int64_t n)
{
    return (double)(bench_now() - begin) / (double)n;
}

/* Milliseconds since `begin`. */
static inline double bench_millis(int64_t begin)
{
    return bench_per_op(begin, 1000000);
}

/* Ends the program: a case computed something wrong, and its figure means nothing. */
__attribute__((noreturn)) static inline void bench_wrong(const char *what)
{
    fprintf(stderr, "runnel-bench: %s\n", what);
    exit(1);
}

/* Rounds of bench_work that last about 220 ns and 1.1 us at 3 GHz. The count is fixed, so that both
 * programs do the same work; the work_ cases show how long it takes on the machine at hand. */
enum { BENCH_ROUNDS_220NS = 165, BENCH_ROUNDS_1100NS = 825 };

/* A chain of dependent multiplications: nothing in it can be done in parallel or left out. */
uint64_t bench_work(uint64_t x, int rounds);

/* Takes results, so that the work is not optimised away. */
extern atomic_llong bench_sink;

/* Gives goroutines that are about to wait the time to do so. */
void bench_let_park(void);

/* Waits, outside of the timed part, until only `n` goroutines are left. */
void bench_await_goroutines(int64_t n);

/* The share of n for each of `parts`, at least one. */
static inline int64_t bench_share(int64_t n, int64_t parts)
{
    return n / parts > 0 ? n / parts : 1;
}

/* cases_memory.c: the fresh process of the memory cases; spec is "kind:count". Returns its status. */
int bench_memory_child(const char *spec);

#endif
