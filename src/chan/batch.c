/*
 * batch.c - many elements with one lock: send_n and recv_n.
 *
 * Under the lock each element goes the way of a single operation (attempt.h): to a waiting partner, from
 * a waiting sender, else to and from the ring, there in one copy for as many as lie in a row. Everybody who
 * has been served is woken after the unlock, in order. What is left waits like a single operation.
 *
 * Invariants
 *  - The result is that of the same operations one after the other, at one instant.
 *  - At most HOLD elements move under one lock, so that others get their turn.
 */
#include "attempt.h"

enum { HOLD = 1024 };

/* Who has been served under the lock. */
typedef struct served {
    rn__batch plain;
    rn__g *first, *last; /* selects, linked by next */
} served;

static void note(served *v, rn__partner p)
{
    if (p.g == NULL)
        return;
    if (!p.is_select) {
        rn__batch_add(&v->plain, p.g);
        return;
    }
    /* its token is ours until the permit: the link is free */
    p.g->next = NULL;
    if (v->last != NULL)
        v->last->next = p.g;
    else
        v->first = p.g;
    v->last = p.g;
}

static void wake(served *v)
{
    while (v->first != NULL) {
        rn__g *g = v->first;
        v->first = g->next;
        rn__ready_permit(g);
    }
    rn__batch_ready(&v->plain);
}

/* How many of n slots lie in a row from `slot` on. */
static inline size_t in_a_row(const rn_hchan *c, const char *slot, size_t n)
{
    if (c->size == 0)
        return n;
#if RN__TSAN
    (void)slot;
    return 1; /* each slot has its own edges */
#else
    size_t row = (size_t)(c->end - slot);
    return n * c->size <= row ? n : row / c->size; /* a division costs more than all the rest */
#endif
}

static void ring_in_n(rn_hchan *c, const char *from, size_t n)
{
    if (n == 1) {
        rn__ring_in(c, from);
        c->count++;
        return;
    }
    for (size_t k; n > 0; n -= k) {
        k = in_a_row(c, c->sendp, n);
        if (c->size != 0) {
            RN__HB_ACQUIRE(c->sendp);
            memcpy(c->sendp, from, k * c->size);
            RN__HB_RELEASE(c->sendp);
            from += k * c->size;
            c->sendp += k * c->size;
            if (c->sendp == c->end)
                c->sendp = c->buf;
        }
        c->count += k;
    }
}

static void ring_out_n(rn_hchan *c, char *to, size_t n)
{
    if (n == 1) {
        rn__ring_out(c, to);
        c->count--;
        return;
    }
    for (size_t k; n > 0; n -= k) {
        k = in_a_row(c, c->recvp, n);
        if (c->size != 0) {
            RN__HB_ACQUIRE(c->recvp);
            if (to != NULL) {
                memcpy(to, c->recvp, k * c->size);
                to += k * c->size;
            }
            memset(c->recvp, 0, k * c->size);
            RN__HB_RELEASE(c->recvp);
            c->recvp += k * c->size;
            if (c->recvp == c->end)
                c->recvp = c->buf;
        }
        c->count -= k;
    }
}

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ------------------------------------------------------------------------------------------ send */

/* Sends what can be sent now of n; *closed if it stopped for that. */
static size_t send_now(rn_hchan *c, const char *from, size_t n, bool *closed)
{
    served v = {.first = NULL};
    rn__batch_init(&v.plain);
    size_t done = 0;
    n = least(n, HOLD);
    uint64_t s = rn__chan_lock(c);
    *closed = (s & RN__CH_CLOSED) != 0;
    while (!*closed && done < n) {
        if (c->count == c->cap && (c->flags & RN__CH_GROWS) != 0)
            rn__chan_make_room(c);
        if (c->recvq == NULL) {
            size_t k = least(n - done, c->cap - c->count);
            ring_in_n(c, from + done * c->size, k);
            done += k;
            if (c->count == c->cap && !(c->flags & RN__CH_GROWS))
                break;
            continue;
        }
        rn__partner partner = {NULL, false};
        if (rn__try_send_locked(c, s, from + done * c->size, &partner) != RN__TRY_OK)
            break;
        note(&v, partner);
        done++;
    }
    rn__notice tell = {NULL, NULL, 0};
    if (RN_UNLIKELY((c->flags & RN__CH_RARE) != 0))
        tell = rn__chan_publish_sent(c, s);
    else
        rn__chan_publish(c, s);
    wake(&v);
    if (tell.fn != NULL)
        tell.fn(tell.len, tell.arg);
    return done;
}

size_t rn_hchan_send_n(rn_hchan *c, const void *elems, size_t n, const char *site)
{
    const char *from = elems;
    size_t done = 0;
    while (done < n) {
        if (c != NULL) {
            rn__g *g = rn__current();
            if (RN_UNLIKELY(rn__hooked()))
                rn__hook_point(RN__EV_SEND, g, c);
            bool closed;
            size_t k = send_now(c, from + done * c->size, n - done, &closed);
            done += k;
            if (closed)
                break;
            if (k == HOLD || done == n)
                continue;
        }
        if (!rn_hchan_send(c, from + (c != NULL ? done * c->size : 0), site))
            break;
        done++;
    }
    return done;
}

/* --------------------------------------------------------------------------------------- receive */

static char *slot_at(const rn_hchan *c, void *elems, size_t i)
{
    return elems != NULL ? (char *)elems + i * c->size : NULL;
}

/* Receives what can be received now of n, into the slots from `at` on. */
static size_t recv_now(rn_hchan *c, void *elems, size_t at, size_t n, bool *closed)
{
    served v = {.first = NULL};
    rn__batch_init(&v.plain);
    size_t done = 0;
    n = least(n, HOLD);
    uint64_t s = rn__chan_lock(c);
    *closed = false;
    while (done < n) {
        if (c->sendq == NULL && c->count > 0) {
            size_t k = least(n - done, c->count);
            ring_out_n(c, slot_at(c, elems, at + done), k);
            done += k;
            continue;
        }
        rn__partner partner = {NULL, false};
        enum rn__try r = rn__try_recv_locked(c, s, slot_at(c, elems, at + done), &partner);
        *closed = r == RN__TRY_CLOSED;
        if (r != RN__TRY_OK)
            break;
        note(&v, partner);
        done++;
    }
    rn__chan_publish(c, s);
    wake(&v);
    return done;
}

size_t rn_hchan_recv_n(rn_hchan *c, void *elems, size_t min, size_t max, int64_t deadline,
                       const char *site)
{
    size_t done = 0;
    if (min > max)
        min = max;
    for (;;) {
        if (c != NULL && done < max) {
            rn__g *g = rn__current();
            if (RN_UNLIKELY(rn__hooked()))
                rn__hook_point(RN__EV_RECV, g, c);
            bool closed;
            size_t k = recv_now(c, elems, done, max - done, &closed);
            done += k;
            if (closed)
                return done;
            if (k == HOLD)
                continue;
        }
        if (done >= min)
            return done;
        if (rn_hchan_take(c, deadline, c != NULL ? slot_at(c, elems, done) : NULL, site) != 0)
            return done;
        done++;
    }
}
