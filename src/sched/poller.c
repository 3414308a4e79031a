/*
 * poller.c - who listens to the kernel for descriptors: an idle worker that sleeps there instead of on
 * its futex, a busy one now and then, the watcher if all are busy for long.
 *
 * Invariants
 *  - One polls at a time: polling names it. Its events are dispatched before it gives the role back.
 *  - Whoever sleeps in the poller is brought back like any other sleeper: the slot is posted, then the
 *    bell is rung if polling says that it sleeps there (both seq_cst: it says so before it looks at the
 *    slot, so one of the two sees the other).
 *  - A waiter is counted before it can be seen by an event, and until it runs again, so a goroutine that
 *    waits for the kernel keeps the verdict from being given.
 */
#include "runq.h"

static const rn__poller *_Atomic installed; /* release store once, acquire loads */

/* How long a busy worker lets the kernel wait, ns. */
enum { LOOK_EVERY = 20000 };

void rn__poller_install(const rn__poller *p)
{
    atomic_store_explicit(&installed, p, memory_order_release);
}

void rn__wait_outside(int n)
{
    /* Seen by the verdict after live, and by sleepers after nspin. Solo: nobody else looks. */
    rn__solo_add(&rn__sched.outside, (uint64_t)(int64_t)n);
}

void rn__poller_needed(rn__g *g)
{
    /* A goroutine's worker comes by the poller when it runs out of work. A foreign thread has nobody. */
    if (RN_UNLIKELY(rn__is_foreign(g)) && atomic_load(&rn__sched.polling) == NULL)
        rn__wake_one();
}

static bool take_role(rn__worker *w)
{
    rn__worker *nobody = NULL;
    return atomic_load(&rn__sched.outside) != 0 &&
           atomic_load_explicit(&rn__sched.polling, memory_order_relaxed) == NULL &&
           atomic_compare_exchange_strong(&rn__sched.polling, &nobody, w);
}

static void give_role(void)
{
    atomic_store(&rn__sched.polling, NULL);
}

/* Sleeps in the poller, if that is free and somebody waits for it. When there are events, the worker
 * wakes itself with `awake` before it pushes anybody. */
enum rn__slept rn__poller_sleep(rn__worker *w, int64_t until, bool (*awake)(rn__worker *w))
{
    if (!take_role(w))
        return RN__SLEPT_NOT;
    const rn__poller *p = atomic_load_explicit(&installed, memory_order_acquire);
    int n = 0;
    if (atomic_load(&w->slot) == 0)
        n = p->wait(until);
    bool up = n > 0 && awake(w); /* if not, somebody else has made us active already */
    p->dispatch(n);
    give_role();
    return up ? RN__SLEPT_AWAKE : RN__SLEPT_INTERRUPTED;
}

/* A busy worker's look, on g0. True if there were events. */
bool rn__poller_look(rn__worker *w)
{
    if (!take_role(w))
        return false;
    const rn__poller *p = atomic_load_explicit(&installed, memory_order_acquire);
    int n = p->wait(0);
    p->dispatch(n);
    give_role();
    return n > 0;
}

/* Whether goroutines wait for the poller and nobody is in it. */
bool rn__poller_orphaned(void)
{
    return atomic_load(&rn__sched.outside) != 0 && atomic_load(&rn__sched.polling) == NULL;
}

/* Whether it is time for that. */
bool rn__poller_due(int64_t now)
{
    if (RN_LIKELY(atomic_load_explicit(&rn__sched.outside, memory_order_relaxed) == 0) ||
        atomic_load_explicit(&rn__sched.polling, memory_order_relaxed) != NULL)
        return false;
    /* relaxed: a race costs one look more */
    int64_t last = atomic_load_explicit(&rn__sched.polled_at, memory_order_relaxed);
    if (now - last < LOOK_EVERY)
        return false;
    atomic_store_explicit(&rn__sched.polled_at, now, memory_order_relaxed);
    return true;
}

/* The watcher's look: its pushes come from outside. Of all that sleep somebody must sleep in the poller; it
 * may have been ours for a moment when the last one went to sleep, so we see after that at every tick. */
void rn__poller_watch(void)
{
    static rn__worker watcher; /* a name only */
    if ((uint32_t)atomic_load(&rn__sched.live) == 0) {
        if (rn__poller_orphaned())
            rn__wake_one();
        return;
    }
    if (!take_role(&watcher))
        return;
    const rn__poller *p = atomic_load_explicit(&installed, memory_order_acquire);
    int n = p->wait(0);
    if (n > 0) {
        rn__crowd_add(1);
        p->dispatch(n);
        rn__crowd_add(-1);
    }
    give_role();
}

void rn__poller_ring(rn__worker *w)
{
    if (atomic_load(&rn__sched.polling) == w)
        atomic_load_explicit(&installed, memory_order_acquire)->interrupt();
}
