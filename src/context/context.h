/*
 * context.h - the nodes of a context tree, their lock, and the breaker that a context is to a wait.
 *
 * The only header of this folder that other parts may include.
 *
 * A node is one of three things. A canceller (with_cancel, with_deadline, after_func) can be
 * cancelled and has children; a value or a shield only passes on. Every node knows the canceller
 * whose cancellation it shows (`scope`) and the nearest value above it (`values`), so that no
 * question walks a chain but the look-up of a value, which walks values only.
 *
 * Invariants
 *  - A node holds a reference on its parent, never the other way round, but for after functions:
 *    those are held by the tree until they have been started or stopped.
 *  - A canceller whose parent's scope can be cancelled stands in that scope's list of children
 *    until it is cancelled, or its last reference goes. Whoever takes it out of the list clears
 *    `attached`.
 *  - At most one node is locked at a time, nothing waits under the lock, and no switch happens. A
 *    goroutine's park may hold a channel's lock, so channels are not touched under it either.
 *  - err leaves 0 once. It says CLOSING between the moment when a node is cancelled and the moment
 *    when its done channel is closed; who reads that waits. So nobody sees err without a closed
 *    channel, nor a closed channel without err.
 *  - A cause is a text in a node at or above the one it is read from: it lives as long as that one.
 */
#ifndef RN_CONTEXT_H
#define RN_CONTEXT_H

#include "../panic/panic.h"
#include "../platform/annotate.h"
#include "../sched/sched.h"
#include <errno.h>
#include <runnel/context.h>

enum rn__ctx_kind {
    RN__CTX_BACKGROUND, /* never cancelled, never freed */
    RN__CTX_TODO,       /* the same under another name */
    RN__CTX_CANCEL,
    RN__CTX_TIMED,  /* with a deadline of its own */
    RN__CTX_AFTER,  /* starts a goroutine when cancelled */
    RN__CTX_VALUE,  /* has a value, shows its parent's cancellation */
    RN__CTX_SHIELD, /* shows no cancellation */
};

enum { RN__CTX_CLOSING = 1 << 30 }; /* in err, added to the negative code */

typedef struct rn__canceller rn__canceller;
typedef struct rn__ctx_value rn__ctx_value;

/* What every node has; constant but for refs. */
struct rn_ctx {
    _Atomic(uint64_t) refs; /* callers' and children's */
    rn_ctx *parent;         /* a reference; NULL: a root */
    rn__canceller *scope;   /* whose cancellation this one shows; NULL: none */
    rn__ctx_value *values;  /* nearest value, this node included; NULL: none */
    uint8_t kind;           /* enum rn__ctx_kind */
};

/* A wait that a context can end; see rn__breaker. */
typedef struct rn__ctx_breaker {
    rn__breaker base;                    /* must be first */
    rn_ctx *ctx;                         /* not a reference: whoever waits has one */
    struct rn__ctx_breaker *next, *prev; /* the scope's list; under its lock */
    bool linked;                         /* in that list; under the scope's lock */
    rn__g *g;                            /* who waits */
    uint64_t gen;                        /* its token */
} rn__ctx_breaker;

struct rn__canceller {
    rn_ctx base;               /* must be first */
    _Atomic(int32_t) err;      /* 0, -ECANCELED, -ETIMEDOUT, or one of these + CLOSING */
    _Atomic(uint32_t) lock;    /* guards children, waits, done, cause, text, and the links of the
                                 children; a few instructions at a time */
    _Atomic(uint8_t) attached; /* stands in the list of children; cleared (release) as the last
                                  access of who takes it out without a reference */
    _Atomic(uint8_t)
        busy; /* cancelled, and the children may not all be yet; cleared (release) by who
                              cancels them */
    rn__canceller *next, *prev; /* siblings; under the lock of the parent's scope. Out of the list:
                                   next is the sweep's */
    rn__canceller *children;    /* the newest; NULL: none */
    rn__ctx_breaker *waits;     /* waits that end when this is cancelled */
    _Atomic(rn_hchan *) done;   /* made when asked for; NULL: not yet */
    const char *cause;          /* the caller's text; NULL: none, the error is its own cause */
    char *text;                 /* that text, if it was given to this very node */
    int64_t deadline;           /* the earliest of its own and the ancestors'; constant */
};

/* With a deadline of its own. The timer's callback has the node's address and may come late. */
typedef struct rn__ctx_timed {
    rn__canceller node;      /* must be first */
    rn__timer timer;         /* armed while it can fire */
    _Atomic(uint64_t) holds; /* keep the memory: one for all references, one for the timer */
    char *late;              /* the cause if the deadline passes; NULL: none */
} rn__ctx_timed;

/* Its references: the tree's, while attached, and the caller's. */
struct rn_ctx_after {
    rn__canceller node; /* must be first */
    void (*fn)(void *); /* constant */
    void *arg;          /* constant */
};

struct rn__ctx_value {
    rn_ctx base; /* must be first */
    const rn_ctx_key *key;
    rn__ctx_value *up;                  /* next value on the way to the root */
    _Alignas(max_align_t) char bytes[]; /* a copy of the value */
};

/* ------------------------------------------------------------------------------------- the lock */

void rn__ctx_lock_crowd(rn__canceller *n);

static inline void rn__ctx_lock(rn__canceller *n)
{
    rn__hot *h = rn__self_hot();
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        /* nobody else can hold it: a lock is never held over a switch */
        atomic_store_explicit(&n->lock, 1, memory_order_relaxed);
        rn__solo_end(h);
        return;
    }
    rn__ctx_lock_crowd(n);
}
static inline void rn__ctx_unlock(rn__canceller *n)
{
    /* release: what was done under the lock */
    atomic_store_explicit(&n->lock, 0, memory_order_release);
}

/* ---------------------------------------------------------------------------------- references */

static inline void rn__ctx_hold(rn_ctx *ctx)
{
    if (ctx->kind > RN__CTX_TODO)
        (void)rn__solo_add(&ctx->refs, 1);
}

/* A reference on a node that may have none left: false then. */
static inline bool rn__ctx_try_hold(rn_ctx *ctx)
{
    /* relaxed: the exchange decides */
    uint64_t n = atomic_load_explicit(&ctx->refs, memory_order_relaxed);
    while (n != 0) {
        if (rn__solo_cas(&ctx->refs, &n, n + 1))
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------------------- between the files */

/* Panics with Go's text for a NULL context. */
RN_COLD __attribute__((noreturn)) void rn__ctx_is_null(const char *site);

/* What the scope shows: 0 or the negative errno. Waits out CLOSING. */
int rn__ctx_closing(const rn__canceller *n);
static inline int rn__ctx_state(const rn__canceller *n)
{
    /* acquire: what came before the cancellation, the cause included, is visible */
    int32_t e = atomic_load_explicit(&n->err, memory_order_acquire);
    if (RN_UNLIKELY(e > 0))
        e = rn__ctx_closing(n);
    if (e != 0)
        RN__HB_ACQUIRE(n);
    return e;
}

/* Fills a new canceller and takes a reference on its parent. */
void rn__ctx_init_canceller(rn__canceller *n, rn_ctx *parent, enum rn__ctx_kind kind);

/* Puts a node that nobody knows yet under the scope of its parent. False: that is cancelled already,
 * and now so is the node. */
bool rn__ctx_attach(rn__canceller *n);

/* Takes it out of the list; true if it was there. */
bool rn__ctx_detach(rn__canceller *n);

/* Cancels n and all below, wakes everybody. cause: a text that the node or its ancestors own; own: the
 * copy that the node shall own, or NULL; given back by false if n was cancelled already. When it
 * returns, all below are cancelled, whoever did it. */
bool rn__ctx_sweep(rn__canceller *n, int code, const char *cause, char *own);

/* The deadline has passed: the timer's callback. */
void rn__ctx_expired(void *timed, uint64_t gen);

/* Starts the function of an after node that has been cancelled; takes over the tree's reference. */
void rn__ctx_after_start(rn_ctx_after *a);

/* Drops one of the two holds of a timed node's memory. */
void rn__ctx_timed_drop(rn__ctx_timed *t);

/* Memory of a node (memory.c); out of memory is fatal. extra: bytes behind a value. */
void *rn__ctx_alloc(enum rn__ctx_kind kind, size_t extra);
void rn__ctx_free(void *node, uint8_t kind);
char *rn__ctx_copy_text(const char *text);

/* ----------------------------------------------------------------------------------- the breaker */

/* The breaker that is a context, of which the caller keeps a reference while it is armed. */
rn__breaker *rn__ctx_breaker_init(rn__ctx_breaker *b, rn_ctx *ctx);

#endif
