/*
 * deadlock.c - the verdict that nothing can ever happen again.
 *
 * Sources of future events: active workers, goroutines in the global queue, timers, foreign threads
 * that are inside our world and not parked in it. Whoever takes the last source of a kind away calls
 * the check, after a full fence: a worker that has announced itself idle, a foreign thread that parks or
 * leaves, the firing side of a timer.
 *
 * Invariants (models/deadlock checks them)
 *  - Sources are read before what they feed: foreign threads and timers before the queues.
 *  - live is read twice and must be the same, wake-ups included: nobody was active in between.
 *  - A new source is made visible before the old one is given up.
 */
#include "runq.h"

void (*rn__deadlock_report)(bool main_gone);

void rn__deadlock_check(void)
{
    /* all loads seq_cst: this is the rare path, and the order above is the argument */
    uint64_t live = atomic_load(&rn__sched.live);
    if ((uint32_t)live != 0)
        return;
    if (atomic_load(&rn__sched.ext) != 0)
        return;
    if (rn__timers_pending())
        return;
    if (atomic_load(&rn__sched.gq_n) != 0 || atomic_load(&rn__sched.npinned) != 0)
        return;
    bool main_gone = atomic_load(&rn__sched.main_gone);
    int64_t n = rn_num_goroutine();
    if (n == 0 && !main_gone)
        return; /* nobody is blocked: foreign threads may come back */
    if (atomic_load(&rn__sched.live) != live)
        return;
    if (atomic_exchange(&rn__sched.dead, 1) == 0 && rn__deadlock_report != NULL)
        rn__deadlock_report(main_gone && n == 0);
}
