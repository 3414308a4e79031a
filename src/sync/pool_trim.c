/*
 * pool_trim.c - rn_pool: what has not been used for a while goes, and in the end all of it.
 *
 * A trim closes all places, waits until no thread is inside one, takes their items, opens them again, and
 * drops what the trim before has put aside. Meanwhile gets and puts go through the depot.
 *
 * Invariants
 *  - At most one trim per pool at a time; a pool is not destroyed during one.
 *  - The register's lock is not held while a pool is trimmed: `trimming` keeps that pool in it.
 */
#include "pool.h"
#include <stdlib.h>

enum { EVERY = 1000000000 }; /* ns between two cycles */

static struct {
    rn__lock lock; /* guards the list */
    rn__pool *first;
} pools;

/* ---------------------------------------------------------------------------------- one pool */

static bool begin_trim(rn__pool *im)
{
    rn__lock_take(&im->lock);
    bool mine = !im->trimming;
    im->trimming = true;
    rn__lock_drop(&im->lock);
    return mine;
}
static void end_trim(rn__pool *im)
{
    rn__lock_take(&im->lock);
    im->trimming = false;
    rn__lock_drop(&im->lock);
}

static rn__mag *new_mag(void)
{
    RN__OWN_BEGIN();
    rn__mag *m = malloc(sizeof *m);
    RN__OWN_END();
    return m;
}

/* Drops the items of a list of magazines, and frees those. */
static void drop_all(rn_pool *p, rn__mag *m)
{
    while (m != NULL) {
        rn__mag *next = m->next;
        for (uint32_t i = 0; p->drop != NULL && i < m->n; i++) {
            RN__HB_ACQUIRE(m->item[i]);
            p->drop(m->item[i], p->arg);
        }
        RN__OWN_BEGIN();
        free(m);
        RN__OWN_END();
        m = next;
    }
}

/* Moves a closed place's items to the front of *list; those for which there is no memory stay. */
static void empty_place(rn__pool_place *at, rn__mag **list)
{
    while (at->n > 0) {
        rn__mag *m = new_mag();
        if (m == NULL)
            return;
        m->n = 0;
        while (at->n > 0 && m->n < RN__MAG)
            m->item[m->n++] = at->item[--at->n];
        m->next = *list;
        *list = m;
    }
}

/* What the places hold, as a list of magazines. NULL if there is nothing. */
static rn__mag *empty_places(rn__pool *im)
{
    rn__mag *list = NULL;
    bool any = false;
    for (int i = 0; i < RN__PLACES; i++) {
        rn__pool_place *at = atomic_load_explicit(&im->place[i], memory_order_acquire);
        /* a hint: what comes later is left to the next cycle */
        if (at == NULL || __atomic_load_n(&at->n, __ATOMIC_RELAXED) == 0)
            continue;
        any = true;
        /* relaxed: the barrier of the wait orders it */
        atomic_store_explicit(&at->closed, 1, memory_order_relaxed);
    }
    bool alone = any && rn__readers_wait();
    for (int i = 0; any && i < RN__PLACES; i++) {
        rn__pool_place *at = atomic_load_explicit(&im->place[i], memory_order_acquire);
        if (at == NULL || atomic_load_explicit(&at->closed, memory_order_relaxed) == 0)
            continue;
        if (alone)
            empty_place(at, &list);
        /* release: pairs with the owner's look */
        atomic_store_explicit(&at->closed, 0, memory_order_release);
    }
    return list;
}

/* One cycle, after begin_trim. True if something is left for the next one. */
static bool trim(rn__pool *im)
{
    rn__mag *list = empty_places(im);
    rn__lock_take(&im->lock);
    rn__mag *old = im->victim, *spare = im->empty;
    im->empty = NULL;
    rn__mag **end = &im->full;
    while (*end != NULL)
        end = &(*end)->next;
    *end = list;
    im->victim = im->full;
    im->full = NULL;
    bool more = im->victim != NULL;
    rn__lock_drop(&im->lock);
    for (rn__mag *m = spare; m != NULL; m = m->next)
        m->n = 0;
    drop_all(im->pool, spare);
    drop_all(im->pool, old);
    return more;
}

void rn_pool_trim(rn_pool *p)
{
    rn__pool *im = __atomic_load_n(&p->rn_impl, __ATOMIC_ACQUIRE);
    if (im == NULL || p->drop == NULL)
        return;
    for (unsigned round = 0; !begin_trim(im); round++)
        rn__backoff(round, true);
    trim(im);
    end_trim(im);
}

/* --------------------------------------------------------------------------------- all of them */

/* The watcher's. */
static int64_t trim_pools(int64_t now)
{
    bool more = false;
    rn__lock_take(&pools.lock);
    for (rn__pool *im = pools.first; im != NULL; im = im->next) {
        if (!begin_trim(im)) {
            more = true;
            continue;
        }
        rn__lock_drop(&pools.lock);
        more |= trim(im);
        rn__lock_take(&pools.lock);
        end_trim(im);
    }
    rn__lock_drop(&pools.lock);
    return more ? now + EVERY : RN_NEVER;
}

void rn__pool_register(rn__pool *im)
{
    rn__lock_take(&pools.lock);
    im->next = pools.first;
    pools.first = im;
    rn__lock_drop(&pools.lock);
    /* release: pairs with the watcher's look */
    atomic_store_explicit(&rn__trim_hook, trim_pools, memory_order_release);
}

/* Takes a pool out of the register, once no trim is at it. */
static void unregister(rn__pool *im)
{
    for (unsigned round = 0;; round++) {
        rn__lock_take(&pools.lock);
        bool mine = begin_trim(im);
        if (mine) {
            for (rn__pool **at = &pools.first; *at != NULL; at = &(*at)->next) {
                if (*at == im) {
                    *at = im->next;
                    break;
                }
            }
        }
        rn__lock_drop(&pools.lock);
        if (mine)
            return;
        rn__backoff(round, true);
    }
}

void rn_pool_destroy(rn_pool *p)
{
    rn__pool *im = __atomic_load_n(&p->rn_impl, __ATOMIC_ACQUIRE);
    if (im == NULL)
        return;
    unregister(im);
    __atomic_store_n(&p->rn_impl, NULL, __ATOMIC_RELAXED); /* relaxed: nobody else is here */
    for (rn__mag *m = im->empty; m != NULL; m = m->next)
        m->n = 0;
    drop_all(p, im->empty);
    drop_all(p, im->full);
    drop_all(p, im->victim);
    for (int i = 0; i < RN__PLACES; i++) {
        rn__pool_place *at = atomic_load_explicit(&im->place[i], memory_order_acquire);
        for (uint32_t k = 0; at != NULL && p->drop != NULL && k < at->n; k++) {
            RN__HB_ACQUIRE(at->item[k]);
            p->drop(at->item[k], p->arg);
        }
        RN__OWN_BEGIN();
        free(at);
        RN__OWN_END();
    }
    RN__OWN_BEGIN();
    free(im);
    RN__OWN_END();
}
