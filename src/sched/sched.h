/*
 * sched.h - goroutines, workers, park and ready: what every part above the scheduler stands on.
 *
 * The only header of this folder that other parts may include (sched's own files also include
 * runq.h and idle.h).
 *
 * Invariants
 *  - One park, one ready. Whoever blocks goes through rn__park_locked (plain) or rn__park_permit, and
 *    says reason, object and site; whoever wakes goes through rn__ready.
 *  - A goroutine is in exactly one place: running on one worker, in one run queue, or waiting.
 *  - A descriptor is type-stable: its memory is never given back and its token generation survives
 *    reuse, so a late waker with an old generation does no harm.
 *  - A goroutine's stack is bound when it first runs. One that never blocks runs on the stack on
 *    which the worker's loop stands already.
 *  - What runs next, which ready case a select takes, and what time it is, are asked through the
 *    functions under "policy" below, so that a run can be replayed from a seed.
 */
#ifndef RN_SCHED_H
#define RN_SCHED_H

#include "../platform/platform.h"
#include "../stack/stack.h"
#include <runnel/hchan.h>
#include <pthread.h>
#include <runnel/sched.h>

typedef struct rn__g rn__g;
typedef struct rn__worker rn__worker;
typedef struct rn__bubble rn__bubble;

/* ------------------------------------------------------------------------- reasons of waiting */

/* Go's texts, shown in brackets in dumps. X(name, text) */
#define RN__REASONS(X)                             \
    X(NONE, "")                                    \
    X(CHAN_RECEIVE, "chan receive")                \
    X(CHAN_SEND, "chan send")                      \
    X(CHAN_RECEIVE_NIL, "chan receive (nil chan)") \
    X(CHAN_SEND_NIL, "chan send (nil chan)")       \
    X(SELECT, "select")                            \
    X(SELECT_NO_CASES, "select (no cases)")        \
    X(SLEEP, "sleep")                              \
    X(IO_WAIT, "IO wait")                          \
    X(SEMACQUIRE, "semacquire")                    \
    X(MUTEX_LOCK, "sync.Mutex.Lock")               \
    X(RWMUTEX_RLOCK, "sync.RWMutex.RLock")         \
    X(RWMUTEX_LOCK, "sync.RWMutex.Lock")           \
    X(COND_WAIT, "sync.Cond.Wait")                 \
    X(WAITGROUP_WAIT, "sync.WaitGroup.Wait")       \
    X(ONCE, "sync.Once.Do")                        \
    X(SEM_ACQUIRE, "semaphore acquire")            \
    X(BARRIER_WAIT, "barrier wait")                \
    X(TEST_RUN, "synctest.Run")                    \
    X(TEST_WAIT, "synctest.Wait")                  \
    X(GOEXIT_MAIN, "main exited")

enum rn__reason {
#define X(name, text) RN__WAIT_##name,
    RN__REASONS(X)
#undef X
};
const char *rn__reason_text(enum rn__reason r);

/* ------------------------------------------------------------------------------------- sudog */

/*
 * A place in a channel's wait queue. A plain operation uses the one in the descriptor, a select an
 * array on its own stack. All fields but `linked` are guarded by the channel's lock.
 */
typedef struct rn__sudog {
    struct rn__sudog *next; /* circular list: the head's prev is the tail */
    struct rn__sudog *prev;
    void *elem;               /* the value to send, or where to put the received one; may be NULL */
    uint16_t icase;           /* select: index of the case */
    bool is_select;           /* a waker must win g->token first */
    bool is_send;             /* in sendq rather than recvq */
    _Atomic(uint32_t) linked; /* 1 while in a queue; 0 is stored (release) as the last access to
                                 this sudog by whoever took it out, so the owner may reuse the
                                 memory as soon as it reads 0 (acquire) */
    /* in a descriptor, the next line begins here: a plain hand-over need not touch it */
    rn_hchan *c;  /* the channel */
    rn__g *g;     /* who waits; if it is not a select's, also where this stands in: rn__sudog_g */
    uint64_t gen; /* select: the token value that a waker must find */
} rn__sudog;

/* -------------------------------------------------------------------------------- descriptor */

enum rn__status {
    RN__DEAD = 0,     /* free, or a foreign thread's record not in use */
    RN__RUNNABLE = 1, /* in a run queue; fresh if it has no stack */
    RN__RUNNING = 2,
    RN__WAITING = 3,
};

enum {
    RN__G_FOREIGN = 1,   /* stands for a thread that is not a worker: ready posts its futex */
    RN__G_HEAPARGS = 2,  /* arguments did not fit: args[0] points to them */
    RN__G_PINNED = 4,    /* runs on ext->home only (stay, or locked to its thread) */
    RN__G_MAIN = 8,      /* goroutine 1 */
    RN__G_SYSTEM = 16,   /* not counted, not dumped */
    RN__G_OWNSTACK = 32, /* stands on a thread's own stack (main) */
    RN__G_STAY = 64,     /* pin to the first worker that runs it */
};

/* How a wait ended; written by the winner before rn__ready. */
enum rn__won { RN__WON_OK = 0, RN__WON_CLOSED = 1, RN__WON_TIMEOUT = 2, RN__WON_CANCELED = 3 };

enum { RN__TOKEN_IDLE = 0, RN__TOKEN_WAITING = 1, RN__TOKEN_DONE = 2 };
enum { RN__PERMIT_RUNNING = 0, RN__PERMIT_PARKED = 1, RN__PERMIT_NOTIFIED = 2 };
enum { RN__ARGS_INLINE = 56 };

/* key NUL value NUL, any number of times. Never changes; shared by counted references. */
typedef struct rn__labels {
    _Atomic(uint32_t) refs;
    size_t bytes; /* of text */
    char text[];
} rn__labels;

/* A value of the goroutine's own. */
typedef struct rn__local {
    struct rn__local *next;    /* older one */
    struct rn_local_key *key;  /* which one */
    _Alignas(16) char value[]; /* as long as the key's owner said */
} rn__local;

/* What a goroutine says and keeps about itself (self.c). */
typedef struct rn__self_data {
    char name[64];       /* from rn_set_name */
    bool named;          /* name counts, also if it is empty */
    rn__labels *labels;  /* NULL: none */
    rn__local *locals;   /* newest first */
    rn__local *dropping; /* the one whose drop function runs */
} rn__self_data;

/* Rarely needed parts of a goroutine; allocated when one of them is. */
typedef struct rn__gext {
    rn__worker *home;   /* RN__G_PINNED: the only worker that may run it */
    uint32_t locks;     /* depth of rn_lock_os_thread */
    const char *name;   /* from rn_go_attr */
    void *tsan_fiber;   /* TSan builds: shadow of this goroutine */
    void *asan_fake;    /* ASan builds: saved fake stack of this goroutine */
    const void *own_lo; /* RN__G_OWNSTACK: bounds of the thread's stack, for ASan and dumps */
    size_t own_size;
    void *panic;                      /* the running panic (panic/) */
    void *args;                       /* heap copy of large arguments */
    rn__self_data *self;              /* name, labels, own values; NULL: none */
    rn__bubble *bubble;               /* it belongs to; never changes; NULL: none */
    rn__bubble *acting;               /* in whose name it acts at present; see rn__acting */
    rn__g *bubble_next, *bubble_prev; /* the bubble's list of members; its lock */
    uint32_t bubble_epoch;            /* the bubble's when the present wait began */
    bool loose; /* somebody outside may end the next wait; by itself, before it queues up */
} rn__gext;

struct rn__g {
    /* line 0: all that a hand-over touches of the other side */
    rn__ctx ctx;              /* must be first: the saved stack pointer and the result on resume */
    rn__g *next;              /* link in a run queue, a free list or a batch */
    _Atomic(uint32_t) permit; /* RUNNING, PARKED, NOTIFIED: see rn__park_permit; foreign: futex */
    _Atomic(uint8_t) status;  /* enum rn__status; for dumps and verdicts, relaxed: the queues and
                                locks order everything that matters */
    uint8_t reason;           /* enum rn__reason */
    uint8_t flags;            /* RN__G_*; written by the goroutine or before it starts */
    uint8_t klass;            /* stack class */
    union {
        rn__sudog sudog; /* the waiter of single-channel operations and of sync objects */
        void *args[RN__ARGS_INLINE / sizeof(void *)]; /* fresh: the arguments */
    };
    /* line 1 continues behind the sudog: what a wait and a start touch */
    _Atomic(uint64_t) token; /* gen << 2 | IDLE/WAITING/DONE; gen is never reset */
    rn__stack *stack;        /* NULL while fresh, and for RN__G_OWNSTACK */
    uint64_t id;             /* goroutine id; 0 when dead */
    void (*fn)(void *);      /* entry */
    uint16_t won_case;       /* select: the winning case */
    uint8_t won_how;         /* enum rn__won */
    uint32_t bubble;         /* number of its bubble, 0: none; others may read it at any time */
    /* line 2: for dumps and the rare parts */
    const char *site;        /* "file:line" of the present wait */
    void *obj;               /* waiting: the channel or sync object; fresh: previous in the deque */
    int64_t since;           /* coarse time of parking */
    const rn_go_site *where; /* the go statement: entry's name, creating function, file:line */
    uint64_t parent;         /* id of the creator */
    void *defers;            /* newest deferred call (panic/) */
    rn__gext *ext;           /* NULL until needed */
};
_Static_assert(offsetof(rn__g, sudog.c) == RN__CACHELINE, "a hand-over touches one line");

/* Whose sudog this is, for one that is not a select's: found without touching another line. */
static inline rn__g *rn__sudog_g(rn__sudog *w)
{
    return (rn__g *)(void *)((char *)w - offsetof(rn__g, sudog));
}
_Static_assert(sizeof(rn__g) <= 192, "a descriptor stays small: a million of them are live");

/* ------------------------------------------------------------------------------------- solo */

/*
 * While one worker alone is active and no foreign thread is registered, that worker is "solo": it
 * takes locks and pops its queues with plain loads and stores, since nobody else may touch them. A
 * locked instruction costs as much as the rest of a channel operation.
 *
 *   worker   busy = 1; solo? -> read, decide, write; busy = 0       (rn__solo_begin, rn__solo_end)
 *   others   solo = 0; membarrier; wait until busy == 0             (solo.c), then activate or register
 *
 * The membarrier makes the other side's fence unnecessary: a worker that still saw solo == 1 has its
 * busy == 1 visible afterwards. The window holds a handful of instructions: no call, no lock, no switch.
 */
typedef struct rn__hot {
    rn__g *cur;             /* the goroutine that runs here; NULL on g0 */
    _Atomic(uint32_t) solo; /* 1: plain accesses do; cleared by others as above */
    _Atomic(uint32_t) busy; /* inside such a window; written by the worker only */
    uint32_t hopes;         /* counts rn__solo_hope */
    uint32_t reader; /* index of this worker's place in rn__readers (sync/readers.h); 0: none */
    uint64_t rng;    /* state of this worker's random numbers; 0: ask rn__choose_rare */
} rn__hot;

/* The current worker's hot words (the start of struct rn__worker), or NULL on a foreign thread. */
static inline rn__hot *rn__self_hot(void)
{
    return (rn__hot *)(void *)rn__self();
}
static inline bool rn__solo_begin(rn__hot *h)
{
    atomic_store_explicit(&h->busy, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* program order is enough: see above */
    if (RN_LIKELY(atomic_load_explicit(&h->solo, memory_order_relaxed) != 0))
        return true;
    atomic_store_explicit(&h->busy, 0, memory_order_relaxed);
    return false;
}
/* A random number, by a linear congruential generator of 64 bits (Knuth's MMIX), of which the upper half
 * is good. */
static inline uint32_t rn__hot_rand(rn__hot *h)
{
    h->rng = h->rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(h->rng >> 32);
}
/* Called now and then on the slower path: the crowd may be gone. Outside any window. */
void rn__solo_hope(void);
static inline void rn__solo_end(rn__hot *h)
{
    /* release: whoever waits for 0 sees what the window wrote */
    atomic_store_explicit(&h->busy, 0, memory_order_release);
}

/* Ends solo mode for good if the calling thread is one that runnel has not met yet; every write to a
 * shared word by a thread that is not a worker comes after it. */
void rn__meet(void);

/* Read-modify-write, plain for a solo worker, else the atomic one with acq_rel. For words that only
 * goroutines, foreign threads and timers touch: all of them end solo mode before they come. */
static inline uint64_t rn__solo_add(_Atomic(uint64_t) *p, uint64_t n)
{
    rn__hot *h = rn__self_hot();
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        uint64_t old = atomic_load_explicit(p, memory_order_relaxed);
        atomic_store_explicit(p, old + n, memory_order_relaxed);
        rn__solo_end(h);
        return old;
    }
    if (RN_UNLIKELY(h == NULL))
        rn__meet();
    return atomic_fetch_add_explicit(p, n, memory_order_acq_rel);
}
static inline uint64_t rn__solo_or(_Atomic(uint64_t) *p, uint64_t bits)
{
    rn__hot *h = rn__self_hot();
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        uint64_t old = atomic_load_explicit(p, memory_order_relaxed);
        atomic_store_explicit(p, old | bits, memory_order_relaxed);
        rn__solo_end(h);
        return old;
    }
    if (RN_UNLIKELY(h == NULL))
        rn__meet();
    return atomic_fetch_or_explicit(p, bits, memory_order_acq_rel);
}
static inline bool rn__solo_cas(_Atomic(uint64_t) *p, uint64_t *expect, uint64_t value)
{
    rn__hot *h = rn__self_hot();
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        uint64_t old = atomic_load_explicit(p, memory_order_relaxed);
        bool same = old == *expect;
        if (same)
            atomic_store_explicit(p, value, memory_order_relaxed);
        rn__solo_end(h);
        *expect = old;
        return same;
    }
    if (RN_UNLIKELY(h == NULL))
        rn__meet();
    return atomic_compare_exchange_strong_explicit(p, expect, value, memory_order_acq_rel,
                                                   memory_order_acquire);
}
static inline uint32_t rn__solo_swap32(_Atomic(uint32_t) *p, uint32_t value)
{
    rn__hot *h = rn__self_hot();
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        uint32_t old = atomic_load_explicit(p, memory_order_relaxed);
        atomic_store_explicit(p, value, memory_order_relaxed);
        rn__solo_end(h);
        return old;
    }
    if (RN_UNLIKELY(h == NULL))
        rn__meet();
    return atomic_exchange_explicit(p, value, memory_order_acq_rel);
}
static inline bool rn__solo_cas32(_Atomic(uint32_t) *p, uint32_t expect, uint32_t value)
{
    rn__hot *h = rn__self_hot();
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        bool same = atomic_load_explicit(p, memory_order_relaxed) == expect;
        if (same)
            atomic_store_explicit(p, value, memory_order_relaxed);
        rn__solo_end(h);
        return same;
    }
    if (RN_UNLIKELY(h == NULL))
        rn__meet();
    return atomic_compare_exchange_strong_explicit(p, &expect, value, memory_order_acq_rel,
                                                   memory_order_acquire);
}

/* ------------------------------------------------------------------------- current goroutine */

/* The running goroutine; on a foreign thread its record, made and registered at the first call;
 * starts the runtime and makes goroutine 1 if need be. Never NULL. */
rn__g *rn__current(void);

/* The same without a call where a goroutine runs. */
static inline rn__g *rn__running(void)
{
    rn__hot *h = rn__self_hot();
    return RN_LIKELY(h != NULL && h->cur != NULL) ? h->cur : rn__current();
}

/* Adds g->ext if missing; fatal when out of memory. */
rn__gext *rn__g_ext(rn__g *g);

/* self.c: the name that dumps show, or NULL. The first key of a set of labels (at NULL), or the one behind
 * `at`; NULL at the end. Async-signal-safe, both. */
const char *rn__g_name(const rn__g *g);
const char *rn__labels_next(const rn__labels *l, const char *at, const char **value);

/* self.c: g, which is new, begins with the labels of `from`, which has an ext. The end of the goroutine
 * whose ext is not NULL: drops its values; called by itself, may block. Then frees the rest. */
void rn__labels_inherit(rn__g *g, const rn__g *from);
void rn__self_end(rn__g *g);
void rn__self_free(rn__gext *x);

/* The goroutine's id, printed name, and whether it is a foreign thread's record. */
static inline bool rn__is_foreign(const rn__g *g)
{
    return (g->flags & RN__G_FOREIGN) != 0;
}

/* ------------------------------------------------------------------------------ park, ready */

/* A recent rn__clock value, for what needs no exact time; refreshed by whoever reads the clock. */
extern _Atomic(int64_t) rn__coarse;

/* Notes on the descriptor what it is about to wait for; the only writer is the goroutine itself.
 * Before g is put into a queue: afterwards the waker may have written the status already. */
static inline void rn__note_wait(rn__g *g, enum rn__reason reason, void *obj, const char *site)
{
    g->reason = (uint8_t)reason;
    g->obj = obj;
    g->site = site;
    /* relaxed, both: read by dumps only */
    g->since = atomic_load_explicit(&rn__coarse, memory_order_relaxed);
    atomic_store_explicit(&g->status, RN__WAITING, memory_order_relaxed);
}

/*
 * Plain park. The caller holds the lock word *unlock, and g stands in a queue that it guards; the
 * word is set to `value` (release) after g's context is saved. Whoever takes g out of the queue under
 * that lock is its only waker. Returns g->ctx.ret, which the waker sets before rn__ready.
 * May be the last call of its caller ("tail-park").
 */
bool rn__park_locked(rn__g *g, _Atomic(uint64_t) *unlock, uint64_t value);

/*
 * Permit park, for everything with more than one possible waker (select, deadlines, cancellation).
 *   rn__token_open    starts a wait; returns the value that wakers must find in g->token
 *   rn__token_take    a waker's claim: true for exactly one caller per wait
 *   rn__ready_permit  wakes g; only by the one that took the token, after writing won_*
 *   rn__park_permit   sleeps until then; returns at once if it has happened already
 *   rn__token_close   ends the wait; the generation stays used up
 */
static inline uint64_t rn__token_open(rn__g *g)
{
    /* relaxed: published to wakers by the lock under which the sudogs (or the timer) are queued */
    uint64_t t = atomic_load_explicit(&g->token, memory_order_relaxed);
    t = ((t >> 2) + 1) << 2 | RN__TOKEN_WAITING;
    atomic_store_explicit(&g->token, t, memory_order_relaxed);
    return t;
}
static inline bool rn__token_take(rn__g *g, uint64_t waiting)
{
    /* Only uniqueness is needed from the RMW; acq_rel covers timers and cancellation, which hold no
     * channel lock. */
    return rn__solo_cas(&g->token, &waiting, (waiting & ~(uint64_t)3) | RN__TOKEN_DONE);
}
static inline void rn__token_close(rn__g *g)
{
    uint64_t t = atomic_load_explicit(&g->token, memory_order_relaxed);
    atomic_store_explicit(&g->token, (t & ~(uint64_t)3) | RN__TOKEN_IDLE, memory_order_relaxed);
}
void rn__park_permit(rn__g *g);
void rn__ready_permit(rn__g *g);

/* Makes a plainly parked goroutine runnable; called without any lock held. */
void rn__ready(rn__g *g);

/* The same for many, collected under a lock and readied after it, in order: one queue operation for
 * all (close, broadcast). */
typedef struct rn__batch {
    rn__g *first, *last; /* linked by next */
    rn__g *odd;          /* foreign threads and pinned goroutines, linked by next */
    uint32_t n;          /* length of first..last */
    rn__g *recent[8];    /* the last ones added: each gets to know who comes eight later */
} rn__batch;
/* The rest of an empty batch may stay as it is. */
static inline void rn__batch_init(rn__batch *b)
{
    b->first = b->last = b->odd = NULL;
    b->n = 0;
}
static inline void rn__batch_add(rn__batch *b, rn__g *g)
{
    g->next = NULL;
    if (RN_UNLIKELY((g->flags & (RN__G_FOREIGN | RN__G_PINNED)) != 0)) {
        g->next = b->odd;
        b->odd = g;
        return;
    }
    if (b->last != NULL)
        b->last->next = g;
    else
        b->first = g;
    b->last = g;
    /* For the prefetch of those who walk the list. The waiter is out of its queue, its prev is free. */
    if (b->n >= 8)
        b->recent[b->n % 8]->sudog.prev = &g->sudog;
    b->recent[b->n % 8] = g;
    b->n++;
}
void rn__batch_ready(rn__batch *b);

/* Gives way while a lock is held by somebody else: backs off, then lets other goroutines run.
 * `round` counts from 0. The caller must hold no lock if may_yield. */
void rn__backoff(unsigned round, bool may_yield);

/* rn_go_start in two steps, for callers inside the scheduler (g0, the watcher, threads of the library):
 * the descriptor of a goroutine that runs in no queue yet, and its start. parent: its creator's id. */
rn__g *rn__go_prepare(void (*fn)(void *), const void *args, size_t nargs, const rn_go_site *where,
                      uint64_t parent);
void rn__go_launch(rn__g *g);

/* ------------------------------------------------------------------------------------ timers */

typedef struct rn__timer rn__timer;

/* What a sync callback wants to happen after it, when its timer is free again. */
enum rn__fired_how {
    RN__FIRED_READY,  /* rn__ready(g) */
    RN__FIRED_PERMIT, /* rn__ready_permit(g) */
    RN__FIRED_FRESH,  /* rn__go_launch(g) */
};
typedef struct rn__fired {
    int64_t next;           /* when to fire again; 0: no more */
    rn__g *g;               /* whom to make runnable; NULL: nobody */
    enum rn__fired_how how; /* in which way */
} rn__fired;

struct rn__timer {
    int64_t when; /* due time on rn_now() */
    /* One of the two; called by a worker or the watcher, without locks; short, and must not block. fire
     * gets copies, and the timer is its owner's again before. sync gets the timer itself, and whoever
     * disarms or rearms it waits until it has returned. */
    void (*fire)(void *arg, uint64_t gen);
    rn__fired (*sync)(rn__timer *t, int64_t now);
    void *arg;                /* for fire */
    uint64_t gen;             /* for fire: the token to take */
    rn__worker *_Atomic heap; /* whose heap holds it; NULL: none */
    uint32_t index;           /* position in that heap, or RN__TIMER_FIRING */
};
#define RN__TIMER_FIRING UINT32_MAX /* out of the heap, the callback has not returned */

/* Arms t; the caller owns the memory until it has fired or been disarmed. */
void rn__timer_arm(rn__timer *t, int64_t when);

/* Takes t out. True if it will not fire; false if it has fired or is about to. In both cases t's memory
 * is the caller's again. */
bool rn__timer_disarm(rn__timer *t);

/* Changes the due time of t if it is armed; false, having done nothing, if not. Putting a timer off
 * costs next to nothing. Not while somebody else arms or disarms t. */
bool rn__timer_rearm(rn__timer *t, int64_t when);

/* rn_now() of the program, also for a caller in a bubble. */
int64_t rn__now_outside(void);

/* The fire function that ends a permit park: arg is the goroutine, gen its token. won_how says
 * RN__WON_TIMEOUT. */
void rn__timer_wake(void *arg, uint64_t gen);

/*
 * A breaker may end a permit park before anybody grants what is waited for: a deadline, a context. It is
 * the first member of the kind's own struct. A wait that takes one (NULL: none) does:
 *
 *     gen = rn__token_open(g);  queue g somewhere;  if (!b->arm(b, g, gen)) and the token can still be
 *     taken: withdraw and return b->how(b);  rn__park_permit(g);  b->disarm(b);  rn__token_close(g)
 *
 * When it fires it takes the token, sets won_how to TIMEOUT or CANCELED and readies the permit; the
 * woken goroutine withdraws from the queue by itself.
 */
typedef struct rn__breaker rn__breaker;
struct rn__breaker {
    bool (*arm)(rn__breaker *b, rn__g *g, uint64_t gen); /* false: it is over, nothing was armed */
    void (*disarm)(rn__breaker *b); /* on return it touches neither b nor g any more */
    int (*how)(rn__breaker *b);     /* -ETIMEDOUT or -ECANCELED, once it is over */
};

/* The breaker that is a time on rn_now(). */
typedef struct rn__deadline {
    rn__breaker base;
    rn__timer timer;
    int64_t at;
} rn__deadline;
rn__breaker *rn__deadline_init(rn__deadline *d, int64_t at);

/* ----------------------------------------------------------------------- threads of the library */

/* Makes a detached thread with a stack of that many bytes, in which all signals are blocked: they are the
 * program's. A thread that runs goroutines lets those through that a fault raises, and SIGQUIT. 0 or a
 * negative errno. On a system stack. */
int rn__thread_create(pthread_t *t, size_t stack, bool runs_goroutines, void *(*run)(void *),
                      void *arg);

/* A thread of the library that is neither a worker nor the program's: called once, as its first act. It
 * does not register as a foreign thread. What it does to channels and goroutines stands between begin and
 * end, which keep every worker from being solo meanwhile. */
void rn__service_enter(void);
void rn__service_begin(void);
void rn__service_end(void);

/* n more (or fewer) reasons why something may happen although nobody runs: the deadlock report waits for
 * them. With fewer it may come now. */
void rn__source_add(int n);

/* -------------------------------------------------------------------------------- the poller */

/* What the I/O part gives to the scheduler: where a worker may sleep and hear of descriptors. Used by
 * one thread at a time. */
typedef struct rn__poller {
    int (*wait)(
        int64_t until); /* until that time on rn__clock() (0: just looks; RN_NEVER), an event or
                                   an interruption; how many events are there to dispatch */
    void (*dispatch)(int n); /* wakes whom they concern */
    void (*interrupt)(void); /* brings the sleeper back; from any thread */
} rn__poller;
void rn__poller_install(const rn__poller *p);

/* +1 before a goroutine waits for something that the poller reports, -1 when it runs again. */
void rn__wait_outside(int n);

/* g is about to park so: makes sure that somebody will listen. */
void rn__poller_needed(rn__g *g);

/* ------------------------------------------------------------------------------------ policy */

enum rn__hook {
    RN__HOOK_TRACE = 1,  /* the event hook has a listener */
    RN__HOOK_DET = 2,    /* deterministic policy */
    RN__HOOK_BUBBLE = 4, /* there is a bubble */
};
/* Read at every operation; zero in normal running, so the branch is predicted and costs nothing. */
extern _Atomic(uint32_t) rn__hooks;
static inline bool rn__hooked(void)
{
    /* relaxed: set before the first goroutine starts, or by a tool that can be late */
    return RN_UNLIKELY(atomic_load_explicit(&rn__hooks, memory_order_relaxed) != 0);
}

enum rn__event {
    RN__EV_CREATE,
    RN__EV_START,
    RN__EV_PARK,
    RN__EV_READY,
    RN__EV_STEAL,
    RN__EV_BLOCK,
    RN__EV_EXIT,
    RN__EV_SEND,
    RN__EV_RECV,
    RN__EV_CLOSE,
};
/* The slow side of a hooked operation: tells the listener, and under the deterministic policy is a
 * point where another goroutine may run. Call with no lock held. */
void rn__hook_point(enum rn__event e, rn__g *g, void *obj);
/* The same without the scheduling point: allowed under locks. */
void rn__hook_event(enum rn__event e, rn__g *g, void *obj);

/* A uniform number below n (n > 0): which ready case, which order. */
uint32_t rn__choose_rare(uint32_t n); /* foreign threads, the deterministic policy */
static inline uint32_t rn__choose(uint32_t n)
{
    rn__hot *h = rn__self_hot();
    if (RN_UNLIKELY(h == NULL || h->rng == 0 || rn__hooked()))
        return rn__choose_rare(n);
    return (uint32_t)((uint64_t)rn__hot_rand(h) * n >> 32);
}

/* ----------------------------------------------------------------------------------- bubbles */

/*
 * A bubble is a set of goroutines with a clock of its own (bubble.c). All of this is called only behind
 * rn__hooked(), but for those for test/.
 */

/* In whose name the caller acts: its own bubble's, or, while it fires the timers of a bubble, that one's;
 * NULL: the world's. Never starts the runtime. */
rn__bubble *rn__acting(void);

/* The number of that bubble, for the mark on an object that is being made; 0: none. */
uint32_t rn__acting_number(void);

/* The caller is about to use an object with this mark. True: it is its own bubble's, which nobody else may
 * use. False: others may use it. Fatal if it is another bubble's: "OP synctest channel from outside
 * bubble". An object that has outlived its bubble is nobody's. */
bool rn__bubble_use(uint32_t mark, const char *op);

/* g, which is the caller, says of the wait on a channel or a mutex that it may enter next: somebody outside
 * of its bubble can end it. Before it is in any queue. */
void rn__bubble_loose(rn__g *g, bool loose);

/* Whether `holder`, who is said to hold a lock, is outside of g's bubble. Descriptors are never given back, so
 * an old holder does no harm: one that has ended holds nothing that anybody could wait for. */
static inline bool rn__bubble_outsider(const rn__g *holder, const rn__g *g)
{
    /* relaxed: a guess, see rn_mutex */
    return holder != NULL && holder->bubble != g->bubble &&
           atomic_load_explicit(&holder->status, memory_order_relaxed) != RN__DEAD;
}

/* For test/. The maker is the bubble's controller: what it does until rn__bubble_end, it does inside. NULL
 * without memory. seed != 0: one goroutine at a time, all choices from the seed. */
rn__bubble *rn__bubble_new(uint64_t seed, int64_t start);

/* Lets the bubble run until nothing moves in it. 0: all goroutines have ended. RN__BUBBLE_STUCK: none can go
 * on; RN__BUBBLE_LEFT: the first one has ended, others are blocked. May be called again. */
enum { RN__BUBBLE_STUCK = 1, RN__BUBBLE_LEFT = 2 };
int rn__bubble_run(rn__bubble *b);

/* The controller, which acts for nobody meanwhile, sleeps for ns of real time. */
void rn__bubble_look_again(rn__bubble *b, int64_t ns);

/* Calls fn for each goroutine of the bubble in order of creation; under the bubble's lock. */
void rn__bubble_each(rn__bubble *b, void (*fn)(rn__g *g, void *arg), void *arg);

/* Leaves p, from malloc, to a bubble in which somebody is left: it is never freed. */
void rn__bubble_keep(rn__bubble *b, void *p);

/* The controller leaves. Frees the bubble if nobody is left in it. */
void rn__bubble_end(rn__bubble *b);

/* The calling goroutine waits until all others of its bubble are blocked. False: others wait so already. */
bool rn__bubble_wait(rn__g *g, const char *site);

/* -------------------------------------------------------------------------- per-worker caches */

/* A free list of small objects that belongs to one worker: what a part frees and makes often goes
 * through one without any lock. */
typedef struct rn__freelist {
    void *head; /* linked by the objects' own link word */
    uint32_t n; /* length */
} rn__freelist;
enum rn__cache { RN__CACHE_HCHAN, RN__CACHE_CTX, RN__CACHE_CTX_TIMED, RN__CACHES };

/* The current worker's list, or NULL on a foreign thread. Valid until the caller may switch. */
rn__freelist *rn__worker_cache(enum rn__cache which);

/* ------------------------------------------------------------------------------- giving back */

/* What the watcher calls, about once a second while there is something to give back: it returns when it
 * wants to be called again, RN_NEVER: not until somebody works again. Set by sync/ with the first pool;
 * called without any lock. */
extern int64_t (*_Atomic rn__trim_hook)(int64_t now);

/* -------------------------------------------------------------------------- walking, counting */

/* Calls fn for each descriptor that is in use, in order of creation of the descriptors. The world is
 * not stopped: fields may change meanwhile. Async-signal-safe. */
void rn__for_each_g(void (*fn)(rn__g *g, void *arg), void *arg);

/* Calls fn for each registered foreign thread's record. */
void rn__for_each_foreign(void (*fn)(rn__g *g, void *arg), void *arg);

/* The goroutine that this thread runs, or NULL; async-signal-safe, never starts the runtime. */
rn__g *rn__g_peek(void);

/* ------------------------------------------------------------------------------------ verdict */

/* What the scheduler calls when all goroutines are asleep. Set by panic/ at start-up. */
extern void (*rn__deadlock_report)(bool main_gone);

/* Ends the calling goroutine without running anything more: the last step of Goexit, and of a
 * goroutine function that returned. */
__attribute__((noreturn)) void rn__g_exit(void);

/* ---------------------------------------------------------------- what panic/ implements for us */

/* Prints "fatal error: TEXT" and the caller's stack, and exits with status 2. Cannot be recovered. */
__attribute__((noreturn, format(printf, 1, 2))) void rn__fatal(const char *fmt, ...);

/* Called once by the start of the runtime, before the first goroutine. */
void rn__panic_init(void);
void rn__sigquit_install(void);
void rn__overflow_report(const void *addr, char *slot_lo, char *slot_hi);

/* RUNNEL_DEBUG settings, parsed once. */
typedef struct rn__config {
    bool deterministic; /* seed=N was given */
    uint64_t seed;      /* its value */
    int maxprocs;       /* RUNNEL_MAXPROCS; 0: not set */
    size_t stack;       /* stack=BYTES; 0: default */
    bool no_solo;       /* solo=0: never take the plain path of a lone worker */
    bool trace_hash;    /* tracehash=1: print the hash of all events at exit */
    int traceback;      /* RUNNEL_TRACEBACK: 0 none, 1 single (default), 2 all, 3 system, 4 crash */
} rn__config;
extern rn__config rn__cfg;

/* Starts the runtime if it has not been; the calling thread becomes goroutine 1 if it is the main
 * thread of the process. */
void rn__init(void);

#endif
