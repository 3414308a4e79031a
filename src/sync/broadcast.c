/*
 * broadcast.c - rn_broadcast: a list of channels, and a mutex that makes sends take turns.
 *
 * Invariants
 *  - rn_turn guards the list, and is held over sends that wait. A leave first closes its channel, which
 *    ends such a wait, so it never waits for itself.
 *  - A channel has two owners, the list and the subscriber; a leave gives both up.
 */
#include "../panic/panic.h"
#include <errno.h>
#include <runnel/broadcast.h>
#include <stdlib.h>

typedef struct rn__subscriber {
    struct rn__subscriber *next;
    rn_hchan *c;
    uint64_t missed;
    rn_broadcast_policy policy;
} subscriber;

rn_hchan *rn_hbroadcast_join(rn_hbroadcast *b, size_t size, int64_t cap, rn_broadcast_policy policy,
                             const char *site)
{
    rn_hchan *c = rn_hchan_make(size, cap, "broadcast", site);
    subscriber *s = malloc(sizeof *s);
    if (s == NULL)
        rn__fatal("out of memory for a subscriber at %s", site);
    *s = (subscriber){NULL, rn_hchan_ref(c), 0, policy};
    rn_mutex_lock_at(&b->rn_turn, site);
    subscriber **at = &b->rn_subs;
    while (*at != NULL)
        at = &(*at)->next;
    *at = s;
    if (b->rn_closed)
        rn_hchan_close(c, site);
    rn_mutex_unlock_at(&b->rn_turn, site);
    return c;
}

void rn_hbroadcast_leave(rn_hbroadcast *b, rn_hchan *sub, const char *site)
{
    rn_hchan_try_close(sub, site); /* a send that waits for us goes on */
    rn_mutex_lock_at(&b->rn_turn, site);
    subscriber **at = &b->rn_subs;
    while (*at != NULL && (*at)->c != sub)
        at = &(*at)->next;
    subscriber *s = *at;
    if (s != NULL)
        *at = s->next;
    rn_mutex_unlock_at(&b->rn_turn, site);
    if (s == NULL)
        rn__panic_runtime(site, "each rn_broadcast_join needs one rn_broadcast_leave",
                          "broadcast: leave of a channel that has not joined");
    free(s);
    rn_hchan_unref(sub, site);
    rn_hchan_unref(sub, site);
}

/* Gives one value to one subscriber; false if it is about to leave. */
static bool give(subscriber *s, const void *elem, const char *site)
{
    if (s->policy == RN_BROADCAST_BLOCK)
        return rn_hchan_put(s->c, RN_NEVER, elem, site) == 0;
    for (;;) {
        int err = rn_hchan_put(s->c, INT64_MIN, elem, site);
        if (err != -EAGAIN)
            return err == 0;
        if (rn_hchan_cap(s->c) == 0) {
            s->missed++;
            return true;
        }
        bool there = false; /* false: a receiver was faster, and has made room */
        if (rn_hchan_try_recv(s->c, NULL, &there, site) && there)
            s->missed++;
    }
}

size_t rn_hbroadcast_send(rn_hbroadcast *b, const void *elem, const char *site)
{
    size_t n = 0;
    rn_mutex_lock_at(&b->rn_turn, site);
    for (subscriber *s = b->rn_subs; s != NULL && !b->rn_closed; s = s->next)
        n += give(s, elem, site);
    rn_mutex_unlock_at(&b->rn_turn, site);
    return n;
}

void rn_hbroadcast_close(rn_hbroadcast *b, const char *site)
{
    rn_mutex_lock_at(&b->rn_turn, site);
    if (!b->rn_closed)
        for (const subscriber *s = b->rn_subs; s != NULL; s = s->next)
            (void)rn_hchan_try_close(s->c, site);
    b->rn_closed = 1;
    rn_mutex_unlock_at(&b->rn_turn, site);
}

uint64_t rn_hbroadcast_missed(rn_hbroadcast *b, const rn_hchan *sub, const char *site)
{
    uint64_t n = 0;
    rn_mutex_lock_at(&b->rn_turn, site);
    for (const subscriber *s = b->rn_subs; s != NULL; s = s->next)
        if (s->c == sub)
            n = s->missed;
    rn_mutex_unlock_at(&b->rn_turn, site);
    return n;
}
