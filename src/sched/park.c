/*
 * park.c - park, ready, yield: the only door for blocking.
 *
 * Invariants (models/park checks them)
 *  - A goroutine becomes visible to wakers only after its context is saved and this thread has left
 *    its stack: the plain park's lock word and the yield's ring tail are stored by the switch itself,
 *    the permit is committed on the next stack.
 *  - What runs next is chosen before the switch, while still on the old stack.
 *  - A permit park never stores PARKED blindly: a waker may have come first.
 *  - In sanitizer builds every switch goes through g0, which keeps their book-keeping in one place.
 */
#include "runq.h"
#include <sched.h>

/* -------------------------------------------------------------------------------- the switch */

#if !RN__ASAN && !RN__TSAN
/* Makes `next` (or g0, if NULL) the running one and says where to switch to. */
static inline rn__ctx *prepare(rn__worker *w, rn__g *next)
{
    if (RN_UNLIKELY(next != NULL && next->stack == NULL)) {
        if (w->stacks.hot[next->klass] != NULL) {
            w->hot.cur = next;
            atomic_store_explicit(&next->status, RN__RUNNING, memory_order_relaxed);
            return rn__bind(w, next);
        }
        /* A new stack costs page faults and system calls: not while the caller's lock is held. */
        w->handoff = next;
        next = NULL;
    }
    w->hot.cur = next;
    if (next == NULL)
        return &w->g0;
    atomic_store_explicit(&next->status, RN__RUNNING, memory_order_relaxed); /* for dumps */
    return &next->ctx;
}
#endif

#if RN__ASAN || RN__TSAN
static bool leave(rn__worker *w, rn__g *g, rn__g *next, _Atomic(uint64_t) *unlock, uint64_t value)
{
    w->hot.cur = NULL;
    w->handoff = next;
#if RN__TSAN
    __tsan_switch_to_fiber(w->tsan_g0, 1);
#endif
#if RN__ASAN
    void *fake;
    __sanitizer_start_switch_fiber(&fake, w->g0_lo, w->g0_size);
#endif
    bool ret = rn__switch(&g->ctx, &w->g0, unlock, value);
#if RN__ASAN
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
    return ret;
}
static bool leave_call(rn__worker *w, rn__g *g, rn__g *next, void (*commit)(void *), void *arg)
{
    w->after = commit;
    w->after_arg = arg;
    return leave(w, g, next, &w->nowhere, 0);
}
#else
static inline bool leave(rn__worker *w, rn__g *g, rn__g *next, _Atomic(uint64_t) *unlock,
                         uint64_t value)
{
    return rn__switch(&g->ctx, prepare(w, next), unlock, value);
}
static inline bool leave_call(rn__worker *w, rn__g *g, rn__g *next, void (*commit)(void *),
                              void *arg)
{
    return rn__switch_call(&g->ctx, prepare(w, next), commit, arg);
}
#endif

/* --------------------------------------------------------------------------------------- park */

/* A plain park with hooks. */
typedef struct plain_wait {
    rn__g *g;                  /* who waits; this stands on its stack */
    _Atomic(uint64_t) *unlock; /* the lock word */
    uint64_t value;            /* what unlocks it */
} plain_wait;

static void plain_commit(void *arg)
{
    plain_wait p = *(plain_wait *)arg;
    rn__bubble *b = rn__bubble_parking(p.g);
    /* release: the saved context; from here on p.g belongs to its waker */
    atomic_store_explicit(p.unlock, p.value, memory_order_release);
    rn__bubble_parked(b, true);
}

static bool park_locked_rare(rn__g *g, _Atomic(uint64_t) *unlock, uint64_t value)
{
    if (rn__is_foreign(g))
        return rn__foreign_park_locked(g, unlock, value);
    rn__hook_event(RN__EV_PARK, g, g->obj);
    rn__worker *w = rn__self();
    if (g->bubble == 0)
        return leave(w, g, rn__pick(w), unlock, value);
    RN__HB_RELEASE(g->ext->bubble);
    plain_wait p = {g, unlock, value};
    return leave_call(w, g, rn__pick(w), plain_commit, &p);
}

bool rn__park_locked(rn__g *g, _Atomic(uint64_t) *unlock, uint64_t value)
{
    rn__worker *w = rn__self();
    if (RN_UNLIKELY(w == NULL || rn__hooked() || w->on_system)) {
        if (w != NULL && w->on_system)
            rn__fatal("a function called by rn_on_system_stack must not block");
        return park_locked_rare(g, unlock, value);
    }
    return leave(w, g, rn__pick(w), unlock, value);
}

/* release publishes the saved context to ready's exchange; on failure somebody has notified g meanwhile,
 * acquire takes over what it wrote, and the push is ours. */
static inline bool permit_parks(rn__g *g)
{
    return rn__solo_cas32(&g->permit, RN__PERMIT_RUNNING, RN__PERMIT_PARKED);
}

static void permit_commit(void *arg)
{
    rn__g *g = arg;
    if (!permit_parks(g))
        rn__push(g);
}

/* The same with hooks. */
static void permit_commit_hooked(void *arg)
{
    rn__g *g = arg;
    rn__bubble *b = rn__bubble_parking(g);
    bool parked = permit_parks(g);
    rn__bubble_parked(b, parked);
    if (!parked) {
        atomic_store_explicit(&g->status, RN__RUNNABLE, memory_order_relaxed);
        rn__hook_event(RN__EV_READY, g, NULL);
        rn__push_now(g); /* its turn has never ended, and its waker has counted it */
    }
}

void rn__park_permit(rn__g *g)
{
    if (RN_UNLIKELY(rn__is_foreign(g))) {
        rn__foreign_park(g);
        return;
    }
    /* acquire: the notifier's won_* and element are visible when we return without a switch */
    if (atomic_load_explicit(&g->permit, memory_order_acquire) != RN__PERMIT_NOTIFIED) {
        rn__worker *w = rn__self();
        if (RN_UNLIKELY(w->on_system))
            rn__fatal("a function called by rn_on_system_stack must not block");
        void (*commit)(void *) = permit_commit;
        if (rn__hooked()) {
            rn__hook_event(RN__EV_PARK, g, g->obj);
            if (g->bubble != 0)
                RN__HB_RELEASE(g->ext->bubble);
            commit = permit_commit_hooked;
        }
        leave_call(w, g, rn__pick(w), commit, g);
    } else if (RN_UNLIKELY(rn__hooked())) {
        rn__bubble_parked(rn__bubble_parking(g), false);
    }
    atomic_store_explicit(&g->status, RN__RUNNING, memory_order_relaxed);
    /* relaxed: the next wait's wakers learn of g through a lock or the timer's lock */
    atomic_store_explicit(&g->permit, RN__PERMIT_RUNNING, memory_order_relaxed);
}

/* -------------------------------------------------------------------------------------- ready */

/* After a push to the own queues: nobody must sleep over work for ever. No fence is needed: an active
 * worker owns the queue, and the watcher is TIMED while anybody is active (models/idle). */
static inline void after_local_push(rn__worker *w, bool backlog)
{
    if (RN_UNLIKELY(atomic_load_explicit(&rn__sched.watch, memory_order_relaxed) == RN__WATCH_DEEP))
        rn__wake_watcher();
    if (backlog && rn__ring_len(w) >= 2 &&
        atomic_load_explicit(&rn__sched.nsleep, memory_order_relaxed) != 0 &&
        atomic_load_explicit(&rn__sched.nspin, memory_order_relaxed) == 0 &&
        atomic_load_explicit(&rn__sched.futile, memory_order_relaxed) == 0)
        rn__wake_one();
}

void rn__push_local(rn__worker *w, rn__g *g)
{
    if (RN_UNLIKELY((atomic_load_explicit(&w->urgent, memory_order_relaxed) &
                     (RN__URGENT_LOCKED | RN__URGENT_RETIRE)) != 0)) {
        rn__inject(g, g, 1); /* this worker will not serve it */
        return;
    }
    rn__g *kicked = rn__runnext_put(w, g);
    if (kicked != NULL)
        rn__ring_push(w, kicked);
    after_local_push(w, kicked != NULL);
}

/* From a thread that is not a worker, or for more than the own queues shall hold. */
void rn__inject(rn__g *first, rn__g *last, uint32_t n)
{
    rn__gq_push_list(first, last, n);
    atomic_thread_fence(memory_order_seq_cst); /* the push before the looks (models/idle, F_INJ) */
    if (atomic_load(&rn__sched.nspin) != 0 || rn__wake_one())
        return;
    if (atomic_load(&rn__sched.watch) == RN__WATCH_DEEP)
        rn__wake_watcher();
}

/* Puts g, which is runnable, into the queue that it belongs to. */
void rn__push_now(rn__g *g)
{
    rn__worker *w = rn__self();
    if (rn__det())
        rn__det_push(g);
    else if (g->flags & RN__G_PINNED)
        rn__pinned_push(g);
    else if (w != NULL)
        rn__push_local(w, g);
    else
        rn__inject(g, g, 1);
}

/* Makes g, which is parked, runnable, from any thread. */
void rn__push(rn__g *g)
{
    if (RN_UNLIKELY(rn__hooked())) {
        rn__bubble_ready(g, true);
        atomic_store_explicit(&g->status, RN__RUNNABLE, memory_order_relaxed);
        rn__hook_event(RN__EV_READY, g, NULL);
        if (!rn__bubble_hold(g))
            rn__push_now(g);
        return;
    }
    atomic_store_explicit(&g->status, RN__RUNNABLE, memory_order_relaxed);
    if (RN_UNLIKELY((g->flags & RN__G_PINNED) != 0)) {
        rn__pinned_push(g);
        return;
    }
    rn__worker *w = rn__self();
    if (w != NULL)
        rn__push_local(w, g);
    else
        rn__inject(g, g, 1);
}

void rn__ready(rn__g *g)
{
    if (RN_UNLIKELY(rn__is_foreign(g)))
        rn__foreign_wake(g);
    else
        rn__push(g);
}

void rn__ready_permit(rn__g *g)
{
    if (RN_UNLIKELY(rn__is_foreign(g))) {
        rn__foreign_wake(g);
        return;
    }
    /* acq_rel: acquire receives the saved context from the parker's commit, release publishes won_*
     * and the element to a parker that finds NOTIFIED. */
    uint32_t old = atomic_exchange_explicit(&g->permit, RN__PERMIT_NOTIFIED, memory_order_acq_rel);
    if (old == RN__PERMIT_PARKED)
        rn__push(g);
    else if (RN_UNLIKELY(rn__hooked()))
        rn__bubble_ready(g, false);
}

void rn__batch_ready(rn__batch *b)
{
    while (b->odd != NULL) {
        rn__g *g = b->odd;
        b->odd = g->next;
        rn__ready(g);
    }
    rn__worker *w = rn__self();
    if (b->n <= 32 || rn__hooked()) {
        for (rn__g *g = b->first; g != NULL;) {
            rn__g *next = g->next; /* a ready goroutine may be gone */
            rn__push(g);
            g = next;
        }
    } else {
        /* the status of each was WAITING; a dump may show it so for a moment longer */
        rn__inject(b->first, b->last, b->n);
        (void)w;
    }
    rn__batch_init(b);
}

/* -------------------------------------------------------------------------------------- yield */

static void yield_commit(void *arg)
{
    rn__g *g = arg;
    rn__worker *w = rn__self();
    if (rn__hooked()) {
        rn__hook_event(RN__EV_READY, g, NULL);
        if (rn__bubble_give_way(g))
            return;
    }
    if (rn__det() || (g->flags & RN__G_PINNED) ||
        atomic_load_explicit(&w->urgent, memory_order_relaxed) != 0)
        rn__push_now(g);
    else
        rn__ring_push(w, g);
}

void rn_yield(void)
{
    rn__worker *w = rn__self();
    if (RN_UNLIKELY(w == NULL || w->hot.cur == NULL)) {
        if (rn__current()->flags & RN__G_FOREIGN) {
            sched_yield();
            return;
        }
        w = rn__self();
        if (w->hot.cur == NULL)
            return; /* called from inside the scheduler */
    }
    rn__g *g = w->hot.cur;
    rn__g *next = rn__pick(w);
    if (next == NULL &&
        !(atomic_load_explicit(&w->urgent, memory_order_relaxed) & RN__URGENT_TO_G0) &&
        !(rn__hooked() && rn__bubble_others_wait(g)))
        return;
    atomic_store_explicit(&g->status, RN__RUNNABLE, memory_order_relaxed);
#if !RN__ASAN && !RN__TSAN
    if (RN_LIKELY(next != NULL && !rn__hooked() && !(g->flags & RN__G_PINNED) &&
                  rn__ring_len(w) < RN__RING)) {
        /* The slot is written now; the switch's store to tail, after the save, makes it visible. */
        uint64_t tail = atomic_load_explicit(&w->tail, memory_order_relaxed);
        atomic_store_explicit(&w->ring[tail % RN__RING], g, memory_order_relaxed);
        leave(w, g, next, &w->tail, tail + 1);
        return;
    }
#endif
    leave_call(w, g, next, yield_commit, g);
}

/* Notes that w has waited for a lock since `since`. When that was most of the last while, it shall nap. */
enum { CROWD_WINDOW = 200000, CROWD_MOST = 80000 };
static void note_crowd(rn__worker *w, int64_t since)
{
    int64_t now = rn__clock();
    if (now - w->crowd_since > CROWD_WINDOW) {
        w->crowd_since = since;
        w->crowd_spun = 0;
    }
    w->crowd_spun += now - since;
    if (w->crowd_spun >= CROWD_MOST && !rn__hooked()) {
        w->crowd_spun = 0;
        atomic_fetch_or_explicit(&w->urgent, RN__URGENT_NAP, memory_order_relaxed);
    }
}

void rn__backoff(unsigned round, bool may_yield)
{
    rn__worker *w = rn__self();
    if (round < 4) {
        int64_t since = w != NULL ? rn__clock() : 0;
        rn__spin(800u << (round < 2 ? round : 2));
        if (w != NULL)
            note_crowd(w, since);
        return;
    }
    if (may_yield && w != NULL && w->hot.cur != NULL && !w->on_system)
        rn_yield();
    else if (round % 2 == 0)
        rn__spin(3300);
    else
        sched_yield();
}
