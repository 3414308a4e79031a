/*
 * stack.h - where goroutine stacks live.
 *
 * The only header of this folder that other parts may include.
 *
 * A stack is one slot of a slab: one mapping holds many slots of one size class, each with its guard
 * at the low end. Class k has slots of 2^k bytes. Classes up to 8 KiB are packed: no guard page,
 * a canary word at the low end instead.
 *
 * Invariants
 *  - The header below sits at the high end of the slot, in the page that is touched anyway; a stack
 *    pointer starts below it.
 *  - A stack is owned by one goroutine, by a worker's loop that stands on it, by a worker's pool or
 *    by the global pool, never by two.
 *  - A worker may put the stack it stands on into its own pool, because only the worker itself takes
 *    from that pool and leaves the stack first; such a stack must not go to the global pool.
 */
#ifndef RN_STACK_H
#define RN_STACK_H

#include "../platform/platform.h"

enum {
    RN__STACK_MIN_CLASS = 11,     /* 2 KiB */
    RN__STACK_PACKED_CLASS = 13,  /* up to here no guard page, a canary */
    RN__STACK_DEFAULT_CLASS = 16, /* 64 KiB */
    RN__STACK_MAX_CLASS = 28,     /* 256 MiB */
};

/* The header of a stack; its address is also the stack's top. 32 bytes, aligned to 16. */
typedef struct rn__stack {
    struct rn__stack *next;  /* in a pool */
    char *lo;                /* lowest usable byte, above the guard or the canary */
    uint32_t klass;          /* size class */
    uint32_t valgrind_id;    /* what VALGRIND_STACK_REGISTER returned */
    struct rn__stack *batch; /* first of a batch in the global pool: the next batch */
} rn__stack;
_Static_assert(sizeof(rn__stack) == 32, "the top of a stack must be aligned to 16");

/* The usable end: 16-aligned, exclusive. */
static inline void *rn__stack_top(rn__stack *s)
{
    return s;
}

/* A worker's hot stacks: LIFO, one list per class; touched by the worker only. */
typedef struct rn__stack_pool {
    rn__stack *hot[RN__STACK_MAX_CLASS + 1];
    uint32_t n[RN__STACK_MAX_CLASS + 1];
} rn__stack_pool;

/* The class for a requested size in bytes (0: the default, RUNNEL_DEBUG=stack=BYTES changes it);
 * -EINVAL above the largest. In sanitizer builds nothing below 64 KiB is given out. */
int rn__stack_class(size_t bytes);

/* Takes a stack of the class, from the pool if it has one. NULL when out of memory, address space or
 * mappings; rn__stack_limit_text then says which limit it is and what to do. */
rn__stack *rn__stack_get_slow(rn__stack_pool *pool, unsigned klass);
static inline rn__stack *rn__stack_get(rn__stack_pool *pool, unsigned klass)
{
    rn__stack *s = pool->hot[klass];
    if (RN_LIKELY(s != NULL)) {
        pool->hot[klass] = s->next;
        __builtin_prefetch(s->next); /* the next one is cold when many thousands are in use */
        pool->n[klass]--;
        return s;
    }
    return rn__stack_get_slow(pool, klass);
}
const char *rn__stack_limit_text(void);

/* Puts a stack back. Only one list operation; when the pool has grown beyond its bound, a batch from
 * below the top goes to the global pool. */
void rn__stack_spill(rn__stack_pool *pool, unsigned klass);
enum { RN__STACK_POOL_BOUND = 256 };
static inline void rn__stack_put(rn__stack_pool *pool, rn__stack *s)
{
    unsigned k = s->klass;
    s->next = pool->hot[k];
    pool->hot[k] = s;
    if (RN_UNLIKELY(++pool->n[k] > RN__STACK_POOL_BOUND))
        rn__stack_spill(pool, k);
}

/* Gives memory of stacks which have been in the global pool for more than a second back to the
 * system, all of it, a bounded number per call (a few milliseconds at most); called by the watcher.
 * Returns when to call again: `now` if there is more to do, RN_NEVER if the global pool is empty. */
int64_t rn__stack_trim(int64_t now);

/* Whether p lies in any stack slab (guards included); *s_lo and *s_hi get the slot's bounds. O(1) per
 * slab. Async-signal-safe. */
bool rn__stack_find(const void *p, char **slot_lo, char **slot_hi);

/* True if the canary at the stack's low end is damaged. Packed stacks have one, and larger ones that
 * got no guard; always false for guarded stacks, at the price of one load and a test. */
bool rn__stack_smashed_slow(const rn__stack *s);
static inline bool rn__stack_smashed(const rn__stack *s)
{
    /* Guards end at a page boundary, canaries are 16 bytes. */
    return RN_UNLIKELY(((uintptr_t)s->lo & 16) != 0) && rn__stack_smashed_slow(s);
}

/* Installs the SIGSEGV/SIGBUS handler, once per process, and this thread's alternate stack. On a hit
 * in a guard the handler calls `report` (async-signal context), which does not return; other faults go
 * to the former handler. */
void rn__overflow_install(void (*report)(const void *addr, char *slot_lo, char *slot_hi));
void rn__overflow_thread_enter(void);
void rn__overflow_thread_leave(void);

#endif
