/*
 * waitgroup.c - rn_waitgroup: a counter, and a queue of those who wait for zero.
 *
 * Invariants
 *  - rn_count = counter << 32 | waiters. An add changes the counter alone, a wait the waiters alone,
 *    and only while the counter is above zero; the add that reaches zero finds out in the same
 *    instruction whether anybody has to be released, and that add alone releases them.
 *  - rn_queue = address of the first waiter | HELD. HELD is a lock on the queue: who counts itself as
 *    a waiter does so while holding it and parks with it, so the one that releases finds everybody
 *    queued whom it finds counted. Under it: list operations, and the park that drops it.
 *  - An add that leaves nobody to release never touches the group after its one instruction; the add
 *    that releases does not touch it after it has dropped HELD.
 */
#include <runnel/sync.h>
#include "../panic/panic.h"
#include "waiters.h"

enum { HELD = 1 };

_Static_assert(sizeof(rn_waitgroup) == 16, "part of the binary interface");

static inline _Atomic(uint64_t) *count_of(rn_waitgroup *wg)
{
    return (_Atomic(uint64_t) *)&wg->rn_count;
}
static inline _Atomic(uint64_t) *queue_of(rn_waitgroup *wg)
{
    return (_Atomic(uint64_t) *)&wg->rn_queue;
}

/* Takes HELD and returns the first waiter. */
static rn__sudog *hold_queue(rn_waitgroup *wg)
{
    for (unsigned round = 0;; round++) {
        /* acquire: the queue as the last holder left it */
        uint64_t q = rn__solo_or(queue_of(wg), HELD);
        if (!(q & HELD))
            return (rn__sudog *)(uintptr_t)q;
        rn__backoff(round, true);
    }
}

static void drop_queue(rn_waitgroup *wg, rn__sudog *first)
{
    /* release: pairs with hold_queue */
    atomic_store_explicit(queue_of(wg), (uint64_t)(uintptr_t)first, memory_order_release);
}

/* The counter is zero, `state` has waiters, and no misuse has been seen so far. */
static __attribute__((noinline)) void release_waiters(rn_waitgroup *wg, uint64_t state,
                                                      const char *site)
{
    rn__sudog *first = hold_queue(wg);
    /* relaxed: nobody may change the count now; this only looks for those who did */
    if (atomic_load_explicit(count_of(wg), memory_order_relaxed) != state) {
        drop_queue(wg, first);
        rn__panic_runtime(site, NULL, "sync: WaitGroup misuse: Add called concurrently with Wait");
    }
    /* relaxed: published by the drop */
    atomic_store_explicit(count_of(wg), 0, memory_order_relaxed);
    drop_queue(wg, NULL);
    rn__waiters_ready_all(first);
}

void rn_waitgroup_add_at(rn_waitgroup *wg, int n, const char *site)
{
    uint64_t delta = (uint64_t)(uint32_t)n << 32;
    if (n < 0)
        RN__HB_RELEASE(wg);
    /* release: what was done before is seen by those who find zero; acquire: the add that reaches
     * zero has seen everything before it, and passes it on to those it wakes */
    uint64_t s = rn__solo_add(count_of(wg), delta) + delta;
    int32_t counter = (int32_t)(uint32_t)(s >> 32);
    uint32_t waiters = (uint32_t)s;
    if (RN_UNLIKELY(counter < 0))
        rn__panic_runtime(site, NULL, "sync: negative WaitGroup counter");
    if (RN_LIKELY(waiters == 0))
        return;
    if (n > 0 && counter == n)
        rn__panic_runtime(site, NULL, "sync: WaitGroup misuse: Add called concurrently with Wait");
    if (counter == 0)
        release_waiters(wg, s, site);
}

void rn_waitgroup_wait_at(rn_waitgroup *wg, const char *site)
{
    /* acquire: what was done before the counter became zero */
    uint64_t s = atomic_load_explicit(count_of(wg), memory_order_acquire);
    if (s >> 32 != 0) {
        rn__g *g = rn__current();
        rn__sudog *first = hold_queue(wg);
        do {
            if (s >> 32 == 0) {
                drop_queue(wg, first);
                goto out;
            }
            /* acquire: as above, for a failure; a success publishes nothing */
        } while (!rn__solo_cas(count_of(wg), &s, s + 1));
        rn__note_wait(g, RN__WAIT_WAITGROUP_WAIT, wg, site);
        rn__waiters_push_back(&first, g);
        rn__park_locked(g, queue_of(wg), (uint64_t)(uintptr_t)first);
        /* relaxed: looks for misuse only */
        if (atomic_load_explicit(count_of(wg), memory_order_relaxed) != 0)
            rn__panic_runtime(site, NULL,
                              "sync: WaitGroup is reused before previous Wait has returned");
    }
out:
    RN__HB_ACQUIRE(wg);
}
