/*
 * cancel.c - cancelling a tree.
 *
 * A sweep marks a node, then takes its children out of the list, some dozens at a time, and marks
 * each of them with no lock held but its own. Children that have children wait on a list of the
 * sweep's. So the stack does not depend on the tree, and nobody else's lock is held for long.
 *
 * Invariants
 *  - The sweep holds a reference on every node that it has taken out. One whose references are gone
 *    is left to whoever frees it.
 *  - A node that was cancelled by somebody else is waited for until that sweep has ended (busy).
 *    Waiting goes down the tree only, so no two sweeps wait for each other.
 *  - Waits are ended under the node's lock by taking the goroutine's token; the goroutines are made
 *    runnable together at the end, as are those that waited for done channels.
 */
#include "../chan/hchan.h"
#include "context.h"
#include <stdlib.h>

enum { AT_ONCE = 32 }; /* children taken out under one lock */

typedef struct sweep {
    int code;             /* -ECANCELED, -ETIMEDOUT */
    const char *cause;    /* of all nodes */
    rn__canceller *inner; /* marked, with children, not looked into yet; linked by next */
    rn__canceller *ended; /* looked into, but busy until the end; linked by next */
    rn__batch batch;      /* plainly parked goroutines to be woken */
    rn__g *permits;       /* others to be woken, linked by next: their tokens are ours */
} sweep;

int rn__ctx_closing(const rn__canceller *n)
{
    int32_t e;
    /* acquire: as in rn__ctx_state */
    for (unsigned round = 0; (e = atomic_load_explicit(&n->err, memory_order_acquire)) > 0; round++)
        rn__backoff(round, true);
    return e;
}

/* Takes the tokens of all who wait on n; n is locked. */
static void end_waits(sweep *s, rn__canceller *n)
{
    rn__ctx_breaker *b = n->waits;
    if (RN_LIKELY(b == NULL))
        return;
    n->waits = NULL;
    do {
        rn__ctx_breaker *next = b->next;
        b->linked = false;
        if (rn__token_take(b->g, b->gen)) {
            /* it cannot go on before its permit: the link is free, and b stays until then */
            b->g->won_how = RN__WON_CANCELED;
            b->g->next = s->permits;
            s->permits = b->g;
        }
        b = next;
    } while (b != NULL);
}

enum marked { MARKED, WITH_CHILDREN, NOT_OURS };

static enum marked mark(sweep *s, rn__canceller *n, char *own)
{
    RN__HB_RELEASE(n);
    rn__ctx_lock(n);
    if (atomic_load_explicit(&n->err, memory_order_relaxed) != 0) {
        rn__ctx_unlock(n);
        return NOT_OURS;
    }
    n->cause = s->cause;
    if (own != NULL)
        n->text = own;
    end_waits(s, n);
    rn_hchan *done = atomic_load_explicit(&n->done, memory_order_relaxed);
    bool inner = n->children != NULL;
    if (inner)
        atomic_store_explicit(&n->busy, 1, memory_order_relaxed);
    /* release: the cause, and what came before the cancel */
    atomic_store_explicit(&n->err, done != NULL ? s->code + RN__CTX_CLOSING : s->code,
                          memory_order_release);
    rn__ctx_unlock(n);
    if (RN_UNLIKELY(done != NULL)) {
        rn__chan_close_into(done, NULL, &s->batch, &s->permits);
        atomic_store_explicit(&n->err, s->code, memory_order_release);
    }
    if (n->base.kind == RN__CTX_TIMED) {
        rn__ctx_timed *t = (rn__ctx_timed *)(void *)n;
        if (rn__timer_disarm(&t->timer))
            rn__ctx_timed_drop(t);
    }
    return inner ? WITH_CHILDREN : MARKED;
}

/* Until the sweep that marked n has ended. */
static void await(const rn__canceller *n)
{
    /* acquire: pairs with the end of that sweep */
    for (unsigned round = 0; atomic_load_explicit(&n->busy, memory_order_acquire) != 0; round++)
        rn__backoff(round, true);
}

/* A child that has been taken out, with a reference of ours. */
static void visit(sweep *s, rn__canceller *n)
{
    switch (mark(s, n, NULL)) {
    case WITH_CHILDREN:
        n->next = s->inner;
        s->inner = n;
        return;
    case NOT_OURS: await(n); break;
    case MARKED:
        if (n->base.kind == RN__CTX_AFTER)
            rn__ctx_after_start((rn_ctx_after *)(void *)n); /* takes the tree's reference */
        break;
    }
    rn_ctx_unref(&n->base);
}

/* Cancels the children of a node that is marked. */
static void look_into(sweep *s, rn__canceller *n)
{
    rn__canceller *taken[AT_ONCE];
    for (bool more = true; more;) {
        int k = 0;
        rn__ctx_lock(n);
        rn__canceller *c = n->children;
        while (c != NULL && k < AT_ONCE) {
            rn__canceller *next = c->next;
            if (next != NULL)
                __builtin_prefetch(&next->base);
            if (RN_LIKELY(rn__ctx_try_hold(&c->base)))
                taken[k++] = c;
            /* release: our last access to one that is being freed */
            atomic_store_explicit(&c->attached, 0, memory_order_release);
            c = next;
        }
        n->children = c;
        more = c != NULL;
        rn__ctx_unlock(n);
        for (int i = 0; i < k; i++)
            visit(s, taken[i]);
    }
}

static void wake(sweep *s)
{
    while (s->permits != NULL) {
        rn__g *g = s->permits;
        s->permits = g->next;
        rn__ready_permit(g);
    }
    rn__batch_ready(&s->batch);
}

bool rn__ctx_sweep(rn__canceller *n, int code, const char *cause, char *own)
{
    sweep s = {.code = code, .cause = cause};
    rn__batch_init(&s.batch);
    enum marked how = mark(&s, n, own);
    if (how == NOT_OURS) {
        await(n);
        return false;
    }
    if (how == WITH_CHILDREN) {
        look_into(&s, n);
        while (s.inner != NULL) {
            rn__canceller *c = s.inner;
            s.inner = c->next;
            look_into(&s, c);
            c->next = s.ended;
            s.ended = c;
        }
        while (s.ended != NULL) {
            rn__canceller *c = s.ended;
            s.ended = c->next;
            /* release: all below are cancelled */
            atomic_store_explicit(&c->busy, 0, memory_order_release);
            rn_ctx_unref(&c->base);
        }
        atomic_store_explicit(&n->busy, 0, memory_order_release);
    }
    rn__ctx_detach(n); /* no growth on a parent that lives long */
    wake(&s);
    return true;
}

/* ------------------------------------------------------------------------------------- the ways in */

void rn_ctx_cancel(rn_ctx *ctx, const char *cause)
{
    if (RN_UNLIKELY(ctx == NULL))
        rn__ctx_is_null(NULL);
    if (RN_UNLIKELY(ctx->kind != RN__CTX_CANCEL && ctx->kind != RN__CTX_TIMED))
        rn__panic_runtime(NULL, "only what rn_ctx_with_cancel, _deadline and _timeout return",
                          "cancel of a context that cannot be canceled");
    if (RN_UNLIKELY(rn__hooked()))
        rn__hook_point(RN__EV_CLOSE, rn__current(), NULL);
    rn__canceller *n = (rn__canceller *)(void *)ctx;
    /* relaxed: only spares the copy */
    bool over = atomic_load_explicit(&n->err, memory_order_relaxed) != 0;
    char *own = over ? NULL : rn__ctx_copy_text(cause);
    if (!rn__ctx_sweep(n, -ECANCELED, own, own) && own != NULL) {
        RN__OWN_BEGIN();
        free(own);
        RN__OWN_END();
    }
}

/* The goroutine that a deadline starts. */
static void expire(void *p)
{
    rn__ctx_timed *t = *(rn__ctx_timed **)p;
    if (rn__ctx_try_hold(&t->node.base)) {
        rn__ctx_sweep(&t->node, -ETIMEDOUT, t->late, NULL);
        rn_ctx_unref(&t->node.base);
    }
    rn__ctx_timed_drop(t);
}

/* A callback runs while somebody parks, with a channel locked perhaps: the sweep needs a place of its
 * own. */
void rn__ctx_expired(void *timed, uint64_t gen)
{
    static const rn_go_site site = {"context deadline", "rn_ctx_with_deadline", "context/cancel.c"};
    (void)gen;
    rn_go_start(expire, &timed, sizeof timed, NULL, &site);
}
