/*
 * pool.c - rn_pool: get and put.
 *
 * Invariants
 *  - The usual get and put are a handful of plain loads and stores in the thread's own place.
 *  - A place that is full gives its older half to the depot, an empty one takes a magazine from it: the
 *    depot's lock is taken once per RN__MAG operations at most.
 */
#include "pool.h"
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- the depot */

/* No memory for the item: it is given up as a trim would. */
static void give_up(rn__pool *im, void *const *item, uint32_t n)
{
    if (im->pool->drop == NULL)
        rn__fatal("out of memory for an item of a pool that has no drop function");
    for (uint32_t i = 0; i < n; i++) {
        RN__HB_ACQUIRE(item[i]);
        im->pool->drop(item[i], im->pool->arg);
    }
}

/* memcpy is seen by ThreadSanitizer, and which thread had which slot before is the library's business. */
static inline void move(void **to, void *const *from, uint32_t n)
{
    RN__OWN_BEGIN();
    memcpy(to, from, n * sizeof *to);
    RN__OWN_END();
}

void rn__depot_add(rn__pool *im, void *const *item, uint32_t n)
{
    rn__lock_take(&im->lock);
    rn__mag *m = im->empty;
    if (m == NULL) {
        rn__lock_drop(&im->lock);
        RN__OWN_BEGIN();
        m = malloc(sizeof *m);
        RN__OWN_END();
        if (m == NULL) {
            give_up(im, item, n);
            return;
        }
        rn__lock_take(&im->lock);
    } else {
        im->empty = m->next;
    }
    m->n = n;
    move(m->item, item, n);
    m->next = im->full;
    im->full = m;
    rn__lock_drop(&im->lock);
}

/* Takes a magazine's items, of which there are at most RN__MAG; 0 if there is none. */
static uint32_t depot_take(rn__pool *im, void **item)
{
    uint32_t n = 0;
    rn__lock_take(&im->lock);
    rn__mag **from = im->full != NULL ? &im->full : &im->victim;
    rn__mag *m = *from;
    if (m != NULL) {
        *from = m->next;
        n = m->n;
        move(item, m->item, n);
        m->next = im->empty;
        im->empty = m;
    }
    rn__lock_drop(&im->lock);
    return n;
}

/* ------------------------------------------------------------------------------------ the places */

static inline rn__pool_place *place_of(rn__pool *im, const rn__reader *r)
{
    size_t i = (size_t)(r - rn__readers);
    /* acquire: the place as it was made */
    return RN_LIKELY(i < RN__PLACES) ? atomic_load_explicit(&im->place[i], memory_order_acquire)
                                     : NULL;
}

/* Closed places are left to the trim; acquire: what it has left there. */
static inline bool is_open(rn__pool_place *at)
{
    return RN_LIKELY(atomic_load_explicit(&at->closed, memory_order_acquire) == 0);
}

/* Makes the calling thread's place. */
static rn__pool_place *make_place(rn__pool *im, const rn__reader *r)
{
    size_t i = (size_t)(r - rn__readers);
    if (i >= RN__PLACES)
        return NULL;
    RN__OWN_BEGIN();
    rn__pool_place *at = aligned_alloc(RN__CACHELINE, sizeof *at);
    if (at != NULL)
        memset(at, 0, sizeof *at);
    RN__OWN_END();
    if (at == NULL)
        return NULL;
    atomic_store_explicit(&im->place[i], at, memory_order_release);
    return at;
}

static rn__pool *make_impl(rn_pool *p)
{
    RN__OWN_BEGIN();
    rn__pool *im = calloc(1, sizeof *im);
    RN__OWN_END();
    if (im == NULL)
        return NULL;
    im->pool = p;
    rn__pool *none = NULL;
    /* release: the pool as it was made; acquire: if somebody else has made it */
    if (!__atomic_compare_exchange_n(&p->rn_impl, &none, im, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        RN__OWN_BEGIN();
        free(im);
        RN__OWN_END();
        return none;
    }
    if (p->drop != NULL)
        rn__pool_register(im);
    return im;
}

/* ------------------------------------------------------------------------------------------- get */

static __attribute__((noinline)) void *get_slow(rn_pool *p, rn__pool *im)
{
    void *item[RN__MAG];
    uint32_t n = im != NULL ? depot_take(im, item) : 0;
    if (n == 0)
        return p->make != NULL ? p->make(p->arg) : NULL;
    void *x = item[--n];
    if (n > 0) {
        rn__reader *r = rn__reader_here();
        rn__pool_place *at = r != NULL ? place_of(im, r) : NULL;
        if (at == NULL && r != NULL)
            at = make_place(im, r);
        bool kept = false;
        if (at != NULL) {
            uint32_t s = rn__reader_enter(r);
            kept = is_open(at) && at->n + n <= RN__PLACE;
            if (kept) {
                move(&at->item[at->n], item, n);
                at->n += n;
            }
            rn__reader_leave(r, s);
        }
        if (!kept)
            rn__depot_add(im, item, n);
    }
    RN__HB_ACQUIRE(x);
    return x;
}

void *rn_pool_get(rn_pool *p)
{
    /* acquire: the pool as it was made */
    rn__pool *im = __atomic_load_n(&p->rn_impl, __ATOMIC_ACQUIRE);
    rn__reader *r = rn__reader_here();
    if (RN_LIKELY(im != NULL && r != NULL)) {
        rn__pool_place *at = place_of(im, r);
        if (RN_LIKELY(at != NULL)) {
            void *x = NULL;
            uint32_t s = rn__reader_enter(r);
            if (is_open(at) && at->n > 0)
                x = at->item[--at->n];
            rn__reader_leave(r, s);
            if (RN_LIKELY(x != NULL)) {
                RN__HB_ACQUIRE(x);
                return x;
            }
        }
    }
    return get_slow(p, im);
}

/* ------------------------------------------------------------------------------------------- put */

static __attribute__((noinline)) void put_slow(rn_pool *p, void *x)
{
    rn__pool *im = __atomic_load_n(&p->rn_impl, __ATOMIC_ACQUIRE);
    if (im == NULL)
        im = make_impl(p);
    if (im == NULL) {
        if (p->drop == NULL)
            rn__fatal("out of memory for a pool");
        p->drop(x, p->arg);
        return;
    }
    void *item[RN__MAG];
    uint32_t n = 0;
    rn__reader *r = rn__reader_here();
    rn__pool_place *at = r != NULL ? place_of(im, r) : NULL;
    if (at == NULL && r != NULL)
        at = make_place(im, r);
    if (at != NULL) {
        uint32_t s = rn__reader_enter(r);
        if (is_open(at)) {
            if (at->n == RN__PLACE) {
                n = RN__MAG; /* the older half goes */
                move(item, at->item, RN__MAG);
                move(at->item, at->item + RN__MAG, RN__MAG);
                at->n = RN__MAG;
            }
            at->item[at->n++] = x;
            x = NULL;
        }
        rn__reader_leave(r, s);
    }
    if (x != NULL)
        item[n++] = x; /* the place is closed, or there is none: n was 0 */
    if (n > 0)
        rn__depot_add(im, item, n);
}

void rn_pool_put(rn_pool *p, void *x)
{
    if (x == NULL)
        return;
    RN__HB_RELEASE(x);
    rn__pool *im = __atomic_load_n(&p->rn_impl, __ATOMIC_ACQUIRE);
    rn__reader *r = rn__reader_here();
    if (RN_LIKELY(im != NULL && r != NULL)) {
        rn__pool_place *at = place_of(im, r);
        if (RN_LIKELY(at != NULL)) {
            uint32_t s = rn__reader_enter(r);
            bool done = is_open(at) && at->n < RN__PLACE;
            if (done)
                at->item[at->n++] = x;
            rn__reader_leave(r, s);
            if (RN_LIKELY(done))
                return;
        }
    }
    put_slow(p, x);
}
