/*
 * timers.c - one 4-ary heap of timers per worker, and what sleeps on them.
 *
 * Invariants
 *  - A timer is in at most one heap; t->heap says in which, t->index where. Both change under that
 *    heap's lock only, but heap may be read without it to find the lock.
 *  - Callbacks run without any lock, on a worker or on the watcher, never before the due time. What
 *    they need is copied before: a timer's memory is not touched once heap reads NULL.
 *  - firing counts timers between leaving the heap and the end of the callback, so that the verdict
 *    does not miss what they are about to wake (models/deadlock, bad-timer-check).
 *  - Under the deterministic policy time is virtual: it moves only when nothing is runnable.
 */
#include "runq.h"
#include <errno.h>
#include <stdlib.h>

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

/* ------------------------------------------------------------------------------------- the heap */

static void place(rn__heap *h, uint32_t i, rn__timer *t)
{
    h->slot[i] = t;
    t->index = i;
}

static void sift_up(rn__heap *h, uint32_t i, rn__timer *t)
{
    while (i > 0) {
        uint32_t up = (i - 1) / 4;
        if (h->slot[up]->when <= t->when)
            break;
        place(h, i, h->slot[up]);
        i = up;
    }
    place(h, i, t);
}

static void sift_down(rn__heap *h, uint32_t i, rn__timer *t)
{
    for (;;) {
        uint32_t c = i * 4 + 1, least = c;
        if (c >= h->n)
            break;
        for (uint32_t k = c + 1; k < c + 4 && k < h->n; k++) {
            if (h->slot[k]->when < h->slot[least]->when)
                least = k;
        }
        if (h->slot[least]->when >= t->when)
            break;
        place(h, i, h->slot[least]);
        i = least;
    }
    place(h, i, t);
}

static void set_first(rn__heap *h)
{
    /* release: whoever reads an early time finds the timer under the lock */
    atomic_store_explicit(&h->first, h->n != 0 ? h->slot[0]->when : RN_NEVER, memory_order_release);
}

static void take_out(rn__heap *h, rn__timer *t)
{
    uint32_t i = t->index;
    rn__timer *last = h->slot[--h->n];
    if (last != t) {
        if (i > 0 && h->slot[(i - 1) / 4]->when > last->when)
            sift_up(h, i, last);
        else
            sift_down(h, i, last);
    }
    set_first(h);
}

/* Which heap a caller uses: its own worker's, or the first worker's if it is a foreign thread. */
static rn__worker *heap_owner(void)
{
    rn__worker *w = rn__self();
    return w != NULL ? w : atomic_load_explicit(&rn__sched.worker[0], memory_order_acquire);
}

void rn__timer_arm(rn__timer *t, int64_t when)
{
    if (RN_UNLIKELY(rn__hooked()) && rn__bubble_arm(t, when))
        return;
    rn__worker *w = heap_owner();
    rn__heap *h = &w->timers;
    t->when = when;
    rn__lock_take(&h->lock);
    while (h->n == h->cap) {
        /* never allocate under the lock */
        uint32_t cap = h->cap != 0 ? h->cap * 2 : RN__HEAP_FIRST;
        rn__lock_drop(&h->lock);
        RN__OWN_BEGIN();
        rn__timer **slot = malloc(cap * sizeof *slot);
        RN__OWN_END();
        if (slot == NULL)
            rn__fatal("out of memory for %u timers", cap);
        rn__timer **old = slot;
        rn__lock_take(&h->lock);
        if (h->cap < cap) {
            for (uint32_t i = 0; i < h->n; i++)
                slot[i] = h->slot[i];
            old = h->slot;
            h->slot = slot;
            h->cap = cap;
        }
        rn__lock_drop(&h->lock);
        RN__OWN_BEGIN();
        free(old);
        RN__OWN_END();
        rn__lock_take(&h->lock);
    }
    atomic_store_explicit(&t->heap, w, memory_order_relaxed);
    sift_up(h, h->n++, t);
    bool first = h->slot[0] == t;
    if (first)
        set_first(h);
    rn__lock_drop(&h->lock);
    /* Somebody must be up when it is due: an active worker, or the watcher. */
    if (first && !rn__det()) {
        if (rn__self() == NULL)
            atomic_thread_fence(memory_order_seq_cst); /* the heap before the look at the watcher */
        if (atomic_load(&rn__sched.watch) == RN__WATCH_DEEP)
            rn__wake_watcher();
        else if (rn__self() == NULL)
            rn__watch_before(when);
    }
}

bool rn__timer_disarm(rn__timer *t)
{
    for (;;) {
        rn__worker *w = atomic_load_explicit(&t->heap, memory_order_acquire);
        if (w == NULL)
            return false;
        if (RN_UNLIKELY(((uintptr_t)w & RN__HEAP_BUBBLE) != 0))
            return rn__bubble_disarm(t);
        rn__lock_take(&w->timers.lock);
        bool mine = atomic_load_explicit(&t->heap, memory_order_relaxed) == w;
        if (mine) {
            take_out(&w->timers, t);
            atomic_store_explicit(&t->heap, NULL, memory_order_relaxed);
        }
        rn__lock_drop(&w->timers.lock);
        if (mine)
            return true;
    }
}

/* Fires what is due in the heap of `of`; several sides may do so at once. */
void rn__timers_run(rn__worker *of, int64_t now)
{
    rn__heap *h = &of->timers;
    for (;;) {
        rn__lock_take(&h->lock);
        rn__timer *t = h->n != 0 ? h->slot[0] : NULL;
        if (t == NULL || t->when > now) {
            rn__lock_drop(&h->lock);
            return;
        }
        atomic_fetch_add(&h->firing, 1); /* a source until the end of the callback */
        take_out(h, t);
        void (*fire)(void *, uint64_t) = t->fire;
        void *arg = t->arg;
        uint64_t gen = t->gen;
        /* release: the last access to *t; its owner may let it go when it reads NULL */
        atomic_store_explicit(&t->heap, NULL, memory_order_release);
        rn__lock_drop(&h->lock);
        /* Whoever runs here may be in a bubble; the timer is not. */
        rn__bubble *acting = RN_UNLIKELY(rn__hooked()) ? rn__bubble_act(NULL) : NULL;
        fire(arg, gen);
        if (RN_UNLIKELY(acting != NULL))
            rn__bubble_act(acting);
        /* seq_cst: what the callback armed is in a heap; whoever has looked at that one already sees
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

/* --------------------------------------------------------------------------------------- sleep */

void rn__timer_wake(void *arg, uint64_t gen)
{
    rn__g *g = arg;
    if (rn__token_take(g, gen)) {
        g->won_how = RN__WON_TIMEOUT;
        rn__ready_permit(g);
    }
}

void rn_sleep(int64_t ns)
{
    if (ns <= 0)
        return;
    rn__g *g = rn__current();
    int64_t now = rn_now();
    rn__timer t = {.fire = rn__timer_wake, .arg = g};
    rn__note_wait(g, RN__WAIT_SLEEP, NULL, NULL);
    t.gen = rn__token_open(g);
    rn__timer_arm(&t, ns > RN_NEVER - now ? RN_NEVER : now + ns);
    rn__park_permit(g);
    rn__token_close(g);
}

/* ------------------------------------------------------------------------------------ deadlines */

static bool deadline_arm(rn__breaker *b, rn__g *g, uint64_t gen)
{
    rn__deadline *d = (rn__deadline *)(void *)b;
    if (d->at != RN_NEVER && d->at <= rn_now())
        return false;
    d->timer.arg = g;
    d->timer.gen = gen;
    rn__timer_arm(&d->timer, d->at);
    return true;
}

static void deadline_disarm(rn__breaker *b)
{
    rn__timer_disarm(&((rn__deadline *)(void *)b)->timer);
}

static int deadline_how(rn__breaker *b)
{
    (void)b;
    return -ETIMEDOUT;
}

rn__breaker *rn__deadline_init(rn__deadline *d, int64_t at)
{
    *d = (rn__deadline){.base = {deadline_arm, deadline_disarm, deadline_how},
                        .timer = {.fire = rn__timer_wake},
                        .at = at};
    return &d->base;
}
