/*
 * context.h - contexts: cancellation, deadlines and values that are passed down a tree of calls.
 *
 *     rn_ctx_auto ctx = rn_ctx_with_timeout(parent, 2 * RN_SEC);
 *     switch (chan_select(on_recv(answers, &a), on_ctx(ctx))) {
 *     case 0: return use(&a);
 *     case 1: return rn_ctx_err(ctx);        -ECANCELED or -ETIMEDOUT
 *     }
 *
 * Who owns what. A context that a function returns comes with one reference; it belongs to the
 * caller, who gives it back with rn_ctx_unref or writes rn_ctx_auto. A context that is passed as an
 * argument is borrowed for the time of the call; a goroutine that keeps it takes a reference of its
 * own (rn_ctx_ref). A child keeps its parent alive by itself. A context that is not cancelled and
 * has no reference and no child left is gone: it leaves its parent and stops its timer, and nobody
 * is told.
 *
 * Invariants
 *  - Cancellation goes down: to children and grandchildren, never to parents or siblings.
 *  - rn_ctx_err leaves 0 once and never changes again. It is not 0 exactly when rn_ctx_done is
 *    closed, for every observer.
 *  - When rn_ctx_cancel has returned, all contexts below are cancelled, whoever cancelled them.
 *  - A cancelled context stands in no list of its parent: a parent that lives long does not grow.
 *  - All functions may be called by goroutines and foreign threads, at any time, also at once.
 *
 * A NULL parent panics "cannot create context from nil parent"; begin with rn_ctx_background().
 */
#ifndef RUNNEL_CONTEXT_H
#define RUNNEL_CONTEXT_H

#include <runnel/base.h>
#include <runnel/chan.h>
#include <runnel/select.h>

RN_EXTERN_C_BEGIN

typedef struct rn_ctx rn_ctx;

/* ----------------------------------------------------------------------------------- the roots */

/* The root of all contexts: never cancelled, no deadline, no values. Static, so that references to it
 * cost nothing. Go: context.Background(). */
RN_API rn_ctx *rn_ctx_background(void);

/* The same for a place where it is not clear yet which context to use. Go: context.TODO(). */
RN_API rn_ctx *rn_ctx_todo(void);

/* ----------------------------------------------------------------------------------- ownership */

/* One more reference on ctx, which is returned. */
RN_API RN_NONNULL rn_ctx *rn_ctx_ref(rn_ctx *ctx);

/* Gives a reference back. NULL is allowed. Does not cancel: whoever holds the context still, or has made
 * a child of it, goes on. */
RN_API void rn_ctx_unref(rn_ctx *ctx);

/* rn_ctx_auto ctx = ...;  gives the reference back at the end of the scope. */
#define rn_ctx_auto        __attribute__((cleanup(rn__ctx_unref_var))) rn_ctx *

/* rn_ctx_cancel_auto ctx = rn_ctx_with_...;  cancels first, if ctx can be cancelled: whoever was started with
 * it does not outlive the scope for long. A panic runs neither of the two: rn_defer(rn_ctx_end,
 * ctx). Go: ctx, cancel := ...; defer cancel(). */
#define rn_ctx_cancel_auto __attribute__((cleanup(rn__ctx_end_var))) rn_ctx *

/* Cancels, if ctx can be cancelled, and gives the reference back; for rn_defer. NULL is allowed. */
RN_API void rn_ctx_end(void *ctx);

static inline RN_UNUSED void rn__ctx_unref_var(rn_ctx **ctx_)
{
    rn_ctx_unref(*ctx_);
}
static inline RN_UNUSED void rn__ctx_end_var(rn_ctx **ctx_)
{
    rn_ctx_end(*ctx_);
}

/* ------------------------------------------------------------------------------------- children */

/* A child that can be cancelled. Out of memory is fatal, as in Go; this holds for all that make
 * contexts. Go: context.WithCancel, context.WithCancelCause. */
RN_API rn_ctx *rn_ctx_with_cancel_at(rn_ctx *parent, const char *site);
#define rn_ctx_with_cancel(parent) rn_ctx_with_cancel_at((parent), RN_HERE)

/*
 * A child that is cancelled at `deadline`, a time on rn_now(): rn_ctx_err is -ETIMEDOUT then. The
 * parent's deadline counts if it is earlier; a time in the past cancels at once; RN_NEVER: none.
 * cause (copied; may be NULL) is what rn_ctx_cause says if the deadline passes, and only then. Can
 * be cancelled earlier. Go: context.WithDeadline, context.WithDeadlineCause.
 */
RN_API rn_ctx *rn_ctx_with_deadline_at(rn_ctx *parent, int64_t deadline, const char *cause,
                                       const char *site);
#define rn_ctx_with_deadline(parent, deadline) \
    rn_ctx_with_deadline_at((parent), (deadline), NULL, RN_HERE)
#define rn_ctx_with_deadline_cause(parent, deadline, cause) \
    rn_ctx_with_deadline_at((parent), (deadline), (cause), RN_HERE)

/* The same for a time from now, in nanoseconds. Go: context.WithTimeout, context.WithTimeoutCause. */
RN_API rn_ctx *rn_ctx_with_timeout_at(rn_ctx *parent, int64_t ns, const char *cause,
                                      const char *site);
#define rn_ctx_with_timeout(parent, ns) rn_ctx_with_timeout_at((parent), (ns), NULL, RN_HERE)
#define rn_ctx_with_timeout_cause(parent, ns, cause) \
    rn_ctx_with_timeout_at((parent), (ns), (cause), RN_HERE)

/* A child with the parent's values that no cancellation and no deadline reaches: a shield for what must
 * be finished. Go: context.WithoutCancel. */
RN_API rn_ctx *rn_ctx_without_cancel_at(rn_ctx *parent, const char *site);
#define rn_ctx_without_cancel(parent) rn_ctx_without_cancel_at((parent), RN_HERE)

/* --------------------------------------------------------------------------------------- values */

/*
 * A key is an object: its address is its identity, its type says which values it stands for.
 *
 *     typedef rn_ctx_key_of(struct user) user_key_type;       shared by header: extern const ...
 *     static const user_key_type user_key = RN_CTX_KEY("user");
 *     ctx = rn_ctx_with_value(parent, &user_key, (struct user){7, "ann"});
 *     const struct user *u = rn_ctx_value(ctx, &user_key);    NULL: none
 */
typedef struct rn_ctx_key {
    const char *name; /* shown by rn_ctx_string; NULL: the address is */
    size_t size;      /* of a value */
} rn_ctx_key;

#define rn_ctx_key_of(T)       \
    struct {                   \
        rn_ctx_key rn_key;     \
        __typeof__(T) *rn_its; \
    }
#define RN_CTX_KEY(name) \
    {                    \
        {name, 0}, NULL  \
    }

/*
 * A child with a value: a copy of the size bytes at value. A NULL key panics "nil key". The key
 * must live as long as the context. Go: context.WithValue.
 */
RN_API rn_ctx *rn_ctx_with_value_at(rn_ctx *parent, const rn_ctx_key *key, const void *value,
                                    size_t size, const char *site);

/* The bytes of the nearest value of that key, on the way from ctx to the root; NULL if there is none.
 * They live as long as ctx does. Go: ctx.Value(key). */
RN_API RN_NONNULL const void *rn_ctx_value_of(const rn_ctx *ctx, const rn_ctx_key *key);

/* The typed forms. The value is the last argument and may contain commas. */
#define rn_ctx_with_value(parent, key, ...) \
    RN__CTX_WITH(RN_UNIQUE(rn__k), RN_UNIQUE(rn__v), parent, key, __VA_ARGS__)
#define RN__CTX_WITH(k, v, parent, key, ...)                                                      \
    __extension__({                                                                               \
        __typeof__((key) + 0) k = (key);                                                          \
        __typeof__(*k->rn_its) v = __VA_ARGS__; /* one value of the key's type */                 \
        rn_ctx_with_value_at(parent, RN__CAST(const rn_ctx_key *, RN__CAST(const void *, k)), &v, \
                             sizeof v, RN_HERE);                                                  \
    })
#define rn_ctx_value(ctx, key) \
    RN__CAST(const __typeof__(*(key)->rn_its) *, rn_ctx_value_of(ctx, &(key)->rn_key))

/* --------------------------------------------------------------------------------- cancellation */

/*
 * Cancels ctx and all below: rn_ctx_err becomes -ECANCELED, done channels are closed, waits end,
 * after functions start. cause (copied; may be NULL) is what rn_ctx_cause says from then on; the
 * first one counts. Does nothing if ctx is cancelled already. Keeps the caller's reference. A
 * context that was not made by with_cancel, with_deadline or with_timeout panics: pass the one that
 * was. Go: cancel(), cancel(cause).
 */
RN_API void rn_ctx_cancel(rn_ctx *ctx, const char *cause);

/* 0, -ECANCELED after a cancel, or -ETIMEDOUT after the deadline, as every wait that ran out of time. One
 * load; never blocks. Go: ctx.Err(). */
RN_API int rn_ctx_err(const rn_ctx *ctx);

/* Go's words for it: "context canceled", "context deadline exceeded"; NULL as long as it is 0. */
RN_API const char *rn_ctx_err_text(const rn_ctx *ctx);

/* The cause given to the first cancel of ctx or of the ancestor that cancelled it; without one the same as
 * rn_ctx_err_text; NULL while not cancelled. Lives as long as ctx does. Go: context.Cause(ctx). */
RN_API const char *rn_ctx_cause(const rn_ctx *ctx);

/* When ctx is cancelled by itself, on rn_now(): the earliest deadline of its own and its ancestors';
 * RN_NEVER: never. Go: ctx.Deadline(). */
RN_API int64_t rn_ctx_deadline(const rn_ctx *ctx);

/* A channel that is closed when ctx is cancelled; NULL, which never fires, if that cannot happen. It
 * belongs to ctx: use it only while you hold a reference on ctx. Made at the first call. Go:
 * ctx.Done(). */
RN_API rn_hchan *rn_ctx_done_chan(rn_ctx *ctx);
static inline RN_UNUSED rn_recv_chan(rn_unit) rn_ctx_done(rn_ctx *ctx_)
{
    return RN__CAST(rn_recv_chan(rn_unit), RN__CAST(void *, rn_ctx_done_chan(ctx_)));
}

/* A case of chan_select that is ready when ctx is cancelled. Go: case <-ctx.Done(). */
#define rn_on_ctx(ctx) RN__CASE(RN_OP_RECV, rn_ctx_done_chan(ctx), NULL, NULL)

/* ------------------------------------------------------------------------------- after functions */

typedef struct rn_ctx_after rn_ctx_after;

/*
 * Calls fn(arg) in a goroutine of its own when ctx is cancelled; at once if it is already. The
 * result is a handle, to be given back with rn_ctx_after_unref at any time, which changes nothing
 * else. Until fn has been started or stopped it keeps ctx alive. Go: context.AfterFunc.
 */
RN_API rn_ctx_after *rn_ctx_after_func_at(rn_ctx *ctx, void (*fn)(void *), void *arg,
                                          const char *site);
#define rn_ctx_after_func(ctx, fn, arg) rn_ctx_after_func_at((ctx), (fn), (arg), RN_HERE)

/* True if this call prevented the run: fn will never be called. False if fn has been started, or was
 * stopped before. Does not wait for fn. Go: stop(). */
RN_API RN_NONNULL bool rn_ctx_after_stop(rn_ctx_after *after);

/* Gives the handle back. NULL is allowed. */
RN_API void rn_ctx_after_unref(rn_ctx_after *after);

/* ----------------------------------------------------------------------- waits that a context ends */

/* rn_sleep, ended early when ctx is cancelled: 0, or what rn_ctx_err says; that at once if ctx is cancelled
 * already. */
RN_API int rn_sleep_ctx(rn_ctx *ctx, int64_t ns);

/* Send and receive, ended early when ctx is cancelled; never panic. 0; -EPIPE closed (and, for take,
 * drained); what rn_ctx_err says, which is looked at first. The value comes last and may contain
 * commas. */
RN_API int rn_hchan_put_ctx(rn_hchan *c, rn_ctx *ctx, const void *elem, const char *site);
RN_API int rn_hchan_take_ctx(rn_hchan *c, rn_ctx *ctx, void *elem, const char *site);
#define rn_chan_put_ctx(c, ctx, ...) \
    RN__PUT_CTX(RN_UNIQUE(rn__c), RN_UNIQUE(rn__x), RN_UNIQUE(rn__v), c, ctx, __VA_ARGS__)
#define RN__PUT_CTX(ch, x, v, c, ctx, ...)                           \
    __extension__({                                                  \
        rn_hchan *ch = RN__SEND(c, "chan_put_ctx");                  \
        rn_ctx *x = ctx;                                             \
        RN__ELEM(c) v = __VA_ARGS__; /* one value of c's elements */ \
        rn_hchan_put_ctx(ch, x, &v, RN_HERE);                        \
    })
#define rn_chan_take_ctx(c, ctx, p) \
    rn_hchan_take_ctx(RN__RECV(c, "chan_take_ctx"), ctx, RN__INTO(c, p), RN_HERE)

/* ------------------------------------------------------------------------------------- describing */

/* Writes the chain that made ctx, for messages: "context.Background.WithCancel.WithValue(user)". Like
 * snprintf: at most n bytes with the NUL; returns how long the whole text is. */
RN_API size_t rn_ctx_string(const rn_ctx *ctx, char *buf, size_t n);

RN_EXTERN_C_END

#ifndef RN_NO_SHORT_NAMES
#define on_ctx(ctx)               rn_on_ctx(ctx)
#define chan_put_ctx(c, ctx, ...) rn_chan_put_ctx(c, ctx, __VA_ARGS__)
#define chan_take_ctx(c, ctx, p)  rn_chan_take_ctx(c, ctx, p)
#endif

#endif
