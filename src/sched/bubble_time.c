/*
 * bubble_time.c - a bubble's clock and its timers: a binary heap by due time, and for equal ones by
 * a random number (item 191).
 *
 * Invariants
 *  - As in timers.c: a timer's memory is not touched once its heap reads NULL; callbacks run
 *    without a lock, on the controller.
 *  - The clock is never moved past a timer in the heap.
 */
#include "bubble.h"

static bool earlier(const rn__bubble_timer *a, const rn__bubble_timer *b)
{
    return a->when != b->when ? a->when < b->when : a->key < b->key;
}

static void place(rn__bubble *b, uint32_t i, rn__bubble_timer e)
{
    b->heap[i] = e;
    e.t->index = i;
}

/* Puts e where i is free: up or down from there. */
static void settle(rn__bubble *b, uint32_t i, rn__bubble_timer e)
{
    for (; i > 0 && earlier(&e, &b->heap[(i - 1) / 2]); i = (i - 1) / 2)
        place(b, i, b->heap[(i - 1) / 2]);
    for (uint32_t c; (c = 2 * i + 1) < b->ntimers; i = c) {
        if (c + 1 < b->ntimers && earlier(&b->heap[c + 1], &b->heap[c]))
            c++;
        if (!earlier(&b->heap[c], &e))
            break;
        place(b, i, b->heap[c]);
    }
    place(b, i, e);
}

static void take_out(rn__bubble *b, uint32_t i)
{
    rn__bubble_timer last = b->heap[--b->ntimers];
    if (i != b->ntimers)
        settle(b, i, last);
}

static rn__worker *tagged(rn__bubble *b)
{
    return (rn__worker *)((uintptr_t)b | RN__HEAP_BUBBLE);
}

/* False if the caller acts for no bubble. */
bool rn__bubble_arm(rn__timer *t, int64_t when)
{
    rn__bubble *b = rn__acting();
    if (b == NULL)
        return false;
    t->when = when;
    RN__HB_RELEASE(b);
    rn__bubble_lock_with_room(b, (void **)&b->heap, &b->captimers, &b->ntimers, sizeof *b->heap);
    atomic_store_explicit(&t->heap, tagged(b), memory_order_relaxed);
    uint32_t i = b->ntimers++;
    settle(b, i, (rn__bubble_timer){when, rn__bubble_random(b), t});
    rn__lock_drop(&b->lock);
    return true;
}

bool rn__bubble_disarm(rn__timer *t)
{
    rn__worker *heap = atomic_load_explicit(&t->heap, memory_order_acquire);
    rn__bubble *b = (rn__bubble *)((uintptr_t)heap & ~(uintptr_t)RN__HEAP_BUBBLE);
    if (b == NULL)
        return false;
    if (rn__acting() != b)
        rn__fatal("stop of synctest timer from outside bubble");
    rn__lock_take(&b->lock);
    bool mine = atomic_load_explicit(&t->heap, memory_order_relaxed) == heap;
    if (mine) {
        take_out(b, t->index);
        atomic_store_explicit(&t->heap, NULL, memory_order_relaxed);
    }
    rn__lock_drop(&b->lock);
    return mine;
}

/* Moves the clock to the next timer, and fires what is due then. */
void rn__bubble_advance(rn__bubble *b)
{
    int64_t now = atomic_load_explicit(&b->now, memory_order_relaxed);
    rn__lock_take(&b->lock);
    if (b->heap[0].when > now)
        now = b->heap[0].when;
    atomic_store_explicit(&b->now, now, memory_order_relaxed);
    b->turn = true; /* ours: those who become ready start when all are known */
    while (b->ntimers != 0 && b->heap[0].when <= now) {
        rn__timer *t = b->heap[0].t;
        void (*fire)(void *, uint64_t) = t->fire;
        void *arg = t->arg;
        uint64_t gen = t->gen;
        take_out(b, 0);
        /* release: the last access to *t; its owner may let it go when it reads NULL */
        atomic_store_explicit(&t->heap, NULL, memory_order_release);
        rn__lock_drop(&b->lock);
        fire(arg, gen);
        rn__lock_take(&b->lock);
    }
    rn__lock_drop(&b->lock);
    if (b->serial)
        rn__bubble_pass_turn(b);
}

/* The bubble is over: nobody waits for its timers any more. Their memory is their owners'. */
void rn__bubble_forget_timers(rn__bubble *b)
{
    rn__lock_take(&b->lock);
    while (b->ntimers != 0)
        /* release: our last access to it */
        atomic_store_explicit(&b->heap[--b->ntimers].t->heap, NULL, memory_order_release);
    rn__lock_drop(&b->lock);
}
