/*
 * grow.c - unbounded channels: a ring that grows when it is full and shrinks as it drains.
 *
 * It happens where a change is published, still under the lock, so that all other code sees an ordinary
 * channel that is never full.
 *
 * Invariants
 *  - Whenever the lock of such a channel is dropped, count < cap: no send waits, ROOM is always set.
 *  - Growing doubles, shrinking halves at an eighth, so an element is moved a few times at most on
 *    average. Rings of a page or less stay as they are.
 *  - The user's function is called with no lock held, after the partner has been woken.
 */
#include "attempt.h"
#include <stdlib.h>

enum { SMALL_RING = 4096 }; /* bytes that are not worth giving back */

struct rn__chan_growth {
    size_t soft_limit;                         /* 0: none */
    void (*high_water)(size_t len, void *arg); /* NULL: none */
    void *arg;                                 /* for high_water */
    bool above; /* told already, and not half empty since; the channel's lock */
};

void rn__chan_growth_init(rn_hchan *c, const rn_chan_opts *opts)
{
    struct rn__chan_growth *g = malloc(sizeof *g);
    if (g == NULL)
        rn__fatal("out of memory for an unbounded channel");
    g->soft_limit = opts->on_high_water != NULL ? opts->soft_limit : 0;
    g->high_water = opts->on_high_water;
    g->arg = opts->arg;
    g->above = false;
    c->growth = g;
    c->flags |= RN__CH_GROWS;
    if (c->size == 0)
        c->cap = SIZE_MAX; /* a counter */
    else if (c->cap == 0)
        rn__chan_make_room(c);
}

/* Moves the elements to a ring of cap slots; false without memory. */
static bool resize(rn_hchan *c, size_t cap)
{
    size_t size = c->size, bytes = 0;
    if (__builtin_mul_overflow(cap, size, &bytes))
        return false;
    char *buf = c->small;
    RN__OWN_BEGIN();
    if (bytes > RN__CH_SMALL || c->buf == c->small)
        buf = malloc(bytes);
    if (buf != NULL) {
        char *from = c->recvp;
        for (size_t i = 0; i < c->count; i++) {
            RN__HB_ACQUIRE(from);
            memcpy(buf + i * size, from, size);
            RN__HB_RELEASE(buf + i * size);
            from = rn__ring_next(c, from);
        }
        memset(buf + c->count * size, 0, bytes - c->count * size);
        if (c->buf != c->small)
            free(c->buf);
    }
    RN__OWN_END();
    if (buf == NULL)
        return false;
    c->buf = buf;
    c->end = buf + bytes;
    c->recvp = buf;
    c->sendp = c->count == cap ? buf : buf + c->count * size;
    c->cap = cap;
    return true;
}

void rn__chan_make_room(rn_hchan *c)
{
    size_t cap = c->cap != 0 ? 2 * c->cap : RN__CH_SMALL / c->size;
    if (cap < 2)
        cap = 2;
    if (!resize(c, cap))
        rn__fatal("out of memory for %zu elements of %u bytes in an unbounded channel (%s)", cap,
                  (unsigned)c->size, c->site != NULL ? c->site : "?");
}

/* Keeps the invariant. */
static void tend(rn_hchan *c)
{
    struct rn__chan_growth *g = c->growth;
    if (c->count <= g->soft_limit / 2)
        g->above = false;
    if (RN_UNLIKELY(c->count == c->cap)) {
        rn__chan_make_room(c);
    } else if (RN_UNLIKELY(c->count <= c->cap / 8 && c->size != 0 &&
                           c->cap > SMALL_RING / (size_t)c->size)) {
        size_t cap = c->cap / 2;
        if (c->count == 0)
            cap = c->size < SMALL_RING / 2 ? SMALL_RING / (size_t)c->size : 2;
        if (cap > c->count && cap < c->cap)
            (void)resize(c, cap); /* without memory for less it keeps what it has */
    }
}

uint64_t rn__chan_rare_word(rn_hchan *c, uint64_t s)
{
    if (c->flags & RN__CH_GROWS)
        tend(c);
    uint64_t w = rn__chan_next_word(c, s);
    if (c->flags & RN__CH_HAS_FD)
        rn__chan_fd_follow(c, w);
    return w;
}

rn__notice rn__chan_publish_sent(rn_hchan *c, uint64_t s)
{
    rn__notice tell = {NULL, NULL, c->count};
    if (c->flags & RN__CH_GROWS) {
        struct rn__chan_growth *g = c->growth;
        if (g->soft_limit != 0 && c->count >= g->soft_limit && !g->above) {
            g->above = true;
            tell.fn = g->high_water;
            tell.arg = g->arg;
        }
    }
    rn__chan_publish(c, s);
    return tell;
}

bool rn__chan_sent_rare(rn_hchan *c, uint64_t s, rn__partner partner)
{
    rn__notice tell = rn__chan_publish_sent(c, s);
    /* from here on the channel may be gone */
    rn__partner_ready(partner);
    if (tell.fn != NULL)
        tell.fn(tell.len, tell.arg);
    return true;
}
