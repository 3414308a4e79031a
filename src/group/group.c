/*
 * group.c - rn_group: members, the first failure, the wait.
 *
 * Invariants
 *  - A member leaves its place first and is counted done last: after that the group may be gone.
 *  - rn_err and rn_panic are set once, by compare-and-swap, and read after the wait, which orders.
 *  - The group's context and places are given back by the wait, when no member is left to use them.
 */
#include "../chan/hchan.h"
#include <errno.h>
#include <runnel/group.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const rn_unit place;

void rn_group_init_at(rn_group *g, rn_ctx *parent, const char *site)
{
    *g = (rn_group){.rn_context = rn_ctx_with_cancel_at(parent, site)};
}

void rn_group_set_limit_at(rn_group *g, int64_t n, const char *site)
{
    size_t active = rn_hchan_len(g->rn_slots);
    if (RN_UNLIKELY(active != 0)) {
        char text[96];
        snprintf(text, sizeof text,
                 "errgroup: modify limit while %zu goroutines in the group are still active",
                 active);
        rn__panic_runtime(site, NULL, text);
    }
    rn_hchan_unref(g->rn_slots, site);
    g->rn_slots = n < 0 ? NULL : rn_hchan_make(0, n, "rn_unit", site);
}

void rn_group_begin(rn_group *g, const char *site)
{
    if (g->rn_slots != NULL)
        (void)rn_hchan_send(g->rn_slots, &place, site);
    rn_waitgroup_add_at(&g->rn_members, 1, site);
}

bool rn_group_try_begin(rn_group *g)
{
    if (g->rn_slots != NULL && !rn_hchan_try_send(g->rn_slots, &place, NULL))
        return false;
    rn_waitgroup_add(&g->rn_members, 1);
    return true;
}

/* -------------------------------------------------------------------------------------- failures */

void rn_group_cancel(rn_group *g, const char *cause)
{
    if (g->rn_context != NULL)
        rn_ctx_cancel(g->rn_context, cause);
}

static void failed(rn_group *g, int err)
{
    int32_t none = 0;
    /* relaxed: read after the wait, which orders */
    if (__atomic_compare_exchange_n(&g->rn_err, &none, err, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
        rn_group_cancel(g, strerror(err < 0 ? -err : err));
}

static void panicked(rn_group *g, const rn_panic_info *info)
{
    RN__OWN_BEGIN();
    rn_panic_info *copy = malloc(sizeof *copy);
    RN__OWN_END();
    if (copy == NULL)
        rn__fatal("out of memory for the panic of a group's member");
    *copy = *info;
    rn_panic_info *none = NULL;
    /* release: the copy; the wait reads it */
    if (!__atomic_compare_exchange_n(&g->rn_panic, &none, copy, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED)) {
        RN__OWN_BEGIN();
        free(copy);
        RN__OWN_END();
    }
    rn_group_cancel(g, info->text);
}

/* ---------------------------------------------------------------------------------- what members run */

typedef struct call {
    rn_group_job *job;
    int err; /* what the function returned */
} call;

static void run_job(void *p)
{
    call *c = p;
    c->err = c->job->run(c->job + 1);
}

/* Deferred, so that a member that ends by rn_goexit is counted too. */
static void member_over(void *p)
{
    rn_group *g = p;
    if (g->rn_slots != NULL)
        (void)rn_hchan_recv(g->rn_slots, NULL, NULL);
    rn_waitgroup_done(&g->rn_members);
}

void rn_group_run(void *p)
{
    call c = {p, 0};
    rn_panic_info info;
    rn_defer(member_over, c.job->g);
    if (!rn_try(run_job, &c, &info))
        panicked(c.job->g, &info);
    else if (c.err != 0)
        failed(c.job->g, c.err);
}

/* ------------------------------------------------------------------------------------- the end */

/* All members have ended. Returns the first error; *info and true if one panicked. */
static bool finish(rn_group *g, int *err, rn_panic_info *info)
{
    /* acquire: the copy's content */
    rn_panic_info *copy = __atomic_exchange_n(&g->rn_panic, NULL, __ATOMIC_ACQUIRE);
    *err = __atomic_exchange_n(&g->rn_err, 0, __ATOMIC_RELAXED);
    rn_ctx *ctx = g->rn_context;
    g->rn_context = NULL;
    rn_ctx_end(ctx);
    if (copy == NULL)
        return false;
    *info = *copy;
    RN__OWN_BEGIN();
    free(copy);
    RN__OWN_END();
    return true;
}

int rn_group_wait_at(rn_group *g, const char *site)
{
    rn_panic_info info;
    int err;
    rn_waitgroup_wait_at(&g->rn_members, site);
    bool bad = finish(g, &err, &info);
    if (!g->rn_scoped && g->rn_slots != NULL) {
        /* nobody is left; the limit goes with the group */
        rn_hchan_unref(g->rn_slots, site);
        g->rn_slots = NULL;
    }
    if (bad)
        rn_repanic(&info);
    return err;
}

/* ------------------------------------------------------------------------------------- the scope */

static void *running_panic(void)
{
    const rn__g *g = rn__current();
    return g->ext != NULL ? g->ext->panic : NULL;
}

void rn_group_enter(rn_group *g, rn_ctx *parent, const char *site)
{
    rn_group_init_at(g, parent, site);
    g->rn_outer = running_panic();
    g->rn_scoped = true;
}

void rn_group_leave(void *p)
{
    rn_group *g = p;
    rn_panic_info info;
    int err;
    bool unwinding = running_panic() != g->rn_outer;
    if (unwinding)
        rn_group_cancel(g, "the scope was left by a panic");
    rn_waitgroup_wait(&g->rn_members);
    bool bad = finish(g, &err, &info);
    rn_hchan_unref(g->rn_slots, NULL);
    g->rn_slots = NULL;
    if (bad && !unwinding) /* the panic on its way stays the one that is told */
        rn_repanic(&info);
}
