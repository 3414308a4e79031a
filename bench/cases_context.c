/*
 * cases_context.c - making and cancelling contexts.
 *
 * Invariants
 *  - Where Go leaves nodes to its collector, the timed part gives them back here.
 */
#include "bench.h"

/* Makes n contexts that can be cancelled, every one with ten children. all has n + 1 places; the first is the
 * root. */
static void build(rn_ctx **all, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        all[i + 1] = rn_ctx_with_cancel(all[i / 10]);
}

static void give_back(rn_ctx **all, int64_t n)
{
    for (int64_t i = 0; i <= n; i++)
        rn_ctx_unref(all[i]);
}

static rn_ctx **places(int64_t n)
{
    rn_ctx **all = malloc((size_t)(n + 1) * sizeof(rn_ctx *));
    if (all == NULL)
        bench_wrong("out of memory");
    return all;
}

static double cancel_tree(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t begin = bench_now();
    rn_ctx **all = places(n);
    all[0] = rn_ctx_with_cancel(rn_ctx_background());
    build(all, n);
    rn_ctx_cancel(all[0], NULL);
    if (rn_ctx_err(all[n]) == 0)
        bench_wrong("ctx_cancel_tree: a node was missed");
    give_back(all, n);
    free(all);
    return bench_per_op(begin, n);
}

static double cancel_only(const bench_case *self, int64_t n)
{
    (void)self;
    rn_ctx **all = places(n);
    all[0] = rn_ctx_with_cancel(rn_ctx_background());
    build(all, n);
    int64_t begin = bench_now();
    rn_ctx_cancel(all[0], NULL);
    double result = bench_per_op(begin, n);
    if (rn_ctx_err(all[n]) == 0)
        bench_wrong("ctx_cancel_only: a node was missed");
    give_back(all, n);
    free(all);
    return result;
}

static double create_cancel(const bench_case *self, int64_t n)
{
    (void)self;
    rn_ctx *root = rn_ctx_with_cancel(rn_ctx_background());
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_ctx *ctx = rn_ctx_with_cancel(root);
        rn_ctx_cancel(ctx, NULL);
        rn_ctx_unref(ctx);
    }
    double result = bench_per_op(begin, n);
    rn_ctx_unref(root);
    return result;
}

static double timeout_cancel(const bench_case *self, int64_t n)
{
    (void)self;
    rn_ctx *background = rn_ctx_background();
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_ctx *ctx = rn_ctx_with_timeout(background, RN_HOUR);
        rn_ctx_cancel(ctx, NULL);
        rn_ctx_unref(ctx);
    }
    return bench_per_op(begin, n);
}

const bench_case bench_context_cases[] = {
    {"ctx_cancel_tree_100k", "ns/node", 100000, 5, cancel_tree, 0, 0, 0},
    {"ctx_cancel_only_100k", "ns/node", 100000, 5, cancel_only, 0, 0, 0},
    {"ctx_withcancel_cancel", "ns/op", 1000000, 0, create_cancel, 0, 0, 0},
    {"ctx_withtimeout_cancel", "ns/op", 200000, 0, timeout_cancel, 0, 0, 0},
    {0},
};
