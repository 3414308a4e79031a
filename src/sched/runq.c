/*
 * runq.c - the queues of runnable goroutines: the slow sides of a worker's own queues, the global
 * queue, the pinned queues, and stealing.
 *
 * Invariants
 *  - Ring: the owner alone advances tail (a release store after the slot is written); owner and
 *    thieves advance head by CAS (acq_rel), after reading the slots. A slot is not overwritten until
 *    head has passed it, so a CAS that succeeds has read valid slots.
 *  - Fresh deque: a list under fresh_lock. The owner takes the newest, thieves the oldest half.
 *  - A goroutine that may run on one worker only (RN__G_PINNED) is in no queue but that worker's
 *    pinned queue, so thieves need not look for such.
 *  - Nothing is stolen before it has waited as long as worker.h says.
 */
#include "runq.h"

/* ------------------------------------------------------------------------------- global queue */

void rn__gq_push_list(rn__g *first, rn__g *last, uint32_t n)
{
    last->next = NULL;
    rn__lock_take(&rn__sched.gq_lock);
    if (rn__sched.gq_tail != NULL)
        rn__sched.gq_tail->next = first;
    else
        rn__sched.gq_head = first;
    rn__sched.gq_tail = last;
    /* seq_cst: the injection's push; the looks at nspin, live and watch come after it */
    atomic_fetch_add(&rn__sched.gq_n, n);
    rn__lock_drop(&rn__sched.gq_lock);
}

/* Takes a fair share: one to run, the rest into the own ring. */
rn__g *rn__gq_take(rn__worker *w)
{
    if (atomic_load_explicit(&rn__sched.gq_n, memory_order_relaxed) == 0)
        return NULL; /* a hint: who must not miss anything looks again after announcing itself */
    rn__lock_take(&rn__sched.gq_lock);
    uint32_t n = atomic_load_explicit(&rn__sched.gq_n, memory_order_relaxed);
    rn__g *g = rn__sched.gq_head;
    if (g == NULL) {
        rn__lock_drop(&rn__sched.gq_lock);
        return NULL;
    }
    uint32_t share = n / (uint32_t)(rn__sched.nprocs > 0 ? rn__sched.nprocs : 1) + 1;
    uint32_t room = RN__RING - rn__ring_len(w);
    if (share > RN__RING / 2)
        share = RN__RING / 2;
    if (share > n)
        share = n;
    if (share > room + 1)
        share = room + 1;
    rn__g *rest = g->next;
    uint64_t tail = atomic_load_explicit(&w->tail, memory_order_relaxed);
    uint32_t moved = 1;
    for (; moved < share && rest != NULL; moved++) {
        rn__g *next = rest->next;
        /* a member of a batch says who comes eight later, else a nonsense that does no harm */
        __builtin_prefetch(rest->sudog.prev);
        atomic_store_explicit(&w->ring[tail++ % RN__RING], rest, memory_order_relaxed);
        rest = next;
    }
    rn__sched.gq_head = rest;
    if (rest == NULL)
        rn__sched.gq_tail = NULL;
    atomic_fetch_sub(&rn__sched.gq_n, moved);
    /* release: publishes the slots to thieves */
    atomic_store_explicit(&w->tail, tail, memory_order_release);
    rn__lock_drop(&rn__sched.gq_lock);
    if (moved >
        RN__AHEAD) { /* from here to where rn__ring_prefetch goes on; all have been put there */
        uint32_t first = (uint32_t)tail - (moved - 1);
        uint32_t ahead = RN__AHEAD - first % RN__AHEAD + 1;
        rn__prefetch_stacks(w, first, ahead < moved ? ahead : moved - 1);
    }
    return g;
}

/* The ring is full: moves its older half and g to the global queue, as Go does. */
void rn__ring_spill(rn__worker *w, rn__g *g)
{
    for (;;) {
        uint32_t head = atomic_load_explicit(&w->head, memory_order_acquire);
        uint32_t n = (uint32_t)atomic_load_explicit(&w->tail, memory_order_relaxed) - head;
        if (n < RN__RING) { /* a thief has been here meanwhile */
            rn__ring_put(w, g);
            return;
        }
        n /= 2;
        rn__g *first = atomic_load_explicit(&w->ring[head % RN__RING], memory_order_relaxed);
        /* Take them first, link them after: before the CAS they may be somebody else's. */
        rn__g *batch[RN__RING / 16];
        if (n > RN__RING / 16)
            n = RN__RING / 16;
        for (uint32_t i = 0; i < n; i++)
            batch[i] = atomic_load_explicit(&w->ring[(head + i) % RN__RING], memory_order_relaxed);
        if (!atomic_compare_exchange_strong_explicit(&w->head, &head, head + n,
                                                     memory_order_acq_rel, memory_order_relaxed))
            continue;
        for (uint32_t i = 0; i + 1 < n; i++)
            batch[i]->next = batch[i + 1];
        if (atomic_load_explicit(&rn__sched.futile, memory_order_relaxed) == 0)
            rn__inject(first, batch[n - 1], n);
        else
            rn__gq_push_list(first, batch[n - 1], n); /* we are awake, and shall look there */
        rn__ring_put(w, g);
        return;
    }
}

/* -------------------------------------------------------------------------------- fresh deque */

/* Takes the oldest fresh goroutine of `of`, or up to max of the older half into `rest`. */
static rn__g *fresh_take_old(rn__worker *of, bool wait, uint32_t max, rn__g **rest, uint32_t *nrest)
{
    if (wait && of == rn__self())
        rn__lock_take_own(of, &of->fresh_lock);
    else if (wait)
        rn__lock_take(&of->fresh_lock);
    else if (!rn__lock_try(&of->fresh_lock))
        return NULL; /* a thief walks away rather than make the owner wait */
    uint32_t n = atomic_load_explicit(&of->fresh_n, memory_order_relaxed);
    rn__g *g = of->fresh_old;
    if (g == NULL) {
        rn__lock_drop(&of->fresh_lock);
        return NULL;
    }
    uint32_t take = 1;
    uint32_t half = (n + 1) / 2;
    rn__g *cut = g; /* the newest one that is taken */
    while (take < max && take < half) {
        cut = cut->obj;
        take++;
    }
    rn__g *keep = take == n ? NULL : cut->obj;
    of->fresh_old = keep;
    if (keep != NULL)
        keep->next = NULL;
    else
        of->fresh_new = NULL;
    atomic_store_explicit(&of->fresh_n, n - take, memory_order_relaxed);
    atomic_fetch_add_explicit(&of->fresh_epoch, 1, memory_order_relaxed);
    rn__lock_drop(&of->fresh_lock);
    *nrest = take - 1;
    *rest = take > 1 ? (rn__g *)g->obj : NULL; /* linked by obj, oldest first */
    return g;
}

rn__g *rn__fresh_take_oldest(rn__worker *w)
{
    rn__g *rest;
    uint32_t nrest;
    return fresh_take_old(w, true, 1, &rest, &nrest);
}

/* ------------------------------------------------------------------------------------ stealing */

static rn__g *steal_ring(rn__worker *thief, rn__worker *from)
{
    for (;;) {
        /* acquire on both: the slots up to tail are visible */
        uint32_t head = atomic_load_explicit(&from->head, memory_order_acquire);
        uint32_t n = (uint32_t)atomic_load_explicit(&from->tail, memory_order_acquire) - head;
        if (n == 0 || n > RN__RING)
            return NULL;
        n -= n / 2;
        if (n > 32)
            n = 32;
        uint64_t tail = atomic_load_explicit(&thief->tail, memory_order_relaxed);
        rn__g *first = atomic_load_explicit(&from->ring[head % RN__RING], memory_order_relaxed);
        /* The thief's ring is empty (it searches), so there is room; not published before the CAS */
        for (uint32_t i = 1; i < n; i++)
            atomic_store_explicit(
                &thief->ring[(tail + i - 1) % RN__RING],
                atomic_load_explicit(&from->ring[(head + i) % RN__RING], memory_order_relaxed),
                memory_order_relaxed);
        if (!atomic_compare_exchange_strong_explicit(&from->head, &head, head + n,
                                                     memory_order_acq_rel, memory_order_relaxed))
            continue;
        atomic_store_explicit(&thief->tail, tail + n - 1, memory_order_release);
        return first;
    }
}

static rn__g *steal_fresh(rn__worker *thief, rn__worker *from)
{
    rn__g *rest;
    uint32_t n;
    rn__g *g = fresh_take_old(from, false, 32, &rest, &n);
    if (g == NULL)
        return NULL;
    while (n-- > 0) { /* oldest first, so that the thief's newest is the victim's newest, too */
        rn__g *newer = rest->obj;
        rn__fresh_put(thief, rest);
        rest = newer;
    }
    return g;
}

/* Looks at one victim; takes what has been there long enough. */
static rn__g *steal_from(rn__worker *thief, rn__worker *v, int64_t now)
{
    rn__sight *s = &thief->sight[v->index];
    /* A worker inside rn_blocking serves nobody: what it holds is old at once. */
    bool given_up = atomic_load_explicit(&v->blocking, memory_order_acquire);
    rn__g *g;

    uint64_t tail = atomic_load_explicit(&v->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&v->head, memory_order_relaxed);
    if (head != (uint32_t)tail) {
        bool drained = (int32_t)(head - (uint32_t)s->tail) >= 0;
        if (s->ready_at == 0 || drained) {
            s->tail = tail;
            s->ready_at = now;
        }
        if (given_up || now - s->ready_at >= RN__AGE_READY) {
            g = steal_ring(thief, v);
            s->ready_at = 0;
            if (g != NULL)
                return g;
        }
    } else {
        s->ready_at = 0;
    }

    if (atomic_load_explicit(&v->fresh_n, memory_order_relaxed) != 0) {
        uint32_t epoch = atomic_load_explicit(&v->fresh_epoch, memory_order_relaxed);
        if (s->fresh_at == 0 || epoch != s->fresh_epoch) {
            s->fresh_epoch = epoch;
            s->fresh_at = now;
        }
        if (given_up || now - s->fresh_at >= RN__AGE_FRESH) {
            g = steal_fresh(thief, v);
            s->fresh_at = 0;
            if (g != NULL)
                return g;
        }
    } else {
        s->fresh_at = 0;
    }

    if (atomic_load_explicit(&v->runnext, memory_order_relaxed) != NULL) {
        uint32_t ticks = atomic_load_explicit(&v->ticks, memory_order_relaxed);
        if (s->ticks_at == 0 || ticks != s->ticks) {
            s->ticks = ticks;
            s->ticks_at = now;
        }
        if (given_up || now - s->ticks_at >= RN__AGE_READY) {
            s->ticks_at = 0;
            /* acquire: pairs with the release of the push */
            g = atomic_exchange_explicit(&v->runnext, NULL, memory_order_acquire);
            if (g != NULL)
                return g;
        }
    } else {
        s->ticks_at = 0;
    }
    return NULL;
}

rn__g *rn__steal(rn__worker *thief, int64_t now)
{
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    int start = n > 1 ? (int)(rn__hot_rand(&thief->hot) % (uint32_t)n) : 0;
    for (int i = 0; i < n; i++) {
        rn__worker *v =
            atomic_load_explicit(&rn__sched.worker[(start + i) % n], memory_order_acquire);
        if (v == NULL || v == thief)
            continue;
        rn__g *g = steal_from(thief, v, now);
        if (g != NULL) {
            if (rn__hooked())
                rn__hook_event(RN__EV_STEAL, g, NULL);
            return g;
        }
    }
    return NULL;
}

/* Whether anything runnable waits in any queue; a hint for the watcher and for passing a search on. */
bool rn__work_waits(void)
{
    if (atomic_load_explicit(&rn__sched.gq_n, memory_order_acquire) != 0)
        return true;
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        rn__worker *v = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        if (v == NULL)
            continue;
        if (rn__ring_len(v) != 0 || atomic_load_explicit(&v->fresh_n, memory_order_relaxed) != 0 ||
            atomic_load_explicit(&v->runnext, memory_order_relaxed) != NULL)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------------------ pinned queues */

void rn__pinned_push(rn__g *g)
{
    rn__worker *home = g->ext->home;
    g->next = NULL;
    rn__lock_take(&home->pin_lock);
    if (home->pin_tail != NULL)
        home->pin_tail->next = g;
    else
        home->pin_head = g;
    home->pin_tail = g;
    atomic_fetch_add(&rn__sched.npinned, 1); /* seq_cst: an injection */
    atomic_fetch_or(&home->urgent, RN__URGENT_PINNED);
    rn__lock_drop(&home->pin_lock);
    rn__wake_worker(home);
}

rn__g *rn__pinned_take(rn__worker *w)
{
    rn__lock_take(&w->pin_lock);
    rn__g *g = w->pin_head;
    if (g != NULL) {
        w->pin_head = g->next;
        if (w->pin_head == NULL)
            w->pin_tail = NULL;
        atomic_fetch_sub(&rn__sched.npinned, 1);
    }
    if (w->pin_head == NULL)
        atomic_fetch_and(&w->urgent, ~(uint32_t)RN__URGENT_PINNED);
    rn__lock_drop(&w->pin_lock);
    return g;
}

/* Moves everything that w holds for others to the global queue: before it retires, or before its
 * goroutine takes the thread for itself. */
void rn__dump_queues(rn__worker *w)
{
    for (;;) {
        rn__g *g = rn__runnext_take(w);
        if (g == NULL)
            g = rn__ring_take(w);
        if (g == NULL)
            g = rn__fresh_take_oldest(w);
        if (g == NULL)
            return;
        rn__inject(g, g, 1);
    }
}

/* The same, but wakes nobody: another worker is awake and will look (rn__nap). */
void rn__dump_queues_quietly(rn__worker *w)
{
    rn__g *first = NULL, *last = NULL;
    uint32_t n = 0;
    for (;; n++) {
        rn__g *g = rn__runnext_take(w);
        if (g == NULL)
            g = rn__ring_take(w);
        if (g == NULL)
            g = rn__fresh_take_oldest(w);
        if (g == NULL)
            break;
        if (last != NULL)
            last->next = g;
        else
            first = g;
        last = g;
    }
    if (n != 0)
        rn__gq_push_list(first, last, n);
}

/* ----------------------------------------------------------------------------------- rare picks */

/* Every 64th pick, and whenever something urgent is flagged: what the fast path leaves out. */
rn__g *rn__pick_rare(rn__worker *w, uint32_t tick)
{
    uint32_t urgent = atomic_load_explicit(&w->urgent, memory_order_acquire);
    if (urgent & RN__URGENT_DET)
        return rn__det_pick();
    if (urgent & RN__URGENT_PINNED) {
        rn__g *g = rn__pinned_take(w);
        if (g != NULL)
            return g;
    }
    if (RN_UNLIKELY((urgent & RN__URGENT_NAP) != 0) && rn__nap(w))
        return NULL;
    if (tick % 64 == 0 && atomic_load_explicit(&w->hot.solo, memory_order_relaxed) == 0 &&
        (uint32_t)atomic_load_explicit(&rn__sched.live, memory_order_relaxed) == 1)
        rn__solo_enter(w);
    if (tick % 64 != 0 || (urgent & (RN__URGENT_LOCKED | RN__URGENT_RETIRE)))
        return NULL;
    if (RN_UNLIKELY(rn__sched.nnormal > rn__sched.nprocs + rn__sched.nlocked || w->spare) &&
        rn__retire(w))
        return NULL;
    if (atomic_load_explicit(&w->timers.first, memory_order_relaxed) != RN_NEVER ||
        atomic_load_explicit(&rn__sched.outside, memory_order_relaxed) != 0) {
        int64_t now = rn__clock();
        rn__note_clock(now);
        if (atomic_load_explicit(&w->timers.first, memory_order_relaxed) <= now ||
            rn__poller_due(now)) {
            /* our caller may hold a channel's lock, and a callback may want that one */
            atomic_fetch_or_explicit(&w->urgent, RN__URGENT_TIMERS, memory_order_relaxed);
            return NULL;
        }
    }
    return rn__gq_take(w);
}
