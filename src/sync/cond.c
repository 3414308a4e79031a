/*
 * cond.c - rn_cond: a queue of those who wait for a signal.
 *
 * Invariants
 *  - rn_queue = address of the first waiter | HELD. HELD is a lock on the queue. Under it: list
 *    operations, claims, the unlock of the mutex, which then neither waits nor yields, and the park
 *    that drops it.
 *  - A waiter is queued before its mutex is unlocked. So the queue is empty only if nobody waits whose
 *    unlock came before a lock of the one who asks, and an empty queue is seen without HELD.
 *  - Signal and broadcast do not touch the object after they have dropped HELD, a waiter not after it
 *    was queued, unless its breaker fires.
 */
#include "sync.h"
#include "self.h"
#include "waiters.h"
#include "../panic/panic.h"
#include <errno.h>
#include <stdio.h>

enum { HELD = 1 };

_Static_assert(sizeof(rn_cond) == 16, "part of the binary interface");

static inline _Atomic(uint64_t) *queue_of(rn_cond *c)
{
    return (_Atomic(uint64_t) *)&c->rn_queue;
}

/* Takes HELD and returns the first waiter. */
static rn__sudog *hold_queue(rn_cond *c)
{
    for (unsigned round = 0;; round++) {
        /* acquire: the queue as the last holder left it */
        uint64_t q = rn__solo_or(queue_of(c), HELD);
        if (RN_LIKELY(!(q & HELD)))
            return (rn__sudog *)(uintptr_t)q;
        rn__backoff(round, true);
    }
}

static inline void drop_queue(rn_cond *c, rn__sudog *first)
{
    /* release: pairs with hold_queue */
    atomic_store_explicit(queue_of(c), (uint64_t)(uintptr_t)first, memory_order_release);
}

static inline void check_self(rn_cond *c, const char *site)
{
    /* relaxed: all who write it write the same */
    uintptr_t self = __atomic_load_n(&c->rn_self, __ATOMIC_RELAXED);
    if (RN_LIKELY(self == (uintptr_t)c))
        return;
    if (self == 0) {
        __atomic_store_n(&c->rn_self, (uintptr_t)c, __ATOMIC_RELAXED);
        return;
    }
    char extra[96];
    snprintf(extra, sizeof extra, "used at address %p, first used at address 0x%zx", (void *)c,
             (size_t)self);
    rn__panic_runtime(site, extra, "sync.Cond is copied");
}

static int wait_broken(rn_cond *c, rn_mutex *m, rn__breaker *b, rn__g *g, const char *site)
{
    rn_mutex_unlock_at(m, site);
    int err = rn__waiters_wait(g, b);
    if (err != 0) {
        rn__sudog *first = hold_queue(c);
        rn__waiters_withdraw(&first, g);
        drop_queue(c, first);
        rn__waiters_gone(g);
    }
    return err;
}

int rn__cond_wait_by(rn_cond *c, rn_mutex *m, rn__breaker *b, const char *site)
{
    check_self(c, site);
    rn__g *g = rn__running();
    rn__sudog *first = hold_queue(c);
    rn__note_wait(g, RN__WAIT_COND_WAIT, c, site);
    rn__waiters_push_back(&first, g, b);
    int err = 0;
    if (b != NULL) {
        drop_queue(c, first);
        err = wait_broken(c, m, b, g, site);
    } else {
        rn__g *next = rn__mutex_unlock_quietly(m, site);
        if (RN_UNLIKELY(next != NULL))
            rn__waiter_ready(next);
        rn__park_locked(g, queue_of(c), (uint64_t)(uintptr_t)first);
    }
    if (err == 0)
        RN__HB_ACQUIRE(c);
    rn_mutex_lock_at(m, site);
    return err;
}

void rn_cond_wait_at(rn_cond *c, rn_mutex *m, const char *site)
{
    rn__cond_wait_by(c, m, NULL, site);
}

int rn_cond_wait_until_at(rn_cond *c, rn_mutex *m, int64_t deadline, const char *site)
{
    if (deadline == RN_NEVER)
        return rn__cond_wait_by(c, m, NULL, site);
    rn__deadline d;
    return rn__cond_wait_by(c, m, rn__deadline_init(&d, deadline), site);
}

void rn_cond_signal_at(rn_cond *c, const char *site)
{
    check_self(c, site);
    /* relaxed: see the second invariant */
    if (atomic_load_explicit(queue_of(c), memory_order_relaxed) == 0)
        return;
    RN__HB_RELEASE(c);
    rn__sudog *first = hold_queue(c);
    rn__g *g = rn__waiters_take(&first);
    drop_queue(c, first);
    if (g != NULL)
        rn__waiter_ready(g);
}

void rn_cond_broadcast_at(rn_cond *c, const char *site)
{
    check_self(c, site);
    /* relaxed: as in signal */
    if (atomic_load_explicit(queue_of(c), memory_order_relaxed) == 0)
        return;
    RN__HB_RELEASE(c);
    rn__sudog *first = hold_queue(c);
    uint32_t n;
    rn__sudog *all = rn__waiters_take_all(&first, &n);
    drop_queue(c, NULL);
    rn__waiters_ready_all(all);
}
