/*
 * map_table.c - rn_map: tables grow, and what nobody can read any more is freed.
 *
 * Invariants
 *  - Growing links all nodes anew, by their other link, under the lock; readers of the old table go on
 *    with its links, which stay as they are.
 *  - Waiting for readers happens without any lock. If it cannot be done now (inside rn_map_with), it is
 *    left to a later writer.
 */
#include "map.h"
#include <stdlib.h>

rn__table *rn__table_new(uint64_t chains, uint32_t side)
{
    RN__OWN_BEGIN();
    rn__table *t = calloc(1, sizeof *t + chains * sizeof t->chain[0]);
    RN__OWN_END();
    if (t == NULL)
        rn__fatal("out of memory for a map");
    t->mask = chains - 1;
    t->side = side;
    return t;
}

/* Moves all nodes of t to its successor. Under the lock. */
static void relink(rn__table *t, rn__table *to)
{
    for (uint64_t i = 0; i <= t->mask; i++) {
        /* relaxed, all: the lock is ours, and the table is published as a whole */
        rn__node *n = atomic_load_explicit(&t->chain[i], memory_order_relaxed);
        for (; n != NULL; n = atomic_load_explicit(&n->next[t->side], memory_order_relaxed)) {
            rn__node *_Atomic *chain = rn__chain_of(to, n->hash);
            atomic_store_explicit(&n->next[to->side],
                                  atomic_load_explicit(chain, memory_order_relaxed),
                                  memory_order_relaxed);
            atomic_store_explicit(chain, n, memory_order_relaxed);
        }
    }
}

/* Doubles the table, if it is still too full and has not changed meanwhile. */
static void grow(rn__stripe *s)
{
    rn__lock_take(&s->lock);
    rn__table *t = atomic_load_explicit(&s->table, memory_order_relaxed);
    uint64_t chains = t != NULL ? t->mask + 1 : 0;
    bool wanted = t != NULL && s->settling == NULL &&
                  atomic_load_explicit(&s->count, memory_order_relaxed) > chains;
    uint32_t side = wanted ? 1 - t->side : 0;
    rn__lock_drop(&s->lock);
    if (!wanted)
        return;
    rn__table *to = rn__table_new(2 * chains, side);
    rn__lock_take(&s->lock);
    if (atomic_load_explicit(&s->table, memory_order_relaxed) == t && s->settling == NULL) {
        relink(t, to);
        /* release: all links */
        atomic_store_explicit(&s->table, to, memory_order_release);
        t->old = s->old;
        s->old = t;
        s->settling = t;
        to = NULL;
    }
    rn__lock_drop(&s->lock);
    RN__OWN_BEGIN();
    free(to);
    RN__OWN_END();
}

/* Takes what has been unlinked, waits until nobody reads it, frees it. */
static void reclaim(rn__stripe *s)
{
    rn__lock_take(&s->lock);
    rn__node *dead = s->dead;
    rn__table *old = s->old;
    uint32_t ndead = s->ndead;
    s->dead = NULL;
    s->ndead = 0;
    s->old = NULL;
    rn__lock_drop(&s->lock);
    if (dead == NULL && old == NULL)
        return;
    if (!rn__readers_wait()) {
        rn__lock_take(&s->lock);
        rn__node **last = &s->dead;
        while (*last != NULL)
            last = &(*last)->dead;
        *last = dead;
        rn__table **end = &s->old;
        while (*end != NULL)
            end = &(*end)->old;
        *end = old;
        s->ndead += ndead;
        rn__lock_drop(&s->lock);
        return;
    }
    rn__lock_take(&s->lock);
    for (const rn__table *t = old; t != NULL; t = t->old) {
        if (t == s->settling)
            s->settling = NULL;
    }
    rn__lock_drop(&s->lock);
    RN__OWN_BEGIN();
    while (dead != NULL) {
        rn__node *next = dead->dead;
        free(dead);
        dead = next;
    }
    while (old != NULL) {
        rn__table *next = old->old;
        free(old);
        old = next;
    }
    RN__OWN_END();
}

void rn__stripe_tend(rn__stripe *s)
{
    grow(s);
    reclaim(s);
}
