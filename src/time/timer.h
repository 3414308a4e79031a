/*
 * timer.h - the inside of rn_timer and rn_ticker; private to time/.
 *
 * A timer of the scheduler, and a channel with room for one value that shows itself as unbuffered.
 *
 * Laziness: until somebody asks for the channel, a running timer is only a due time (`running`), in no
 * heap; what it would have done by then is done when the question comes. Starting and stopping a timer
 * that nobody looks at costs a reading of the clock. From then on it is in its heap while it runs:
 * there it costs about 20 ns to come and to go, less than the checks that would have to be added to
 * every operation on every channel in order to put it there only while somebody waits, as Go does.
 *
 * Invariants
 *  - lock guards everything but the channel, which has its own. Under lock the timer is armed and
 *    disarmed, and a callback that runs may be waited for; so the callbacks take the channel's lock only.
 *  - What the callbacks read (kind, period, function) changes only while the timer is disarmed.
 *  - A value gets into the channel from the callback, and from the one who makes the channel and holds
 *    lock. So after a disarm and a look into the channel, under lock, nothing old can come any more.
 *  - running implies !made and t.heap == NULL.
 */
#ifndef RN_TIME_TIMER_H
#define RN_TIME_TIMER_H

#include "../chan/hchan.h"
#include <runnel/time.h>

enum rn__timer_kind { RN__TIMER_NONE, RN__TIMER_CHAN, RN__TIMER_TICK, RN__TIMER_FUNC };

typedef struct rn__chan_timer {
    /* one line, all that a timer with a function touches */
    rn__timer t; /* CHAN, TICK: arg is the place where it was started, gen the period. FUNC: fire is
                    the function, arg its argument, gen a pointer to its rn_go_site */
    _Atomic(uint32_t) lock; /* see above */
    uint8_t kind;           /* enum rn__timer_kind */
    bool running;           /* started, and in no heap: t.when says when it is due */
    _Atomic(bool) made;     /* the channel exists; never taken back. release, acquire: to find the
                               channel without the lock */
    bool counted;           /* the channel is counted and frees the memory (rn_after, rn_tick) */
    /* the rest */
    rn_hchan c;
} rn__chan_timer;

_Static_assert(sizeof(rn__chan_timer) <= sizeof(rn_timer), "part of the binary interface");
_Static_assert(offsetof(rn__chan_timer, c) == RN__CACHELINE, "a function's timer is one line");
_Static_assert(_Alignof(rn__chan_timer) <= _Alignof(rn_timer), "any rn_timer will do");

static inline rn__chan_timer *rn__timer_in(rn_timer *t)
{
    return (rn__chan_timer *)(void *)t;
}

/* timer.c */
void rn__timer_take(rn__chan_timer *t);
void rn__timer_give(rn__chan_timer *t);
bool rn__timer_halt(rn__chan_timer *t);
bool rn__timer_end(rn__chan_timer *t, bool *was);
void rn__timer_begin(rn__chan_timer *t, int64_t when);
void rn__timer_become(rn__chan_timer *t, enum rn__timer_kind kind, const char *site);
rn_hchan *rn__timer_make(rn__chan_timer *t);
int64_t rn__timer_due(int64_t ns);

/* ticker.c */
extern const rn__chan_keeper rn__timer_keeper;

#endif
