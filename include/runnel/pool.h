/*
 * pool.h - a pool of things that are expensive to make and cheap to use again. Go: sync.Pool.
 *
 *     static void *make(void *arg) { return malloc(4096); }
 *     static void drop(void *item, void *arg) { free(item); }
 *     static rn_pool buffers = {.make = make, .drop = drop};
 *     ...
 *     char *b = rn_pool_get(&buffers);
 *     ...
 *     rn_pool_put(&buffers, b);
 *
 * Who owns what
 *  - An item has one owner at a time: the pool from put on, the caller from get on. The pool never looks
 *    into an item.
 *  - What happens before a put is visible to whoever gets that item.
 *  - Items that were not used for one to two trim cycles are dropped, if there is a drop function. The
 *    library trims about once a second while goroutines run; rn_pool_trim does it by hand.
 *
 * Each thread keeps a few items of its own and takes them without a lock; beyond these they move in
 * batches through a list that all share.
 *
 * Invariants
 *  - The zero value is an empty pool without functions, ready to be used by any goroutine or thread.
 *  - It must not be copied or moved after its first use.
 */
#ifndef RUNNEL_POOL_H
#define RUNNEL_POOL_H

#include <runnel/base.h>

RN_EXTERN_C_BEGIN

struct rn__pool;

/* A pool. All members may be left zero; none may be changed after the first use. */
typedef struct rn_pool {
    void *(*make)(void *arg)
        RN_OPTIONAL; /* makes an item for a get that finds none; may give NULL */
    /* takes an item that the pool gives up. May be called by any thread, one of the library's own
     * included, so it must not use goroutines or channels; free() is what it is for. NULL: nothing is
     * ever trimmed */
    void (*drop)(void *item, void *arg) RN_OPTIONAL;
    void *arg RN_OPTIONAL;                /* for both */
    struct rn__pool *rn_impl RN_OPTIONAL; /* private; made by the first put */
} rn_pool;

/* Takes an item out; if there is none, the result of make, or NULL without one. Which item is not
 * specified. Never blocks, unless make does. Go: p.Get(). */
RN_API RN_NONNULL void *rn_pool_get(rn_pool *p);

/* Gives an item to the pool; NULL is ignored. The caller must not touch it any more. Never blocks. Out of
 * memory for it, the pool drops the item at once; without a drop function that is fatal.
 * Go: p.Put(x). */
RN_API void rn_pool_put(rn_pool *p, void *item);

/* One trim cycle now: drops what the last cycle has put aside and puts aside what is there, in reach of
 * get until the next one. So two calls drop all that was in the pool before the first and has not been
 * taken out. Does nothing without a drop function. May let other goroutines run. Go: what the garbage
 * collector does. */
RN_API RN_NONNULL void rn_pool_trim(rn_pool *p);

/* Drops all items, and frees what the pool itself holds; without a drop function the items are simply
 * forgotten. Nobody may be using the pool. It is as good as new afterwards. */
RN_API RN_NONNULL void rn_pool_destroy(rn_pool *p);

RN_EXTERN_C_END

#endif
