/*
 * timers.c - one heap of timers per worker: arming, disarming, firing.
 *
 * Invariants
 *  - A timer is in at most one heap; t->heap says in which, t->index where. Both change under that
 *    heap's lock only, but heap may be read without it to find the lock.
 *  - Callbacks run without any lock, on a worker's system stack or on the watcher, never before the due
 *    time. What `fire` needs is copied before: the timer's memory is not touched once heap reads NULL.
 *  - A timer with `sync` keeps its heap and says RN__TIMER_FIRING until its callback has ended. Who
 *    disarms or rearms it meanwhile waits for that; the callback is short and takes no heap's lock. So
 *    after a disarm nobody touches the timer any more. What it made runnable is run after that.
 *  - firing counts timers between leaving the heap and the end of the callback, so that the verdict
 *    does not miss what they are about to wake (models/deadlock, bad-timer-check).
 *  - Under the deterministic policy time is virtual: it moves only when nothing is runnable.
 */
#include "heap.h"
#include "runq.h"
#include <stdlib.h>

enum { BATCH = 16 }; /* timers that are taken out at once */

/* Deterministic policy's clock; moved by its one worker only, read by foreign threads too. */
static _Atomic(int64_t) virtual_now;

/* The program's time, whatever bubble the caller is in. */
int64_t rn__now_outside(void)
{
    if (rn__det())
        return atomic_load_explicit(&virtual_now, memory_order_relaxed);
    return rn__clock();
}

static int64_t now_hooked(void)
{
    int64_t now;
    return rn__bubble_now(&now) ? now : rn__now_outside();
}

int64_t rn_now(void)
{
    if (RN_UNLIKELY(rn__hooked()))
        return now_hooked();
    return rn__clock();
}

void rn__det_set_now(int64_t now)
{
    atomic_store_explicit(&virtual_now, now, memory_order_relaxed);
    atomic_store_explicit(&rn__coarse, now, memory_order_relaxed);
}

/* ----------------------------------------------------------------------------- the heap's memory */

/* A big one is walked in no order: huge pages save half of the misses. */
static size_t bytes_for(uint32_t cap)
{
    return ((size_t)cap + RN__HEAP_PAD + 1) * sizeof(rn__heap_slot);
}

static rn__heap_slot *slots_make(uint32_t cap)
{
    size_t bytes = bytes_for(cap);
    rn__heap_slot *p;
    if (bytes >= RN__HUGE_PAGE) {
        p = rn__reserve(bytes, RN__HUGE_PAGE);
        if (p != NULL)
            rn__huge_pages(p, bytes);
#if RN__ASAN
        if (p != NULL)
            __lsan_register_root_region(p, bytes);
#endif
    } else {
        RN__OWN_BEGIN();
        p = aligned_alloc(RN__CACHELINE, bytes);
        RN__OWN_END();
    }
    if (p == NULL)
        rn__fatal("out of memory for %u timers", cap);
    return p + RN__HEAP_PAD;
}

static void slots_free(rn__heap_slot *slot, uint32_t cap)
{
    if (slot == NULL)
        return;
    size_t bytes = bytes_for(cap);
    if (bytes >= RN__HUGE_PAGE) {
#if RN__ASAN
        __lsan_unregister_root_region(slot - RN__HEAP_PAD, bytes);
#endif
        rn__release(slot - RN__HEAP_PAD, bytes);
    } else {
        RN__OWN_BEGIN();
        free(slot - RN__HEAP_PAD);
        RN__OWN_END();
    }
}

/* Called with the lock held and the heap full. Memory is never asked for under the lock. */
__attribute__((noinline)) static void grow(rn__heap *h)
{
    uint32_t cap = h->cap != 0 ? h->cap * 2 : RN__HEAP_FIRST;
    rn__lock_drop(&h->lock);
    rn__heap_slot *slot = slots_make(cap), *old = slot;
    uint32_t old_cap = cap;
    rn__lock_take(&h->lock);
    if (h->cap < cap) {
        for (uint32_t i = 0; i < h->n; i++)
            slot[i] = h->slot[i];
        old = h->slot;
        old_cap = h->cap;
        h->slot = slot;
        h->cap = cap;
    }
    rn__lock_drop(&h->lock);
    slots_free(old, old_cap);
    rn__lock_take(&h->lock);
}

/* ----------------------------------------------------------------------------- arming, disarming */

/* Which heap a caller uses: its own worker's, or the first worker's if it is a foreign thread. */
static rn__worker *heap_owner(void)
{
    rn__worker *w = rn__self();
    return w != NULL ? w : atomic_load_explicit(&rn__sched.worker[0], memory_order_acquire);
}

/* Somebody must be up when the new first timer of w's heap is due: w, if it is active, or the watcher. */
static void new_first(rn__worker *w, int64_t when)
{
    if (rn__det())
        return;
    bool own = w == rn__self();
    if (!own)
        atomic_thread_fence(memory_order_seq_cst); /* the heap before the look at the watcher */
    if (atomic_load(&rn__sched.watch) == RN__WATCH_DEEP)
        rn__wake_watcher();
    else if (!own)
        rn__watch_before(when);
}

/* Puts t, which is in no heap, into w's. */
static void insert(rn__worker *w, rn__timer *t, int64_t when)
{
    rn__heap *h = &w->timers;
    rn__lock_take(&h->lock);
    while (RN_UNLIKELY(h->n == h->cap))
        grow(h);
    t->when = when;
    rn__heap_up(h, h->n++, (rn__heap_slot){when, t});
    atomic_store_explicit(&t->heap, w, memory_order_relaxed); /* seen under the lock, or a hint */
    bool first = t->index == 0;
    if (first)
        rn__heap_tell(h);
    rn__lock_drop(&h->lock);
    if (first)
        new_first(w, when);
}

void rn__timer_arm(rn__timer *t, int64_t when)
{
    if (RN_UNLIKELY(rn__hooked()) && rn__bubble_arm(t, when))
        return;
    insert(heap_owner(), t, when);
}

/* Takes the lock of the heap that holds t, and waits for a callback that is under way. NULL, with
 * nothing locked: it is in none. */
static rn__worker *lock_heap_of(rn__timer *t)
{
    for (unsigned round = 0;;) {
        /* acquire: NULL is the callback's last access to t */
        rn__worker *w = atomic_load_explicit(&t->heap, memory_order_acquire);
        if (w == NULL)
            return NULL;
        rn__lock_take(&w->timers.lock);
        bool here = atomic_load_explicit(&t->heap, memory_order_relaxed) == w;
        if (RN_LIKELY(here && t->index != RN__TIMER_FIRING))
            return w;
        rn__lock_drop(&w->timers.lock);
        if (here)
            rn__backoff(round++, false);
    }
}

/* A bubble's timer stays in that bubble's heap for as long as it is armed. */
static inline bool in_bubble(rn__timer *t)
{
    return ((uintptr_t)atomic_load_explicit(&t->heap, memory_order_relaxed) & RN__HEAP_BUBBLE) != 0;
}

bool rn__timer_disarm(rn__timer *t)
{
    if (RN_UNLIKELY(in_bubble(t)))
        return rn__bubble_disarm(t);
    rn__worker *w = lock_heap_of(t);
    if (w == NULL)
        return false;
    rn__heap *h = &w->timers;
    uint32_t i = t->index;
    rn__heap_remove(h, i);
    if (i == 0)
        rn__heap_tell(h);
    atomic_store_explicit(&t->heap, NULL, memory_order_relaxed);
    rn__lock_drop(&h->lock);
    return true;
}

bool rn__timer_rearm(rn__timer *t, int64_t when)
{
    if (RN_UNLIKELY(in_bubble(t)))
        return rn__bubble_rearm(t, when);
    rn__worker *w = lock_heap_of(t);
    if (w == NULL)
        return false;
    rn__heap *h = &w->timers;
    uint32_t i = t->index;
    bool first = false, later = when >= t->when; /* often enough to say so without the heap */
    t->when = when;
    /* Put off: what stands in the heap is early, which does no harm. With virtual time it would make
     * the clock stop on its way. */
    if (rn__det() || (!later && when < h->slot[i].when)) {
        rn__heap_fix(h, i, (rn__heap_slot){when, t});
        first = t->index == 0;
        if (first || i == 0)
            rn__heap_tell(h);
    }
    rn__lock_drop(&h->lock);
    if (first)
        new_first(w, when);
    return true;
}

/* -------------------------------------------------------------------------------------- firing */

/* A timer that has been taken out, and what its callback says. */
typedef struct shot {
    rn__timer *t; /* sync */
    void (*fire)(void *, uint64_t);
    void *arg;
    uint64_t gen;
    rn__fired f;
} shot;

/* Takes what is due out of h. Called with its lock held. */
static uint32_t take_due(rn__heap *h, int64_t now, shot *shots)
{
    uint32_t n = 0;
    while (n < BATCH && h->n != 0 && h->slot[0].when <= now) {
        rn__timer *t = h->slot[0].t;
        if (t->when > h->slot[0].when) { /* has been put off */
            rn__heap_down(h, 0, (rn__heap_slot){t->when, t});
            continue;
        }
        rn__heap_remove(h, 0);
        shot *s = &shots[n++];
        if (t->sync != NULL) {
            *s = (shot){.t = t};
            t->index = RN__TIMER_FIRING;
            continue;
        }
        *s = (shot){.fire = t->fire, .arg = t->arg, .gen = t->gen};
        /* release: the last access to *t; its owner may let it go when it reads NULL */
        atomic_store_explicit(&t->heap, NULL, memory_order_release);
    }
    rn__heap_tell(h);
    return n;
}

/* Lets go of a timer whose callback has run, or puts it back. */
static void settle(rn__worker *of, rn__timer *t, int64_t next)
{
    if (next != 0)
        insert(of, t, next);
    else
        /* release: the last access to *t */
        atomic_store_explicit(&t->heap, NULL, memory_order_release);
}

/* Makes runnable what the callbacks have said; new goroutines, on the watcher, by one push. */
static void launch(const shot *shots, uint32_t n)
{
    bool many = rn__self() == NULL && !rn__hooked();
    rn__g *first = NULL, *last = NULL;
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < n; i++) {
        const shot *s = &shots[i];
        if (s->t == NULL) {
            s->fire(s->arg, s->gen);
        } else if (s->f.g == NULL) {
            continue;
        } else if (s->f.how == RN__FIRED_PERMIT) {
            rn__ready_permit(s->f.g);
        } else if (s->f.how == RN__FIRED_READY) {
            rn__ready(s->f.g);
        } else if (!many) {
            rn__go_launch(s->f.g);
        } else {
            if (last != NULL)
                last->next = s->f.g;
            else
                first = s->f.g;
            last = s->f.g;
            fresh++;
        }
    }
    if (fresh != 0) {
        atomic_fetch_add(&rn__sched.foreign_created, fresh);
        rn__inject(first, last, fresh);
    }
}

void rn__timers_run(rn__worker *of, int64_t now)
{
    rn__heap *h = &of->timers;
    shot shots[BATCH];
    for (;;) {
        rn__lock_take(&h->lock);
        /* a source until the end of the callbacks, from before they leave the heap */
        atomic_fetch_add(&h->firing, 1);
        uint32_t n = take_due(h, now, shots);
        if (n == 0)
            atomic_fetch_sub(&h->firing, 1);
        rn__lock_drop(&h->lock);
        if (n == 0)
            return;
        /* Whoever runs here may be in a bubble; the timers are not. */
        rn__bubble *acting = RN_UNLIKELY(rn__hooked()) ? rn__bubble_act(NULL) : NULL;
        for (uint32_t i = 0; i < n; i++) {
            rn__timer *t = shots[i].t;
            if (t == NULL)
                continue;
            shots[i].f = t->sync(t, now);
            settle(of, t, shots[i].f.next);
        }
        launch(shots, n);
        if (RN_UNLIKELY(acting != NULL))
            rn__bubble_act(acting);
        /* seq_cst: what the callbacks armed is in a heap; whoever has looked at that one already sees
         * the count change */
        atomic_fetch_add(&rn__sched.fired, 1);
        atomic_fetch_sub(&h->firing, 1);
        rn__deadlock_check();
    }
}

/* ------------------------------------------------------------------------------ all heaps at once */

int64_t rn__timers_first(void)
{
    int64_t first = RN_NEVER;
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        int64_t t = w != NULL ? atomic_load(&w->timers.first) : RN_NEVER;
        if (t < first)
            first = t;
    }
    return first;
}

bool rn__timers_pending(void)
{
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        if (w == NULL)
            continue;
        rn__lock_take(&w->timers.lock);
        bool some = w->timers.n != 0 || atomic_load(&w->timers.firing) != 0;
        rn__lock_drop(&w->timers.lock);
        if (some)
            return true;
    }
    return false;
}
