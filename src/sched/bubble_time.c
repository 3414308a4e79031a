/*
 * bubble_time.c - a bubble's clock and its timers: a binary heap by due time, and for equal ones by a
 * random number (item 191).
 *
 * Invariants
 *  - As in timers.c: a timer's memory is not touched once its heap reads NULL; callbacks run without a
 *    lock, on the controller.
 *  - A timer with `sync` says RN__TIMER_FIRING until its callback has ended; who stops or resets it
 *    meanwhile waits. What it made runnable is run after that.
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

/* Puts t, with its due time, into the heap, where there is room. */
static void insert(rn__bubble *b, rn__timer *t)
{
    atomic_store_explicit(&t->heap, tagged(b),
                          memory_order_relaxed); /* seen under the lock, or a hint */
    uint32_t i = b->ntimers++;
    settle(b, i, (rn__bubble_timer){t->when, rn__bubble_random(b), t});
}

/* False if the caller acts for no bubble. */
bool rn__bubble_arm(rn__timer *t, int64_t when)
{
    rn__bubble *b = rn__acting();
    if (b == NULL)
        return false;
    RN__HB_RELEASE(b);
    rn__bubble_lock_with_room(b, (void **)&b->heap, &b->captimers, &b->ntimers, sizeof *b->heap);
    t->when = when;
    insert(b, t);
    rn__lock_drop(&b->lock);
    return true;
}

/* Takes the lock of t's bubble, and waits for a callback of t that is under way. NULL, with nothing locked:
 * t is in no heap any more. */
static rn__bubble *lock_bubble_of(rn__timer *t, const char *op)
{
    for (unsigned round = 0;;) {
        /* acquire: NULL is the callback's last access to t */
        rn__worker *heap = atomic_load_explicit(&t->heap, memory_order_acquire);
        if (heap == NULL)
            return NULL;
        rn__bubble *b = (rn__bubble *)((uintptr_t)heap & ~(uintptr_t)RN__HEAP_BUBBLE);
        if (rn__acting() != b)
            rn__fatal("%s of synctest timer from outside bubble", op);
        rn__lock_take(&b->lock);
        bool here = atomic_load_explicit(&t->heap, memory_order_relaxed) == heap;
        if (here && t->index != RN__TIMER_FIRING)
            return b;
        rn__lock_drop(&b->lock);
        if (here)
            rn__backoff(round++, false);
    }
}

bool rn__bubble_disarm(rn__timer *t)
{
    rn__bubble *b = lock_bubble_of(t, "stop");
    if (b == NULL)
        return false;
    take_out(b, t->index);
    atomic_store_explicit(&t->heap, NULL, memory_order_relaxed);
    rn__lock_drop(&b->lock);
    return true;
}

bool rn__bubble_rearm(rn__timer *t, int64_t when)
{
    rn__bubble *b = lock_bubble_of(t, "reset");
    if (b == NULL)
        return false;
    take_out(b, t->index);
    t->when = when;
    insert(b, t);
    rn__lock_drop(&b->lock);
    return true;
}

/* Fires t, which has been taken out. Called with the lock held, and returns so. */
static void fire(rn__bubble *b, rn__timer *t, int64_t now)
{
    if (t->sync == NULL) {
        void (*fn)(void *, uint64_t) = t->fire;
        void *arg = t->arg;
        uint64_t gen = t->gen;
        /* release: the last access to *t; its owner may let it go when it reads NULL */
        atomic_store_explicit(&t->heap, NULL, memory_order_release);
        rn__lock_drop(&b->lock);
        fn(arg, gen);
        rn__lock_take(&b->lock);
        return;
    }
    t->index = RN__TIMER_FIRING;
    rn__lock_drop(&b->lock);
    rn__fired f = t->sync(t, now);
    rn__bubble_lock_with_room(b, (void **)&b->heap, &b->captimers, &b->ntimers, sizeof *b->heap);
    if (f.next != 0) {
        t->when = f.next;
        insert(b, t);
    } else {
        atomic_store_explicit(&t->heap, NULL, memory_order_release); /* as above */
    }
    rn__lock_drop(&b->lock);
    if (f.g != NULL && f.how == RN__FIRED_PERMIT)
        rn__ready_permit(f.g);
    else if (f.g != NULL && f.how == RN__FIRED_READY)
        rn__ready(f.g);
    else if (f.g != NULL)
        rn__go_launch(f.g);
    rn__lock_take(&b->lock);
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
        take_out(b, 0);
        fire(b, t, now);
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
