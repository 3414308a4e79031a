/*
 * time.h - timers and tickers: channels on which a value comes when it is time, and functions that
 * are started then.
 *
 * A timer is a struct of the caller's: static, on a stack, inside other structs. It needs no making
 * and no freeing. rn_sleep and rn_now are in sched.h; a time-out in a select is best said as
 * on_after (select.h), which needs no timer at all.
 *
 * Invariants
 *  - The zero value has never been started: rn_timer_stop and rn_timer_reset of it panic, as Go's do.
 *  - After rn_timer_stop, rn_timer_reset or their ticker forms have returned, no value of the old
 *    setting can be received any more, however the call raced with the timer. Nothing need be drained.
 *  - After a stop nothing of the timer is left anywhere: the struct may be freed, as long as nobody
 *    waits on its channel. The same after a one-shot timer's value has been received or its function
 *    has begun.
 *  - The channel is part of the struct, the same one for the struct's whole life. It looks unbuffered
 *    (length and capacity are 0), is never closed, and holds at most one value that nobody has taken
 *    yet. It is not to be unref'ed, and not to be used when the struct is gone.
 *  - A value is the time at which it was due, on rn_now(), not the one at which it was received.
 *  - Nothing fires early. Durations that are too long wait for ever. Any thread may call everything.
 *  - A timer whose channel nobody has asked for costs two words and no place in any queue.
 *
 * The members are private. The names without _at are macros that add the place of the call.
 */
#ifndef RUNNEL_TIME_H
#define RUNNEL_TIME_H

#include <runnel/chan.h>
#include <runnel/sched.h>

RN_EXTERN_C_BEGIN

/* Something that is due once. Must not be moved or copied once it is started. Go: time.Timer. */
typedef struct rn_timer {
    uint64_t rn_space[32];
} __attribute__((aligned(16))) rn_timer;

/* Something that is due again and again. Go: time.Ticker. */
typedef struct rn_ticker {
    rn_timer rn_t;
} rn_ticker;

/* -------------------------------------------------------------------------------------- timer */

/*
 * Starts t: its channel gets one value in ns nanoseconds, at once if ns <= 0. A timer that is in use
 * already is stopped first. Never blocks. Go: time.NewTimer(d).
 */
RN_API RN_NONNULL void rn_timer_start_at(rn_timer *t, int64_t ns, const char *site);
#define rn_timer_start(t, ns) rn_timer_start_at((t), (ns), RN_HERE)

/*
 * t's channel, for receives and selects; NULL if t was never started or runs a function. Belongs to t.
 * Go: t.C.
 */
RN_API RN_NONNULL rn_recv_chan(int64_t) rn_timer_chan(rn_timer *t);

/*
 * Stops t. True if that kept it from happening: it was running, or it had fired and the value was
 * not received (and cannot be any more). False if it had been received or stopped already, or if
 * its function has been started; a stop does not wait for that function. The channel is not closed;
 * whoever waits on it goes on waiting. Panics "time: Stop called on uninitialized Timer". Never
 * blocks. Go: t.Stop().
 */
RN_API RN_NONNULL bool rn_timer_stop_at(rn_timer *t, const char *site);
#define rn_timer_stop(t) rn_timer_stop_at((t), RN_HERE)

/*
 * Makes t due in ns nanoseconds from now, whatever it was doing before; the channel, or the function
 * and its argument, stay. Returns what rn_timer_stop would have returned. Panics
 * "time: Reset called on uninitialized Timer". Never blocks. Go: t.Reset(d).
 */
RN_API RN_NONNULL bool rn_timer_reset_at(rn_timer *t, int64_t ns, const char *site);
#define rn_timer_reset(t, ns) rn_timer_reset_at((t), (ns), RN_HERE)

/*
 * Starts t: fn(arg) runs in ns nanoseconds, in a goroutine of its own. rn_timer_reset makes it run
 * again. A timer that is in use already is stopped first. Never blocks. Go: time.AfterFunc(d, f).
 */
RN_API __attribute__((nonnull(1, 3))) void rn_after_func_at(rn_timer *t, int64_t ns,
                                                            void (*fn)(void *), void *arg,
                                                            const rn_go_site *where);
#define rn_after_func(t, ns, fn, arg) \
    RN__AFTER_FUNC(RN_UNIQUE(rn__site), t, ns, fn, arg, RN_STR(fn))
#define RN__AFTER_FUNC(at, t, ns, fn, arg, name)                \
    __extension__({                                             \
        static const rn_go_site at = {name, __func__, RN_HERE}; \
        rn_after_func_at((t), (ns), (fn), (arg), &at);          \
    })

/*
 * A channel that gets one value in ns nanoseconds, at once if ns <= 0. The caller has one reference:
 * chan_unref lets it go, and if that comes before the value, the timer goes with it. Out of memory
 * is fatal. In a select, on_after does the same without any object. Go: time.After(d).
 */
RN_API rn_recv_chan(int64_t) rn_after_at(int64_t ns, const char *site);
#define rn_after(ns) rn_after_at((ns), RN_HERE)

/* ------------------------------------------------------------------------------------- ticker */

/*
 * Starts t: its channel gets a value every `period` nanoseconds, the first one after the first
 * period. A slow receiver loses ticks: at most one waits for it. A ticker that is in use already is
 * stopped first. Panics "non-positive interval for NewTicker" if period <= 0. Never blocks.
 * Go: time.NewTicker(d).
 */
RN_API RN_NONNULL void rn_ticker_start_at(rn_ticker *t, int64_t period, const char *site);
#define rn_ticker_start(t, period) rn_ticker_start_at((t), (period), RN_HERE)

/* t's channel; NULL if t was never started. Belongs to t. Go: t.C. */
RN_API RN_NONNULL rn_recv_chan(int64_t) rn_ticker_chan(rn_ticker *t);

/* Stops t; a tick that waits is gone. The channel is not closed. Nothing happens if t was never
 * started, as in Go. Never blocks. Go: t.Stop(). */
RN_API RN_NONNULL void rn_ticker_stop(rn_ticker *t);

/* Stops t and starts it again with this period. Panics "non-positive interval for Ticker.Reset", and
 * "time: Reset called on uninitialized Ticker". Never blocks. Go: t.Reset(d). */
RN_API RN_NONNULL void rn_ticker_reset_at(rn_ticker *t, int64_t period, const char *site);
#define rn_ticker_reset(t, period) rn_ticker_reset_at((t), (period), RN_HERE)

/* A channel that gets a value every `period` nanoseconds until chan_unref lets it go; NULL if
 * period <= 0. Otherwise as rn_after. Go: time.Tick(d). */
RN_API rn_recv_chan(int64_t) rn_tick_at(int64_t period, const char *site);
#define rn_tick(period) rn_tick_at((period), RN_HERE)

RN_EXTERN_C_END

#endif
