/*
 * make.c - making, sharing and freeing channels; len and cap.
 *
 * Invariants
 *  - hchan structures live in a slab and are never given back to the system, so a walk over all
 *    channels (dumps, leak marking) is always safe; RN__CH_IN_USE says which ones live.
 *  - A free structure is in one list: a worker's, or the global one.
 *  - Freeing a channel on which somebody waits is a panic that names the waiter.
 */
#include "hchan.h"
#include "../platform/lock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CHUNK = 4096, /* structures per chunk */
    CHUNKS_MAX = 1 << 14,
    BATCH = 32, /* moved between a worker's list and the global one at once */
    KEEP = 256, /* free ones that a worker keeps */
};

static struct {
    rn__lock lock;                       /* guards everything here but the reads of a walk */
    rn_hchan *free;                      /* global list */
    rn_hchan *_Atomic chunk[CHUNKS_MAX]; /* release store when mapped */
    _Atomic(uint32_t) used;              /* structures handed out; release store */
} slab;

static rn_hchan *slab_take(void)
{
    rn_hchan *c = slab.free;
    if (c != NULL) {
        slab.free = c->next_free;
        return c;
    }
    uint32_t used = atomic_load_explicit(&slab.used, memory_order_relaxed);
    uint32_t k = used / CHUNK;
    if (k >= CHUNKS_MAX)
        return NULL;
    rn_hchan *chunk = atomic_load_explicit(&slab.chunk[k], memory_order_relaxed);
    if (chunk == NULL) {
        chunk = rn__reserve(sizeof(rn_hchan) * CHUNK, 4096);
        if (chunk == NULL)
            return NULL;
#if RN__ASAN
        __lsan_register_root_region(chunk, sizeof(rn_hchan) * CHUNK);
#endif
        atomic_store_explicit(&slab.chunk[k], chunk, memory_order_release);
    }
    atomic_store_explicit(&slab.used, used + 1, memory_order_release);
    return &chunk[used % CHUNK];
}

static rn_hchan *alloc_hchan(void)
{
    rn__freelist *mine = rn__worker_cache(RN__CACHE_HCHAN);
    if (RN_LIKELY(mine != NULL && mine->head != NULL)) {
        rn_hchan *c = mine->head;
        mine->head = c->next_free;
        mine->n--;
        return c;
    }
    rn__lock_take(&slab.lock);
    rn_hchan *c = slab_take();
    for (int i = 1; mine != NULL && c != NULL && i < BATCH; i++) {
        rn_hchan *more = slab_take();
        if (more == NULL)
            break;
        more->next_free = mine->head;
        mine->head = more;
        mine->n++;
    }
    rn__lock_drop(&slab.lock);
    return c;
}

static void free_hchan(rn_hchan *c)
{
    rn__freelist *mine = rn__worker_cache(RN__CACHE_HCHAN);
    if (RN_LIKELY(mine != NULL && mine->n < KEEP)) {
        c->next_free = mine->head;
        mine->head = c;
        mine->n++;
        return;
    }
    rn__lock_take(&slab.lock);
    c->next_free = slab.free;
    slab.free = c;
    rn__lock_drop(&slab.lock);
}

void rn__for_each_chan(void (*fn)(rn_hchan *c, void *arg), void *arg)
{
    uint32_t used = atomic_load_explicit(&slab.used, memory_order_acquire);
    for (uint32_t i = 0; i < used; i++) {
        rn_hchan *chunk = atomic_load_explicit(&slab.chunk[i / CHUNK], memory_order_acquire);
        rn_hchan *c = &chunk[i % CHUNK];
        if (c->flags & RN__CH_IN_USE)
            fn(c, arg);
    }
}

/* ------------------------------------------------------------------------------------------ make */

rn_hchan *rn_hchan_make_with(size_t size, int64_t cap, const char *type, const char *site,
                             const rn_chan_opts *opts)
{
    if (RN_UNLIKELY(size > 65535))
        rn__panic_runtime(site, "elements are at most 65535 bytes; send a pointer instead",
                          "makechan: invalid channel element type");
    size_t bytes = 0;
    /* Go's limit is its address space; ours is half of a 48-bit one */
    if (RN_UNLIKELY(cap < 0 || __builtin_mul_overflow(size, (size_t)cap, &bytes) ||
                    bytes > ((size_t)1 << 47)))
        rn__panic_runtime(site, NULL, "makechan: size out of range");
    if (RN_UNLIKELY(rn__describe_object != rn__chan_describe))
        rn__describe_object = rn__chan_describe;

    rn_hchan *c = alloc_hchan();
    char *buf = NULL;
    if (c != NULL && bytes != 0) {
        buf = c->small;
        if (bytes > RN__CH_SMALL)
            buf = malloc(bytes);
        RN__OWN_BEGIN(); /* the object may have been another channel before */
        if (RN_LIKELY(buf != NULL))
            memset(buf, 0, bytes);
        RN__OWN_END();
    }
    if (RN_UNLIKELY(c == NULL || (bytes != 0 && buf == NULL)))
        rn__fatal("out of memory for a channel of %lld elements of %zu bytes (%s)", (long long)cap,
                  size, site != NULL ? site : "?");

    c->size = (uint16_t)size;
    c->flags = RN__CH_IN_USE;
    c->fd = -1;
    c->count = 0;
    c->cap = (size_t)cap;
    c->buf = buf;
    c->end = buf != NULL ? buf + bytes : NULL;
    c->sendp = c->recvp = buf;
    c->recvq = c->sendq = NULL;
    atomic_store_explicit(&c->refs, 1, memory_order_relaxed);
    c->drop = NULL;
    c->name = NULL;
    c->type = type;
    c->site = site;
    c->close_site = NULL;
    c->closer = 0;
    c->bubble = RN_UNLIKELY(rn__hooked()) ? rn__acting_number() : 0;
    if (opts != NULL) {
        c->drop = opts->drop;
        if (opts->unbounded)
            rn__chan_growth_init(c, opts);
        if (opts->name != NULL)
            rn_hchan_set_name(c, opts->name);
    }
    /* The version goes on from the structure's former life. relaxed: whoever gets the pointer gets it
     * through something that orders. */
    uint64_t s = atomic_load_explicit(&c->word, memory_order_relaxed);
    s &= ~(uint64_t)(RN__CH_CLOSED | RN__CH_LOCK);
    atomic_store_explicit(&c->word, rn__chan_next_word(c, s), memory_order_relaxed);
    return c;
}

const rn__chan_keeper *_Atomic rn__chan_timer_keeper;

void rn__chan_init_timer(rn_hchan *c, const char *site)
{
    if (RN_UNLIKELY(rn__describe_object != rn__chan_describe))
        rn__describe_object = rn__chan_describe;
    *c = (rn_hchan){.size = sizeof(int64_t),
                    .flags = RN__CH_IN_USE | RN__CH_TIMER,
                    .fd = -1,
                    .cap = 1,
                    .type = "int64_t",
                    .site = site,
                    .bubble = RN_UNLIKELY(rn__hooked()) ? rn__acting_number() : 0};
    c->buf = c->sendp = c->recvp = c->small;
    c->end = c->small + sizeof(int64_t);
    atomic_store_explicit(&c->refs, 1, memory_order_relaxed);
    atomic_store_explicit(&c->word, rn__chan_next_word(c, 0), memory_order_relaxed);
}

rn_hchan *rn_hchan_make(size_t size, int64_t cap, const char *type, const char *site)
{
    return rn_hchan_make_with(size, cap, type, site, NULL);
}

int rn_hchan_set_name(rn_hchan *c, const char *name)
{
    if (c == NULL)
        return -EINVAL;
    char *copy = strdup(name);
    if (copy == NULL)
        return -ENOMEM;
    uint64_t s = rn__chan_lock(c);
    char *old = c->name;
    c->name = copy;
    rn__chan_unlock(c, s);
    free(old);
    return 0;
}

/* ------------------------------------------------------------------------------------- ownership */

rn_hchan *rn_hchan_ref(rn_hchan *c)
{
    if (c != NULL)
        /* relaxed: who takes a reference has one already */
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

/* Somebody waits on a channel that its last owner frees: names him. */
__attribute__((noreturn)) static void still_waited_on(rn_hchan *c, const rn__sudog *w,
                                                      const char *site)
{
    char what[160], extra[320];
    rn__chan_describe(RN__WAIT_NONE, c, what, sizeof what);
    snprintf(extra, sizeof extra, "%s: goroutine %llu waits on it in %s at %s", what,
             (unsigned long long)w->g->id, rn__reason_text(w->g->reason),
             w->g->site != NULL ? w->g->site : "?");
    rn__panic_runtime(site, extra, "channel freed while a goroutine waits on it");
}

void rn_hchan_unref(rn_hchan *c, const char *site)
{
    if (c == NULL)
        return;
    RN__HB_RELEASE(&c->refs);
    /* release: our use of the channel is over before the last owner frees it; acquire: the others'
     * is, too */
    int32_t refs = atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel);
    if (RN_LIKELY(refs > 1))
        return;
    if (RN_UNLIKELY(refs < 1)) {
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
        rn__panic_runtime(site, NULL, "channel freed more often than it was owned");
    }
    RN__HB_ACQUIRE(&c->refs);
    const rn__chan_keeper *keeper = NULL;
    if (RN_UNLIKELY((c->flags & RN__CH_TIMER) != 0)) {
        /* relaxed: who got the channel got it after the keeper was set */
        keeper = atomic_load_explicit(&rn__chan_timer_keeper, memory_order_relaxed);
        keeper->stop(c, site);
    }
    uint64_t s = rn__chan_lock(c);
    const rn__sudog *w = c->recvq != NULL ? c->recvq : c->sendq;
    if (RN_UNLIKELY(w != NULL)) {
        rn__chan_unlock(c, s);
        still_waited_on(c, w, site);
    }
    struct rn__chan_growth *growth = (c->flags & RN__CH_GROWS) != 0 ? c->growth : NULL;
    c->flags = 0;
    size_t left = c->count;
    c->count = 0;
    rn__chan_unlock(c, s);
    if (c->drop != NULL) {
        for (; left > 0; left--) {
            c->drop(c->recvp);
            if (c->size != 0)
                c->recvp = rn__ring_next(c, c->recvp);
        }
    }
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    free(c->name);
    c->name = NULL;
    if (c->buf != c->small)
        free(c->buf);
    c->buf = NULL;
    free(growth);
    if (RN_UNLIKELY(keeper != NULL))
        keeper->release(c);
    else
        free_hchan(c);
}

/* ------------------------------------------------------------------------------------- snapshots */

size_t rn_hchan_len(const rn_hchan *c)
{
    /* relaxed in effect: a snapshot that may be old when the caller looks at it (item 9) */
    if (c == NULL || (c->flags & RN__CH_TIMER) != 0)
        return 0; /* item 167 */
    return __atomic_load_n(&c->count, __ATOMIC_RELAXED);
}

size_t rn_hchan_cap(const rn_hchan *c)
{
    if (c == NULL)
        return 0;
    /* the bits never change while the channel lives */
    uint8_t flags = __atomic_load_n(&c->flags, __ATOMIC_RELAXED);
    if (RN_UNLIKELY((flags & (RN__CH_GROWS | RN__CH_TIMER)) != 0))
        return (flags & RN__CH_GROWS) != 0 ? SIZE_MAX : 0;
    return c->cap;
}
