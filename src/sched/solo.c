/*
 * solo.c - solo mode: who may be the only one, and how that ends. sched.h says what it is for.
 *
 * Invariants
 *  - A worker becomes solo by itself, under idle_lock, when it alone is active and crowd is 0.
 *  - Whoever makes a second thread a party to channels or queues (waking a worker, registering a
 *    foreign thread, the watcher emptying a queue) ends solo mode first, under the same lock.
 *  - The wait for busy == 0 is short: a window holds no call and no lock, so it may be waited for with
 *    idle_lock held.
 *  - Without the membarrier system call nobody is ever solo.
 */
#define _GNU_SOURCE
#include "runq.h"
#include <sys/syscall.h>
#include <unistd.h>

enum { QUERY = 0, PRIVATE_EXPEDITED = 1 << 3, REGISTER_PRIVATE_EXPEDITED = 1 << 4 };

static bool usable; /* written once at the start */

static long membarrier(int cmd)
{
#ifdef SYS_membarrier
    return syscall(SYS_membarrier, cmd, 0, 0);
#else
    (void)cmd;
    return -1;
#endif
}

void rn__solo_init(void)
{
    usable = !rn__cfg.no_solo && membarrier(REGISTER_PRIVATE_EXPEDITED) == 0 &&
             membarrier(PRIVATE_EXPEDITED) == 0;
}

/* The caller is w's own thread, outside any window. */
void rn__solo_enter(rn__worker *w)
{
    if (!usable || atomic_load_explicit(&rn__sched.crowd, memory_order_relaxed) != 0)
        return;
    rn__lock_take(&rn__sched.idle_lock);
    if ((uint32_t)atomic_load(&rn__sched.live) == 1 && atomic_load(&rn__sched.crowd) == 0) {
        rn__sched.solo = w;
        atomic_store(&w->hot.solo, 1);
    }
    rn__lock_drop(&rn__sched.idle_lock);
}

void rn__solo_hope(void)
{
    rn__worker *w = rn__self();
    if (w != NULL && ++w->hot.hopes % 128 == 0 &&
        (uint32_t)atomic_load_explicit(&rn__sched.live, memory_order_relaxed) == 1)
        rn__solo_enter(w);
}

/* Ends solo mode, if it is on. Called with idle_lock held. */
void rn__solo_leave_locked(void)
{
    rn__worker *w = rn__sched.solo;
    if (w == NULL)
        return;
    rn__sched.solo = NULL;
    atomic_store(&w->hot.solo, 0);
    if (w == rn__self())
        return; /* our own thread is in no window */
    membarrier(PRIVATE_EXPEDITED);
    /* acquire: what the last window wrote is visible */
    for (unsigned round = 0; atomic_load_explicit(&w->hot.busy, memory_order_acquire) != 0; round++)
        rn__backoff(round, false);
}

/* One more (or fewer) reason why more than one thread is at the channels and queues. */
void rn__crowd_add(int n)
{
    rn__lock_take(&rn__sched.idle_lock);
    atomic_fetch_add(&rn__sched.crowd, n);
    rn__solo_leave_locked();
    rn__lock_drop(&rn__sched.idle_lock);
}
