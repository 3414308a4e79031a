/*
 * after.c - functions that a cancellation starts.
 *
 * An after function is a child in the tree that does its work when it is marked.
 *
 * Invariants
 *  - The tree's reference goes with the place in the list of children: to the sweep that takes the
 *    node out, or to the stop that does. Only one of them gets it, and that decides whether the
 *    function runs.
 *  - The goroutine that calls the function has the tree's reference until it begins.
 */
#include "context.h"

static void run(void *p)
{
    rn_ctx_after *a = *(rn_ctx_after **)p;
    void (*fn)(void *) = a->fn;
    void *arg = a->arg;
    RN__HB_ACQUIRE(&a->node);
    rn_ctx_unref(&a->node.base);
    fn(arg);
}

void rn__ctx_after_start(rn_ctx_after *a)
{
    static const rn_go_site site = {"after function", "rn_ctx_after_func", "context/after.c"};
    rn_go_start(run, &a, sizeof a, NULL, &site);
}

rn_ctx_after *rn_ctx_after_func_at(rn_ctx *ctx, void (*fn)(void *), void *arg, const char *site)
{
    if (RN_UNLIKELY(ctx == NULL))
        rn__ctx_is_null(site);
    rn_ctx_after *a = rn__ctx_alloc(RN__CTX_AFTER, 0);
    rn__ctx_init_canceller(&a->node, ctx, RN__CTX_AFTER);
    a->fn = fn;
    a->arg = arg;
    atomic_store_explicit(&a->node.base.refs, 2, memory_order_relaxed);
    RN__HB_RELEASE(&a->node);
    if (ctx->scope == NULL)
        atomic_store_explicit(&a->node.base.refs, 1, memory_order_relaxed); /* never runs */
    else if (!rn__ctx_attach(&a->node))
        rn__ctx_after_start(a);
    return a;
}

bool rn_ctx_after_stop(rn_ctx_after *a)
{
    if (a->node.base.parent->scope == NULL) {
        /* never attached, so it would never have run; the first stop is told so */
        int32_t live = 0;
        return atomic_compare_exchange_strong_explicit(&a->node.err, &live, -ECANCELED,
                                                       memory_order_relaxed, memory_order_relaxed);
    }
    if (!rn__ctx_detach(&a->node))
        return false;
    rn_ctx_unref(&a->node.base); /* the tree's */
    return true;
}

void rn_ctx_after_unref(rn_ctx_after *a)
{
    if (a != NULL)
        rn_ctx_unref(&a->node.base);
}
