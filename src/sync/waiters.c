/*
 * waiters.c - waiting in a queue until a breaker ends it.
 *
 * Invariants
 *  - One of two takes the token: whoever takes the waiter out of its queue, or the breaker. If it is
 *    the breaker, the waiter withdraws by itself; the queue's side knows it by the lost token and
 *    goes on with the next one, so nothing is granted to one that has given up.
 */
#include "sync.h"
#include "waiters.h"
#include "../panic/panic.h"
#include <errno.h>
#include <stdio.h>

/* Everybody who waits in this folder needs this file, so dumps know the objects. */
__attribute__((constructor)) static void tell_dumps(void)
{
    rn__describe_sync = rn__sync_describe;
}

int rn__waiters_wait(rn__g *g, rn__breaker *b)
{
    uint64_t gen = g->sudog.gen;
    bool armed = b->arm(b, g, gen);
    if (!armed && rn__token_take(g, gen)) {
        rn__token_close(g);
        atomic_store_explicit(&g->status, RN__RUNNING, memory_order_relaxed);
        return b->how(b);
    }
    rn__park_permit(g);
    if (armed)
        b->disarm(b);
    rn__token_close(g);
    switch (g->won_how) {
    case RN__WON_OK: return 0;
    case RN__WON_CANCELED: return -ECANCELED;
    default: return -ETIMEDOUT;
    }
}

void rn__waiters_gone(rn__g *g)
{
    /* acquire: what the taker did to the object came before */
    for (unsigned round = 0; atomic_load_explicit(&g->sudog.linked, memory_order_acquire) != 0;
         round++)
        rn__backoff(round, true);
}

void rn__sync_by(char *buf, size_t n, const rn__g *g)
{
    uint64_t id = g != NULL ? g->id : 0; /* 0: it has ended */
    buf[0] = '\0';
    if (id != 0)
        snprintf(buf, n, " by %s %llu", rn__is_foreign(g) ? "thread" : "goroutine",
                 (unsigned long long)id);
}
