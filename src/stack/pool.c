/*
 * pool.c - the global pool: stacks on their way from one worker to another, or back to the system.
 *
 * A worker's own pool is the inline part of stack.h. This is what stands behind it: batches of 64
 * stacks, so that a lock is taken once for 64 goroutines.
 *
 * Ageing needs no times in the stacks. A class has three lists of batches. What workers spill goes
 * to `young`; once a second the watcher turns young into `old` and old into `expired`. A batch that
 * is found in `expired` has therefore been there for more than a second. Workers refill from the
 * young end.
 *
 * Invariants
 *  - A batch is RN__STACK_BATCH stacks, linked by next, the first one's `batch` being the next batch.
 *  - The stack on top of a worker's list never comes here: the worker may be standing on it.
 *  - The lock of a class guards its lists, and nothing is called while it is held.
 */
#include "slab.h"
#include "../platform/lock.h"

enum {
    RN__STACK_BATCH = 64,
    TRIM_STACKS = 4096 /* at most per call of rn__stack_trim and class: a few milliseconds */
};
_Static_assert(RN__STACK_BATCH + 1 < (int)RN__STACK_POOL_BOUND, "a spill leaves the top stack");

typedef struct depot {
    _Alignas(RN__CACHELINE) rn__lock lock;
    rn__stack *young;
    rn__stack *old;
    rn__stack *expired;
    int64_t turned; /* when young last became old; read and written by the trimmer under the lock */
} depot;
static depot depots[RN__STACK_MAX_CLASS + 1];

void rn__stack_spill(rn__stack_pool *pool, unsigned klass)
{
    rn__stack *top = pool->hot[klass];
    rn__stack *first = top->next;
    rn__stack *last = first;
    for (int i = 1; i < RN__STACK_BATCH; i++)
        last = last->next;
    top->next = last->next;
    pool->n[klass] -= RN__STACK_BATCH;
    last->next = NULL;

    depot *d = &depots[klass];
    rn__lock_take(&d->lock);
    first->batch = d->young;
    d->young = first;
    rn__lock_drop(&d->lock);
}

/* The youngest batch, or NULL. Under the lock. */
static rn__stack *pop_batch(depot *d)
{
    rn__stack **list = d->young != NULL ? &d->young : d->old != NULL ? &d->old : &d->expired;
    rn__stack *first = *list;
    if (first != NULL)
        *list = first->batch;
    return first;
}

rn__stack *rn__stack_get_slow(rn__stack_pool *pool, unsigned klass)
{
    depot *d = &depots[klass];
    rn__lock_take(&d->lock);
    rn__stack *s = pop_batch(d);
    rn__lock_drop(&d->lock);
    if (s == NULL)
        return rn__slab_take(klass);
    pool->hot[klass] = s->next;
    pool->n[klass] = RN__STACK_BATCH - 1;
    return s;
}

/* Turns the lists once a second, and takes an expired batch. */
static rn__stack *pop_expired(depot *d, int64_t now)
{
    rn__lock_take(&d->lock);
    if (d->expired == NULL && now - d->turned >= RN_SEC) {
        d->expired = d->old;
        d->old = d->young;
        d->young = NULL;
        d->turned = now;
    }
    rn__stack *first = d->expired;
    if (first != NULL)
        d->expired = first->batch;
    rn__lock_drop(&d->lock);
    return first;
}

static int64_t trim_class(unsigned klass, int64_t now)
{
    depot *d = &depots[klass];
    size_t n = 0;
    while (n < TRIM_STACKS) {
        rn__stack *s = pop_expired(d, now);
        if (s == NULL)
            break;
        while (s != NULL) {
            rn__stack *next = s->next; /* chilled, it is no longer ours */
            rn__slab_chill(s);
            s = next;
            n++;
        }
    }
    if (rn__slab_discard(klass, TRIM_STACKS) || n >= TRIM_STACKS)
        return now;
    rn__lock_take(&d->lock);
    int64_t again = d->young != NULL || d->old != NULL ? d->turned + RN_SEC : RN_NEVER;
    rn__lock_drop(&d->lock);
    return again;
}

int64_t rn__stack_trim(int64_t now)
{
    int64_t again = RN_NEVER;
    for (unsigned k = RN__STACK_MIN_CLASS; k <= RN__STACK_MAX_CLASS; k++) {
        int64_t t = trim_class(k, now);
        again = t < again ? t : again;
    }
    return again;
}
