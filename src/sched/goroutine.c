/*
 * goroutine.c - descriptors: where they live, how they are born and how they end.
 *
 * Invariants
 *  - Descriptors lie in chunks that are never given back, so a stale pointer to one is always
 *    readable, and its token generation goes on when it is reused.
 *  - id is 0 exactly while a descriptor is free. Ids come in batches per worker and are never reused;
 *    1 is main.
 *  - A free descriptor is in one list: a worker's, or the global one.
 */
#include "runq.h"
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 1 << 16,   /* descriptors per chunk */
    CHUNKS_MAX = 4096, /* 268 million goroutines */
    BATCH = 64,        /* descriptors moved between a worker and the global list at once */
    KEEP = 512,        /* free ones that a worker keeps */
    ID_BATCH = 16,
};

static struct {
    rn__lock lock;                    /* guards the global list and the growth */
    rn__g *free;                      /* global list of free descriptors */
    rn__g *_Atomic chunk[CHUNKS_MAX]; /* release store when a chunk is ready */
    _Atomic(uint32_t) used;           /* descriptors handed out so far; release store */
} gs;

void rn__gs_init(void)
{
    atomic_store(&rn__sched.next_id, 2); /* 1 is main */
}

/* Hands out n new descriptors as a list, in ascending order; NULL when out of memory. Called with gs.lock held. */
static rn__g *grow(uint32_t n)
{
    rn__g *list = NULL;
    rn__g **end = &list;
    uint32_t used = atomic_load_explicit(&gs.used, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++, used++) {
        uint32_t c = used / CHUNK;
        if (c >= CHUNKS_MAX)
            break;
        rn__g *chunk = atomic_load_explicit(&gs.chunk[c], memory_order_relaxed);
        if (chunk == NULL) {
            chunk = rn__reserve(sizeof(rn__g) * CHUNK, RN__HUGE_PAGE);
            if (chunk == NULL)
                break;
            /* Not for the first ten thousand: a small process shall stay small. */
            size_t small = c == 0 ? RN__HUGE_PAGE : 0;
            rn__huge_pages((char *)chunk + small, sizeof(rn__g) * CHUNK - small);
#if RN__ASAN
            __lsan_register_root_region(chunk, sizeof(rn__g) * CHUNK);
#endif
            atomic_store_explicit(&gs.chunk[c], chunk, memory_order_release);
        }
        rn__g *g = &chunk[used % CHUNK];
        *end = g;
        end = &g->next;
    }
    *end = NULL;
    atomic_store_explicit(&gs.used, used, memory_order_release);
    return list;
}

/*
 * The global list is a stack of descriptors, as each worker's is, and a move between the two keeps their
 * order: those that were neighbours in memory stay neighbours in the lists, for the sake of everybody
 * who walks many of them (close, for one).
 */
static rn__g *alloc_slow(rn__worker *w)
{
    uint32_t want = w != NULL ? BATCH : 1;
    rn__lock_take(&gs.lock);
    rn__g *first = gs.free != NULL ? gs.free : grow(want);
    rn__g *last = first;
    uint32_t n = first != NULL ? 1 : 0;
    for (; n < want && last != NULL && last->next != NULL; n++)
        last = last->next;
    if (gs.free != NULL)
        gs.free = last->next;
    rn__lock_drop(&gs.lock);
    if (first == NULL)
        rn__fatal("out of memory for goroutine descriptors (%lld goroutines live)",
                  (long long)rn__count_goroutines());
    if (w != NULL) {
        last->next = NULL;
        w->gfree = first->next;
        w->ngfree = n - 1;
    }
    return first;
}

rn__g *rn__g_alloc(rn__worker *w)
{
    if (RN_LIKELY(w != NULL && w->gfree != NULL)) {
        rn__g *g = w->gfree;
        w->gfree = g->next;
        __builtin_prefetch(w->gfree); /* cold when many have been in use */
        w->ngfree--;
        return g;
    }
    return alloc_slow(w);
}

/* The newest ones go, since they are what is walked here, and hot. */
static void free_spill(rn__worker *w)
{
    rn__g *first = w->gfree;
    rn__g *last = first;
    for (int i = 1; i < BATCH; i++)
        last = last->next;
    w->gfree = last->next;
    w->ngfree -= BATCH;
    rn__lock_take(&gs.lock);
    last->next = gs.free;
    gs.free = first;
    rn__lock_drop(&gs.lock);
}

static void free_ext(rn__g *g)
{
    if (g->flags & RN__G_STAY)
        g->ext->home->nstay--; /* we are on that worker */
    rn__self_free(g->ext);
    RN__OWN_BEGIN();
    free(g->ext->args);
    free(g->ext);
    RN__OWN_END();
    g->ext = NULL;
}

void rn__g_free(rn__worker *w, rn__g *g)
{
    if (RN_UNLIKELY(g->ext != NULL))
        free_ext(g);
    g->stack = NULL;
    g->flags = 0;
    g->defers = NULL;
    atomic_store_explicit(&g->status, RN__DEAD, memory_order_relaxed);
    g->id = 0;
    w->nended++;
    g->next = w->gfree;
    w->gfree = g;
    if (RN_UNLIKELY(++w->ngfree > KEEP))
        free_spill(w);
}

uint64_t rn__g_new_id(rn__worker *w)
{
    if (w == NULL)
        return atomic_fetch_add_explicit(&rn__sched.next_id, 1, memory_order_relaxed);
    if (RN_UNLIKELY(w->next_id == w->end_id)) {
        w->next_id = atomic_fetch_add_explicit(&rn__sched.next_id, ID_BATCH, memory_order_relaxed);
        w->end_id = w->next_id + ID_BATCH;
    }
    return w->next_id++;
}

rn__gext *rn__g_ext(rn__g *g)
{
    if (g->ext == NULL) {
        RN__OWN_BEGIN();
        g->ext = calloc(1, sizeof *g->ext);
        RN__OWN_END();
        if (g->ext == NULL)
            rn__fatal("out of memory");
    }
    return g->ext;
}

/* ------------------------------------------------------------------------------------- spawning */

static void copy_args(rn__g *g, const void *args, size_t n)
{
    if (RN_LIKELY(n <= sizeof(void *) * 2)) {
        /* the usual one or two words, without a call */
        void *two[2] = {NULL, NULL};
        if (n != 0)
            memcpy(two, args, n);
        g->args[0] = two[0];
        g->args[1] = two[1];
        return;
    }
    if (n <= RN__ARGS_INLINE) {
        RN__OWN_BEGIN();
        memcpy(g->args, args, n);
        RN__OWN_END();
        return;
    }
    rn__gext *x = rn__g_ext(g);
    RN__OWN_BEGIN();
    x->args = malloc(n);
    RN__OWN_END();
    if (x->args == NULL)
        rn__fatal("out of memory for %zu bytes of goroutine arguments", n);
    memcpy(x->args, args, n);
    g->args[0] = x->args;
    g->flags |= RN__G_HEAPARGS;
}

static void apply_attr(rn__g *g, const rn_go_attr *attr, const rn_go_site *where)
{
    int k = rn__stack_class(attr->stack);
    if (k < 0)
        rn__fatal("go: stack size %zu is out of range%s%s", attr->stack, where ? " at " : "",
                  where ? where->site : "");
    g->klass = (uint8_t)k;
    if (attr->name != NULL)
        rn__g_ext(g)->name = attr->name;
    if (attr->stay) {
        rn__g_ext(g);
        g->flags |= RN__G_STAY;
    }
}

static uint8_t default_class; /* written once at start-up */

static inline __attribute__((always_inline)) rn__g *prepare(rn__worker *w, void (*fn)(void *),
                                                            const void *args, size_t nargs,
                                                            const rn_go_attr *attr,
                                                            const rn_go_site *where,
                                                            const rn__g *self, uint64_t parent)
{
    if (RN_UNLIKELY(default_class == 0))
        default_class = (uint8_t)rn__stack_class(0);

    rn__g *g = rn__g_alloc(w);
    g->fn = fn;
    g->where = where;
    g->parent = parent;
    g->klass = default_class;
    /* relaxed: the queue publishes the descriptor */
    atomic_store_explicit(&g->status, RN__RUNNABLE, memory_order_relaxed);
    copy_args(g, args, nargs);
    if (RN_UNLIKELY(attr != NULL))
        apply_attr(g, attr, where);
    if (RN_UNLIKELY(self != NULL && self->ext != NULL))
        rn__labels_inherit(g, self);
    g->id = rn__g_new_id(w);
#if RN__TSAN
    rn__g_ext(g)->tsan_fiber = __tsan_create_fiber(0);
    if (where != NULL)
        __tsan_set_fiber_name(g->ext->tsan_fiber, where->fname);
#endif
    RN__HB_RELEASE(g); /* all that came before the go statement, this function included */
    return g;
}

static inline __attribute__((always_inline)) void launch(rn__worker *w, rn__g *g)
{
    if (RN_UNLIKELY(w == NULL)) {
        atomic_fetch_add(&rn__sched.foreign_created, 1);
        bool held = false;
        if (rn__hooked()) {
            rn__hook_event(RN__EV_CREATE, g, NULL);
            rn__bubble_adopt(g);
            held = rn__bubble_hold(g);
        }
        if (held)
            return;
        if (rn__det())
            rn__det_push(g);
        else
            rn__inject(g, g, 1);
        return;
    }
    w->ncreated++;
    if (RN_UNLIKELY(rn__hooked())) {
        rn__hook_event(RN__EV_CREATE, g, NULL);
        rn__bubble_adopt(g);
        bool held = rn__bubble_hold(g);
        if (held || rn__det()) {
            if (!held)
                rn__det_push(g);
            rn__hook_point(RN__EV_CREATE, g, NULL);
            return;
        }
    }
    if (RN_UNLIKELY((atomic_load_explicit(&w->urgent, memory_order_relaxed) &
                     (RN__URGENT_LOCKED | RN__URGENT_RETIRE)) != 0)) {
        rn__inject(g, g, 1);
        return;
    }
    /* Whoever spawns is alive: no hog, however long it goes on. */
    atomic_store_explicit(&w->ticks, atomic_load_explicit(&w->ticks, memory_order_relaxed) + 64,
                          memory_order_relaxed);
    rn__fresh_put(w, g);
    if (RN_UNLIKELY(atomic_load_explicit(&rn__sched.watch, memory_order_relaxed) == RN__WATCH_DEEP))
        rn__wake_watcher();
    /* A wake-up costs as much as hundreds of spawns: only when they pile up. */
    if (RN_UNLIKELY(++w->fresh_pushes % 32 == 0) &&
        atomic_load_explicit(&w->fresh_n, memory_order_relaxed) >= 16 &&
        atomic_load_explicit(&rn__sched.nsleep, memory_order_relaxed) != 0 &&
        atomic_load_explicit(&rn__sched.nspin, memory_order_relaxed) == 0 &&
        atomic_load_explicit(&rn__sched.futile, memory_order_relaxed) == 0)
        rn__wake_one();
}

/* The goroutine that starts another one, where none runs on a worker's behalf: NULL for a timer's callback,
 * which runs on a worker's own stack or on the watcher. */
static __attribute__((noinline)) rn__g *rare_creator(const rn__worker *w)
{
    return w != NULL || rn__foreign_is_exempt() ? NULL : rn__current();
}

void rn_go_start(void (*fn)(void *), const void *args, size_t nargs, const rn_go_attr *attr,
                 const rn_go_site *where)
{
    rn__worker *w = rn__self();
    const rn__g *self;
    if (RN_UNLIKELY(w == NULL || w->hot.cur == NULL)) {
        self = rare_creator(w);
        w = rn__self();
    } else {
        self = w->hot.cur;
    }
    launch(w, prepare(w, fn, args, nargs, attr, where, self, self != NULL ? self->id : 0));
}

rn__g *rn__go_prepare(void (*fn)(void *), const void *args, size_t nargs, const rn_go_site *where,
                      uint64_t parent)
{
    return prepare(rn__self(), fn, args, nargs, NULL, where, NULL, parent);
}

void rn__go_launch(rn__g *g)
{
    launch(rn__self(), g);
}

/* ------------------------------------------------------------------------------ who am I, how many */

uint64_t rn_goid(void)
{
    rn__g *g = rn__current();
    return rn__is_foreign(g) ? 0 : g->id;
}

int64_t rn_num_goroutine(void)
{
    rn__current(); /* the first use of the runtime counts main */
    return rn__count_goroutines();
}

/* The same for the library's own use, from any thread. */
int64_t rn__count_goroutines(void)
{
    int64_t n = atomic_load(&rn__sched.foreign_created);
    int k = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < k; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        /* plain counters of running workers: a snapshot, exact when they rest */
        if (w != NULL)
            n += *(volatile int64_t *)&w->ncreated - *(volatile int64_t *)&w->nended;
    }
    return n;
}

void rn__for_each_g(void (*fn)(rn__g *g, void *arg), void *arg)
{
    uint32_t used = atomic_load_explicit(&gs.used, memory_order_acquire);
    for (uint32_t i = 0; i < used; i++) {
        rn__g *chunk = atomic_load_explicit(&gs.chunk[i / CHUNK], memory_order_acquire);
        rn__g *g = &chunk[i % CHUNK];
        if (g->id != 0)
            fn(g, arg);
    }
}

rn__g *rn__g_peek(void)
{
    rn__worker *w = rn__self();
    return w != NULL ? w->hot.cur : NULL;
}

rn__freelist *rn__worker_cache(enum rn__cache which)
{
    rn__worker *w = rn__self();
    return w != NULL ? &w->cache[which] : NULL;
}
