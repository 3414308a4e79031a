/*
 * watcher.c - the watcher: a thread that runs no goroutine, and the only timed sleeper.
 *
 * It fires timers that no worker is awake to fire, wakes a worker for work that has become old, and
 * lets a spare worker take over when all are active and one of them hogs its thread or blocks in the
 * kernel. When nobody is active it sleeps untimed, or until the next timer is due.
 *
 * Invariants (models/idle checks them)
 *  - DEEP is announced (seq_cst) before the last look at live and the global queue; every push looks
 *    at watch after it. So no push behind a hog is forgotten.
 *  - It never spins and takes no channel lock.
 */
#include "runq.h"
#include <pthread.h>
#include <signal.h>

enum {
    TICK_MIN = 50000,        /* ns; after a wake-up */
    TICK_BUSY = 1000000,     /* at most, while work waits or workers sleep */
    TICK_MAX = 5000000,      /* at most, while all is well */
    HOG_AFTER = 1000000,     /* a worker that has not ticked for so long is a hog */
    BLOCKED_AFTER = 20000,   /* the same for one inside rn_blocking */
    TRIM_EVERY = 1000000000, /* stack pools */
};

typedef struct sighting {
    uint32_t ticks; /* of the worker at `since` */
    int64_t since;  /* when ticks was first seen so */
    uint64_t tail;  /* ring's tail at the last tick */
    uint32_t epoch; /* fresh deque's epoch at the last tick */
    bool had_ready; /* the ring was not empty then */
    bool had_fresh; /* the deque was not empty then */
} sighting;

static sighting seen[RN__WORKERS_MAX]; /* the watcher's own memory */

/* Looks at all workers. Reports whether work has been waiting since the last tick, and whether an active
 * worker does not serve it. */
static void look(int64_t now, bool *old_work, bool *hogged, bool *waits)
{
    bool gq = atomic_load(&rn__sched.gq_n) != 0;
    bool all_stuck = true;
    int stuck = 0;
    *old_work = *hogged = false;
    *waits = gq;
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        if (w == NULL)
            continue;
        sighting *s = &seen[i];
        uint32_t ticks = atomic_load_explicit(&w->ticks, memory_order_relaxed);
        if (ticks != s->ticks || s->since == 0) {
            s->ticks = ticks;
            s->since = now;
        }
        uint32_t head = atomic_load_explicit(&w->head, memory_order_relaxed);
        uint64_t tail = atomic_load_explicit(&w->tail, memory_order_relaxed);
        bool ready = head != (uint32_t)tail;
        bool fresh = atomic_load_explicit(&w->fresh_n, memory_order_relaxed) != 0;
        bool next = atomic_load_explicit(&w->runnext, memory_order_relaxed) != NULL;
        uint32_t epoch = atomic_load_explicit(&w->fresh_epoch, memory_order_relaxed);
        bool blocking = atomic_load_explicit(&w->blocking, memory_order_acquire);
        bool still = now - s->since >= HOG_AFTER ||
                     (blocking && now - atomic_load(&w->blocked_at) >= BLOCKED_AFTER);
        /* relaxed: a sleeping worker is not stuck; asleep is read without its lock as a hint */
        bool asleep = *(volatile bool *)&w->asleep;
        if (ready || fresh || next) {
            *waits = true;
            if ((ready && s->had_ready && (int32_t)(head - (uint32_t)s->tail) < 0) ||
                (fresh && s->had_fresh && epoch == s->epoch) || (next && now > s->since))
                *old_work = true;
            if (still)
                *hogged = true;
        }
        if (!asleep) {
            if (still)
                stuck++;
            else
                all_stuck = false;
        }
        s->had_ready = ready;
        s->had_fresh = fresh;
        s->tail = tail;
        s->epoch = epoch;
    }
    if (gq) {
        *old_work = true;
        if (stuck > 0 && all_stuck)
            *hogged = true;
    }
    atomic_store_explicit(&rn__sched.nstuck, stuck, memory_order_relaxed);
}

/* Fires what is due in any heap; says when the next one is. */
static int64_t fire_timers(int64_t now)
{
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        if (w != NULL && atomic_load_explicit(&w->timers.first, memory_order_acquire) <= now)
            rn__timers_run(w, now);
    }
    return rn__timers_first();
}

static bool all_asleep(void)
{
    return (uint32_t)atomic_load(&rn__sched.live) == 0 && atomic_load(&rn__sched.gq_n) == 0;
}

static void wait_until(int64_t deadline)
{
    atomic_store(&rn__sched.watch_until, deadline); /* seq_cst: before the re-check of the timers */
    if (rn__timers_first() < deadline)
        deadline = rn__timers_first();
    if (atomic_load_explicit(&rn__sched.wslot, memory_order_acquire) == 0)
        rn__futex_wait(&rn__sched.wslot, 0, deadline);
    atomic_store(&rn__sched.watch_until, 0);
    atomic_exchange(&rn__sched.wslot, 0);
}

static void *watcher(void *arg)
{
    (void)arg;
    rn__clock_precise();
    int64_t tick = TICK_MIN, trimmed = rn__clock();
    for (;;) {
        int64_t now = rn__clock();
        atomic_store_explicit(&rn__coarse, now, memory_order_relaxed);
        int64_t next = fire_timers(now);

        bool old_work, hogged, waits;
        look(now, &old_work, &hogged, &waits);
        atomic_store_explicit(&rn__sched.futile, 0, memory_order_relaxed);
        if ((old_work || hogged) && atomic_load(&rn__sched.nspin) == 0) {
            if (!rn__wake_one() && hogged)
                rn__wake_spare();
        }
        if (now - trimmed > TRIM_EVERY) {
            trimmed = now;
            rn__stack_trim(now);
        }

        if (all_asleep()) {
            atomic_store(&rn__sched.watch, RN__WATCH_DEEP); /* seq_cst: before the last look */
            uint32_t deep = RN__WATCH_DEEP;
            if (!all_asleep() &&
                atomic_compare_exchange_strong(&rn__sched.watch, &deep, RN__WATCH_TIMED))
                continue;
            wait_until(next);
            /* by time-out: we wake ourselves; by a waker: it is TIMED already */
            deep = RN__WATCH_DEEP;
            atomic_compare_exchange_strong(&rn__sched.watch, &deep, RN__WATCH_TIMED);
            tick = TICK_MIN;
            continue;
        }
        int64_t most = waits || atomic_load(&rn__sched.nsleep) != 0 ? TICK_BUSY : TICK_MAX;
        int64_t until = now + tick;
        tick = tick * 2 < most ? tick * 2 : most;
        wait_until(next < until ? next : until);
    }
    return NULL;
}

static void make_watcher(void *arg)
{
    (void)arg;
    rn__lock_take(&rn__sched.boot_lock);
    bool make = !rn__sched.watcher_made;
    rn__sched.watcher_made = true;
    rn__lock_drop(&rn__sched.boot_lock);
    if (!make)
        return;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_t t;
    int e = pthread_create(&t, &attr, watcher, NULL);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (e != 0)
        rn__fatal("cannot create the watcher thread (error %d): raise the limit on threads "
                  "(ulimit -u, kernel.threads-max)",
                  e);
}

/* Leaves deep sleep; called by every push that finds watch DEEP. */
void rn__wake_watcher(void)
{
    if (rn__det())
        return; /* one worker, virtual time: nothing to watch */
    uint32_t deep = RN__WATCH_DEEP;
    if (!atomic_compare_exchange_strong(&rn__sched.watch, &deep, RN__WATCH_TIMED))
        return;
    if (RN_UNLIKELY(!*(volatile bool *)&rn__sched.watcher_made)) {
        rn__on_g0(make_watcher, NULL);
        return;
    }
    atomic_store_explicit(&rn__sched.wslot, 1, memory_order_release);
    rn__futex_wake(&rn__sched.wslot, 1);
}

/* Makes sure that the watcher is up at `deadline`: called by a worker that is about to sleep. */
void rn__watch_before(int64_t deadline)
{
    if (deadline == RN_NEVER || rn__det())
        return;
    if (atomic_load(&rn__sched.watch) == RN__WATCH_DEEP) {
        rn__wake_watcher();
        return;
    }
    /* 0: awake now, and will look at the timers before it sleeps again */
    if (atomic_load(&rn__sched.watch_until) > deadline) {
        atomic_store_explicit(&rn__sched.wslot, 1, memory_order_release);
        rn__futex_wake(&rn__sched.wslot, 1);
    }
}
