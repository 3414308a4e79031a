/*
 * signal.c - a context that a signal cancels.
 *
 * A goroutine waits for the first signal or the end of the context. Stop takes the registration away first,
 * so that the signals do again what they did, then cancels, and waits for the goroutine: it uses the
 * struct's channels, which are then let go.
 */
#include "context.h"
#include <runnel/chan.h>
#include <runnel/select.h>
#include <runnel/signal_context.h>
#include <stdio.h>

static void watch(void *args)
{
    rn_signal_ctx *s = *(rn_signal_ctx **)args;
    int sig = 0;
    rn_case cases[] = {
        {.c = s->rn_signals, .elem = &sig, .op = RN_OP_RECV},
        {.c = rn_ctx_done_chan(s->ctx), .op = RN_OP_RECV},
    };
    if (rn_hselect(cases, 2, RN_HERE) == 0) {
        char cause[64];
        snprintf(cause, sizeof cause, "%s signal received", rn_signal_text(sig));
        rn_ctx_cancel(s->ctx, cause);
    }
    rn_hchan_close(s->rn_over, RN_HERE); /* the last: the struct may go */
}

int rn_signal_context_start_n(rn_signal_ctx *s, rn_ctx *parent, const int *sigs, size_t n,
                              const char *site)
{
    s->ctx = rn_ctx_with_cancel_at(parent, site);
    s->rn_signals = rn_hchan_make(sizeof(int), 1, "int", site);
    s->rn_over = rn_hchan_make(0, 0, "rn_unit", site);
    int err = rn_signal_notify_n((rn_send_chan(int))(void *)s->rn_signals, sigs, n, site);
    if (err != 0) {
        rn_ctx_cancel(s->ctx, NULL);
        rn_ctx_unref(s->ctx);
        s->ctx = NULL;
        rn_hchan_unref(s->rn_signals, site);
        rn_hchan_unref(s->rn_over, site);
        return err;
    }
    static const rn_go_site where = {"rn_signal_context", "rn_signal_context_start", "signal.c"};
    rn_go_start(watch, &s, sizeof s, NULL, &where);
    return 0;
}

void rn_signal_context_stop(rn_signal_ctx *s)
{
    if (s->ctx == NULL)
        return;
    rn_signal_stop((rn_send_chan(int))(void *)s->rn_signals);
    rn_ctx_cancel(s->ctx, NULL);
    rn_hchan_recv(s->rn_over, NULL, RN_HERE);
    rn_ctx_unref(s->ctx);
    s->ctx = NULL;
    rn_hchan_unref(s->rn_signals, RN_HERE);
    rn_hchan_unref(s->rn_over, RN_HERE);
}
