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
 *  - It never spins. Of the locks of other parts it takes only those that the callbacks of timers need, for
 *    moments.
 */
#include "runq.h"
#include <pthread.h>
#include <runnel/self.h>

enum {
    TICK_MIN = 50000,          /* ns; after a wake-up */
    TICK_BUSY = 1000000,       /* at most, while work waits or workers sleep */
    TICK_MAX = 5000000,        /* at most, while all is well */
    HOG_AFTER = 1000000,       /* a worker that has not ticked for so long is a hog */
    BLOCKED_AFTER = 20000,     /* the same for one inside rn_blocking */
    HOGS_MAX = 64,             /* CPU-bound goroutines that get a thread of their own */
    CHECKPOINT_AFTER = 200000, /* a run of that length gives way at its next checkpoint */
    QUIET_LOOKS = 6, /* with everybody asleep, before the untimed sleep: being woken from that costs
                        more than the looks do when somebody is woken all the time */
    LONG_RUN = 20000,        /* longer runs, with work waiting, are worth another worker */
    TRIM_EVERY = 1000000000, /* stack pools */
};

typedef struct sighting {
    uint32_t ticks; /* of the worker at `since` */
    int64_t since;  /* when ticks was first seen so */
    uint64_t tail;  /* ring's tail at the last tick */
    uint32_t epoch; /* fresh deque's epoch at the last tick */
    uint32_t last;  /* the counter at the last tick, */
    int64_t looked; /* and when that was */
    bool had_ready; /* the ring was not empty then */
    bool had_fresh; /* the deque was not empty then */
} sighting;

/* What a look found. */
typedef struct findings {
    bool waits; /* something runnable is in some queue */
    bool old;   /* and has been since the last look, or waits behind long runs */
    int active; /* workers that are awake */
    int stuck;  /* of these, workers that hog their thread or block in the kernel */
    int hogs;   /* of the stuck ones, those that use their CPU */
} findings;

static sighting seen[RN__WORKERS_MAX]; /* the watcher's own memory */

int64_t (*_Atomic rn__trim_hook)(int64_t now);

/* Gives back what has not been used for a while; says when to look again, `now` if there is more. */
static int64_t trim(int64_t now)
{
    int64_t at = rn__stack_trim(now);
    /* acquire: pairs with the release that sets it */
    int64_t (*hook)(int64_t) = atomic_load_explicit(&rn__trim_hook, memory_order_acquire);
    if (hook != NULL && at != now) {
        int64_t more = hook(now);
        at = more < at ? more : at;
    }
    return at;
}

/* Notes what one worker's queues and counters look like, and compares with the last time. */
static void look_at(rn__worker *w, sighting *s, int64_t now, findings *f)
{
    /* relaxed, all: hints; whoever acts on them takes the work with the proper order */
    uint32_t ticks = atomic_load_explicit(&w->ticks, memory_order_relaxed);
    if (ticks != s->ticks || s->since == 0) {
        s->ticks = ticks;
        s->since = now;
    }
    uint32_t head = atomic_load_explicit(&w->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&w->tail, memory_order_relaxed);
    uint32_t epoch = atomic_load_explicit(&w->fresh_epoch, memory_order_relaxed);
    bool ready = head != (uint32_t)tail;
    bool fresh = atomic_load_explicit(&w->fresh_n, memory_order_relaxed) != 0;
    bool next = atomic_load_explicit(&w->runnext, memory_order_relaxed) != NULL;
    if (ready || fresh || next)
        f->waits = true;
    if ((ready && s->had_ready && (int32_t)(head - (uint32_t)s->tail) < 0) ||
        (fresh && s->had_fresh && epoch == s->epoch) || (next && now > s->since))
        f->old = true;
    /* Two goroutines that take turns of some length would be served by two workers at the same time. */
    if ((ready || fresh || next) && now - s->looked >= (int64_t)(ticks - s->last + 1) * LONG_RUN)
        f->old = true;
    s->last = ticks;
    s->looked = now;
    s->had_ready = ready;
    s->had_fresh = fresh;
    s->tail = tail;
    s->epoch = epoch;
}

/* Something waits: who does not serve? What stuck workers hold goes to the global queue. */
static void look_for_stuck(int n, int64_t now, findings *f)
{
    for (int i = 0; i < n; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        /* hints, read without the lock; a locked thread serves nobody but its goroutine */
        if (w == NULL || *(volatile bool *)&w->asleep || *(volatile bool *)&w->exclusive)
            continue;
        f->active++;
        bool blocking = atomic_load_explicit(&w->blocking, memory_order_acquire) &&
                        now - atomic_load(&w->blocked_at) >= BLOCKED_AFTER;
        if (!blocking && now - seen[i].since < HOG_AFTER)
            continue;
        enum rn__pulse p = blocking ? RN__PULSE_BLOCKED : rn__pulse(w, seen[i].ticks, now);
        if (p == RN__PULSE_STARVED)
            continue;
        f->stuck++;
        f->hogs += p == RN__PULSE_HOG;
        if (rn__rescue(w))
            f->waits = f->old = true;
    }
}

/* Something waits: goroutines that have run for long are asked to give way, if they come to a checkpoint. */
static void ask_for_checkpoints(int n, int64_t now, bool waits)
{
    int ask = 0;
    for (int i = 0; waits && i < n; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        if (w == NULL || *(volatile bool *)&w->asleep || now - seen[i].since < CHECKPOINT_AFTER)
            continue;
        atomic_store_explicit(&w->asked, seen[i].ticks, memory_order_relaxed);
        ask = 1;
    }
    if (__atomic_load_n(&rn_checkpoint_wanted, __ATOMIC_RELAXED) != ask)
        __atomic_store_n(&rn_checkpoint_wanted, ask, __ATOMIC_RELAXED);
}

static findings look(int64_t now)
{
    findings f = {0};
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        if (w != NULL)
            look_at(w, &seen[i], now, &f);
    }
    if (atomic_load(&rn__sched.gq_n) != 0)
        f.waits = f.old = true;
    ask_for_checkpoints(n, now, f.waits);
    if (f.waits || *(volatile int *)&rn__sched.nspare_active != 0)
        look_for_stuck(n, now, &f);
    atomic_store_explicit(&rn__sched.nstuck, f.stuck, memory_order_relaxed);
    return f;
}

/* Acts on it: a sleeping worker for old work; a spare one if all that are awake are stuck. More threads
 * than CPUs help against hogs only so far: the kernel shares the CPUs among them. */
static void act(const findings *f, int64_t now)
{
    if (now < atomic_load_explicit(&rn__sched.nap_until, memory_order_relaxed) && f->stuck == 0)
        return; /* somebody naps, since more workers than one got less done */
    atomic_store_explicit(&rn__sched.futile, 0, memory_order_relaxed);
    if (!f->old || atomic_load(&rn__sched.nspin) != 0)
        return;
    if (rn__wake_one())
        return;
    if (f->stuck >= f->active && f->hogs <= HOGS_MAX)
        rn__wake_spare();
}

/* Fires what is due in any heap; says when the next one is. */
static int64_t fire_timers(int64_t now)
{
    if (rn__timers_first() > now)
        return rn__timers_first();
    rn__crowd_add(1); /* callbacks take tokens and write permits */
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        if (w != NULL && atomic_load_explicit(&w->timers.first, memory_order_acquire) <= now)
            rn__timers_run(w, now);
    }
    rn__crowd_add(-1);
    return rn__timers_first();
}

/* All asleep, nothing left to do, and somebody listens where there is something to hear. */
static bool all_asleep(void)
{
    return (uint32_t)atomic_load(&rn__sched.live) == 0 && atomic_load(&rn__sched.gq_n) == 0 &&
           !rn__poller_orphaned();
}

static void wait_until(int64_t deadline)
{
    atomic_store(&rn__sched.watch_until, deadline); /* seq_cst: before the re-check of the timers */
    /* Asked once: the second time it may be gone, and then nobody has a reason to wake us. */
    int64_t first = rn__timers_first();
    if (first < deadline)
        deadline = first;
    if (atomic_load_explicit(&rn__sched.wslot, memory_order_acquire) == 0)
        rn__futex_wait(&rn__sched.wslot, 0, deadline);
    atomic_store(&rn__sched.watch_until, 0);
    atomic_exchange(&rn__sched.wslot, 0);
}

static void *watcher(void *arg)
{
    (void)arg;
    rn__clock_precise();
    rn__foreign_exempt();
    atomic_fetch_add(&rn__sched.known_threads, 1);
    int quiet = 0;
    int64_t tick = TICK_MIN, trim_at = 0;
    for (;;) {
        int64_t now = rn__clock();
        rn__note_clock(now);
        int64_t next = fire_timers(now);

        rn__poller_watch();
        findings f = look(now);
        act(&f, now);
        if (now >= trim_at) {
            trim_at = trim(now);
            if (trim_at == now)
                continue; /* a bounded number per call */
        }

        quiet = all_asleep() ? quiet + 1 : 0;
        if (quiet >= QUIET_LOOKS) {
            atomic_store(&rn__sched.watch, RN__WATCH_DEEP); /* seq_cst: before the last look */
            uint32_t deep = RN__WATCH_DEEP;
            if (!all_asleep() &&
                atomic_compare_exchange_strong(&rn__sched.watch, &deep, RN__WATCH_TIMED))
                continue;
            int64_t ask = rn__deadlock_recheck();
            int64_t until = ask < next ? ask : next;
            wait_until(trim_at < until ? trim_at : until);
            if (ask <= rn__clock())
                rn__deadlock_check();
            /* by time-out: we wake ourselves; by a waker: it is TIMED already */
            deep = RN__WATCH_DEEP;
            atomic_compare_exchange_strong(&rn__sched.watch, &deep, RN__WATCH_TIMED);
            tick = TICK_MIN;
            if (trim_at == RN_NEVER)
                trim_at = rn__clock() + TRIM_EVERY; /* stacks may be given back from now on */
            continue;
        }
        int64_t most = f.waits || atomic_load(&rn__sched.nsleep) != 0 ? TICK_BUSY : TICK_MAX;
        if (trim_at == RN_NEVER)
            trim_at = now + TRIM_EVERY;
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
    pthread_t t;
    int e = rn__thread_create(&t, 256 * 1024, false, watcher, NULL);
    if (e != 0)
        rn__fatal("cannot create the watcher thread (error %d): raise the limit on threads "
                  "(ulimit -u, kernel.threads-max)",
                  -e);
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
