/*
 * ctx_timeout.c - a slow call ends when its time is up, however deep it stands.
 *
 * Go idiom: ctx, cancel := context.WithTimeout(ctx, d); defer cancel().
 * Rule: a deadline is passed down with the context, and an inner one can only be earlier. Every
 * wait on the way takes the context, so the caller needs no time-out of its own around it; and what
 * must be finished in any case is shielded with rn_ctx_without_cancel.
 */
#include <errno.h>
#include <runnel.h>
#include <stdio.h>

static int query(rn_ctx *ctx, int64_t takes)
{
    return rn_sleep_ctx(ctx, takes); /* 0, or why it ended early */
}

static int save(rn_ctx *ctx)
{
    rn_ctx_auto shield = rn_ctx_without_cancel(ctx);
    return rn_sleep_ctx(shield, 1 * RN_MS);
}

static int request(rn_ctx *ctx, int64_t takes)
{
    rn_ctx_cancel_auto mine = rn_ctx_with_timeout_cause(ctx, 20 * RN_MS, "the database is slow");
    int err = query(mine, takes);
    if (err != 0)
        printf("  query: %s (%s)\n", rn_ctx_err_text(mine), rn_ctx_cause(mine));
    printf("  saved all the same: %s\n", save(mine) == 0 ? "yes" : "no");
    return err;
}

int main(void)
{
    rn_ctx_auto ctx = rn_ctx_with_timeout_cause(rn_ctx_background(), RN_HOUR, "closing time");
    printf("fast:\n");
    printf("  request: %d\n", request(ctx, 0));
    printf("slow:\n");
    printf("  timed out: %s\n", request(ctx, RN_HOUR) == -ETIMEDOUT ? "yes" : "no");
    printf("outer context: %s\n", rn_ctx_err(ctx) == 0 ? "goes on" : "over");
    return 0;
}
