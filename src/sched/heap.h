/*
 * heap.h - the 4-ary heap of one worker's timers; private to timers.c.
 *
 * A slot holds the key beside the pointer, and the four children of a slot lie in one cache line: a
 * sift down reads one line per level and no timer at all. What it writes into the timers (their new
 * index) it need not wait for.
 *
 * Invariants
 *  - Everything here is called under the heap's lock.
 *  - slot[i].when is never later than slot[i].t->when. It may be earlier: a timer that is put off
 *    keeps its place until that comes up (rn__timer_rearm). So `first` is never late.
 *  - No two slots hold the same timer, and slot[t->index].t == t for each timer in the heap.
 */
#ifndef RN_SCHED_HEAP_H
#define RN_SCHED_HEAP_H

#include "worker.h"

/* Slots before slot[0], so that slots 1 to 4, 5 to 8, ... are lines of their own. */
enum { RN__HEAP_PAD = 3 };
_Static_assert(sizeof(rn__heap_slot) * 4 == RN__CACHELINE, "siblings share one line");

static inline void rn__heap_place(rn__heap *h, uint32_t i, rn__heap_slot s)
{
    h->slot[i] = s;
    s.t->index = i;
}

static inline void rn__heap_up(rn__heap *h, uint32_t i, rn__heap_slot s)
{
    while (i > 0) {
        uint32_t up = (i - 1) / 4;
        if (h->slot[up].when <= s.when)
            break;
        rn__heap_place(h, i, h->slot[up]);
        i = up;
    }
    rn__heap_place(h, i, s);
}

static inline void rn__heap_down(rn__heap *h, uint32_t i, rn__heap_slot s)
{
    for (;;) {
        uint32_t c = i * 4 + 1, least = c;
        if (c >= h->n)
            break;
        for (uint32_t k = c + 1; k < c + 4 && k < h->n; k++)
            least = h->slot[k].when < h->slot[least].when ? k : least;
        if (h->slot[least].when >= s.when)
            break;
        rn__heap_place(h, i, h->slot[least]);
        i = least;
    }
    rn__heap_place(h, i, s);
}

/* Puts s, which may be smaller or larger than what was there, at place i. */
static inline void rn__heap_fix(rn__heap *h, uint32_t i, rn__heap_slot s)
{
    if (i > 0 && h->slot[(i - 1) / 4].when > s.when)
        rn__heap_up(h, i, s);
    else
        rn__heap_down(h, i, s);
}

/* Tells those who look without the lock what is due first. */
static inline void rn__heap_tell(rn__heap *h)
{
    int64_t first = h->n != 0 ? h->slot[0].when : RN_NEVER;
    /* release: whoever reads an early time finds the timer under the lock */
    if (atomic_load_explicit(&h->first, memory_order_relaxed) != first)
        atomic_store_explicit(&h->first, first, memory_order_release);
}

static inline void rn__heap_remove(rn__heap *h, uint32_t i)
{
    rn__heap_slot last = h->slot[--h->n];
    if (i != h->n)
        rn__heap_fix(h, i, last);
}

#endif
