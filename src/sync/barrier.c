/*
 * barrier.c - rn_barrier: a queue that is emptied when it would become full.
 *
 * Invariants
 *  - rn_queue = address of the first waiter | HELD. HELD is a lock on the queue and on rn_arrived,
 *    which is its length. Under it: list operations, claims, and the park that drops it.
 *  - Whoever completes a phase empties the queue and sets rn_arrived back before it drops HELD: the next
 *    phase may begin at once. It does not touch the barrier afterwards.
 *  - A waiter whose breaker fired while it was being released has been released.
 */
#include "sync.h"
#include "self.h"
#include "waiters.h"
#include "../panic/panic.h"
#include <errno.h>
#include <stdio.h>

enum { HELD = 1 };

_Static_assert(sizeof(rn_barrier) == 24, "part of the binary interface");

static inline _Atomic(uint64_t) *queue_of(rn_barrier *bar)
{
    return (_Atomic(uint64_t) *)&bar->rn_queue;
}

/* Takes HELD and returns the first waiter. */
static rn__sudog *hold_queue(rn_barrier *bar)
{
    for (unsigned round = 0;; round++) {
        /* acquire: the queue as the last holder left it */
        uint64_t q = rn__solo_or(queue_of(bar), HELD);
        if (RN_LIKELY(!(q & HELD)))
            return (rn__sudog *)(uintptr_t)q;
        rn__backoff(round, true);
    }
}

static inline void drop_queue(rn_barrier *bar, rn__sudog *first)
{
    /* release: pairs with hold_queue */
    atomic_store_explicit(queue_of(bar), (uint64_t)(uintptr_t)first, memory_order_release);
}

/* Gives up, unless the phase is complete. */
static int give_up(rn_barrier *bar, rn__g *g, int err)
{
    rn__sudog *first = hold_queue(bar);
    bool queued = rn__waiters_withdraw(&first, g);
    if (queued)
        bar->rn_arrived--;
    drop_queue(bar, first);
    rn__waiters_gone(g);
    return queued ? err : 0;
}

int rn__barrier_wait_by(rn_barrier *bar, rn__breaker *b, const char *site)
{
    RN__SELF_CHECK(bar, "Barrier", site);
    if (RN_UNLIKELY(bar->rn_parties == 0))
        rn__panic_runtime(site, "initialize it: rn_barrier b = RN_BARRIER_INIT(n)",
                          "barrier: no parties");
    rn__g *g = rn__running();
    RN__HB_RELEASE(&bar->rn_arrived);
    rn__sudog *first = hold_queue(bar);
    int err = 0;
    if (bar->rn_arrived + 1 == bar->rn_parties) {
        RN__HB_ACQUIRE(&bar->rn_arrived);
        RN__HB_RELEASE(&bar->rn_queue);
        uint32_t n;
        rn__sudog *all = rn__waiters_take_all(&first, &n);
        bar->rn_arrived = 0;
        drop_queue(bar, NULL);
        rn__waiters_ready_all(all);
        return 1;
    }
    rn__note_wait(g, RN__WAIT_BARRIER_WAIT, bar, site);
    rn__waiters_push_back(&first, g, b);
    bar->rn_arrived++;
    if (b == NULL) {
        rn__park_locked(g, queue_of(bar), (uint64_t)(uintptr_t)first);
    } else {
        drop_queue(bar, first);
        err = rn__waiters_wait(g, b);
        if (err != 0)
            err = give_up(bar, g, err);
    }
    if (err == 0)
        RN__HB_ACQUIRE(&bar->rn_queue);
    return err;
}

bool rn_barrier_wait_at(rn_barrier *bar, const char *site)
{
    return rn__barrier_wait_by(bar, NULL, site) == 1;
}

int rn_barrier_wait_until_at(rn_barrier *bar, int64_t deadline, const char *site)
{
    if (deadline == RN_NEVER)
        return rn__barrier_wait_by(bar, NULL, site);
    rn__deadline d;
    return rn__barrier_wait_by(bar, rn__deadline_init(&d, deadline), site);
}

void rn__barrier_describe(const rn_barrier *bar, char *buf, size_t n)
{
    snprintf(buf, n, "%p, %u of %u have come", (const void *)bar,
             __atomic_load_n(&bar->rn_arrived, __ATOMIC_RELAXED), bar->rn_parties);
}
