/*
 * sleep.c - what stands on the timers inside the scheduler: rn_sleep, and the time as a breaker.
 *
 * Invariants
 *  - A timer of these is on the stack of who waits. It has fired or been disarmed before the wait
 *    returns.
 *  - A foreign thread sleeps in the kernel by itself and stays awake for the verdict: it will go on.
 */
#include "runq.h"
#include <errno.h>

void rn__timer_wake(void *arg, uint64_t gen)
{
    rn__g *g = arg;
    if (rn__token_take(g, gen)) {
        g->won_how = RN__WON_TIMEOUT;
        rn__ready_permit(g);
    }
}

/* Nobody posts the word: only the time ends it. */
static void sleep_in_kernel(rn__g *g, int64_t until)
{
    static _Atomic(uint32_t) never;
    while (rn__clock() < until)
        rn__futex_wait(&never, 0, until);
    atomic_store_explicit(&g->status, RN__RUNNING, memory_order_relaxed);
}

void rn_sleep(int64_t ns)
{
    if (ns <= 0)
        return;
    rn__g *g = rn__current();
    int64_t now = rn_now();
    int64_t until = ns > RN_NEVER - now ? RN_NEVER : now + ns;
    rn__note_wait(g, RN__WAIT_SLEEP, NULL, NULL);
    if (rn__is_foreign(g) && !rn__det() && until != RN_NEVER) {
        sleep_in_kernel(g, until);
        return;
    }
    rn__timer t = {.fire = rn__timer_wake, .arg = g};
    t.gen = rn__token_open(g);
    rn__timer_arm(&t, until);
    rn__park_permit(g);
    rn__token_close(g);
}

/* ------------------------------------------------------------------------------------ deadlines */

static bool deadline_arm(rn__breaker *b, rn__g *g, uint64_t gen)
{
    rn__deadline *d = (rn__deadline *)(void *)b;
    if (d->at != RN_NEVER && d->at <= rn_now())
        return false;
    d->timer.arg = g;
    d->timer.gen = gen;
    rn__timer_arm(&d->timer, d->at);
    return true;
}

static void deadline_disarm(rn__breaker *b)
{
    rn__timer_disarm(&((rn__deadline *)(void *)b)->timer);
}

static int deadline_how(rn__breaker *b)
{
    (void)b;
    return -ETIMEDOUT;
}

rn__breaker *rn__deadline_init(rn__deadline *d, int64_t at)
{
    *d = (rn__deadline){.base = {deadline_arm, deadline_disarm, deadline_how},
                        .timer = {.fire = rn__timer_wake},
                        .at = at};
    return &d->base;
}
