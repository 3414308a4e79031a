/*
 * send.c - sending on a channel.
 *
 * Invariants
 *  - The order of the questions is Go's: closed first (item 16), then a waiting receiver, which gets
 *    the value directly and never through the buffer (item 17), then a free slot, then park.
 *  - The value is read before the sender's stack can change hands: by the copy into the slot or the
 *    receiver, or later by the receiver while the sender is parked.
 */
#include "attempt.h"

/* The last question: parks until a receiver has taken the value, or the channel is closed. */
static inline bool park(rn_hchan *c, uint64_t s, const void *elem, rn__g *g, const char *site)
{
    rn__sudog *w = &g->sudog;
    w->elem = (void *)(uintptr_t)elem;
    w->c = c;
    w->g = g;
    w->is_select = false;
    w->is_send = true;
    rn__note_wait(g, RN__WAIT_CHAN_SEND, c, site);
    rn__waitq_append(&c->sendq, w);
    RN__HB_RELEASE(w);
    uint64_t next = rn__chan_next_word(c, s);
    if (RN_UNLIKELY((c->flags & RN__CH_HAS_FD) != 0))
        rn__chan_fd_follow(c, next);
#if RN__TSAN
    bool ok = rn__park_locked(g, &c->word, next);
    RN__HB_ACQUIRE(w);
    return ok;
#else
    return rn__park_locked(g, &c->word, next); /* a jump: see rn__switch */
#endif
}

/* nil channels, foreign threads, the start of the runtime, hooks. Returns where we are after it. */
__attribute__((noinline)) static rn__hot *send_rare(rn_hchan *c, const char *site)
{
    rn__current(); /* starts the runtime, registers a thread */
    if (c == NULL)
        rn__block_forever(RN__WAIT_CHAN_SEND_NIL, site);
    if (rn__hooked())
        rn__chan_hook(RN__EV_SEND, c);
    return rn__self_hot();
}

bool rn_hchan_send(rn_hchan *c, const void *elem, const char *site)
{
    rn__hot *h = rn__self_hot();
    if (RN_UNLIKELY(c == NULL || h == NULL || h->cur == NULL || rn__hooked()))
        h = send_rare(c, site);
    uint64_t s = rn__chan_lock_as(c, h, true);
    rn__partner partner = {NULL, false};
    switch (rn__try_send_locked(c, s, elem, &partner)) {
    case RN__TRY_OK:
        if (RN_UNLIKELY((c->flags & RN__CH_RARE) != 0))
            return rn__chan_sent_rare(c, s, partner);
        rn__chan_publish(c, s);
        rn__partner_ready(partner);
        return true;
    case RN__TRY_CLOSED: rn__chan_unlock(c, s); return false;
    default: return park(c, s, elem, rn__running(), site);
    }
}

bool rn_hchan_try_send(rn_hchan *c, const void *elem, const char *site)
{
    if (c == NULL)
        return false;
    if (RN_UNLIKELY(rn__hooked()))
        rn__chan_hook(RN__EV_SEND, c);
    rn__chan_fence();
    uint64_t s = atomic_load_explicit(&c->word, memory_order_acquire);
    if (!(s & (RN__CH_ROOM | RN__CH_CLOSED)))
        return false;
    s = rn__chan_lock(c);
    rn__partner partner = {NULL, false};
    enum rn__try r = rn__try_send_locked(c, s, elem, &partner);
    if (r == RN__TRY_CLOSED) {
        rn__chan_unlock(c, s);
        rn_hchan_send_on_closed(c, site);
    }
    if (RN_UNLIKELY((c->flags & RN__CH_RARE) != 0 && r == RN__TRY_OK))
        return rn__chan_sent_rare(c, s, partner);
    rn__chan_publish(c, s); /* also when nothing fit: stale waiters may have been dropped */
    rn__partner_ready(partner);
    return r == RN__TRY_OK;
}
