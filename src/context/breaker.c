/*
 * breaker.c - a context as a breaker of waits, and the waits that have no object of their own or
 * are a channel's.
 *
 * Invariants
 *  - A breaker lies on the waiting goroutine's stack. It is in its scope's list from arm to disarm,
 *    or until the sweep has taken it out; both happen under the scope's lock, and the sweep is
 *    through with it when it drops the lock.
 *  - A context that cannot be cancelled breaks nothing: nothing is queued.
 */
#include "../chan/hchan.h"
#include "context.h"

static bool ctx_arm(rn__breaker *base, rn__g *g, uint64_t gen)
{
    rn__ctx_breaker *b = (rn__ctx_breaker *)(void *)base;
    rn__canceller *n = b->ctx->scope;
    if (n == NULL)
        return true;
    b->g = g;
    b->gen = gen;
    rn__ctx_lock(n);
    bool live = atomic_load_explicit(&n->err, memory_order_relaxed) == 0;
    if (live) {
        b->prev = NULL;
        b->next = n->waits;
        if (b->next != NULL)
            b->next->prev = b;
        n->waits = b;
        b->linked = true;
    }
    rn__ctx_unlock(n);
    return live;
}

static void ctx_disarm(rn__breaker *base)
{
    rn__ctx_breaker *b = (rn__ctx_breaker *)(void *)base;
    rn__canceller *n = b->ctx->scope;
    if (n == NULL)
        return;
    rn__ctx_lock(n);
    if (b->linked) {
        if (b->prev != NULL)
            b->prev->next = b->next;
        else
            n->waits = b->next;
        if (b->next != NULL)
            b->next->prev = b->prev;
        b->linked = false;
    }
    rn__ctx_unlock(n);
}

static int ctx_how(rn__breaker *base)
{
    return rn_ctx_err(((rn__ctx_breaker *)(void *)base)->ctx);
}

rn__breaker *rn__ctx_breaker_init(rn__ctx_breaker *b, rn_ctx *ctx)
{
    if (RN_UNLIKELY(ctx == NULL))
        rn__ctx_is_null(NULL);
    *b = (rn__ctx_breaker){.base = {ctx_arm, ctx_disarm, ctx_how}, .ctx = ctx};
    return &b->base;
}

/* --------------------------------------------------------------------------------------- sleep */

int rn_sleep_ctx(rn_ctx *ctx, int64_t ns)
{
    int err = rn_ctx_err(ctx);
    if (err != 0 || ns <= 0)
        return err;
    rn__ctx_breaker breaker;
    rn__breaker *b = rn__ctx_breaker_init(&breaker, ctx);
    rn__g *g = rn__current();
    int64_t now = rn_now();
    rn__timer t = {.fire = rn__timer_wake, .arg = g};
    rn__note_wait(g, RN__WAIT_SLEEP, NULL, NULL);
    t.gen = rn__token_open(g);
    rn__timer_arm(&t, ns > RN_NEVER - now ? RN_NEVER : now + ns);
    if (b->arm(b, g, t.gen) || !rn__token_take(g, t.gen))
        rn__park_permit(g);
    else
        g->won_how = RN__WON_CANCELED;
    rn__timer_disarm(&t);
    b->disarm(b);
    bool over = g->won_how == RN__WON_CANCELED;
    rn__token_close(g);
    return over ? b->how(b) : 0;
}

/* ------------------------------------------------------------------------------------- channels */

static int wait_for(rn_hchan *c, rn_ctx *ctx, void *elem, bool is_send, const char *site)
{
    rn__ctx_breaker breaker;
    rn__breaker *b = rn__ctx_breaker_init(&breaker, ctx);
    switch (rn__chan_wait_broken(c, elem, is_send, b, site)) {
    case RN__WON_OK: return 0;
    case RN__WON_CLOSED: return -EPIPE;
    default: return b->how(b);
    }
}

/* A channel that is NULL waits for the context alone. */
int rn_hchan_put_ctx(rn_hchan *c, rn_ctx *ctx, const void *elem, const char *site)
{
    int err = rn_ctx_err(ctx);
    if (err != 0)
        return err;
    if (c != NULL && ctx->scope == NULL)
        return rn_hchan_put(c, RN_NEVER, elem, site);
    if (c != NULL) {
        /* 0, -EPIPE, or -EAGAIN: a deadline long ago */
        err = rn_hchan_put(c, INT64_MIN, elem, site);
        if (err != -EAGAIN)
            return err;
    }
    return wait_for(c, ctx, (void *)(uintptr_t)elem, true, site);
}

int rn_hchan_take_ctx(rn_hchan *c, rn_ctx *ctx, void *elem, const char *site)
{
    int err = rn_ctx_err(ctx);
    if (err != 0)
        return err;
    if (c != NULL && ctx->scope == NULL)
        return rn_hchan_take(c, RN_NEVER, elem, site);
    if (c != NULL) {
        err = rn_hchan_take(c, INT64_MIN, elem, site);
        if (err != -EAGAIN)
            return err;
    }
    return wait_for(c, ctx, elem, false, site);
}
