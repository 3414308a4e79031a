/*
 * context.c - making, sharing and freeing contexts, and their places in the tree.
 *
 * Invariants
 *  - A node is complete before it is attached, and attached before the caller learns of it.
 *  - Freeing goes up the chain of parents in a loop: a chain of any length is freed on a small
 *    stack.
 */
#include "context.h"
#include <stdlib.h>
#include <string.h>

static rn_ctx background = {.kind = RN__CTX_BACKGROUND};
static rn_ctx todo = {.kind = RN__CTX_TODO};

rn_ctx *rn_ctx_background(void)
{
    return &background;
}

rn_ctx *rn_ctx_todo(void)
{
    return &todo;
}

void rn__ctx_is_null(const char *site)
{
    rn__panic_runtime(site, "the context is NULL; begin with rn_ctx_background()",
                      "runtime error: invalid memory address or nil pointer dereference");
}

void rn__ctx_timed_drop(rn__ctx_timed *t)
{
    if (rn__solo_add(&t->holds, (uint64_t)-1) == 1)
        rn__ctx_free(t, RN__CTX_TIMED);
}

/* ------------------------------------------------------------------------------------- the tree */

void rn__ctx_lock_crowd(rn__canceller *n)
{
    rn__meet(); /* before anything is written */
    for (unsigned round = 0;; round++) {
        uint32_t free = 0;
        /* acquire: pairs with the release of the last unlock */
        if (atomic_load_explicit(&n->lock, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_weak_explicit(&n->lock, &free, 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            if (round == 0)
                rn__solo_hope();
            return;
        }
        rn__backoff(round, false);
    }
}

bool rn__ctx_attach(rn__canceller *n)
{
    rn__canceller *up = n->base.parent->scope;
    if (up == NULL)
        return true;
    /* relaxed: the lock decides; this only spares it */
    if (RN_LIKELY(atomic_load_explicit(&up->err, memory_order_relaxed) == 0)) {
        rn__ctx_lock(up);
        if (RN_LIKELY(atomic_load_explicit(&up->err, memory_order_relaxed) == 0)) {
            n->next = up->children;
            if (n->next != NULL)
                n->next->prev = n;
            up->children = n;
            atomic_store_explicit(&n->attached, 1, memory_order_relaxed);
            rn__ctx_unlock(up);
            return true;
        }
        rn__ctx_unlock(up);
    }
    int code = rn__ctx_state(up);
    RN__HB_RELEASE(n);
    n->cause = up->cause;
    atomic_store_explicit(&n->err, code, memory_order_release);
    return false;
}

bool rn__ctx_detach(rn__canceller *n)
{
    /* acquire: whoever took it out is through with it */
    if (atomic_load_explicit(&n->attached, memory_order_acquire) == 0)
        return false;
    rn__canceller *up = n->base.parent->scope;
    rn__ctx_lock(up);
    bool mine = atomic_load_explicit(&n->attached, memory_order_relaxed) != 0;
    if (mine) {
        if (up->children == n)
            up->children = n->next;
        else
            n->prev->next = n->next;
        if (n->next != NULL)
            n->next->prev = n->prev;
        atomic_store_explicit(&n->attached, 0, memory_order_relaxed);
    }
    rn__ctx_unlock(up);
    return mine;
}

/* ---------------------------------------------------------------------------------- references */

rn_ctx *rn_ctx_ref(rn_ctx *ctx)
{
    rn__ctx_hold(ctx);
    return ctx;
}

/* The last reference is gone. Frees all but the parent. */
static void destroy(rn_ctx *ctx)
{
    if (ctx->kind >= RN__CTX_VALUE) {
        rn__ctx_free(ctx, ctx->kind);
        return;
    }
    rn__canceller *n = (rn__canceller *)(void *)ctx;
    rn__ctx_detach(n);
    /* relaxed, both: nobody else has a reference */
    rn_hchan *done = atomic_load_explicit(&n->done, memory_order_relaxed);
    if (RN_UNLIKELY(done != NULL))
        rn_hchan_unref(done, NULL); /* panics if somebody waits for it without a reference on ctx */
    if (RN_UNLIKELY(n->text != NULL)) {
        RN__OWN_BEGIN();
        free(n->text);
        RN__OWN_END();
    }
    if (ctx->kind != RN__CTX_TIMED) {
        rn__ctx_free(n, ctx->kind);
        return;
    }
    rn__ctx_timed *t = (rn__ctx_timed *)(void *)n;
    if (rn__timer_disarm(&t->timer))
        rn__ctx_timed_drop(t);
    if (RN_UNLIKELY(t->late != NULL)) {
        RN__OWN_BEGIN();
        free(t->late);
        RN__OWN_END();
    }
    rn__ctx_timed_drop(t);
}

void rn_ctx_unref(rn_ctx *ctx)
{
    while (ctx != NULL && ctx->kind > RN__CTX_TODO) {
        RN__HB_RELEASE(&ctx->refs);
        uint64_t refs = rn__solo_add(&ctx->refs, (uint64_t)-1);
        if (refs != 1) {
            if (RN_UNLIKELY(refs == 0))
                rn__panic_runtime(NULL, NULL, "context freed more often than it was owned");
            return;
        }
        RN__HB_ACQUIRE(&ctx->refs);
        rn_ctx *parent = ctx->parent;
        destroy(ctx);
        ctx = parent; /* the reference that the child held */
    }
}

void rn_ctx_end(void *p)
{
    rn_ctx *ctx = p;
    if (ctx != NULL && (ctx->kind == RN__CTX_CANCEL || ctx->kind == RN__CTX_TIMED))
        rn_ctx_cancel(ctx, NULL);
    rn_ctx_unref(ctx);
}

/* --------------------------------------------------------------------------------------- making */

RN_COLD __attribute__((noreturn)) static void nil_parent(const char *site)
{
    rn__panic_runtime(site, "begin with rn_ctx_background()",
                      "cannot create context from nil parent");
}

static inline void init_base(rn_ctx *ctx, rn_ctx *parent, enum rn__ctx_kind kind)
{
    rn__ctx_hold(parent);
    atomic_store_explicit(&ctx->refs, 1, memory_order_relaxed);
    ctx->parent = parent;
    ctx->scope = parent->scope;
    ctx->values = parent->values;
    ctx->kind = (uint8_t)kind;
}

void rn__ctx_init_canceller(rn__canceller *n, rn_ctx *parent, enum rn__ctx_kind kind)
{
    init_base(&n->base, parent, kind);
    n->base.scope = n;
    n->deadline = parent->scope != NULL ? parent->scope->deadline : RN_NEVER;
    /* relaxed, all: published with the pointer */
    atomic_store_explicit(&n->err, 0, memory_order_relaxed);
    atomic_store_explicit(&n->lock, 0, memory_order_relaxed);
    atomic_store_explicit(&n->attached, 0, memory_order_relaxed);
    atomic_store_explicit(&n->busy, 0, memory_order_relaxed);
    atomic_store_explicit(&n->done, NULL, memory_order_relaxed);
    n->next = n->prev = n->children = NULL;
    n->waits = NULL;
    n->cause = NULL;
    n->text = NULL;
}

rn_ctx *rn_ctx_with_cancel_at(rn_ctx *parent, const char *site)
{
    if (RN_UNLIKELY(parent == NULL))
        nil_parent(site);
    rn__canceller *n = rn__ctx_alloc(RN__CTX_CANCEL, 0);
    rn__ctx_init_canceller(n, parent, RN__CTX_CANCEL);
    (void)rn__ctx_attach(n);
    return &n->base;
}

rn_ctx *rn_ctx_with_deadline_at(rn_ctx *parent, int64_t deadline, const char *cause,
                                const char *site)
{
    if (RN_UNLIKELY(parent == NULL))
        nil_parent(site);
    if (deadline == RN_NEVER || (parent->scope != NULL && parent->scope->deadline < deadline))
        return rn_ctx_with_cancel_at(parent, site);
    rn__running(); /* the clock and the timers need a runtime */
    rn__ctx_timed *t = rn__ctx_alloc(RN__CTX_TIMED, 0);
    rn__ctx_init_canceller(&t->node, parent, RN__CTX_TIMED);
    t->node.deadline = deadline;
    t->timer = (rn__timer){.fire = rn__ctx_expired, .arg = t};
    t->late = rn__ctx_copy_text(cause);
    atomic_store_explicit(&t->holds, 1, memory_order_relaxed);
    if (!rn__ctx_attach(&t->node))
        return &t->node.base;
    if (deadline <= rn_now()) {
        rn__ctx_sweep(&t->node, -ETIMEDOUT, t->late, NULL);
        return &t->node.base;
    }
    atomic_store_explicit(&t->holds, 2, memory_order_relaxed);
    rn__timer_arm(&t->timer, deadline);
    /* acquire: an ancestor's cancel that came before the timer was armed could not disarm it */
    if (RN_UNLIKELY(atomic_load_explicit(&t->node.err, memory_order_acquire) != 0) &&
        rn__timer_disarm(&t->timer))
        rn__ctx_timed_drop(t);
    return &t->node.base;
}

rn_ctx *rn_ctx_with_timeout_at(rn_ctx *parent, int64_t ns, const char *cause, const char *site)
{
    if (RN_UNLIKELY(parent == NULL))
        nil_parent(site);
    rn__running();
    int64_t now = rn_now();
    int64_t at = ns > RN_NEVER - now ? RN_NEVER : now + (ns > 0 ? ns : 0);
    return rn_ctx_with_deadline_at(parent, at, cause, site);
}

rn_ctx *rn_ctx_without_cancel_at(rn_ctx *parent, const char *site)
{
    if (RN_UNLIKELY(parent == NULL))
        nil_parent(site);
    rn_ctx *ctx = rn__ctx_alloc(RN__CTX_SHIELD, 0);
    init_base(ctx, parent, RN__CTX_SHIELD);
    ctx->scope = NULL;
    return ctx;
}

rn_ctx *rn_ctx_with_value_at(rn_ctx *parent, const rn_ctx_key *key, const void *value, size_t size,
                             const char *site)
{
    if (RN_UNLIKELY(parent == NULL))
        nil_parent(site);
    if (RN_UNLIKELY(key == NULL))
        rn__panic_runtime(site, NULL, "nil key");
    rn__ctx_value *v = rn__ctx_alloc(RN__CTX_VALUE, size);
    init_base(&v->base, parent, RN__CTX_VALUE);
    v->key = key;
    v->up = parent->values;
    v->base.values = v;
    if (size != 0)
        memcpy(v->bytes, value, size);
    return &v->base;
}

const void *rn_ctx_value_of(const rn_ctx *ctx, const rn_ctx_key *key)
{
    for (const rn__ctx_value *v = ctx->values; v != NULL; v = v->up)
        if (v->key == key)
            return v->bytes;
    return NULL;
}
