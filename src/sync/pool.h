/*
 * pool.h - the inside of rn_pool: places of threads, the depot, and the register of all pools.
 *
 * Used by pool.c (get and put) and pool_trim.c only.
 *
 * Invariants
 *  - A place's n and items are touched by its thread inside a section (readers.h), or by whoever has
 *    closed it and waited for all sections: then its thread goes to the depot instead.
 *  - An item is in one place, in one magazine of the depot, or with a user.
 *  - Nothing is allocated, and no callback runs, under the depot's lock.
 */
#ifndef RN_SYNC_POOL_H
#define RN_SYNC_POOL_H

#include "../platform/annotate.h"
#include "../platform/lock.h"
#include "readers.h"
#include <runnel/pool.h>

enum {
    RN__MAG = 8,                  /* items that move between a place and the depot at once */
    RN__PLACE = 2 * RN__MAG,      /* items that a place holds */
    RN__PLACES = RN__READERS / 4, /* threads with a higher number use the depot */
};

typedef struct rn__mag {
    struct rn__mag *next;
    uint32_t n;
    void *item[RN__MAG];
} rn__mag;

typedef struct rn__pool_place {
    _Alignas(RN__CACHELINE) _Atomic(uint32_t) closed; /* a trim is at it */
    uint32_t n;
    void *item[RN__PLACE]; /* newest last */
} rn__pool_place;

typedef struct rn__pool {
    rn__lock lock;   /* guards the lists of magazines and `trimming` */
    bool trimming;   /* a trim is under way: the pool stays */
    rn__mag *full;   /* each holds 1 to RN__MAG items */
    rn__mag *victim; /* the same, put aside by the last trim */
    rn__mag *empty;
    rn_pool *pool;         /* whose it is; constant */
    struct rn__pool *next; /* in the register; its lock */
    rn__pool_place
        *_Atomic place[RN__PLACES]; /* by number of the thread's reader; set once, release */
} rn__pool;

/* Adds n items to the depot. */
void rn__depot_add(rn__pool *im, void *const *item, uint32_t n);

/* Makes a pool known to the watcher. */
void rn__pool_register(rn__pool *im);

#endif
