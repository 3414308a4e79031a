/*
 * query.c - what a context answers: error, cause, deadline, done channel, description.
 *
 * Invariants
 *  - The error is one load away. Nothing here walks the chain but the description.
 *  - A done channel is made at most once per canceller. Made before the cancellation, it is closed
 *    by the sweep; made after it, it is closed before anybody sees it.
 */
#include "../chan/hchan.h"
#include "context.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int rn_ctx_err(const rn_ctx *ctx)
{
    if (RN_UNLIKELY(ctx == NULL))
        rn__ctx_is_null(NULL);
    const rn__canceller *n = ctx->scope;
    return n != NULL ? rn__ctx_state(n) : 0;
}

static const char *text_of(int err)
{
    if (err == 0)
        return NULL;
    return err == -ETIMEDOUT ? "context deadline exceeded" : "context canceled";
}

const char *rn_ctx_err_text(const rn_ctx *ctx)
{
    return text_of(rn_ctx_err(ctx));
}

const char *rn_ctx_cause(const rn_ctx *ctx)
{
    int err = rn_ctx_err(ctx);
    /* set before err, never changed after it */
    return err != 0 && ctx->scope->cause != NULL ? ctx->scope->cause : text_of(err);
}

int64_t rn_ctx_deadline(const rn_ctx *ctx)
{
    if (RN_UNLIKELY(ctx == NULL))
        rn__ctx_is_null(NULL);
    return ctx->scope != NULL ? ctx->scope->deadline : RN_NEVER;
}

rn_hchan *rn_ctx_done_chan(rn_ctx *ctx)
{
    if (RN_UNLIKELY(ctx == NULL))
        rn__ctx_is_null(NULL);
    rn__canceller *n = ctx->scope;
    if (n == NULL)
        return NULL;
    /* acquire: the channel's content */
    rn_hchan *c = atomic_load_explicit(&n->done, memory_order_acquire);
    if (RN_LIKELY(c != NULL))
        return c;
    rn_hchan *fresh = rn_hchan_make(0, 0, "rn_unit", "rn_ctx_done");
    rn__ctx_lock(n);
    c = atomic_load_explicit(&n->done, memory_order_relaxed);
    bool live = atomic_load_explicit(&n->err, memory_order_relaxed) == 0;
    if (c == NULL && live)
        atomic_store_explicit(&n->done, fresh, memory_order_release);
    rn__ctx_unlock(n);
    if (c == NULL && live)
        return fresh;
    if (c == NULL) {
        rn_hchan_close(fresh, "rn_ctx_cancel");
        /* the sweep is through with this word; several may come here */
        if (atomic_compare_exchange_strong_explicit(&n->done, &c, fresh, memory_order_acq_rel,
                                                    memory_order_acquire))
            return fresh;
    }
    rn_hchan_unref(fresh, NULL);
    return c;
}

/* ----------------------------------------------------------------------------------- description */

/* What one node adds to the text. */
static size_t part(const rn_ctx *ctx, char *buf, size_t n)
{
    int len = 0;
    switch (ctx->kind) {
    case RN__CTX_BACKGROUND: len = snprintf(buf, n, "context.Background"); break;
    case RN__CTX_TODO: len = snprintf(buf, n, "context.TODO"); break;
    case RN__CTX_CANCEL: len = snprintf(buf, n, ".WithCancel"); break;
    case RN__CTX_TIMED: {
        int64_t left = ctx->scope->deadline - rn_now();
        len =
            snprintf(buf, n, ".WithDeadline(%" PRId64 " [%s%" PRId64 ".%03" PRId64 "s])",
                     ctx->scope->deadline, left < 0 ? "-" : "", (left < 0 ? -left : left) / RN_SEC,
                     (left < 0 ? -left : left) / RN_MS % 1000);
        break;
    }
    case RN__CTX_VALUE: {
        const rn__ctx_value *v = (const rn__ctx_value *)(const void *)ctx;
        if (v->key->name != NULL)
            len = snprintf(buf, n, ".WithValue(%s)", v->key->name);
        else
            len = snprintf(buf, n, ".WithValue(%p)", (const void *)v->key);
        break;
    }
    case RN__CTX_SHIELD: len = snprintf(buf, n, ".WithoutCancel"); break;
    default: break;
    }
    return len < 0 ? 0 : (size_t)len < n ? (size_t)len : n - 1;
}

/* The chain is linked from the leaf up and read from the root down: measured first, then written from
 * the end. A part longer than `one` is cut. */
size_t rn_ctx_string(const rn_ctx *ctx, char *buf, size_t n)
{
    char one[128];
    size_t whole = 0;
    if (RN_UNLIKELY(ctx == NULL))
        rn__ctx_is_null(NULL);
    for (const rn_ctx *c = ctx; c != NULL; c = c->parent)
        whole += part(c, one, sizeof one);
    if (n == 0)
        return whole;
    size_t room = whole < n ? whole : n - 1, end = whole;
    buf[room] = '\0';
    for (const rn_ctx *c = ctx; c != NULL && end != 0; c = c->parent) {
        size_t len = part(c, one, sizeof one);
        size_t begin =
            len < end ? end - len : 0; /* the time that is left may have become shorter */
        if (begin < room)
            memcpy(buf + begin, one, (end < room ? end : room) - begin);
        end = begin;
    }
    return whole;
}
