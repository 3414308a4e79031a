/*
 * cond.h - waiting under a mutex until somebody says that something has changed.
 *
 *     rn_mutex_lock(&m);
 *     while (!ready)
 *         rn_cond_wait(&c, &m);
 *     ...
 *     rn_mutex_unlock(&m);
 *
 * Invariants
 *  - Those of sync.h. The mutex is named at each wait instead of at the start, so the zero value is
 *    ready; all who wait at the same time name the same one.
 *  - Signals are not stored: one that finds nobody waiting has no effect. Nobody wakes without one. A
 *    waiter counts as waiting from before its mutex is unlocked, so a change made under the mutex and
 *    signalled afterwards is never missed.
 */
#ifndef RUNNEL_COND_H
#define RUNNEL_COND_H

#include <runnel/base.h>
#include <runnel/sync.h>

RN_EXTERN_C_BEGIN

/* Go: sync.Cond. */
typedef struct rn_cond {
    uint64_t rn_queue; /* the first waiter's place, and a lock bit */
    uintptr_t rn_self; /* its own address, once used: finds copies */
} __attribute__((aligned(8))) rn_cond;

/*
 * Unlocks m, waits for a signal or broadcast, and locks m again; m must be locked. There are no spurious
 * wake-ups, but others may have been at the data between the signal and the lock, so ask again in a
 * loop. Panics "sync.Cond is copied" if c was copied after its first use; so do all others here.
 * Go: c.Wait().
 */
RN_API RN_NONNULL void rn_cond_wait_at(rn_cond *c, rn_mutex *m, const char *site);
#define rn_cond_wait(c, m) rn_cond_wait_at((c), (m), RN_HERE)

/* The same until the deadline: 0 after a signal, or -ETIMEDOUT. m is locked again in both cases, which may
 * take longer. A signal is never lost with a waiter that has given up. */
RN_API RN_NONNULL int rn_cond_wait_until_at(rn_cond *c, rn_mutex *m, int64_t deadline,
                                            const char *site);
#define rn_cond_wait_until(c, m, deadline) rn_cond_wait_until_at((c), (m), (deadline), RN_HERE)

/* Wakes the one that has waited longest, if anybody waits. The mutex may be locked or not. Never blocks.
 * Go: c.Signal(). */
RN_API RN_NONNULL void rn_cond_signal_at(rn_cond *c, const char *site);
#define rn_cond_signal(c) rn_cond_signal_at((c), RN_HERE)

/* Wakes all who wait. Go: c.Broadcast(). */
RN_API RN_NONNULL void rn_cond_broadcast_at(rn_cond *c, const char *site);
#define rn_cond_broadcast(c) rn_cond_broadcast_at((c), RN_HERE)

RN_EXTERN_C_END

#endif
