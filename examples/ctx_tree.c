/*
 * ctx_tree.c - one cancel stops a tree of workers, and nobody is forgotten.
 *
 * Go idiom: ctx, cancel := context.WithCancel(parent); go worker(ctx); ... cancel().
 * Rule: cancellation goes down. Each department gets a child of the company's context and hands
 * children of its own to its workers: closing a department stops its workers only, closing the
 * company stops all.
 */
#include <runnel.h>
#include <stdio.h>

enum { DEPARTMENTS = 2, WORKERS = 3 };

static void worker(rn_ctx *ctx, chan(int) stopped, int number)
{
    chan_recv(rn_ctx_done(ctx), NULL); /* a real one would select between work and on_ctx(ctx) */
    chan_send(stopped, number);
    rn_ctx_unref(ctx); /* the reference that it was given */
}
GO_FUNC(worker, rn_ctx *, chan(int), int);

static int count(chan(int) stopped)
{
    int n = 0;
    while (chan_try_recv(stopped, NULL, NULL))
        n++;
    return n;
}

static void wait_for(chan(int) stopped, int n)
{
    while ((int)chan_len(stopped) < n)
        rn_yield();
}

int main(void)
{
    chan_auto(int) stopped = chan_make(int, DEPARTMENTS *WORKERS);
    rn_ctx_auto company = rn_ctx_with_cancel(rn_ctx_background());
    rn_ctx *department[DEPARTMENTS];

    for (int d = 0; d < DEPARTMENTS; d++) {
        department[d] = rn_ctx_with_cancel(company);
        for (int w = 0; w < WORKERS; w++)
            go(worker, rn_ctx_with_cancel(department[d]), stopped, d * WORKERS + w);
    }

    rn_ctx_cancel(department[0], "moved abroad");
    wait_for(stopped, WORKERS);
    printf("department 0 is closed: %s; %d workers stopped\n", rn_ctx_cause(department[0]),
           count(stopped));
    printf("department 1: %s\n", rn_ctx_err(department[1]) == 0 ? "open" : "closed");

    rn_ctx_cancel(company, "sold");
    wait_for(stopped, WORKERS);
    printf("department 1 is closed: %s; %d workers stopped\n", rn_ctx_cause(department[1]),
           count(stopped));
    printf("the error is always the same: %s\n", rn_ctx_err_text(department[1]));

    for (int d = 0; d < DEPARTMENTS; d++)
        rn_ctx_unref(department[d]);
    return 0;
}
