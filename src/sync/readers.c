/*
 * readers.c - the places of readers.h: who has which, and waiting for all of them.
 *
 * Invariants
 *  - A worker keeps its place for ever, a foreign thread until it ends.
 *  - `used` only grows; a place beyond it has never been entered.
 */
#include "readers.h"
#include <pthread.h>

rn__reader rn__readers[RN__READERS];
_Atomic(bool) rn__readers_fence;

static _Atomic(uint32_t) used = 1; /* places handed out so far, the unused first one included */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* its destructor gives a foreign thread's place back */
static __thread uint32_t mine __attribute__((tls_model("initial-exec"))); /* foreign threads only */

static void give_back(void *place)
{
    rn__reader *r = place;
    mine = 0;
    /* release: the next owner goes on with the sequence */
    atomic_store_explicit(&r->taken, 0, memory_order_release);
}

static void prepare(void)
{
    if (pthread_key_create(&key, give_back) != 0)
        rn__fatal("out of thread-specific keys");
    /* relaxed: set before the first place is taken, which orders it for its owner */
    atomic_store_explicit(&rn__readers_fence, !rn__membarrier_usable(), memory_order_relaxed);
}

static uint32_t take_place(void)
{
    uint32_t n = atomic_load_explicit(&used, memory_order_acquire);
    for (uint32_t i = 1; i < n; i++) {
        uint32_t no = 0;
        if (atomic_load_explicit(&rn__readers[i].taken, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong(&rn__readers[i].taken, &no, 1))
            return i;
    }
    for (;;) {
        if (n >= RN__READERS)
            return 0;
        uint32_t no = 0;
        /* seq_cst: `used` covers the place before it is entered for the first time */
        if (atomic_compare_exchange_weak(&used, &n, n + 1) &&
            atomic_compare_exchange_strong(&rn__readers[n].taken, &no, 1))
            return n;
    }
}

/* Never inlined: the thread-local address must not be kept by a caller. */
#if defined(__clang__)
__attribute__((noinline, optnone))
#else
__attribute__((noinline, noclone, noipa))
#endif
rn__reader *
rn__reader_find(void)
{
    pthread_once(&once, prepare);
    rn__hot *h = rn__self_hot();
    if (h != NULL) {
        if (h->reader == 0)
            h->reader = take_place();
        return h->reader != 0 ? &rn__readers[h->reader] : NULL;
    }
    if (mine == 0) {
        uint32_t i = take_place();
        if (i == 0)
            return NULL;
        if (pthread_setspecific(key, &rn__readers[i]) != 0) {
            give_back(&rn__readers[i]);
            return NULL;
        }
        mine = i;
    }
    return &rn__readers[mine];
}

bool rn__readers_wait(void)
{
    const rn__reader *me = rn__reader_here();
    if (me != NULL && (atomic_load_explicit(&me->seq, memory_order_relaxed) & 1) != 0)
        return false;
    rn__membarrier();
    uint32_t n = atomic_load(&used);
    for (uint32_t i = 1; i < n; i++) {
        rn__reader *r = &rn__readers[i];
        /* acquire: what the section did is over */
        uint32_t s = atomic_load_explicit(&r->seq, memory_order_acquire);
        for (unsigned round = 0;
             (s & 1) != 0 && atomic_load_explicit(&r->seq, memory_order_acquire) == s; round++)
            rn__backoff(round, true);
    }
    return true;
}
