/*
 * map.h - the inside of rn_map: stripes, tables, nodes.
 *
 * A map is a fixed number of stripes, chosen by the hash; each has a lock for its writers and a table of
 * chains. Readers follow the chains inside a section (readers.h) without any lock.
 *
 * Used by map.c (one key), map_table.c (growing, freeing) and map_range.c (all keys) only.
 *
 * Invariants
 *  - What a reader can reach is freed only after rn__readers_wait has returned since it was unlinked.
 *  - A node has two links. A table uses the one that its `side` says, and the table that replaces it the
 *    other one, so growing does not disturb those who still read the old table. The next growth waits
 *    until they are gone (`settling`).
 *  - A node's hash and key never change; its value changes under the stripe's lock.
 *  - Nothing is allocated or freed, and nobody waits, under a stripe's lock; the user's hash and equal may
 *    run under it.
 */
#ifndef RN_SYNC_MAP_H
#define RN_SYNC_MAP_H

#include "../platform/annotate.h"
#include "../platform/lock.h"
#include "readers.h"
#include <runnel/map.h>

enum {
    RN__STRIPES_LOG = 5,
    RN__STRIPES = 1 << RN__STRIPES_LOG,
    RN__MAP_FIRST = 8,  /* chains of a stripe's first table */
    RN__MAP_DEAD = 128, /* removed nodes that a stripe collects before it frees them */
};

typedef struct rn__node {
    struct rn__node *_Atomic next[2]; /* chains; [table's side] */
    uint64_t hash;
    const void *key; /* the word, or the copy behind this struct */
    void *_Atomic value;
    struct rn__node *dead;  /* link among removed ones; the stripe's lock */
    uint32_t held;          /* ranges that will look at it; the stripe's lock */
    _Atomic(uint32_t) gone; /* removed; written under the stripe's lock */
} rn__node;

typedef struct rn__table {
    uint64_t mask;         /* chains - 1 */
    uint32_t side;         /* which link of a node it uses */
    struct rn__table *old; /* link among replaced ones; the stripe's lock */
    rn__node *_Atomic chain[];
} rn__table;

typedef struct rn__stripe {
    _Alignas(RN__CACHELINE) rn__lock lock; /* guards all here but the reads of table and count */
    uint32_t ndead;
    rn__table *_Atomic table; /* NULL: empty */
    _Atomic(size_t) count;    /* keys; relaxed reads by len */
    rn__node *dead;           /* removed, not yet freed */
    rn__table *old;           /* replaced tables, not yet freed */
    rn__table
        *settling; /* the table before this one, while somebody may still read it, by the links
                            that the next one will use; not followed */
} rn__stripe;

typedef struct rn__map {
    uint64_t seed;
    rn__stripe stripe[RN__STRIPES];
} rn__map;

/* The chain that a hash belongs to. */
static inline rn__node *_Atomic *rn__chain_of(rn__table *t, uint64_t hash)
{
    return &t->chain[hash & t->mask];
}

/* Notes that n, just unlinked, shall be freed one day. Under the lock. */
static inline void rn__node_retire(rn__stripe *s, rn__node *n)
{
    atomic_store_explicit(&n->gone, 1, memory_order_relaxed); /* a range looks at it as a hint */
    if (n->held != 0)
        return; /* the last range does it */
    n->dead = s->dead;
    s->dead = n;
    s->ndead++;
}

/* Makes an empty table; fatal without memory. */
rn__table *rn__table_new(uint64_t chains, uint32_t side);

/* After the lock has been dropped: doubles the table if it is too full, frees what can be freed. */
void rn__stripe_tend(rn__stripe *s);
static inline bool rn__stripe_wants(const rn__stripe *s)
{
    const rn__table *t = atomic_load_explicit(&s->table, memory_order_relaxed);
    return s->ndead >= RN__MAP_DEAD || s->old != NULL ||
           (t != NULL && s->settling == NULL &&
            atomic_load_explicit(&s->count, memory_order_relaxed) > t->mask + 1);
}

#endif
