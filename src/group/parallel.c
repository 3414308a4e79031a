/*
 * parallel.c - rn_parallel: a loop whose rounds run at the same time.
 *
 * Invariants
 *  - The members of one group take the next index from a shared counter, so each index is taken
 *    once and no more goroutines are made than run.
 */
#include "../sched/sched.h"
#include <runnel/group.h>

typedef struct loop {
    _Atomic(uint64_t) next;                      /* relaxed: a number, nothing else */
    uint64_t n;                                  /* how many */
    rn_ctx *ctx;                                 /* the group's */
    int (*fn)(rn_ctx *ctx, size_t i, void *arg); /* one round */
    void *arg;
} loop;

static int take_rounds(void *p)
{
    loop *l = *(loop **)p;
    int err = 0;
    while (err == 0 && rn_ctx_err(l->ctx) == 0) {
        uint64_t i = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
        if (i >= l->n)
            break;
        err = l->fn(l->ctx, (size_t)i, l->arg);
    }
    return err;
}

int rn_parallel(rn_ctx *ctx, size_t n, int limit, int (*fn)(rn_ctx *ctx, size_t i, void *arg),
                void *arg)
{
    static const rn_go_site site = {"a round", "rn_parallel", "group/parallel.c"};
    if (limit < 1)
        limit = rn_gomaxprocs(0);
    rn_group_auto(g, ctx);
    loop l = {.n = n, .ctx = rn_group_ctx(&g), .fn = fn, .arg = arg};
    struct {
        rn_group_job job;
        loop *l;
    } job = {{&g, take_rounds}, &l};
    for (size_t i = 0; i < n && i < (size_t)limit; i++) {
        rn_group_begin(&g, RN_HERE);
        rn_go_start(rn_group_run, &job, sizeof job, NULL, &site);
    }
    int err = rn_group_wait(&g);
    if (err == 0 && atomic_load_explicit(&l.next, memory_order_relaxed) < n)
        err = rn_ctx_err(ctx);
    return err;
}
