/*
 * lock.c - the waiting side of lock.h.
 *
 * Invariants
 *  - Touches nothing but the lock word; safe on a small stack and from a signal handler of a thread
 *    that does not hold the lock.
 */
#include "lock.h"
#include <sched.h>

void rn__lock_slow(rn__lock *l)
{
    for (unsigned round = 0;; round++) {
        /* relaxed: only to see whether a try is worth its cache line */
        if (atomic_load_explicit(&l->word, memory_order_relaxed) == 0 && rn__lock_try(l))
            return;
        if (round < 8)
            rn__spin(50u << (round < 5 ? round : 5));
        else
            sched_yield(); /* the holder may be preempted */
    }
}
