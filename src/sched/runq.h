/*
 * runq.h - the fast sides of a worker's own queues, and the pick; private to sched/.
 *
 * The order of a pick: runnext (woken last, still warm), the ring of woken goroutines (FIFO), the fresh
 * deque (newest first), the global queue. Exceptions keep it fair: every 64th pick serves the global
 * queue first, every 16th the oldest fresh goroutine, and 64 picks from runnext in a row let the ring
 * go first once.
 *
 * Invariants: see runq.c.
 */
#ifndef RN_RUNQ_H
#define RN_RUNQ_H

#include "worker.h"

rn__g *rn__fresh_take_oldest(rn__worker *w);

/* Puts g at the ring's tail. Owner only; the ring must not be full. */
static inline void rn__ring_put(rn__worker *w, rn__g *g)
{
    uint64_t tail = atomic_load_explicit(&w->tail, memory_order_relaxed);
    atomic_store_explicit(&w->ring[tail % RN__RING], g, memory_order_relaxed);
    /* release: a thief that sees the tail sees the slot and the goroutine's saved context */
    atomic_store_explicit(&w->tail, tail + 1, memory_order_release);
}

static inline void rn__ring_push(rn__worker *w, rn__g *g)
{
    if (RN_UNLIKELY(rn__ring_len(w) >= RN__RING))
        rn__ring_spill(w, g);
    else
        rn__ring_put(w, g);
}

/*
 * Fetches what the switches to the next goroutines will touch: with many thousands of stacks each is cold
 * in the cache and in the TLB, and one miss takes as long as several short runs. A prefetch waits for
 * its page walk, but a core walks for several at a time: so they come in groups. Descriptors come one
 * group earlier, since they say where the stacks are. A prefetch of nonsense is harmless.
 */
enum { RN__AHEAD = 16 };
static inline void rn__prefetch_stacks(rn__worker *w, uint32_t from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const rn__g *g =
            atomic_load_explicit(&w->ring[(from + i) % RN__RING], memory_order_relaxed);
        const char *sp = g->ctx.sp;
        __builtin_prefetch(sp);
        __builtin_prefetch(sp + 64);
        __builtin_prefetch(sp + 128);
        __builtin_prefetch(sp + 192);
        __builtin_prefetch(g->stack); /* the header, needed at the end */
    }
}
static inline void rn__prefetch_descriptors(rn__worker *w, uint32_t from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const rn__g *g =
            atomic_load_explicit(&w->ring[(from + i) % RN__RING], memory_order_relaxed);
        __builtin_prefetch(g);
        __builtin_prefetch((const char *)g + 64);
        __builtin_prefetch((const char *)g + 128);
    }
}

/* Before the goroutine at head is taken, with `left` in the ring. */
static inline void rn__ring_prefetch(rn__worker *w, uint32_t head, uint32_t left)
{
    if (head % RN__AHEAD != 0 || left < RN__AHEAD / 2)
        return; /* a few goroutines are hot */
    uint32_t n = left <= RN__AHEAD ? left - 1 : RN__AHEAD;
    rn__prefetch_stacks(w, head + 1, n);
    left -= n + 1;
    rn__prefetch_descriptors(w, head + 1 + n, left < RN__AHEAD ? left : RN__AHEAD);
}

/* Takes the ring's oldest; for the owner and for others. */
static inline rn__g *rn__ring_take_shared(rn__worker *w)
{
    uint32_t head = atomic_load_explicit(&w->head, memory_order_relaxed);
    for (;;) {
        /* acquire: for others than the owner, the slot that this tail publishes */
        if (head == (uint32_t)atomic_load_explicit(&w->tail, memory_order_acquire))
            return NULL;
        rn__g *g = atomic_load_explicit(&w->ring[head % RN__RING], memory_order_relaxed);
        /* acq_rel: takes part in one order with thieves; a failed CAS reloads head */
        if (atomic_compare_exchange_weak_explicit(&w->head, &head, head + 1, memory_order_acq_rel,
                                                  memory_order_relaxed))
            return g;
    }
}

/* The same, for the owner only. */
static inline rn__g *rn__ring_take(rn__worker *w)
{
    uint32_t head = atomic_load_explicit(&w->head, memory_order_relaxed);
    if (head == (uint32_t)atomic_load_explicit(&w->tail, memory_order_relaxed))
        return NULL;
    if (RN_UNLIKELY(!rn__solo_begin(&w->hot))) {
        rn__ring_prefetch(w, head, rn__ring_len(w));
        return rn__ring_take_shared(w);
    }
    head = atomic_load_explicit(&w->head, memory_order_relaxed);
    uint32_t left = (uint32_t)atomic_load_explicit(&w->tail, memory_order_relaxed) - head;
    rn__g *g = NULL;
    if (left != 0) {
        g = atomic_load_explicit(&w->ring[head % RN__RING], memory_order_relaxed);
        atomic_store_explicit(&w->head, head + 1, memory_order_relaxed);
    }
    rn__solo_end(&w->hot);
    rn__ring_prefetch(w, head, left);
    return g;
}

static inline rn__g *rn__runnext_take(rn__worker *w)
{
    /* relaxed: only the owner makes it non-NULL; an exchange, since a thief may take it */
    if (atomic_load_explicit(&w->runnext, memory_order_relaxed) == NULL)
        return NULL;
    if (RN_LIKELY(rn__solo_begin(&w->hot))) {
        rn__g *g = atomic_load_explicit(&w->runnext, memory_order_relaxed);
        atomic_store_explicit(&w->runnext, NULL, memory_order_relaxed);
        rn__solo_end(&w->hot);
        return g;
    }
    return atomic_exchange_explicit(&w->runnext, NULL, memory_order_acquire);
}

/* Makes g run next here; returns the former occupant or NULL. */
static inline rn__g *rn__runnext_put(rn__worker *w, rn__g *g)
{
    /* release: a thief that takes g sees its saved context. When the slot is empty a store is enough:
     * nobody else fills it. */
    if (atomic_load_explicit(&w->runnext, memory_order_relaxed) == NULL) {
        atomic_store_explicit(&w->runnext, g, memory_order_release);
        return NULL;
    }
    if (RN_LIKELY(rn__solo_begin(&w->hot))) {
        rn__g *old = atomic_load_explicit(&w->runnext, memory_order_relaxed);
        atomic_store_explicit(&w->runnext, g, memory_order_relaxed);
        rn__solo_end(&w->hot);
        return old;
    }
    return atomic_exchange_explicit(&w->runnext, g, memory_order_acq_rel);
}

/* The owner's way to take a lock of its own worker. */
static inline void rn__lock_take_own(rn__worker *w, rn__lock *l)
{
    if (RN_LIKELY(rn__solo_begin(&w->hot))) {
        /* nobody else holds it: thieves are active workers, and there is none */
        atomic_store_explicit(&l->word, 1, memory_order_relaxed);
        rn__solo_end(&w->hot);
        return;
    }
    rn__lock_take(l);
}

static inline void rn__fresh_put(rn__worker *w, rn__g *g)
{
    rn__lock_take_own(w, &w->fresh_lock);
    rn__g *old = w->fresh_new;
    g->next = old;
    g->obj = NULL;
    if (old != NULL) {
        old->obj = g;
    } else {
        w->fresh_old = g;
        /* relaxed: a hint for thieves, who decide under the lock */
        atomic_store_explicit(&w->fresh_epoch,
                              atomic_load_explicit(&w->fresh_epoch, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    }
    w->fresh_new = g;
    atomic_store_explicit(&w->fresh_n, atomic_load_explicit(&w->fresh_n, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    rn__lock_drop(&w->fresh_lock);
}

static inline rn__g *rn__fresh_take(rn__worker *w)
{
    if (atomic_load_explicit(&w->fresh_n, memory_order_relaxed) == 0)
        return NULL;
    rn__lock_take_own(w, &w->fresh_lock);
    rn__g *g = w->fresh_new;
    if (g != NULL) {
        w->fresh_new = g->next;
        if (g->next != NULL)
            g->next->obj = NULL;
        else
            w->fresh_old = NULL;
        atomic_store_explicit(&w->fresh_n,
                              atomic_load_explicit(&w->fresh_n, memory_order_relaxed) - 1,
                              memory_order_relaxed);
    }
    rn__lock_drop(&w->fresh_lock);
    return g;
}

/* What to run next, or NULL. Never blocks; the caller is the owner, on any stack. */
static inline rn__g *rn__pick(rn__worker *w)
{
    /* plain increments: only the owner writes; thieves look whether it moves */
    uint32_t tick = atomic_load_explicit(&w->ticks, memory_order_relaxed) + 1;
    atomic_store_explicit(&w->ticks, tick, memory_order_relaxed);

    /* relaxed: a flag set for us is followed by a wake-up if we sleep */
    if (RN_UNLIKELY(tick % 64 == 0 ||
                    atomic_load_explicit(&w->urgent, memory_order_relaxed) != 0)) {
        rn__g *g = rn__pick_rare(w, tick);
        if (g != NULL || (atomic_load_explicit(&w->urgent, memory_order_relaxed) &
                          (RN__URGENT_DET | RN__URGENT_LOCKED | RN__URGENT_TO_G0)) != 0)
            return g;
    }
    rn__g *g = rn__runnext_take(w);
    if (g != NULL) {
        if (RN_LIKELY(++w->chain < RN__RUNNEXT_CHAIN))
            return g;
        w->chain = 0;
        rn__g *other = rn__ring_take(w);
        if (other == NULL)
            other = rn__fresh_take(w);
        if (other == NULL)
            return g;
        rn__ring_push(w, g);
        return other;
    }
    w->chain = 0;
    if (RN_UNLIKELY(tick % 16 == 0) &&
        atomic_load_explicit(&w->fresh_n, memory_order_relaxed) != 0) {
        g = rn__fresh_take_oldest(w);
        if (g != NULL)
            return g;
    }
    g = rn__ring_take(w);
    if (g != NULL)
        return g;
    g = rn__fresh_take(w);
    if (g != NULL)
        return g;
    return rn__gq_take(w);
}

#endif
