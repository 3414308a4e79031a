/*
 * idle.c - how a worker looks for work, goes to sleep and is woken.
 *
 * Invariants (models/idle checks them)
 *  - Whoever wakes a worker takes it out of the list, makes it active and counts it as searching on
 *    its behalf, then posts its slot. The woken one finds all that done.
 *  - Going to sleep: announce (live, seq_cst), stop counting as a searcher (seq_cst), only then the
 *    last look at the global queue. Injections do it the other way round, so one of both sees the other.
 *  - At most one worker is woken to search at a time; a searcher that finds work passes the search on
 *    if there is more.
 *  - Work in a worker's own queues is never looked for in the last look: its owner is active, and the
 *    watcher is TIMED as long as anybody is.
 */
#include "runq.h"
#include <pthread.h>

/* How long an idle worker goes on looking: about what a wake-up costs. */
enum { SEARCH_FOR = 50000, LOOK_EVERY = 700 };

/* How long a worker stays away that mostly waited for locks. */
enum { NAP = 5000000 };

/* ------------------------------------------------------------------------------------- waking */

/* Called with idle_lock held: w, which sleeps, becomes active and searching. */
static void activate(rn__worker *w)
{
    rn__solo_leave_locked();
    w->asleep = false;
    if (w->spare)
        rn__sched.nspare_active++;
    /* seq_cst, both: the verdict reads live twice and must see every wake-up in between */
    atomic_fetch_add(&rn__sched.live, (UINT64_C(1) << 32) + 1);
}

static void post(rn__worker *w)
{
    bool cold;
    rn__lock_take(&rn__sched.idle_lock);
    cold = w->cold;
    w->cold = false;
    rn__lock_drop(&rn__sched.idle_lock);
    if (cold) {
        rn__thread_start(w);
        return;
    }
    /* pairs with the sleeper's acquire; seq_cst: before the look at where it sleeps */
    atomic_store(&w->slot, 1);
    rn__futex_wake(&w->slot, 1);
    rn__poller_ring(w);
}

static bool unlink_from(rn__worker **list, rn__worker *w)
{
    for (rn__worker **p = list; *p != NULL; p = &(*p)->idle_next) {
        if (*p == w) {
            *p = w->idle_next;
            return true;
        }
    }
    return false;
}

/* Wakes a normal worker to search, unless somebody searches already. True if somebody does now. */
bool rn__wake_one(void)
{
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&rn__sched.nspin, &none, 1))
        return true;
    rn__lock_take(&rn__sched.idle_lock);
    rn__worker *w = rn__sched.idle;
    if (w != NULL) {
        rn__sched.idle = w->idle_next;
        atomic_fetch_sub_explicit(&rn__sched.nsleep, 1, memory_order_relaxed);
        activate(w);
    }
    rn__lock_drop(&rn__sched.idle_lock);
    if (w == NULL) {
        atomic_fetch_sub(&rn__sched.nspin, 1);
        return false;
    }
    post(w);
    return true;
}

/* Makes w active and searching, if it sleeps: taken out of its list, but not posted. */
static bool rouse(rn__worker *w)
{
    rn__lock_take(&rn__sched.idle_lock);
    bool asleep = w->asleep;
    if (asleep) {
        if (unlink_from(&rn__sched.idle, w))
            atomic_fetch_sub_explicit(&rn__sched.nsleep, 1, memory_order_relaxed);
        else if (unlink_from(&rn__sched.spares, w))
            rn__sched.nspare--;
        atomic_fetch_add(&rn__sched.nspin, 1);
        activate(w);
    }
    rn__lock_drop(&rn__sched.idle_lock);
    return asleep;
}

/* Wakes this very worker, if it sleeps: something waits that only it may run. */
void rn__wake_worker(rn__worker *w)
{
    if (rouse(w))
        post(w);
    else if (atomic_load(&rn__sched.watch) == RN__WATCH_DEEP)
        rn__wake_watcher();
}

/* Wakes or makes a spare worker: somebody hogs a worker, or blocks in the kernel. */
bool rn__wake_spare(void)
{
    rn__lock_take(&rn__sched.idle_lock);
    rn__worker *w = rn__sched.spares;
    if (w != NULL) {
        rn__sched.spares = w->idle_next;
        rn__sched.nspare--;
        atomic_fetch_add(&rn__sched.nspin, 1);
        activate(w);
    }
    rn__lock_drop(&rn__sched.idle_lock);
    if (w == NULL) {
        w = rn__worker_new(true);
        if (w == NULL)
            return false;
        rn__lock_take(&rn__sched.idle_lock);
        atomic_fetch_add(&rn__sched.nspin, 1);
        activate(w);
        rn__lock_drop(&rn__sched.idle_lock);
    }
    post(w);
    return true;
}

/* ------------------------------------------------------------------- how many workers there are */

/* Brings the number of normal workers in line with what is wanted. More: spares become normal, or new
 * cold ones are made. Fewer: sleeping ones become spares; surplus ones that run notice by themselves. */
void rn__adjust_workers(void)
{
    for (;;) {
        rn__lock_take(&rn__sched.idle_lock);
        int surplus = rn__sched.nnormal - rn__sched.nprocs - rn__sched.nlocked;
        rn__worker *w = NULL;
        if (surplus > 0 && (w = rn__sched.idle) != NULL) {
            rn__sched.idle = w->idle_next;
            atomic_fetch_sub_explicit(&rn__sched.nsleep, 1, memory_order_relaxed);
            rn__sched.nnormal--;
            w->spare = true;
            w->idle_next = rn__sched.spares;
            rn__sched.spares = w;
            rn__sched.nspare++;
        } else if (surplus < 0 && (w = rn__sched.spares) != NULL) {
            rn__sched.spares = w->idle_next;
            rn__sched.nspare--;
            w->spare = false;
            rn__sched.nnormal++;
            w->idle_next = rn__sched.idle;
            rn__sched.idle = w;
            atomic_fetch_add_explicit(&rn__sched.nsleep, 1, memory_order_relaxed);
        }
        rn__lock_drop(&rn__sched.idle_lock);
        if (surplus == 0 || (surplus > 0 && w == NULL))
            return;
        if (w == NULL && rn__worker_new(false) == NULL)
            return; /* the table is full: fewer workers, but nothing is lost */
    }
}

/* Whether w, which is active, is one too many: a spare for which no hog is left, or a normal worker
 * beyond GOMAXPROCS. Then its queues go to the others and its next pick finds nothing. */
bool rn__retire(rn__worker *w)
{
    if (w->exclusive)
        return false;
    rn__lock_take(&rn__sched.idle_lock);
    bool surplus;
    if (w->spare)
        surplus = rn__sched.nspare_active > atomic_load(&rn__sched.nstuck);
    else
        surplus = rn__sched.nnormal > rn__sched.nprocs + rn__sched.nlocked;
    if (surplus && !w->spare) {
        w->spare = true;
        rn__sched.nspare_active++;
        rn__sched.nnormal--;
    }
    rn__lock_drop(&rn__sched.idle_lock);
    if (surplus) {
        atomic_fetch_or(&w->urgent, RN__URGENT_RETIRE);
        rn__dump_queues(w);
    }
    return surplus;
}

/*
 * Whether w, which has lost most of its time to waiting for locks, may leave its work to the others for
 * a while. Two workers that fight for one channel get less done than one that has it for itself, in solo
 * mode; when the fight is over, the watcher's next tick or a new burst of work brings w back. Then its
 * queues go to the global queue and its next pick finds nothing.
 */
bool rn__nap(rn__worker *w)
{
    if (w->exclusive || w->spare || rn__sched.nlocked != 0 ||
        (uint32_t)atomic_load(&rn__sched.live) < 2) {
        atomic_fetch_and(&w->urgent, ~(uint32_t)RN__URGENT_NAP);
        return false;
    }
    rn__dump_queues_quietly(w);
    atomic_store_explicit(&rn__sched.nap_until, rn__clock() + NAP, memory_order_relaxed);
    atomic_store_explicit(&rn__sched.futile, 1, memory_order_relaxed);
    return true;
}

/* -------------------------------------------------------------------------------- going to sleep */

/* Sleeps until the slot is posted; or in the poller, where events wake the worker as a waker would: taken
 * out of its list, active and searching, before anybody is made runnable. */
static void wait_for_post(rn__worker *w)
{
    /* acquire: what the waker wrote before the post is visible */
    while (atomic_load_explicit(&w->slot, memory_order_acquire) == 0) {
        enum rn__slept s = rn__poller_sleep(w, RN_NEVER, rouse);
        if (s == RN__SLEPT_AWAKE)
            return;
        if (s == RN__SLEPT_NOT)
            rn__futex_wait(&w->slot, 0, RN_NEVER);
    }
    atomic_store_explicit(&w->slot, 0, memory_order_relaxed);
}

/* Sleeps until woken. The caller counts as a searcher, and does so again on return. False: the thread
 * shall end, and w is no longer ours. */
static bool sleep_until_woken(rn__worker *w)
{
    bool leaving = w->leaving;
    w->leaving = false;
    if (leaving)
        rn__set_self(NULL); /* whoever wakes w from here on makes it a new thread */
    uint32_t urgent = atomic_fetch_and(&w->urgent, ~(uint32_t)(RN__URGENT_RETIRE | RN__URGENT_NAP));
    rn__lock_take(&rn__sched.idle_lock);
    if (w->spare) {
        rn__sched.nspare_active--;
    } else if (rn__sched.nnormal > rn__sched.nprocs + rn__sched.nlocked) {
        w->spare = true; /* one too many: from now on a spare */
        rn__sched.nnormal--;
    }
    w->asleep = true;
    w->cold = leaving;
    if (w->exclusive) {
        /* in no list: only a wake-up of its own goroutine may wake it */
    } else if (w->spare) {
        w->idle_next = rn__sched.spares;
        rn__sched.spares = w;
        rn__sched.nspare++;
    } else {
        w->idle_next = rn__sched.idle;
        rn__sched.idle = w;
        atomic_fetch_add_explicit(&rn__sched.nsleep, 1, memory_order_relaxed);
    }
    atomic_fetch_sub(&rn__sched.live, 1); /* seq_cst: the announcement */
    rn__lock_drop(&rn__sched.idle_lock);
    atomic_fetch_sub(&rn__sched.nspin, 1); /* seq_cst: before the last look */

    if (leaving) { /* w is not ours any more */
        bool work = atomic_load(&rn__sched.gq_n) != 0 || rn__poller_orphaned();
        if (!work || !rn__wake_one())
            rn__deadlock_check();
        return false;
    }
    bool work = atomic_load(&w->urgent) & RN__URGENT_PINNED;
    /* Who naps may leave work behind if others are awake: the last of them announces itself after this
     * load, so its look finds what we have left, and what others have left to our search. */
    bool others = (uint32_t)atomic_load(&rn__sched.live) != 0;
    if (!w->exclusive && !((urgent & RN__URGENT_NAP) && others) &&
        atomic_load(&rn__sched.gq_n) != 0)
        work = true;
    if (work) {
        if (rouse(w))
            return true; /* nobody else has woken us */
    } else {
        rn__watch_before(rn__timers_first());
        rn__deadlock_check();
    }
    wait_for_post(w);
    return true;
}

/* -------------------------------------------------------------------------------------- searching */

/* A searcher has found work: it runs from now on. Passes the search on if there is more. */
static rn__g *found(rn__worker *w, rn__g *g)
{
    atomic_fetch_sub(&rn__sched.nspin, 1);
    if (atomic_load_explicit(&rn__sched.nsleep, memory_order_relaxed) != 0 &&
        (atomic_load(&rn__sched.gq_n) != 0 || rn__ring_len(w) >= 8 ||
         atomic_load_explicit(&w->fresh_n, memory_order_relaxed) >= 8))
        rn__wake_one();
    if (RN_UNLIKELY(atomic_load(&rn__sched.watch) == RN__WATCH_DEEP))
        rn__wake_watcher();
    return g;
}

/* True while some worker runs goroutines, so that work may turn up in its queues. */
static bool others_run(void)
{
    uint32_t active = (uint32_t)atomic_load_explicit(&rn__sched.live, memory_order_relaxed);
    return active > atomic_load_explicit(&rn__sched.nspin, memory_order_relaxed);
}

static void forget_sights(rn__worker *w)
{
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < n; i++)
        w->sight[i] = (rn__sight){0};
}

/* A pick has found timers that are due, and left them to us. */
static bool fire_flagged(rn__worker *w)
{
    if (RN_LIKELY((atomic_load_explicit(&w->urgent, memory_order_relaxed) & RN__URGENT_TIMERS) ==
                  0))
        return false;
    atomic_fetch_and_explicit(&w->urgent, ~(uint32_t)RN__URGENT_TIMERS, memory_order_relaxed);
    rn__timers_run(w, rn__clock());
    rn__poller_look(w);
    return true;
}

/* Looks for work until there is some or nothing can be hoped for. The caller counts as a searcher. */
static rn__g *search(rn__worker *w)
{
    int64_t begun = rn__clock(), now = begun;
    rn__note_clock(now);
    forget_sights(w);
    for (;;) {
        rn__g *g = rn__pick(w); /* pinned, global, and what timers have made ready */
        if (g != NULL)
            return g;
        if (rn__det() && (rn__poller_look(w) || rn__det_advance()))
            continue;
        if (fire_flagged(w))
            continue;
        if (atomic_load_explicit(&w->urgent, memory_order_relaxed) &
            (RN__URGENT_RETIRE | RN__URGENT_NAP | RN__URGENT_LOCKED))
            return NULL;
        if (atomic_load_explicit(&w->timers.first, memory_order_relaxed) <= now) {
            rn__timers_run(w, now);
            continue;
        }
        g = rn__steal(w, now);
        if (g != NULL)
            return g;
        if (!others_run())
            return NULL;
        if (now - begun > SEARCH_FOR) {
            /* Somebody runs, but nothing grew old: waking us for backlog does not pay at present. */
            atomic_store_explicit(&rn__sched.futile, 1, memory_order_relaxed);
            return NULL;
        }
        rn__spin(LOOK_EVERY);
        now = rn__clock();
    }
}

/* Returns the next goroutine to run; sleeps as long as there is none. NULL: the thread shall end. On g0. */
rn__g *rn__find_work(rn__worker *w)
{
    if (w->started) {
        w->started = false; /* our creator has counted us */
    } else {
        fire_flagged(w);
        rn__g *g = rn__pick(w);
        if (g != NULL)
            return g;
        atomic_fetch_add(&rn__sched.nspin, 1);
    }
    for (;;) {
        rn__g *g = search(w);
        if (g != NULL)
            return found(w, g);
        if (!sleep_until_woken(w))
            return NULL;
    }
}
