/*
 * ticker.c - rn_ticker, and the channels that live on their own: rn_after and rn_tick.
 *
 * Invariants
 *  - The period is what fire_chan reads: it changes while the ticker is halted.
 *  - A counted channel owns the memory of its timer. The last unref disarms, which waits for a callback
 *    that is under way, and then frees: rn__chan_timer_keeper.
 */
#include "timer.h"
#include <stdlib.h>

static void restart(rn__chan_timer *t, int64_t period)
{
    t->t.gen = (uint64_t)period;
    rn__timer_begin(t, rn__timer_due(period));
}

void rn_ticker_start_at(rn_ticker *ticker, int64_t period, const char *site)
{
    rn__chan_timer *t = rn__timer_in(&ticker->rn_t);
    if (RN_UNLIKELY(period <= 0))
        rn__panic_runtime(site, NULL, "non-positive interval for NewTicker");
    rn__timer_take(t);
    rn__timer_halt(t);
    rn__timer_become(t, RN__TIMER_TICK, site);
    restart(t, period);
    rn__timer_give(t);
}

rn_recv_chan(int64_t) rn_ticker_chan(rn_ticker *ticker)
{
    return rn_timer_chan(&ticker->rn_t);
}

void rn_ticker_stop(rn_ticker *ticker)
{
    bool was;
    (void)rn__timer_end(rn__timer_in(&ticker->rn_t), &was);
}

void rn_ticker_reset_at(rn_ticker *ticker, int64_t period, const char *site)
{
    rn__chan_timer *t = rn__timer_in(&ticker->rn_t);
    if (RN_UNLIKELY(period <= 0))
        rn__panic_runtime(site, NULL, "non-positive interval for Ticker.Reset");
    rn__timer_take(t);
    bool started = t->kind != RN__TIMER_NONE;
    if (RN_LIKELY(started)) {
        rn__timer_halt(t);
        restart(t, period);
    }
    rn__timer_give(t);
    if (RN_UNLIKELY(!started))
        rn__panic_runtime(site, "call rn_ticker_start first",
                          "time: Reset called on uninitialized Ticker");
}

/* ------------------------------------------------------------------------------ counted channels */

static rn__chan_timer *timer_of(rn_hchan *c)
{
    return (rn__chan_timer *)(void *)((char *)c - offsetof(rn__chan_timer, c));
}

/* The last reference has gone. */
static void keeper_stop(rn_hchan *c, const char *site)
{
    rn__chan_timer *t = timer_of(c);
    if (RN_UNLIKELY(!t->counted)) {
        atomic_store_explicit(&c->refs, 1, memory_order_relaxed);
        rn__panic_runtime(site, "it is part of an rn_timer or rn_ticker, which is all that owns it",
                          "channel freed more often than it was owned");
    }
    rn__timer_disarm(&t->t);
}

static void keeper_release(rn_hchan *c)
{
    RN__OWN_BEGIN();
    free(timer_of(c));
    RN__OWN_END();
}

const rn__chan_keeper rn__timer_keeper = {keeper_stop, keeper_release};

static rn_hchan *make_counted(enum rn__timer_kind kind, int64_t ns, const char *site)
{
    RN__OWN_BEGIN();
    rn__chan_timer *t = aligned_alloc(_Alignof(rn_timer), sizeof(rn_timer));
    RN__OWN_END();
    if (RN_UNLIKELY(t == NULL))
        rn__fatal("out of memory for a timer");
    t->t = (rn__timer){.when = rn__timer_due(ns), .gen = (uint64_t)ns};
    atomic_store_explicit(&t->lock, 0, memory_order_relaxed);
    rn__timer_become(t, kind, site);
    t->counted = true;
    t->running = true;
    atomic_store_explicit(&t->made, false, memory_order_relaxed);
    return rn__timer_make(t);
}

rn_recv_chan(int64_t) rn_after_at(int64_t ns, const char *site)
{
    return (rn_recv_chan(int64_t))(void *)make_counted(RN__TIMER_CHAN, ns, site);
}

rn_recv_chan(int64_t) rn_tick_at(int64_t period, const char *site)
{
    if (period <= 0)
        return NULL;
    return (rn_recv_chan(int64_t))(void *)make_counted(RN__TIMER_TICK, period, site);
}
