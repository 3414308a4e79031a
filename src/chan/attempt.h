/*
 * attempt.h - one attempt to send or to receive, under the channel's lock: the rules of Go's channels.
 *
 * Plain operations, try operations and select all go through these two functions.
 *
 * Invariants
 *  - Send asks: closed (item 16)? a waiting receiver, which gets the value directly and never through
 *    the buffer (item 17)? a free slot (item 18)?
 *  - Receive asks: a waiting sender? the buffer? closed? With a full buffer and a waiting sender one
 *    step does both: the oldest buffered element goes to the receiver, the oldest sender's into the
 *    freed slot (item 32).
 *  - Neither publishes; the caller unlocks by publishing and then makes the partner runnable.
 */
#ifndef RN_CHAN_ATTEMPT_H
#define RN_CHAN_ATTEMPT_H

#include "hchan.h"

enum rn__try { RN__TRY_NO, RN__TRY_OK, RN__TRY_CLOSED };

/* Closed? receiver waiting? free slot? */
static inline __attribute__((always_inline)) enum rn__try rn__try_send_locked(rn_hchan *c,
                                                                              uint64_t s,
                                                                              const void *elem,
                                                                              rn__partner *partner)
{
    if (RN_UNLIKELY((s & RN__CH_CLOSED) != 0))
        return RN__TRY_CLOSED;
    if (c->recvq != NULL) {
        rn__sudog *w = rn__waitq_take(&c->recvq);
        if (w != NULL) {
            RN__HB_ACQUIRE(w); /* what the receiver did before it came, item 42 */
            if (w->elem != NULL)
                rn__elem_copy(c->size, w->elem, elem);
            RN__HB_RELEASE(w);
            *partner = rn__sudog_release(w, RN__WON_OK);
            return RN__TRY_OK;
        }
    }
    if (c->count < c->cap) {
        rn__ring_in(c, elem);
        c->count++;
        return RN__TRY_OK;
    }
    return RN__TRY_NO;
}

/* Sender waiting? element buffered? closed? */
static inline __attribute__((always_inline)) enum rn__try rn__try_recv_locked(rn_hchan *c,
                                                                              uint64_t s,
                                                                              void *elem,
                                                                              rn__partner *partner)
{
    if (c->sendq != NULL) {
        rn__sudog *w = rn__waitq_take(&c->sendq);
        if (w != NULL) {
            RN__HB_ACQUIRE(w); /* what the sender wrote before it sent, item 40 */
            if (c->count == 0) {
                if (elem != NULL)
                    rn__elem_copy(c->size, elem, w->elem);
            } else {
                rn__ring_out(c, elem);
                rn__ring_in(c, w->elem);
            }
            RN__HB_RELEASE(w);
            *partner = rn__sudog_release(w, RN__WON_OK);
            return RN__TRY_OK;
        }
    }
    if (c->count > 0) {
        rn__ring_out(c, elem);
        c->count--;
        return RN__TRY_OK;
    }
    if (RN_UNLIKELY((s & RN__CH_CLOSED) != 0)) {
        RN__HB_ACQUIRE(c);
        if (elem != NULL)
            memset(elem, 0, c->size);
        return RN__TRY_CLOSED;
    }
    return RN__TRY_NO;
}

#endif
