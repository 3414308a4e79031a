/*
 * sync.c - the waits of sync/ with a context as their breaker.
 *
 * Invariants
 *  - The context is asked first, so that one that is cancelled ends every wait in the same way,
 *    whether the object is free or not.
 *  - The breaker lies on this stack and is not used after the wait.
 */
#include "../sync/sync.h"
#include "context.h"
#include <runnel/context_sync.h>

/* Defines `err`, and `b` if there is something to wait for. The wait says that it was ended; the context
 * knows why. */
#define WITH_BREAKER(ctx)      \
    rn__ctx_breaker breaker;   \
    int err = rn_ctx_err(ctx); \
    if (RN_UNLIKELY(err != 0)) \
        return err;            \
    rn__breaker *b = (ctx)->scope != NULL ? rn__ctx_breaker_init(&breaker, ctx) : NULL

int rn_mutex_lock_ctx_at(rn_mutex *m, rn_ctx *ctx, const char *site)
{
    WITH_BREAKER(ctx);
    return rn__mutex_lock_by(m, b, site) != 0 ? rn_ctx_err(ctx) : 0;
}

int rn_rwmutex_lock_ctx_at(rn_rwmutex *rw, rn_ctx *ctx, const char *site)
{
    WITH_BREAKER(ctx);
    return rn__rwmutex_lock_by(rw, b, site) != 0 ? rn_ctx_err(ctx) : 0;
}

int rn_rwmutex_rlock_ctx_at(rn_rwmutex *rw, rn_ctx *ctx, const char *site)
{
    WITH_BREAKER(ctx);
    return rn__rwmutex_rlock_by(rw, b, site) != 0 ? rn_ctx_err(ctx) : 0;
}

int rn_cond_wait_ctx_at(rn_cond *c, rn_mutex *m, rn_ctx *ctx, const char *site)
{
    WITH_BREAKER(ctx);
    return rn__cond_wait_by(c, m, b, site) != 0 ? rn_ctx_err(ctx) : 0;
}

int rn_waitgroup_wait_ctx_at(rn_waitgroup *wg, rn_ctx *ctx, const char *site)
{
    WITH_BREAKER(ctx);
    return rn__waitgroup_wait_by(wg, b, site) != 0 ? rn_ctx_err(ctx) : 0;
}

int rn_sem_acquire_ctx_at(rn_sem *s, int64_t n, rn_ctx *ctx, const char *site)
{
    WITH_BREAKER(ctx);
    return rn__sem_acquire_by(s, n, b, site) != 0 ? rn_ctx_err(ctx) : 0;
}
