/*
 * timer.c - rn_timer: start, stop, reset, and the two callbacks.
 *
 * Invariants: see timer.h.
 */
#include "timer.h"
#include "../chan/attempt.h"
#include <stdlib.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------- the lock */

/* Never held over a switch; a solo worker finds it free. */
void rn__timer_take(rn__chan_timer *t)
{
    for (unsigned round = 0; !rn__solo_cas32(&t->lock, 0, 1); round++)
        rn__backoff(round, false);
}

void rn__timer_give(rn__chan_timer *t)
{
    /* release: pairs with the acquire of the next taker */
    atomic_store_explicit(&t->lock, 0, memory_order_release);
}

/* ns from now; for ever if that is beyond the end of time. */
int64_t rn__timer_due(int64_t ns)
{
    if (RN_UNLIKELY(rn__self_hot() == NULL))
        rn__meet(); /* the clock is the runtime's, which may not have been started */
    int64_t now = rn_now();
    if (ns <= 0)
        return now;
    return ns > RN_NEVER - now ? RN_NEVER : now + ns;
}

/* ------------------------------------------------------------------------------------ callbacks */

static inline rn__chan_timer *owner_of(rn__timer *t)
{
    return (rn__chan_timer *)(void *)t;
}

/* Puts the due time into the channel, for whoever waits there or comes later; if the last one has not
 * been taken yet, this one is lost. */
static rn__fired fire_chan(rn__timer *inner, int64_t now)
{
    rn__chan_timer *t = owner_of(inner);
    int64_t when = inner->when, period = (int64_t)inner->gen;
    const int64_t value[2] = {when, 0}; /* the copying code has a case for 16 bytes */
    if (RN_UNLIKELY(rn__hooked()))
        rn__hook_event(RN__EV_SEND, NULL, &t->c);
    uint64_t s = rn__chan_lock_as(&t->c, rn__self_hot(), false);
    rn__partner partner = {NULL, false};
    (void)rn__try_send_locked(&t->c, s, value, &partner);
    rn__chan_publish(&t->c, s);
    rn__fired f = {0, partner.g, partner.is_select ? RN__FIRED_PERMIT : RN__FIRED_READY};
    if (t->kind == RN__TIMER_TICK) {
        /* what has been missed is left out; the beat is kept */
        int64_t beats = (now - when) / period + 1;
        int64_t step;
        if (__builtin_mul_overflow(period, beats, &step) ||
            __builtin_add_overflow(when, step, &f.next))
            f.next = RN_NEVER;
    }
    return f;
}

typedef struct call {
    void (*fn)(void *);
    void *arg;
    void *timer; /* a tag for the race detector: the memory may be gone */
} call;

static void run_call(void *p)
{
    call *k = p;
    RN__HB_ACQUIRE(k->timer); /* what came before the start or the reset */
    k->fn(k->arg);
}

static rn__fired fire_func(rn__timer *inner, int64_t now)
{
    (void)now;
    call k = {(void (*)(void *))(void (*)(void))inner->fire, inner->arg, inner};
    const rn_go_site *where = (const rn_go_site *)(uintptr_t)inner->gen;
    return (rn__fired){0, rn__go_prepare(run_call, &k, sizeof k, where, 0), RN__FIRED_FRESH};
}

/* ------------------------------------------------------------------- pieces, all under the lock */

/* Takes out a value that nobody has received. True if there was one. */
static bool drain(rn__chan_timer *t)
{
    if (!atomic_load_explicit(&t->made, memory_order_relaxed))
        return false;
    /* acquire: a fire that is over is seen; after a disarm there is no other */
    if (!(atomic_load_explicit(&t->c.word, memory_order_acquire) & RN__CH_VALUE))
        return false;
    uint64_t s = rn__chan_lock_as(&t->c, rn__self_hot(), false);
    bool some = t->c.count != 0;
    if (some) {
        rn__ring_out(&t->c, NULL);
        t->c.count = 0;
    }
    rn__chan_publish(&t->c, s);
    return some;
}

/* Stops it, whatever it does; true if something was kept from happening. */
bool rn__timer_halt(rn__chan_timer *t)
{
    bool was = t->running;
    t->running = false;
    if (rn__timer_disarm(&t->t))
        was = true;
    if (drain(t))
        was = true;
    return was;
}

/* Starts it; it must have been halted. */
void rn__timer_begin(rn__chan_timer *t, int64_t when)
{
    if (RN_UNLIKELY(rn__hooked()))
        t->c.bubble = rn__acting_number(); /* whose clock it runs on, his is the channel */
    if (t->kind == RN__TIMER_FUNC || atomic_load_explicit(&t->made, memory_order_relaxed)) {
        rn__timer_arm(&t->t, when);
    } else {
        t->t.when = when;
        t->running = true;
    }
}

/* Sets the kind of a timer that has been halted. */
void rn__timer_become(rn__chan_timer *t, enum rn__timer_kind kind, const char *site)
{
    t->kind = (uint8_t)kind;
    t->t.sync = fire_chan;
    t->t.arg = (void *)(uintptr_t)site;
}

/* What belongs to the channel beside its memory. */
static void tidy(rn__chan_timer *t)
{
    if (!atomic_load_explicit(&t->made, memory_order_relaxed) || (t->c.fd < 0 && t->c.name == NULL))
        return;
    uint64_t s = rn__chan_lock_as(&t->c, rn__self_hot(), false);
    int fd = t->c.fd;
    char *name = t->c.name;
    t->c.fd = -1;
    t->c.name = NULL;
    t->c.flags &= (uint8_t)~RN__CH_HAS_FD;
    rn__chan_unlock(&t->c, s);
    if (fd >= 0)
        close(fd);
    free(name);
}

/* The channel, made at the first question. What the timer has missed since is made up for. */
rn_hchan *rn__timer_make(rn__chan_timer *t)
{
    if (atomic_load_explicit(&t->made, memory_order_relaxed))
        return &t->c;
    /* relaxed: the same value each time, and before the channel is known */
    atomic_store_explicit(&rn__chan_timer_keeper, &rn__timer_keeper, memory_order_relaxed);
    rn__chan_init_timer(&t->c, t->t.arg);
    atomic_store_explicit(&t->made, true, memory_order_release);
    if (!t->running)
        return &t->c;
    t->running = false;
    int64_t now = rn_now(), next = t->t.when;
    if (next <= now)
        next = fire_chan(&t->t, now).next; /* nobody knows the channel, so nobody waits */
    if (next != 0)
        rn__timer_arm(&t->t, next);
    return &t->c;
}

/* ------------------------------------------------------------------------------------- the timer */

void rn_timer_start_at(rn_timer *timer, int64_t ns, const char *site)
{
    rn__chan_timer *t = rn__timer_in(timer);
    rn__timer_take(t);
    rn__timer_halt(t);
    rn__timer_become(t, RN__TIMER_CHAN, site);
    rn__timer_begin(t, rn__timer_due(ns));
    rn__timer_give(t);
}

rn_recv_chan(int64_t) rn_timer_chan(rn_timer *timer)
{
    rn__chan_timer *t = rn__timer_in(timer);
    rn_hchan *c = NULL;
    /* acquire: the channel as it was made */
    if (RN_LIKELY(atomic_load_explicit(&t->made, memory_order_acquire) &&
                  t->kind != RN__TIMER_FUNC))
        return (rn_recv_chan(int64_t))(void *)&t->c;
    rn__timer_take(t);
    if (t->kind == RN__TIMER_CHAN || t->kind == RN__TIMER_TICK)
        c = rn__timer_make(t);
    rn__timer_give(t);
    return (rn_recv_chan(int64_t))(void *)c;
}

/* Leaves nothing behind. False: it was never started. */
bool rn__timer_end(rn__chan_timer *t, bool *was)
{
    rn__timer_take(t);
    bool started = t->kind != RN__TIMER_NONE;
    *was = rn__timer_halt(t);
    tidy(t);
    rn__timer_give(t);
    return started;
}

bool rn_timer_stop_at(rn_timer *timer, const char *site)
{
    bool was;
    if (RN_UNLIKELY(!rn__timer_end(rn__timer_in(timer), &was)))
        rn__panic_runtime(site, "call rn_timer_start or rn_after_func first",
                          "time: Stop called on uninitialized Timer");
    return was;
}

bool rn_timer_reset_at(rn_timer *timer, int64_t ns, const char *site)
{
    rn__chan_timer *t = rn__timer_in(timer);
    __builtin_prefetch(t, 1); /* one of many is cold: it comes while we ask for the time */
    int64_t when = rn__timer_due(ns);
    rn__timer_take(t);
    bool started = t->kind != RN__TIMER_NONE, was = true;
    if (RN_LIKELY(started)) {
        if (t->kind == RN__TIMER_FUNC)
            RN__HB_RELEASE(t);
        /* Armed: it has not fired, and there is nothing old. Then the new due time is enough. */
        if (t->kind == RN__TIMER_TICK || !rn__timer_rearm(&t->t, when)) {
            was = rn__timer_halt(t);
            rn__timer_begin(t, when);
        }
    }
    rn__timer_give(t);
    if (RN_UNLIKELY(!started))
        rn__panic_runtime(site, "call rn_timer_start or rn_after_func first",
                          "time: Reset called on uninitialized Timer");
    return was;
}

void rn_after_func_at(rn_timer *timer, int64_t ns, void (*fn)(void *), void *arg,
                      const rn_go_site *where)
{
    rn__chan_timer *t = rn__timer_in(timer);
    __builtin_prefetch(t, 1);
    int64_t when = rn__timer_due(ns);
    rn__timer_take(t);
    rn__timer_halt(t);
    t->kind = RN__TIMER_FUNC;
    t->t.sync = fire_func;
    t->t.fire = (void (*)(void *, uint64_t))(void (*)(void))fn; /* to be cast back */
    t->t.arg = arg;
    t->t.gen = (uintptr_t)where;
    RN__HB_RELEASE(t);
    rn__timer_begin(t, when);
    rn__timer_give(t);
}
