/*
 * test.h - tests of concurrent code on a clock of their own: what Go calls testing/synctest.
 *
 *     static void body(void *arg)
 *     {
 *         int64_t began = rn_now();
 *         rn_sleep(RN_HOUR);                       takes no time at all
 *         assert(rn_now() - began == RN_HOUR);
 *     }
 *     int main(void) { return rn_test_run(body, NULL, NULL); }
 *
 * rn_test_run makes a bubble and runs the body as its first goroutine. All goroutines that are
 * started in a bubble belong to it. In it rn_now() stands still as long as any of its goroutines
 * can do something, and then goes straight to the next timer. So time-outs, retries and tickers are
 * tested exactly and at once, and a test that cannot go on is found out instead of waiting for a
 * time limit.
 *
 * Invariants
 *  - Time in a bubble moves only when every goroutine of it is durably blocked: nobody outside of
 *    it can wake any of them. Durable are sleeps and timers, channels made in the bubble, nil
 *    channels, selects over these, mutexes that no outsider holds, wait groups, condition
 *    variables, semaphores, once. (Go leaves mutexes out, and so cannot see a deadlock of locks.)
 *    Not durable: channels made outside, mutexes held outside, I/O, system calls, rn_blocking
 *    sections.
 *  - A bubble's clock is the wall clock as well: rn_now() in it is nanoseconds since 1970-01-01
 *    00:00:00 UTC, and begins at 2000-01-01 00:00:00 UTC. libc's time(), clock_gettime() and
 *    usleep() know nothing of it. Absolute times of the world outside mean nothing inside.
 *  - What events of one instant come first is random.
 *  - Any number of bubbles may run at the same time, each on its own clock; the rest of the program
 *    goes on in real time. A bubble in a bubble is refused.
 *  - A channel that was made in a bubble may not be used from outside while the bubble lasts, nor
 *    its timers; that ends the program, with Go's words. So does a done or a signal from outside
 *    that wakes somebody who waits for a wait group or a condition variable in a bubble.
 */
#ifndef RUNNEL_TEST_H
#define RUNNEL_TEST_H

#include <runnel/base.h>
#include <runnel/go.h>

RN_EXTERN_C_BEGIN

/* 2000-01-01 00:00:00 UTC in nanoseconds since 1970: when a bubble's clock begins. */
#define RN_TEST_EPOCH (INT64_C(946684800) * RN_SEC)

enum { RN_TEST_REPORT = 4096 };

/* How a bubble went. */
typedef struct rn_test_result {
    int err;         /* 0, -EDEADLK or -ENOMEM, as returned */
    int blocked;     /* goroutines that are left; they stay blocked for ever */
    int64_t elapsed; /* nanoseconds on the bubble's clock */
    char report
        [RN_TEST_REPORT]; /* -EDEADLK: Go's text, and each goroutine that is left: state, object,
                                    place, creation; cut if it is longer. Else empty */
} rn_test_result;

/* All members may be left zero. */
typedef struct rn_test_opts {
    uint64_t seed
        RN_OPTIONAL; /* not 0: one goroutine of the bubble runs at a time, and who goes on at
                                  each operation, which ready case a select takes, and the order
                                  of events of one instant are drawn from it: the same
                                  seed does the same again, however many workers there are, as long as
                                  the bubble keeps to itself. 0: they run in parallel */
    int64_t start RN_OPTIONAL;          /* when the clock begins; 0: RN_TEST_EPOCH */
    rn_test_result *result RN_OPTIONAL; /* gets the outcome, a deadlock too; NULL: that panics */
} rn_test_opts;

/*
 * Runs fn(arg) as the first goroutine of a new bubble, waits until all goroutines of the bubble
 * have ended, and returns 0. opts may be NULL. The caller, a goroutine or any thread, waits in real
 * time.
 *
 * When none of them can ever go on, that is a deadlock: "deadlock: all goroutines in bubble are
 * blocked", or, if fn has returned, after which time stands still, "deadlock: main bubble goroutine
 * has exited but blocked goroutines remain". With opts->result it is returned as -EDEADLK; else
 * rn_test_run panics with the text, and prints every goroutine of the bubble if nobody recovers.
 * What was left behind stays blocked for ever, with what it owns. -ENOMEM: nothing was started.
 *
 * A panic in the bubble that is not recovered ends the program, as everywhere. Panics "synctest.Run
 * called from within a synctest bubble" in a bubble. Go: synctest.Test.
 */
RN_API int rn_test_run_at(void (*fn)(void *), void *arg, const rn_test_opts *opts,
                          const rn_go_site *where);
#define rn_test_run(fn, arg, opts) rn_test_run_at((fn), (arg), (opts), RN__GO_SITE(#fn))

/*
 * Waits until all other goroutines of the bubble are durably blocked; no time passes. Afterwards
 * everything that they did is visible. Panics "goroutine is not in a bubble" outside, and "wait
 * already in progress" while another goroutine waits so. Go: synctest.Wait.
 */
RN_API void rn_test_wait_at(const char *site);
#define rn_test_wait() rn_test_wait_at(RN_HERE)

/*
 * Sleeps for ns on the bubble's clock, and then waits until all that was due by then has been done.
 * Go: synctest.Sleep.
 */
RN_API void rn_test_sleep_at(int64_t ns, const char *site);
#define rn_test_sleep(ns) rn_test_sleep_at((ns), RN_HERE)

RN_EXTERN_C_END

#endif
