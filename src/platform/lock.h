/*
 * lock.h - the library's own lock: one word, a few nanoseconds, for sections of a few dozen
 * instructions that never block, allocate or call out.
 *
 * Invariants
 *  - Whoever holds one runs on; it is never held over a switch, except the channel lock, which is
 *    not this one.
 *  - A waiter spins with growing pauses and then gives the CPU away, so that a preempted holder on an
 *    overcommitted machine gets to run.
 */
#ifndef RN_LOCK_H
#define RN_LOCK_H

#include "platform.h"

typedef struct rn__lock {
    _Atomic(uint32_t) word; /* 0 free, 1 held */
} rn__lock;

void rn__lock_slow(rn__lock *l);

static inline bool rn__lock_try(rn__lock *l)
{
    /* acquire: what the former holder wrote is visible; a failed try promises nothing */
    return atomic_exchange_explicit(&l->word, 1, memory_order_acquire) == 0;
}
static inline void rn__lock_take(rn__lock *l)
{
    if (RN_UNLIKELY(!rn__lock_try(l)))
        rn__lock_slow(l);
}
static inline void rn__lock_drop(rn__lock *l)
{
    /* release: pairs with the acquire of the next holder */
    atomic_store_explicit(&l->word, 0, memory_order_release);
}

#endif
