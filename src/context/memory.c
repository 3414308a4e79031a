/*
 * memory.c - where contexts live.
 *
 * Cancellers are made and freed with every request, and by the hundred thousand in a tree: they
 * come from a list of free ones per worker and, behind it, a global one, and are never given back
 * to the system. Values, shields and after functions come from malloc.
 *
 * Invariants
 *  - A free node is in one list: a worker's or the global one of its size. Its first word links it.
 *  - In AddressSanitizer builds everything comes from malloc, so that a use after the last unref is
 *    seen.
 */
#include "../platform/lock.h"
#include "context.h"
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 256, /* nodes that are made at once */
    BATCH = 64,  /* moved between a worker's list and the global one at once */
    KEEP = 256,  /* free ones that a worker keeps */
    ALIGN = RN__CACHELINE,
};

typedef struct free_node {
    struct free_node *next;
} free_node;

/* One size of nodes. */
typedef struct pool {
    size_t size; /* of a node, a multiple of ALIGN */
    rn__lock
        lock; /* guards the rest; nothing but list operations and, rarely, a mapping under it */
    free_node *all; /* the global list */
} pool;

#define ROUNDED(T) ((sizeof(T) + ALIGN - 1) / ALIGN * ALIGN)

static pool pools[2] = {{.size = ROUNDED(rn__canceller)}, {.size = ROUNDED(rn__ctx_timed)}};

/* The global list is empty: a chunk of nodes, linked in order of their addresses. */
static free_node *grow(const pool *p)
{
    char *chunk = rn__reserve(p->size * CHUNK, 4096);
    if (chunk == NULL)
        return NULL;
    for (size_t i = 0; i < CHUNK; i++) {
        free_node *f = (free_node *)(void *)(chunk + i * p->size);
        f->next = i + 1 < CHUNK ? (free_node *)(void *)(chunk + (i + 1) * p->size) : NULL;
    }
    return (free_node *)(void *)chunk;
}

/* Takes one node, and for a worker some more. */
static void *take_slow(pool *p, rn__freelist *mine)
{
    rn__lock_take(&p->lock);
    if (p->all == NULL)
        p->all = grow(p);
    free_node *first = p->all, *last = first;
    uint32_t n = first != NULL;
    while (mine != NULL && n < BATCH && last != NULL && last->next != NULL) {
        last = last->next;
        n++;
    }
    if (last != NULL)
        p->all = last->next;
    rn__lock_drop(&p->lock);
    if (mine != NULL && n > 1) {
        last->next = mine->head;
        mine->head = first->next;
        mine->n += n - 1;
    }
    return first;
}

/* A worker's list has become too long: the newest ones go. */
static void spill(pool *p, rn__freelist *mine)
{
    free_node *first = mine->head, *last = first;
    for (int i = 1; i < BATCH; i++)
        last = last->next;
    mine->head = last->next;
    mine->n -= BATCH;
    rn__lock_take(&p->lock);
    last->next = p->all;
    p->all = first;
    rn__lock_drop(&p->lock);
}

static inline int pool_of(uint8_t kind)
{
    return RN__ASAN ? -1 : kind == RN__CTX_CANCEL ? 0 : kind == RN__CTX_TIMED ? 1 : -1;
}

static size_t size_of(uint8_t kind)
{
    switch (kind) {
    case RN__CTX_CANCEL: return sizeof(rn__canceller);
    case RN__CTX_TIMED: return sizeof(rn__ctx_timed);
    case RN__CTX_AFTER: return sizeof(rn_ctx_after);
    case RN__CTX_VALUE: return sizeof(rn__ctx_value);
    default: return sizeof(rn_ctx);
    }
}

static void *take(uint8_t kind, size_t extra)
{
    int k = pool_of(kind);
    if (k < 0) {
        size_t size = size_of(kind) + extra;
        RN__OWN_BEGIN();
        void *m = size >= extra ? malloc(size) : NULL;
        RN__OWN_END();
        return m;
    }
    rn__freelist *mine = rn__worker_cache(k == 0 ? RN__CACHE_CTX : RN__CACHE_CTX_TIMED);
    if (RN_UNLIKELY(mine == NULL || mine->head == NULL))
        return take_slow(&pools[k], mine);
    free_node *f = mine->head;
    mine->head = f->next;
    mine->n--;
    return f;
}

void *rn__ctx_alloc(enum rn__ctx_kind kind, size_t extra)
{
    void *m = take((uint8_t)kind, extra);
    if (RN_UNLIKELY(m == NULL))
        rn__fatal("out of memory for a context");
    return m;
}

void rn__ctx_free(void *node, uint8_t kind)
{
    int k = pool_of(kind);
    if (k < 0) {
        RN__OWN_BEGIN();
        free(node);
        RN__OWN_END();
        return;
    }
    rn__freelist *mine = rn__worker_cache(k == 0 ? RN__CACHE_CTX : RN__CACHE_CTX_TIMED);
    free_node *f = node;
    if (RN_UNLIKELY(mine == NULL)) {
        rn__lock_take(&pools[k].lock);
        f->next = pools[k].all;
        pools[k].all = f;
        rn__lock_drop(&pools[k].lock);
        return;
    }
    f->next = mine->head;
    mine->head = f;
    if (RN_UNLIKELY(++mine->n > KEEP))
        spill(&pools[k], mine);
}

char *rn__ctx_copy_text(const char *text)
{
    if (text == NULL)
        return NULL;
    RN__OWN_BEGIN();
    char *copy = strdup(text);
    RN__OWN_END();
    if (copy == NULL)
        rn__fatal("out of memory for the cause of a context");
    return copy;
}
