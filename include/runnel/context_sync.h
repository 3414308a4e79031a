/*
 * context_sync.h - the waits of mutexes, conditions, wait groups and semaphores, ended early by a
 * context.
 *
 *     if (rn_mutex_lock_ctx(&m, ctx) != 0)
 *         return rn_ctx_err(ctx);
 *
 * Invariants
 *  - Each returns 0, or what rn_ctx_err(ctx) says, and then has taken nothing; ctx is looked at
 *    first. The exception is rn_cond_wait_ctx, which has locked the mutex again in both cases.
 *  - Whoever frees the object must know that such a wait has returned: unlike the plain ones, one
 *    that was ended by its context touches the object afterwards.
 *  - The context is borrowed for the time of the call.
 */
#ifndef RUNNEL_CONTEXT_SYNC_H
#define RUNNEL_CONTEXT_SYNC_H

#include <runnel/cond.h>
#include <runnel/context.h>
#include <runnel/rwmutex.h>
#include <runnel/sem.h>
#include <runnel/sync.h>

RN_EXTERN_C_BEGIN

/* rn_mutex_lock, until ctx is cancelled. */
RN_API RN_NONNULL int rn_mutex_lock_ctx_at(rn_mutex *m, rn_ctx *ctx, const char *site);
#define rn_mutex_lock_ctx(m, ctx) rn_mutex_lock_ctx_at((m), (ctx), RN_HERE)

/* rn_rwmutex_lock and rn_rwmutex_rlock, until ctx is cancelled. */
RN_API RN_NONNULL int rn_rwmutex_lock_ctx_at(rn_rwmutex *rw, rn_ctx *ctx, const char *site);
#define rn_rwmutex_lock_ctx(rw, ctx) rn_rwmutex_lock_ctx_at((rw), (ctx), RN_HERE)
RN_API RN_NONNULL int rn_rwmutex_rlock_ctx_at(rn_rwmutex *rw, rn_ctx *ctx, const char *site);
#define rn_rwmutex_rlock_ctx(rw, ctx) rn_rwmutex_rlock_ctx_at((rw), (ctx), RN_HERE)

/* rn_cond_wait, until ctx is cancelled. m is locked again on return, however long that takes. Returns at
 * once, without having unlocked it, if ctx is cancelled already. */
RN_API RN_NONNULL int rn_cond_wait_ctx_at(rn_cond *c, rn_mutex *m, rn_ctx *ctx, const char *site);
#define rn_cond_wait_ctx(c, m, ctx) rn_cond_wait_ctx_at((c), (m), (ctx), RN_HERE)

/* rn_waitgroup_wait, until ctx is cancelled. */
RN_API RN_NONNULL int rn_waitgroup_wait_ctx_at(rn_waitgroup *wg, rn_ctx *ctx, const char *site);
#define rn_waitgroup_wait_ctx(wg, ctx) rn_waitgroup_wait_ctx_at((wg), (ctx), RN_HERE)

/* rn_sem_acquire, until ctx is cancelled. Go: sem.Acquire(ctx, n). */
RN_API RN_NONNULL int rn_sem_acquire_ctx_at(rn_sem *s, int64_t n, rn_ctx *ctx, const char *site);
#define rn_sem_acquire_ctx(s, n, ctx) rn_sem_acquire_ctx_at((s), (n), (ctx), RN_HERE)

RN_EXTERN_C_END

#endif
