/*
 * map.c - rn_map: everything that concerns one key.
 *
 * Invariants
 *  - A load reads the table, a chain and a value in one section. An old table or a removed node may
 *    still be read: then the value is what it was at an instant within the load.
 *  - Nodes are made before the lock is taken and freed after it is dropped.
 */
#include "map.h"
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- hashing */

static inline uint64_t mix(uint64_t x)
{
    /* every bit of x reaches the low and the high bits: both are used */
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
    const unsigned char *b = p;
    uint64_t h = seed ^ n * UINT64_C(0x9e3779b97f4a7c15), w;
    for (; n >= 8; n -= 8, b += 8) {
        memcpy(&w, b, 8);
        h = (h ^ mix(w)) * UINT64_C(0x9fb21c651e98df25);
        h ^= h >> 29;
    }
    w = 0;
    memcpy(&w, b, n);
    return mix(h ^ w);
}

static inline size_t key_bytes(const rn_map *m, const void *key)
{
    return m->key_size == RN_MAP_STRINGS ? strlen(key) + 1 : m->key_size;
}

static inline uint64_t hash_of(const rn_map *m, const rn__map *im, const void *key)
{
    if (RN_UNLIKELY(m->hash != NULL))
        return mix(m->hash(key) ^ im->seed);
    if (RN_LIKELY(m->key_size == 0))
        return mix((uint64_t)(uintptr_t)key ^ im->seed);
    return hash_bytes(key, key_bytes(m, key), im->seed);
}

static inline bool same_key(const rn_map *m, const void *a, const void *b)
{
    if (RN_UNLIKELY(m->equal != NULL))
        return m->equal(a, b);
    if (RN_LIKELY(m->key_size == 0))
        return a == b;
    RN__OWN_BEGIN(); /* a is the map's copy, and its order the library's business */
    int differ = m->key_size == RN_MAP_STRINGS ? strcmp(a, b) : memcmp(a, b, m->key_size);
    RN__OWN_END();
    return differ == 0;
}

static inline rn__stripe *stripe_of(rn__map *im, uint64_t hash)
{
    return &im->stripe[hash >> (64 - RN__STRIPES_LOG)];
}

static inline rn__map *impl_of(const rn_map *m)
{
    /* acquire: the map as it was made */
    return __atomic_load_n(&m->rn_impl, __ATOMIC_ACQUIRE);
}

static rn__map *need_impl(rn_map *m)
{
    rn__map *im = impl_of(m);
    if (RN_LIKELY(im != NULL))
        return im;
    RN__OWN_BEGIN();
    im = aligned_alloc(RN__CACHELINE, sizeof *im);
    if (im != NULL)
        memset(im, 0, sizeof *im);
    RN__OWN_END();
    if (im == NULL)
        rn__fatal("out of memory for a map");
    /* Who does not know it cannot choose keys that all fall into one chain. A replayed run needs the same
     * order of keys again. */
    im->seed = rn__cfg.deterministic ? rn__cfg.seed : mix((uintptr_t)im ^ (uint64_t)rn_now());
    rn__map *none = NULL;
    if (__atomic_compare_exchange_n(&m->rn_impl, &none, im, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return im;
    RN__OWN_BEGIN();
    free(im);
    RN__OWN_END();
    return none;
}

/* --------------------------------------------------------------------------------------- looking */

/* Inside a section, or under the stripe's lock. */
static inline rn__node *find(const rn_map *m, rn__stripe *s, uint64_t hash, const void *key)
{
    /* acquire, all: nodes and tables as they were published */
    rn__table *t = atomic_load_explicit(&s->table, memory_order_acquire);
    if (t == NULL)
        return NULL;
    rn__node *n = atomic_load_explicit(rn__chain_of(t, hash), memory_order_acquire);
    for (; n != NULL; n = atomic_load_explicit(&n->next[t->side], memory_order_acquire)) {
        if (n->hash == hash && same_key(m, n->key, key))
            return n;
    }
    return NULL;
}

static inline void *value_of(rn__node *n)
{
    void *v = atomic_load_explicit(&n->value, memory_order_acquire);
    RN__HB_ACQUIRE(n);
    return v;
}

/* More threads than places: a reader takes the writers' lock. */
static bool load_locked(rn_map *m, rn__stripe *s, uint64_t hash, const void *key, void **value)
{
    rn__lock_take(&s->lock);
    rn__node *n = find(m, s, hash, key);
    if (n != NULL)
        *value = value_of(n);
    rn__lock_drop(&s->lock);
    return n != NULL;
}

static inline bool load(rn_map *m, rn__map *im, uint64_t hash, const void *key, void **value)
{
    rn__stripe *s = stripe_of(im, hash);
    rn__reader *r = rn__reader_here();
    if (RN_UNLIKELY(r == NULL))
        return load_locked(m, s, hash, key, value);
    uint32_t in = rn__reader_enter(r);
    rn__node *n = find(m, s, hash, key);
    if (n != NULL)
        *value = value_of(n);
    rn__reader_leave(r, in);
    return n != NULL;
}

bool rn_map_load(rn_map *m, const void *key, void **value)
{
    rn__map *im = impl_of(m);
    void *v = NULL;
    bool there = im != NULL && load(m, im, hash_of(m, im, key), key, &v);
    if (value != NULL)
        *value = v;
    return there;
}

bool rn_map_with(rn_map *m, const void *key, void (*fn)(void *value, void *arg), void *arg)
{
    rn__map *im = impl_of(m);
    if (im == NULL)
        return false;
    uint64_t hash = hash_of(m, im, key);
    rn__stripe *s = stripe_of(im, hash);
    rn__reader *r = rn__reader_here();
    if (r == NULL)
        rn__fatal("rn_map_with: more than %d threads use pools and maps", RN__READERS - 1);
    uint32_t in = rn__reader_enter(r);
    rn__node *n = find(m, s, hash, key);
    if (n != NULL) {
        fn(value_of(n), arg);
        if (rn__reader_here() != r ||
            (atomic_load_explicit(&r->seq, memory_order_relaxed) | 1) != (in | 1))
            rn__fatal("rn_map_with: the function blocked");
    }
    rn__reader_leave(r, in);
    return n != NULL;
}

void rn_map_settle(void)
{
    if (!rn__readers_wait())
        rn__fatal("rn_map_settle: called inside rn_map_with");
}

/* -------------------------------------------------------------------------------------- changing */

static rn__node *new_node(const rn_map *m, uint64_t hash, const void *key, void *value)
{
    size_t n = m->key_size != 0 ? key_bytes(m, key) : 0;
    RN__OWN_BEGIN();
    rn__node *node = malloc(sizeof *node + n);
    if (node != NULL && n != 0)
        memcpy(node + 1, key, n);
    RN__OWN_END();
    if (node == NULL)
        rn__fatal("out of memory for a key of a map");
    node->hash = hash;
    node->key = n != 0 ? node + 1 : key;
    node->held = 0;
    /* relaxed, both: published with the node */
    atomic_store_explicit(&node->value, value, memory_order_relaxed);
    atomic_store_explicit(&node->gone, 0, memory_order_relaxed);
    return node;
}

static void unlock(rn__stripe *s)
{
    bool tend = rn__stripe_wants(s);
    rn__lock_drop(&s->lock);
    if (RN_UNLIKELY(tend))
        rn__stripe_tend(s);
}

static void insert(rn__stripe *s, rn__table *t, rn__node *n)
{
    rn__node *_Atomic *chain = rn__chain_of(t, n->hash);
    /* relaxed: published by the store of the chain */
    atomic_store_explicit(&n->next[t->side], atomic_load_explicit(chain, memory_order_relaxed),
                          memory_order_relaxed);
    RN__HB_RELEASE(n);
    atomic_store_explicit(chain, n, memory_order_release);
    atomic_store_explicit(&s->count, atomic_load_explicit(&s->count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* Sets the value, or keeps what is there. True if the key was there; *was is what it had. */
static bool put(rn_map *m, const void *key, void *value, bool keep, void **was)
{
    rn__map *im = need_impl(m);
    uint64_t hash = hash_of(m, im, key);
    rn__stripe *s = stripe_of(im, hash);
    if (load(m, im, hash, key, was)) {
        if (keep)
            return true;
        rn__lock_take(&s->lock);
        rn__node *n = find(m, s, hash, key);
        if (n != NULL) {
            *was = value_of(n);
            RN__HB_RELEASE(n);
            /* release: what the value points to */
            atomic_store_explicit(&n->value, value, memory_order_release);
        }
        rn__lock_drop(&s->lock);
        if (n != NULL)
            return true;
    }
    rn__node *fresh = new_node(m, hash, key, value);
    rn__table *first = NULL;
    if (atomic_load_explicit(&s->table, memory_order_acquire) == NULL)
        first = rn__table_new(RN__MAP_FIRST, 0);
    rn__lock_take(&s->lock);
    rn__node *n = find(m, s, hash, key);
    if (n != NULL) {
        *was = value_of(n);
        if (!keep) {
            RN__HB_RELEASE(n);
            atomic_store_explicit(&n->value, value, memory_order_release);
        }
    } else {
        *was = NULL;
        rn__table *t = atomic_load_explicit(&s->table, memory_order_relaxed);
        if (t == NULL) {
            t = first; /* a table, once there, is only ever replaced */
            first = NULL;
            atomic_store_explicit(&s->table, t, memory_order_release);
        }
        insert(s, t, fresh);
        fresh = NULL;
    }
    unlock(s);
    RN__OWN_BEGIN();
    free(fresh);
    free(first);
    RN__OWN_END();
    return n != NULL;
}

void rn_map_store(rn_map *m, const void *key, void *value)
{
    void *was;
    put(m, key, value, false, &was);
}

bool rn_map_swap(rn_map *m, const void *key, void *value, void **previous)
{
    void *was = NULL;
    bool there = put(m, key, value, false, &was);
    if (previous != NULL)
        *previous = was;
    return there;
}

bool rn_map_load_or_store(rn_map *m, const void *key, void *value, void **actual)
{
    void *was = NULL;
    bool there = put(m, key, value, true, &was);
    if (actual != NULL)
        *actual = there ? was : value;
    return there;
}

bool rn_map_compare_and_swap(rn_map *m, const void *key, void *old, void *fresh)
{
    rn__map *im = impl_of(m);
    if (im == NULL)
        return false;
    uint64_t hash = hash_of(m, im, key);
    rn__stripe *s = stripe_of(im, hash);
    rn__lock_take(&s->lock);
    rn__node *n = find(m, s, hash, key);
    bool same = n != NULL && value_of(n) == old;
    if (same) {
        RN__HB_RELEASE(n);
        atomic_store_explicit(&n->value, fresh, memory_order_release);
    }
    rn__lock_drop(&s->lock);
    return same;
}

/* Removes key if it is there and, where asked for, has the value *old. *was is what it had. */
static bool take(rn_map *m, const void *key, void *const *old, void **was)
{
    *was = NULL;
    rn__map *im = impl_of(m);
    if (im == NULL)
        return false;
    uint64_t hash = hash_of(m, im, key);
    rn__stripe *s = stripe_of(im, hash);
    rn__lock_take(&s->lock);
    rn__table *t = atomic_load_explicit(&s->table, memory_order_relaxed);
    rn__node *n = find(m, s, hash, key);
    if (n == NULL || (old != NULL && value_of(n) != *old)) {
        rn__lock_drop(&s->lock);
        return false;
    }
    *was = value_of(n);
    rn__node *_Atomic *at = rn__chain_of(t, hash);
    rn__node *x;
    while ((x = atomic_load_explicit(at, memory_order_relaxed)) != n)
        at = &x->next[t->side];
    /* release: the rest of the chain. n keeps its link for those who stand on it. */
    atomic_store_explicit(at, atomic_load_explicit(&n->next[t->side], memory_order_relaxed),
                          memory_order_release);
    atomic_store_explicit(&s->count, atomic_load_explicit(&s->count, memory_order_relaxed) - 1,
                          memory_order_relaxed);
    rn__node_retire(s, n);
    unlock(s);
    return true;
}

bool rn_map_load_and_delete(rn_map *m, const void *key, void **value)
{
    void *was;
    bool there = take(m, key, NULL, &was);
    if (value != NULL)
        *value = was;
    return there;
}

bool rn_map_delete(rn_map *m, const void *key)
{
    void *was;
    return take(m, key, NULL, &was);
}

bool rn_map_compare_and_delete(rn_map *m, const void *key, void *old)
{
    void *was;
    return take(m, key, &old, &was);
}
