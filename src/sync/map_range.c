/*
 * map_range.c - rn_map: everything that concerns all keys.
 *
 * Invariants
 *  - A range takes a stripe's nodes at one instant, and holds them until its function has seen them: a
 *    key lives in one stripe, so it comes once at most. No lock is held while the function runs.
 */
#include "../panic/panic.h"
#include "map.h"
#include <stdlib.h>

static inline rn__map *impl_of(const rn_map *m)
{
    /* acquire: the map as it was made */
    return __atomic_load_n(&m->rn_impl, __ATOMIC_ACQUIRE);
}

static inline size_t count_of(const rn__stripe *s)
{
    /* relaxed: a snapshot */
    return atomic_load_explicit(&s->count, memory_order_relaxed);
}

/* ----------------------------------------------------------------------------------------- range */

typedef struct snapshot {
    rn__stripe *s;
    rn__node **node;
    size_t n;
} snapshot;

/* Deferred: lets the nodes go, however the function ended. */
static void let_go(void *arg)
{
    snapshot *shot = arg;
    rn__lock_take(&shot->s->lock);
    for (size_t i = 0; i < shot->n; i++) {
        rn__node *n = shot->node[i];
        if (--n->held == 0 && atomic_load_explicit(&n->gone, memory_order_relaxed) != 0)
            rn__node_retire(shot->s, n);
    }
    bool tend = rn__stripe_wants(shot->s);
    rn__lock_drop(&shot->s->lock);
    RN__OWN_BEGIN();
    free(shot->node);
    RN__OWN_END();
    if (tend)
        rn__stripe_tend(shot->s);
}

/* Holds all nodes of a stripe. */
static void take_hold(snapshot *shot)
{
    rn__stripe *s = shot->s;
    for (size_t room = count_of(s); room != 0;) {
        RN__OWN_BEGIN();
        shot->node = malloc(room * sizeof(rn__node *));
        RN__OWN_END();
        if (shot->node == NULL)
            rn__fatal("out of memory for a range over %zu keys", room);
        rn__lock_take(&s->lock);
        size_t n = count_of(s);
        if (n <= room) {
            rn__table *t = atomic_load_explicit(&s->table, memory_order_relaxed);
            for (uint64_t i = 0; t != NULL && i <= t->mask; i++) {
                rn__node *x = atomic_load_explicit(&t->chain[i], memory_order_relaxed);
                for (; x != NULL;
                     x = atomic_load_explicit(&x->next[t->side], memory_order_relaxed)) {
                    x->held++;
                    shot->node[shot->n++] = x;
                }
            }
        }
        rn__lock_drop(&s->lock);
        if (n <= room)
            return;
        RN__OWN_BEGIN();
        free(shot->node);
        RN__OWN_END();
        shot->node = NULL;
        room = n + n / 8; /* it has grown, and may go on */
    }
}

/* False: fn wants no more. */
static __attribute__((noinline)) bool range_stripe(rn__stripe *s,
                                                   bool (*fn)(const void *, void *, void *),
                                                   void *arg)
{
    snapshot shot = {s, NULL, 0};
    take_hold(&shot);
    if (shot.n == 0) {
        RN__OWN_BEGIN();
        free(shot.node);
        RN__OWN_END();
        return true;
    }
    rn_defer(let_go, &shot);
    for (size_t i = 0; i < shot.n; i++) {
        rn__node *n = shot.node[i];
        /* relaxed: whether it is gone may change at any moment */
        if (atomic_load_explicit(&n->gone, memory_order_relaxed) != 0)
            continue;
        void *v = atomic_load_explicit(&n->value, memory_order_acquire);
        RN__HB_ACQUIRE(n);
        if (!fn(n->key, v, arg))
            return false;
    }
    return true;
}

void rn_map_range(rn_map *m, bool (*fn)(const void *key, void *value, void *arg), void *arg)
{
    rn__map *im = impl_of(m);
    for (int i = 0; im != NULL && i < RN__STRIPES; i++) {
        if (!range_stripe(&im->stripe[i], fn, arg))
            return;
    }
}

/* --------------------------------------------------------------------------------- clear and end */

static void clear_stripe(rn__stripe *s)
{
    if (count_of(s) == 0)
        return;
    rn__table *to = rn__table_new(RN__MAP_FIRST, 0);
    rn__lock_take(&s->lock);
    rn__table *t = atomic_load_explicit(&s->table, memory_order_relaxed);
    for (uint64_t i = 0; i <= t->mask; i++) {
        rn__node *n = atomic_load_explicit(&t->chain[i], memory_order_relaxed);
        for (; n != NULL; n = atomic_load_explicit(&n->next[t->side], memory_order_relaxed))
            rn__node_retire(s, n);
    }
    atomic_store_explicit(&s->table, to, memory_order_release);
    atomic_store_explicit(&s->count, 0, memory_order_relaxed);
    t->old = s->old;
    s->old = t;
    rn__lock_drop(&s->lock);
    rn__stripe_tend(s);
}

void rn_map_clear(rn_map *m)
{
    rn__map *im = impl_of(m);
    for (int i = 0; im != NULL && i < RN__STRIPES; i++)
        clear_stripe(&im->stripe[i]);
}

size_t rn_map_len(const rn_map *m)
{
    const rn__map *im = impl_of(m);
    size_t n = 0;
    for (int i = 0; im != NULL && i < RN__STRIPES; i++)
        n += count_of(&im->stripe[i]);
    return n;
}

void rn_map_destroy(rn_map *m)
{
    rn__map *im = impl_of(m);
    if (im == NULL)
        return;
    rn_map_clear(m);
    rn__readers_wait(); /* nobody reads this map, but a late section of a tool costs little */
    RN__OWN_BEGIN();
    for (int i = 0; i < RN__STRIPES; i++) {
        rn__stripe *s = &im->stripe[i];
        while (s->dead != NULL) {
            rn__node *next = s->dead->dead;
            free(s->dead);
            s->dead = next;
        }
        while (s->old != NULL) {
            rn__table *next = s->old->old;
            free(s->old);
            s->old = next;
        }
        free(atomic_load_explicit(&s->table, memory_order_relaxed));
    }
    free(im);
    RN__OWN_END();
    __atomic_store_n(&m->rn_impl, NULL, __ATOMIC_RELAXED); /* relaxed: nobody else is here */
}
