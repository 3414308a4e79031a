/*
 * close.c - closing a channel.
 *
 * Invariants
 *  - One critical section marks the channel closed and detaches every waiter; they are made runnable
 *    after the lock is dropped (item 46).
 *  - A waiting receiver gets zero and false, a waiting sender its panic; its value is not delivered.
 *    Buffered elements stay receivable.
 */
#include "hchan.h"
#include <stdio.h>

/* Detaches all of *q; zeroes receivers' destinations. */
static void detach(rn_hchan *c, rn__sudog **q, rn__batch *batch, rn__g **permits)
{
    rn__sudog *w;
    while ((w = rn__waitq_take(q)) != NULL) {
        /* Many waiters are cold. Descriptors that came from the slab in a row often wait in a row. */
        uintptr_t step = (uintptr_t)w->next - (uintptr_t)w;
        __builtin_prefetch((const void *)((uintptr_t)w + 8 * step));
        RN__HB_ACQUIRE(w);
        if (!w->is_send && w->elem != NULL)
            memset(w->elem, 0, c->size);
        RN__HB_RELEASE(w);
        rn__partner p = rn__sudog_release(w, RN__WON_CLOSED);
        if (p.is_select) {
            /* its token is ours until the permit: the link is free */
            p.g->next = *permits;
            *permits = p.g;
        } else {
            rn__batch_add(batch, p.g);
        }
    }
}

/* False if it was closed already. Whoever waited is left to the caller, to be made runnable. */
bool rn__chan_close_into(rn_hchan *c, const char *site, rn__batch *batch, rn__g **permits)
{
    uint64_t closer = rn__running()->id;
    uint64_t s = rn__chan_lock(c);
    if (s & RN__CH_CLOSED) {
        rn__chan_unlock(c, s);
        return false;
    }
    c->close_site = site;
    c->closer = closer;
    RN__HB_RELEASE(c);
    detach(c, &c->recvq, batch, permits);
    detach(c, &c->sendq, batch, permits);
    rn__chan_publish(c, s | RN__CH_CLOSED);
    return true; /* from here on the channel may be gone */
}

static bool close_chan(rn_hchan *c, const char *site)
{
    rn__current(); /* a foreign thread is met before it writes */
    if (RN_UNLIKELY(rn__hooked()))
        rn__chan_hook(RN__EV_CLOSE, c);
    rn__batch batch;
    rn__batch_init(&batch);
    rn__g *permits = NULL;
    if (!rn__chan_close_into(c, site, &batch, &permits))
        return false;
    while (permits != NULL) {
        rn__g *p = permits;
        permits = p->next;
        rn__ready_permit(p);
    }
    rn__batch_ready(&batch);
    return true;
}

/* "chan int, made at a.c:5, closed at b.c:7 by goroutine 3" */
static void closed_where(const rn_hchan *c, char *buf, size_t n)
{
    char what[160];
    rn__chan_describe(RN__WAIT_NONE, c, what, sizeof what);
    snprintf(buf, n, "%s, closed at %s by goroutine %llu", what,
             c->close_site != NULL ? c->close_site : "?", (unsigned long long)c->closer);
}

void rn_hchan_close(rn_hchan *c, const char *site)
{
    if (c == NULL)
        rn__panic_runtime(site, NULL, "close of nil channel");
    if (close_chan(c, site))
        return;
    char extra[320];
    closed_where(c, extra, sizeof extra);
    rn__panic_runtime(site, extra, "close of closed channel");
}

bool rn_hchan_try_close(rn_hchan *c, const char *site)
{
    return c != NULL && close_chan(c, site);
}

void rn_hchan_send_on_closed(rn_hchan *c, const char *site)
{
    char extra[320];
    closed_where(c, extra, sizeof extra);
    rn__panic_runtime(site, extra, "send on closed channel");
}
