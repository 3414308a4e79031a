/*
 * worker.h - workers and the scheduler's global state; private to sched/.
 *
 * A worker is a thread that runs goroutines, with its run queues and pools: Go's M and P in one. It
 * owns a system stack (g0) on which it looks for work and sleeps; goroutines and the worker's loop
 * run on pooled stacks.
 *
 * Invariants (models/idle and models/deadlock check them)
 *  - live = wakes << 32 | active. A worker is active unless it is in the idle list, retired or cold
 *    (its thread does not exist yet). Whoever makes a worker active does so on its behalf, so there
 *    is no gap in which nobody counts.
 *  - nspin counts the workers that search, including one that has just been woken to search.
 *  - A worker announces itself idle before it takes its last look at the global queue; whoever
 *    injects looks at live and nspin after the push. Both sides use full fences between.
 *  - watch is DEEP only if no worker is active; every push that finds it DEEP wakes the watcher.
 */
#ifndef RN_WORKER_H
#define RN_WORKER_H

#include "../platform/annotate.h"
#include "../platform/lock.h"
#include "sched.h"
#include <pthread.h>

enum {
    RN__RING = 256,         /* slots of the ring of woken goroutines */
    RN__WORKERS_MAX = 512,  /* normal workers, spares and locked threads together */
    RN__RUNNEXT_CHAIN = 64, /* picks from runnext before the ring is served once */
    RN__HEAP_FIRST = 64,    /* first size of a timer heap */
};

/* How old unserved work must be before a thief takes it, in nanoseconds: long enough that a pair of
 * goroutines that talk stays on one worker, short enough that real work spreads. */
enum { RN__AGE_FRESH = 2000, RN__AGE_READY = 16000 };

typedef struct rn__heap_slot {
    int64_t when; /* the key: not later than t->when */
    rn__timer *t;
} rn__heap_slot;

typedef struct rn__heap {
    rn__lock lock;            /* guards everything here; no callback runs under it */
    rn__heap_slot *slot;      /* 4-ary heap by when, see heap.h */
    uint32_t n;               /* timers in the heap */
    uint32_t cap;             /* slots allocated */
    _Atomic(uint32_t) firing; /* timers taken out whose callbacks have not returned: still a source
                                 of wake-ups for the verdict; written under the lock, seq_cst loads */
    _Atomic(int64_t) first;   /* when of the root, RN_NEVER if empty; relaxed hint for looks without
                                 the lock, decided again under it */
} rn__heap;

/* What a thief remembers of a victim between two looks. */
typedef struct rn__sight {
    int64_t ready_at;     /* when the ring was first seen as below */
    int64_t fresh_at;     /* when the fresh deque was first seen as below */
    int64_t ticks_at;     /* when ticks was first seen as below */
    uint64_t tail;        /* the ring's tail then */
    uint32_t fresh_epoch; /* the deque's epoch then */
    uint32_t ticks;       /* the switch counter then */
} rn__sight;

/* CPU accounting of a thread that does not tick; the watcher's. */
typedef struct rn__life {
    uint32_t ticks;  /* the worker's counter when this was read */
    int64_t at;      /* when */
    uint64_t ran;    /* ns on a CPU until then */
    uint64_t waited; /* ns runnable without a CPU until then */
} rn__life;

struct rn__worker {
    /* line 0: owner's, touched by every switch */
    rn__hot hot;               /* must be first: cur, and the words of solo mode */
    _Atomic(rn__g *) runnext;  /* woken last, runs next; owner sets it, a thief may take it */
    _Atomic(uint32_t) ticks;   /* picks; plain increments by the owner, thieves look for change */
    uint32_t chain;            /* consecutive picks from runnext */
    _Atomic(uint32_t) urgent;  /* RN__URGENT_*: something beside the queues wants a look */
    _Atomic(uint32_t) head;    /* ring: next to serve; CAS by owner and thieves */
    _Atomic(uint64_t) tail;    /* ring: next free; stored by the owner only */
    _Atomic(uint64_t) nowhere; /* what a switch without a lock unlocks */
    rn__g *gfree;              /* free descriptors, LIFO */

    /* line 1: spawning */
    uint64_t next_id, end_id; /* ids reserved for this worker */
    int64_t ncreated, nended; /* goroutines, for rn_num_goroutine; relaxed reads by others */
    uint32_t ngfree;          /* length of gfree */
    rn__ctx g0;               /* the system stack's context while a goroutine runs */

    /* line 2: the fresh deque: LIFO for the owner, oldest first for thieves */
    _Alignas(RN__CACHELINE) rn__lock
        fresh_lock;                /* guards the list; nothing else happens under it */
    _Atomic(uint32_t) fresh_n;     /* length; written under the lock, relaxed hint elsewhere */
    _Atomic(uint32_t) fresh_epoch; /* changes when the oldest one changes */
    uint32_t fresh_pushes;         /* counts pushes, to wake a thief every 32nd */
    rn__g *fresh_new, *fresh_old;  /* ends; next leads to older, obj to newer */

    /* line 3: cold side, written by others now and then */
    _Alignas(RN__CACHELINE) _Atomic(uint32_t) slot; /* futex: 1 = woken */
    _Atomic(uint32_t) asked; /* ticks when the watcher found it running for long, others waiting */
    bool asleep;             /* in the idle list (or exclusive and waiting); idle_lock */
    bool spare;              /* takes over for hogs; sleeps in the spare list; idle_lock */
    bool cold;               /* no thread yet: waking it means creating one; idle_lock */
    bool exclusive;          /* its goroutine holds the thread (rn_lock_os_thread) */
    bool started;            /* woken for the first time: counts as searching already */
    bool ours;               /* its thread was created by us, so it may end; owner only */
    bool leaving;            /* its thread ends with the next sleep; owner only */
    uint32_t nstay;          /* goroutines that may run on this very thread only; owner only */
    uint32_t blocking_depth; /* nesting of rn_blocking; owner only */
    _Atomic(bool) blocking;  /* inside rn_blocking: its queues are everybody's */
    _Atomic(int64_t) blocked_at; /* when it entered */
    int64_t crowd_since;        /* start of the window in which crowd_spun is counted; owner only */
    int64_t crowd_spun;         /* ns lost to waiting for locks since then */
    rn__worker *idle_next;      /* link in the idle or spare list; idle_lock */
    int index;                  /* in rn__sched.worker */
    rn__lock pin_lock;          /* guards the pinned queue */
    rn__g *pin_head, *pin_tail; /* woken goroutines that only this worker may run */
    rn__g *locked;              /* the goroutine that holds this thread */
    rn__heap timers;
    rn__stack_pool stacks;
    rn__freelist cache[RN__CACHES]; /* see rn__worker_cache */
    rn__sight *sight;               /* one per worker, for thieves */
    pthread_t thread;
    _Atomic(int) tid; /* kernel\'s id of the thread; 0: none. For the watcher */
    rn__life life;    /* what the watcher has learned of the thread */
    void *g0_top;     /* end of the system stack, for rn_on_system_stack */
    bool on_system;   /* inside rn_on_system_stack: must not park */
    rn__g *main_g;    /* rn_run: return when this one has ended */
    bool run_done;    /* rn_run: it has */
    _Alignas(RN__CACHELINE) _Atomic(rn__g *) ring[RN__RING]; /* woken goroutines, FIFO */
    rn__g *handoff;        /* sanitizer builds: what g0 shall run next */
    void (*after)(void *); /* sanitizer builds: commit that g0 shall run first */
    void *after_arg;       /* its argument */
    void *tsan_g0;         /* TSan: the thread's own fiber */
    void *asan_g0_fake;    /* ASan: fake stack of g0 */
    const void *g0_lo;     /* ASan: bounds of g0 */
    size_t g0_size;
};

/* PINNED: the pinned queue has something. DET: the deterministic policy picks. LOCKED: a goroutine
 * holds this thread, so nothing but the pinned queue may be served. RETIRE: see below. */
enum {
    RN__URGENT_PINNED = 1,
    RN__URGENT_DET = 2,
    RN__URGENT_LOCKED = 4,
    RN__URGENT_RETIRE = 8, /* one worker too many: it has given its queues away and shall sleep */
    RN__URGENT_NAP =
        16, /* it mostly waits for locks: it gives its queues away and sleeps a while */
    RN__URGENT_TIMERS = 32, /* timers are due: g0 shall fire them, where no lock is held */
};
/* With one of these a pick gives nothing, and the worker has to go to g0. */
enum {
    RN__URGENT_TO_G0 = RN__URGENT_RETIRE | RN__URGENT_NAP | RN__URGENT_TIMERS,
};
enum { RN__WATCH_DEEP = 0, RN__WATCH_TIMED = 1 };

typedef struct rn__scheduler {
    /* read-mostly line */
    _Alignas(RN__CACHELINE) _Atomic(uint32_t) watch; /* the watcher: DEEP or TIMED */
    _Atomic(uint32_t) nsleep;   /* length of the idle list; hint, decided under idle_lock */
    _Atomic(uint32_t) nspin;    /* searching workers */
    _Atomic(int64_t) nap_until; /* no worker is woken for backlog before; relaxed, a hint */
    _Atomic(uint32_t) futile;   /* a search found nothing: no more wake-ups for backlog until
                                        the watcher's next tick */
    rn__worker *_Atomic worker[RN__WORKERS_MAX]; /* never freed; release store, acquire load */
    _Atomic(int) nworkers;                       /* entries in worker */

    _Alignas(RN__CACHELINE) _Atomic(uint64_t) live; /* wakes << 32 | active workers */
    _Atomic(int) ext;           /* foreign threads inside our world and not parked in it */
    _Atomic(int) known_threads; /* workers\', the watcher\'s, registered foreign ones */
    _Atomic(uint64_t) fired;    /* timer callbacks that have returned; for the verdict */

    _Alignas(RN__CACHELINE) rn__lock gq_lock; /* guards the global queue */
    _Atomic(uint32_t) gq_n;                   /* its length; seq_cst where the protocol says so */
    _Atomic(uint32_t) npinned;                /* goroutines in all pinned queues */
    rn__g *gq_head, *gq_tail;

    _Alignas(RN__CACHELINE) rn__lock idle_lock; /* guards idle and spare lists and the fields of a
                                        worker that say so; held over the RMWs on live */
    rn__worker *idle, *spares;                  /* sleeping workers */
    int nspare;                                 /* length of spares */
    int nnormal;                                /* workers that are not spare */
    int nprocs;                                 /* how many there shall be (GOMAXPROCS) */
    int nlocked;                                /* threads held by their goroutines: as many more */
    int nspare_active;                          /* spares that are awake */
    rn__worker *solo;                           /* the worker that is solo, or NULL; idle_lock */
    _Atomic(int) crowd; /* reasons why nobody may be: foreign threads, a rescue; written under
                              idle_lock, relaxed reads as a hint */
    rn__worker *_Atomic polling; /* who sleeps in the poller or looks into it; NULL: nobody. CAS */
    _Atomic(uint64_t) outside;   /* goroutines that wait for the poller; a source for the verdict */
    _Atomic(int64_t) polled_at;  /* when a busy worker has looked last; relaxed */
    _Atomic(int) nstuck;         /* workers that hog or block, by the watcher's last look */

    rn__lock boot_lock;               /* guards creation of workers and of the watcher */
    _Atomic(uint32_t) wslot;          /* the watcher's futex */
    _Atomic(int64_t) watch_until;     /* when the watcher will wake by itself */
    bool watcher_made;                /* its thread exists; boot_lock */
    _Atomic(uint32_t) dead;           /* the verdict has been given */
    _Atomic(bool) main_gone;          /* goroutine 1 ended by Goexit */
    _Atomic(bool) started;            /* rn__init is through */
    _Atomic(bool) forked;             /* we are a child of fork: nothing works */
    _Atomic(bool) run_active;         /* an rn_run is in progress */
    _Atomic(int64_t) foreign_created; /* goroutines started by foreign threads */
    _Atomic(uint64_t) next_id;        /* source of id batches */
    rn__g *main_g;                    /* goroutine 1 */
} rn__scheduler;

extern rn__scheduler rn__sched;

/* runq.c */
void rn__gq_push_list(rn__g *first, rn__g *last, uint32_t n);
rn__g *rn__gq_take(rn__worker *w);
rn__g *rn__pick_rare(rn__worker *w, uint32_t tick);
void rn__ring_spill(rn__worker *w, rn__g *g);
rn__g *rn__steal(rn__worker *thief, int64_t now);
bool rn__work_waits(void);
void rn__pinned_push(rn__g *g);
rn__g *rn__pinned_take(rn__worker *w);
void rn__dump_queues(rn__worker *w);
void rn__dump_queues_quietly(rn__worker *w);

/* park.c */
void rn__push(rn__g *g);
void rn__push_now(rn__g *g);
void rn__push_local(rn__worker *w, rn__g *g);
void rn__inject(rn__g *first, rn__g *last, uint32_t n);

/* loop.c */
void rn__loop_entry(void);
void rn__g0_entry(void);
void rn__g0_loop(rn__worker *w);
rn__ctx *rn__bind(rn__worker *w, rn__g *next);

/* idle.c */
bool rn__wake_one(void);
void rn__wake_worker(rn__worker *w);
bool rn__wake_spare(void);
rn__g *rn__find_work(rn__worker *w);
void rn__adjust_workers(void);
bool rn__retire(rn__worker *w);
bool rn__nap(rn__worker *w);

/* init.c */
void rn__config_read(void);

/* blocking.c */
void rn__unlock_thread_at_exit(rn__worker *w, rn__g *g);

/* thread.c */
rn__worker *rn__worker_new(bool spare);
void rn__thread_start(rn__worker *w);
void rn__on_g0(void (*fn)(void *), void *arg);

/* poller.c */
enum rn__slept { RN__SLEPT_NOT, RN__SLEPT_INTERRUPTED, RN__SLEPT_AWAKE };
enum rn__slept rn__poller_sleep(rn__worker *w, int64_t until, bool (*awake)(rn__worker *w));
bool rn__poller_look(rn__worker *w);
bool rn__poller_orphaned(void);
bool rn__poller_due(int64_t now);
void rn__poller_watch(void);
void rn__poller_ring(rn__worker *w);

/* watcher.c */
void rn__wake_watcher(void);
void rn__watch_before(int64_t deadline);

/* solo.c */
void rn__solo_init(void);
void rn__solo_enter(rn__worker *w);
void rn__solo_leave_locked(void);
void rn__crowd_add(int n);

/* stuck.c */
enum rn__pulse { RN__PULSE_HOG, RN__PULSE_BLOCKED, RN__PULSE_STARVED };
enum rn__pulse rn__pulse(rn__worker *w, uint32_t ticks, int64_t now);
bool rn__rescue(rn__worker *w);

/* timers.c */
void rn__timers_run(rn__worker *of, int64_t now);
bool rn__timers_pending(void);
int64_t rn__timers_first(void);

/* deadlock.c */
void rn__deadlock_check(void);
int64_t rn__deadlock_recheck(void);

/* goroutine.c */
rn__g *rn__g_alloc(rn__worker *w);
void rn__g_free(rn__worker *w, rn__g *g);
uint64_t rn__g_new_id(rn__worker *w);
void rn__gs_init(void);
int64_t rn__count_goroutines(void);

/* foreign.c */
rn__g *rn__foreign_current(void);
bool rn__foreign_park_locked(rn__g *g, _Atomic(uint64_t) *unlock, uint64_t value);
void rn__foreign_park(rn__g *g);
bool rn__foreign_known(void);
void rn__foreign_exempt(void);
bool rn__foreign_is_exempt(void);
void rn__foreign_suspend(void);
void rn__foreign_resume(void);
void rn__foreign_wake(rn__g *g);

/* bubble.c: all of it behind rn__hooked() */
void rn__bubble_adopt(rn__g *g);
void rn__bubble_exit(rn__g *g);
void rn__bubble_ready(rn__g *g, bool parked);
bool rn__bubble_hold(rn__g *g);
bool rn__bubble_others_wait(rn__g *g);
bool rn__bubble_give_way(rn__g *g);
bool rn__bubble_draw(uint32_t *r);
bool rn__bubble_arm(rn__timer *t, int64_t when);
bool rn__bubble_disarm(rn__timer *t);
bool rn__bubble_rearm(rn__timer *t, int64_t when);
bool rn__bubble_now(int64_t *now);
rn__bubble *rn__bubble_act(rn__bubble *b);
/* What a wait takes off the bubble's books, in two steps: before g belongs to its wakers, and after. */
rn__bubble *rn__bubble_parking(rn__g *g);
void rn__bubble_parked(rn__bubble *b, bool blocked);

/* The bubble's timers have this bit in rn__timer.heap, and the bubble's address. */
enum { RN__HEAP_BUBBLE = 1 };

/* policy.c */
void rn__det_push(rn__g *g);
rn__g *rn__det_pick(void);
void rn__det_set_now(int64_t now);
void rn__policy_init(void);
bool rn__det_advance(void);

static inline bool rn__det(void)
{
    /* relaxed: set before the first goroutine and never changed */
    return RN_UNLIKELY((atomic_load_explicit(&rn__hooks, memory_order_relaxed) & RN__HOOK_DET) !=
                       0);
}

/* Remembers a clock reading for those who need no exact one. Virtual time has its own. */
static inline void rn__note_clock(int64_t now)
{
    if (!rn__det())
        atomic_store_explicit(&rn__coarse, now, memory_order_relaxed);
}

/* --------------------------------------------------------------------------------- run queues */

static inline uint32_t rn__ring_len(rn__worker *w)
{
    return (uint32_t)atomic_load_explicit(&w->tail, memory_order_relaxed) -
           atomic_load_explicit(&w->head, memory_order_relaxed);
}

#endif
