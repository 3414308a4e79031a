/*
 * recv.c - receiving from a channel.
 *
 * Invariants
 *  - The order of the questions: a waiting sender first, then the buffer, then closed. With a full
 *    buffer and a waiting sender one step does both: the oldest buffered element goes to the receiver,
 *    the oldest sender's into the freed slot (item 32).
 *  - "Closed and drained" never changes again, so it is answered without the lock.
 */
#include "attempt.h"

/* The last question: parks until a sender has written to *elem, or the channel is closed. */
static inline bool park(rn_hchan *c, uint64_t s, void *elem, rn__g *g, const char *site)
{
    rn__sudog *w = &g->sudog;
    w->elem = elem;
    w->c = c;
    w->g = g;
    w->is_select = false;
    w->is_send = false;
    rn__note_wait(g, RN__WAIT_CHAN_RECEIVE, c, site);
    rn__waitq_append(&c->recvq, w);
    RN__HB_RELEASE(w);
    uint64_t next = rn__chan_next_word(c, s);
#if RN__TSAN
    bool ok = rn__park_locked(g, &c->word, next);
    RN__HB_ACQUIRE(w);
    return ok;
#else
    return rn__park_locked(g, &c->word, next); /* a jump: see rn__switch */
#endif
}

/* Closed with nothing left, seen without the lock. */
static inline bool drained(rn_hchan *c, uint64_t s, void *elem)
{
    if (RN_LIKELY((s & (RN__CH_CLOSED | RN__CH_VALUE)) != RN__CH_CLOSED))
        return false;
    RN__HB_ACQUIRE(c);
    if (elem != NULL)
        memset(elem, 0, c->size);
    return true;
}

/* nil channels, foreign threads, the start of the runtime, hooks. Returns where we are after it. */
__attribute__((noinline)) static rn__hot *recv_rare(rn_hchan *c, const char *site)
{
    rn__current(); /* starts the runtime, registers a thread */
    if (c == NULL)
        rn__block_forever(RN__WAIT_CHAN_RECEIVE_NIL, site);
    if (rn__hooked())
        rn__chan_hook(RN__EV_RECV, c);
    return rn__self_hot();
}

bool rn_hchan_recv(rn_hchan *c, void *elem, const char *site)
{
    rn__hot *h = rn__self_hot();
    if (RN_UNLIKELY(c == NULL || h == NULL || h->cur == NULL || rn__hooked()))
        h = recv_rare(c, site);
    /* acquire: what was written before the close is visible, item 40 */
    if (RN_UNLIKELY(drained(c, atomic_load_explicit(&c->word, memory_order_acquire), elem)))
        return false;
    uint64_t s = rn__chan_lock_as(c, h, true);
    rn__partner partner = {NULL, false};
    switch (rn__try_recv_locked(c, s, elem, &partner)) {
    case RN__TRY_OK:
        rn__chan_publish(c, s);
        rn__partner_ready(partner);
        return true;
    case RN__TRY_CLOSED: rn__chan_publish(c, s); return false;
    default: return park(c, s, elem, rn__running(), site);
    }
}

bool rn_hchan_try_recv(rn_hchan *c, void *elem, bool *ok, const char *site)
{
    (void)site;
    if (c == NULL)
        return false;
    if (RN_UNLIKELY(rn__hooked()))
        rn__chan_hook(RN__EV_RECV, c);
    rn__chan_fence();
    uint64_t s = atomic_load_explicit(&c->word, memory_order_acquire);
    if (!(s & (RN__CH_VALUE | RN__CH_CLOSED)))
        return false;
    enum rn__try r = RN__TRY_CLOSED;
    if (!drained(c, s, elem)) {
        s = rn__chan_lock(c);
        rn__partner partner = {NULL, false};
        r = rn__try_recv_locked(c, s, elem, &partner);
        rn__chan_publish(c, s); /* also when nothing was there: stale waiters may be gone */
        rn__partner_ready(partner);
    }
    if (r == RN__TRY_NO)
        return false;
    if (ok != NULL)
        *ok = r == RN__TRY_OK;
    return true;
}
