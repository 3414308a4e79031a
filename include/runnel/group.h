/*
 * group.h - structured concurrency: groups of goroutines that end before their scope does, shared
 * calls, parallel loops.
 *
 *     static int fetch(rn_ctx *ctx, const char *url, struct page *into);      0 or a negative errno
 *     GO_FUNC(fetch, rn_ctx *, const char *, struct page *);
 *     ...
 *     rn_group_auto(g, ctx);                              members get rn_group_ctx(&g)
 *     for (int i = 0; i < n; i++)
 *         rn_group_go(&g, fetch, rn_group_ctx(&g), url[i], &page[i]);
 *     return rn_group_wait(&g);                           all have ended; the first error, or 0
 *
 * Invariants
 *  - No member outlives the wait, or the scope of rn_group_auto, whatever way leads out of it.
 *  - The first error or panic cancels the group's context, and so tells the others to end; later
 *    ones change nothing. A panic counts more than an error: it goes on in the goroutine that
 *    waits.
 *  - Nothing is killed: a member that does not look at its context is waited for.
 *  - A group of zeros is ready: no context, no limit. A group must not be copied or moved.
 */
#ifndef RUNNEL_GROUP_H
#define RUNNEL_GROUP_H

#include <runnel/base.h>
#include <runnel/context.h>
#include <runnel/go.h>
#include <runnel/panic.h>
#include <runnel/sync.h>

RN_EXTERN_C_BEGIN

/* --------------------------------------------------------------------------------------- groups */

/* Goroutines that belong together; the members of the struct are private. Go: errgroup.Group. */
typedef struct rn_group {
    rn_waitgroup rn_members;   /* those that have not ended */
    rn_ctx *rn_context;        /* cancelled by the first failure; NULL: none */
    struct rn_hchan *rn_slots; /* one element for each member; NULL: no limit */
    rn_panic_info *rn_panic;   /* of the member that panicked first */
    void *rn_outer;            /* the panic that ran when the scope was entered */
    int32_t rn_err;            /* of the member that failed first */
    bool rn_scoped;            /* the end of a scope waits, too */
} rn_group;

/* Go's name for it. */
typedef rn_group rn_errgroup;

/* Makes *g a group with a context below parent; ends with rn_group_wait. A NULL parent panics.
 * Go: errgroup.WithContext(parent). */
RN_API void rn_group_init_at(rn_group *g, rn_ctx *parent, const char *site)
    __attribute__((nonnull(1)));
#define rn_group_init(g, parent) rn_group_init_at((g), (parent), RN_HERE)

/*
 * rn_group_auto(g, parent);  declares a group and ends it at the end of the block, on every path
 * out of it. A panic on the way out cancels the members first; otherwise they may finish. A
 * member's panic goes on here; an error that nobody fetched with rn_group_wait is dropped. A
 * nursery.
 */
#define rn_group_auto(g, parent)           \
    rn_group g;                            \
    rn_group_enter(&g, (parent), RN_HERE); \
    rn_defer(rn_group_leave, &g)
RN_API void rn_group_enter(rn_group *g, rn_ctx *parent, const char *site);
RN_API void rn_group_leave(void *g);

/* The group's context, for the members; borrowed, until the wait. NULL if it has none. */
static inline rn_ctx *rn_group_ctx(const rn_group *g_)
{
    return g_->rn_context;
}

/*
 * At most n members run at the same time from now on; n < 0: any number; 0: none can be started.
 * Panics "errgroup: modify limit while 3 goroutines in the group are still active". Go:
 * g.SetLimit(n).
 */
RN_API void rn_group_set_limit_at(rn_group *g, int64_t n, const char *site)
    __attribute__((nonnull(1)));
#define rn_group_set_limit(g, n) rn_group_set_limit_at((g), (n), RN_HERE)

/*
 * Waits until all members have ended. Returns 0, or what the first one that failed returned. If one
 * panicked, its panic goes on here, text and value kept. Ends the group: its context is cancelled
 * and given back, and a group outside of a scope is one of zeros again. One goroutine may wait. Go:
 * g.Wait().
 */
RN_API int rn_group_wait_at(rn_group *g, const char *site);
#define rn_group_wait(g) rn_group_wait_at((g), RN_HERE)

/* Cancels the members by hand. Does nothing in a group without context. */
RN_API void rn_group_cancel(rn_group *g, const char *cause);

/* In front of the arguments of a member. */
typedef struct rn_group_job {
    rn_group *g;
    int (*run)(void *args);
} __attribute__((aligned(16))) rn_group_job;

/* Take a place, waiting for one or not; what a member runs. For the macros. */
RN_API void rn_group_begin(rn_group *g, const char *site);
RN_API bool rn_group_try_begin(rn_group *g);
RN_API void rn_group_run(void *job);

static inline RN_UNUSED bool rn__group_begin(rn_group *g_, const char *site_)
{
    rn_group_begin(g_, site_);
    return true;
}

#ifndef __cplusplus
/*
 * rn_group_go(g, fn, args...) starts fn(args...) as a member; waits for a place if there is a
 * limit. fn may return an int: not 0 is a failure. Members may start members. Needs GO_FUNC(fn,
 * types...). C only. rn_group_try_go does not wait, and says whether it started. Go: g.Go(f),
 * g.TryGo(f).
 */
#define rn_group_go(g, ...)     ((void)RN__GROUP_GO(g, rn__group_begin(rn__to, RN_HERE), __VA_ARGS__))
#define rn_group_try_go(g, ...) RN__GROUP_GO(g, rn_group_try_begin(rn__to), __VA_ARGS__)
#define RN__GROUP_GO(g, begin, ...) \
    RN_CAT(RN__GROUP_GO_, RN__IS_ONE(__VA_ARGS__))(g, begin, __VA_ARGS__)
#define RN__GROUP_GO_1(g_, begin, fn)                                                    \
    __extension__({                                                                      \
        (void)rn_GO_FUNC_missing_for_##fn;                                               \
        rn_group *rn__to = (g_);                                                         \
        rn_group_job rn__job = {rn__to, rn_go_result_##fn};                              \
        bool rn__on = begin;                                                             \
        if (rn__on)                                                                      \
            rn_go_start(rn_group_run, &rn__job, sizeof rn__job, NULL, RN__GO_SITE(#fn)); \
        rn__on;                                                                          \
    })
#define RN__GROUP_GO_0(g_, begin, fn, ...)                                               \
    __extension__({                                                                      \
        (void)rn_GO_FUNC_missing_for_##fn;                                               \
        rn_group *rn__to = (g_);                                                         \
        struct {                                                                         \
            rn_group_job job;                                                            \
            struct rn_go_args_##fn args;                                                 \
        } rn__job = {{rn__to, rn_go_result_##fn}, {__VA_ARGS__}};                        \
        bool rn__on = begin;                                                             \
        if (rn__on)                                                                      \
            rn_go_start(rn_group_run, &rn__job, sizeof rn__job, NULL, RN__GO_SITE(#fn)); \
        rn__on;                                                                          \
    })
#endif

/* -------------------------------------------------------------------------------- parallel loops */

/*
 * Calls fn(ctx, i, arg) for all i below n, at most `limit` at the same time (limit < 1: as many as
 * rn_gomaxprocs says), and waits for all. The first call that does not return 0 cancels the ctx
 * that the others got, no further ones are made, and its value is returned; a panic goes on here.
 * If ctx is cancelled meanwhile, no further calls are made and rn_ctx_err(ctx) is returned.
 */
RN_API int rn_parallel(rn_ctx *ctx, size_t n, int limit,
                       int (*fn)(rn_ctx *ctx, size_t i, void *arg), void *arg);

/* ---------------------------------------------------------------------------------- shared calls */

enum { RN_SINGLEFLIGHT_SLOTS = 16 };

/* Calls of one key at the same time become one call. Zero value ready, nothing to free.
 * Go: singleflight.Group. */
typedef struct rn_singleflight {
    rn_mutex rn_lock;
    struct rn__flight *rn_slot[RN_SINGLEFLIGHT_SLOTS]; /* calls under way, by key */
} rn_singleflight;

/* What a call came to. */
typedef struct rn_flight_result {
    void *value; /* what fn stored; the same pointer for all callers */
    int err;     /* what fn returned */
    bool shared; /* others got the same */
} rn_flight_result;

/*
 * Calls fn(arg, &value) and returns what it came to; if a call of the same key is under way, waits
 * for it and returns the same. A panic of fn goes on in every caller, rn_goexit in it ends all of
 * them. The key is copied. Who frees the value is between the callers. Go: g.Do(key, fn).
 */
RN_API rn_flight_result rn_singleflight_do_at(rn_singleflight *sf, const char *key,
                                              int (*fn)(void *arg, void **value), void *arg,
                                              const char *site) __attribute__((nonnull(1, 2, 3)));
#define rn_singleflight_do(sf, key, fn, arg) \
    rn_singleflight_do_at((sf), (key), (fn), (arg), RN_HERE)

/* The next call of that key starts a new one, whatever is under way. Go: g.Forget(key). */
RN_API RN_NONNULL void rn_singleflight_forget(rn_singleflight *sf, const char *key);

RN_EXTERN_C_END

#endif
