/*
 * waitgroup.c - rn_waitgroup: a counter, and a queue of those who wait for zero.
 *
 * Invariants
 *  - rn_count = counter << 32 | waiters. An add changes the counter alone, a wait the waiters alone,
 *    and only while the counter is above zero; the add that reaches zero finds out in the same
 *    instruction whether anybody has to be released, and that add alone releases them.
 *  - rn_queue = address of the first waiter | HELD, or, with nobody waiting, address of the waiter that
 *    was released last | LAST. HELD is a lock on the queue: who counts itself as a waiter does so
 *    while holding it and parks with it, so the one that releases finds everybody queued whom it
 *    finds counted. Under it: list operations, claims, and the park that drops it.
 *  - An add that leaves nobody to release never touches the group after its one instruction; the add
 *    that releases does not touch it after it has dropped HELD. A waiter that was released does not
 *    touch it at all. A waiter that gives up while the counter is zero waits for that add to come by.
 *  - Too early reuse is therefore noticed by the add that reuses: the waiter named by LAST says in its
 *    own descriptor, which is never given back, whether it is still in its wait.
 */
#include "sync.h"
#include "self.h"
#include "waiters.h"
#include "../panic/panic.h"
#include <errno.h>
#include <stdio.h>

enum { HELD = 1, LAST = 2, FLAGS = 7 };

_Static_assert(sizeof(rn_waitgroup) == 24, "part of the binary interface");

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
            return q & LAST ? NULL : (rn__sudog *)(uintptr_t)q;
        rn__backoff(round, true);
    }
}

static void drop_queue(rn_waitgroup *wg, rn__sudog *first)
{
    /* release: pairs with hold_queue */
    atomic_store_explicit(queue_of(wg), (uint64_t)(uintptr_t)first, memory_order_release);
}

/* ---------------------------------------------------------------------------------------- add */

/* The counter is zero and somebody waits, or waited. */
static __attribute__((noinline)) void release_waiters(rn_waitgroup *wg, const char *site)
{
    rn__sudog *first = hold_queue(wg);
    /* relaxed: waiters may have given up; but nobody may change the counter now */
    if (atomic_load_explicit(count_of(wg), memory_order_relaxed) >> 32 != 0) {
        drop_queue(wg, first);
        rn__panic_runtime(site, NULL, "sync: WaitGroup misuse: Add called concurrently with Wait");
    }
    uint64_t last = first != NULL ? (uint64_t)(uintptr_t)first->prev | LAST : 0;
    uint32_t n;
    rn__sudog *all = rn__waiters_take_all(&first, &n);
    /* relaxed: published by the drop */
    atomic_store_explicit(count_of(wg), 0, memory_order_relaxed);
    /* release: pairs with hold_queue; our last access */
    atomic_store_explicit(queue_of(wg), last, memory_order_release);
    rn__waiters_ready_all(all);
}

/* Whether the waiter that was released last has not returned from its wait yet. */
static bool last_is_inside(rn_waitgroup *wg)
{
    /* relaxed, both: who was to wait for that return has seen what it wrote; others may miss it */
    uint64_t q = atomic_load_explicit(queue_of(wg), memory_order_relaxed);
    if (RN_LIKELY((q & LAST) == 0) || (q & HELD) != 0)
        return false;
    const rn__g *g = rn__sudog_g((rn__sudog *)(uintptr_t)(q & ~(uint64_t)FLAGS));
    return __atomic_load_n(&g->obj, __ATOMIC_RELAXED) == wg;
}

void rn_waitgroup_add_at(rn_waitgroup *wg, int n, const char *site)
{
    RN__SELF_CHECK(wg, "WaitGroup", site);
    uint64_t delta = (uint64_t)(uint32_t)n << 32;
    if (n < 0)
        RN__HB_RELEASE(wg);
    bool inside = n > 0 && last_is_inside(wg); /* asked before anybody new can wait */
    /* release: what was done before is seen by those who find zero; acquire: the add that reaches
     * zero has seen everything before it, and passes it on to those it wakes */
    uint64_t s = rn__solo_add(count_of(wg), delta) + delta;
    int32_t counter = (int32_t)(uint32_t)(s >> 32);
    uint32_t waiters = (uint32_t)s;
    if (RN_UNLIKELY(counter < 0))
        rn__panic_runtime(site, NULL, "sync: negative WaitGroup counter");
    if (RN_UNLIKELY(inside) && counter == n)
        rn__panic_runtime(site, NULL,
                          "sync: WaitGroup is reused before previous Wait has returned");
    if (RN_LIKELY(waiters == 0))
        return;
    if (n > 0 && counter == n)
        rn__panic_runtime(site, NULL, "sync: WaitGroup misuse: Add called concurrently with Wait");
    if (counter == 0)
        release_waiters(wg, site);
}

/* --------------------------------------------------------------------------------------- wait */

/* The wait was broken: leaves the queue, unless the counter has reached zero. */
static int give_up(rn_waitgroup *wg, rn__g *g, int err)
{
    /* acquire: taken out by the add that releases, which may be through with the group already */
    if (atomic_load_explicit(&g->sudog.linked, memory_order_acquire) == RN__WAITER_QUEUED) {
        rn__sudog *first = hold_queue(wg);
        uint64_t s = atomic_load_explicit(count_of(wg), memory_order_relaxed);
        bool counted = true;
        /* Stop being counted while the counter is above zero, or else the add that made it zero has
         * counted us and comes. */
        while (s >> 32 != 0 && counted)
            counted = !rn__solo_cas(count_of(wg), &s, s - 1);
        if (!counted)
            rn__waiters_withdraw(&first, g);
        drop_queue(wg, first);
        if (!counted)
            return err;
    }
    rn__waiters_gone(g);
    return 0;
}

int rn__waitgroup_wait_by(rn_waitgroup *wg, rn__breaker *b, const char *site)
{
    RN__SELF_CHECK(wg, "WaitGroup", site);
    int err = 0;
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
        rn__waiters_push_back(&first, g, b);
        if (b == NULL) {
            rn__park_locked(g, queue_of(wg), (uint64_t)(uintptr_t)first);
        } else {
            drop_queue(wg, first);
            err = rn__waiters_wait(g, b);
            if (err != 0)
                err = give_up(wg, g, err);
        }
        /* relaxed: see last_is_inside */
        __atomic_store_n(&g->obj, NULL, __ATOMIC_RELAXED);
    }
out:
    if (err == 0)
        RN__HB_ACQUIRE(wg);
    return err;
}

void rn_waitgroup_wait_at(rn_waitgroup *wg, const char *site)
{
    rn__waitgroup_wait_by(wg, NULL, site);
}

int rn_waitgroup_wait_until_at(rn_waitgroup *wg, int64_t deadline, const char *site)
{
    /* acquire: as in wait */
    if (deadline != RN_NEVER &&
        atomic_load_explicit(count_of(wg), memory_order_acquire) >> 32 != 0) {
        if (deadline <= rn_now())
            return -ETIMEDOUT;
        rn__deadline d;
        return rn__waitgroup_wait_by(wg, rn__deadline_init(&d, deadline), site);
    }
    return rn__waitgroup_wait_by(wg, NULL, site);
}

void rn__waitgroup_describe(const rn_waitgroup *wg, char *buf, size_t n)
{
    uint64_t s = __atomic_load_n(&wg->rn_count, __ATOMIC_RELAXED);
    snprintf(buf, n, "%p, %d not done, %u wait%s", (const void *)wg, (int)(int32_t)(s >> 32),
             (unsigned)s, (uint32_t)s == 1 ? "s" : "");
}
