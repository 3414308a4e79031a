/*
 * sem.c - rn_sem: how much is free, and a queue of those who want some.
 *
 * Invariants
 *  - rn_word = free << 2 | WAITERS | QUEUE. QUEUE is a lock: who has set it is the only one to change
 *    the word and the queue; while it is clear, the word changes by compare-and-swap of the whole.
 *    Under it: list operations, claims, and the park that clears it.
 *  - WAITERS says that the queue is not empty; then nobody takes anything past it, and what the first
 *    one wants is more than what is free.
 *  - The store that grants something is the last access of a release.
 */
#include "sync.h"
#include "self.h"
#include "waiters.h"
#include "../panic/panic.h"
#include <errno.h>
#include <stdio.h>

enum { QUEUE = 1, WAITERS = 2, SHIFT = 2 };

_Static_assert(sizeof(rn_sem) == 32, "part of the binary interface");

static inline _Atomic(uint64_t) *word_of(rn_sem *s)
{
    return (_Atomic(uint64_t) *)&s->rn_word;
}

/* What a queued waiter wants. */
static inline uint64_t wants(const rn__sudog *w)
{
    return (uint64_t)(uintptr_t)w->elem;
}
_Static_assert(sizeof(void *) == sizeof(uint64_t), "the wish travels in a pointer");

static uint64_t hold(rn_sem *s)
{
    for (unsigned round = 0;;) {
        uint64_t v = atomic_load_explicit(word_of(s), memory_order_relaxed);
        if (v & QUEUE)
            rn__backoff(round++, true);
        else if (rn__solo_cas(word_of(s), &v, v | QUEUE))
            return v;
    }
}

/* With QUEUE held and `v` the word: gives to the first waiters what they want, as long as it lasts, and stores
 * the word. */
static void grant_and_drop(rn_sem *s, uint64_t v)
{
    uint64_t free = v >> SHIFT;
    rn__sudog *granted = NULL, **last = &granted;
    for (rn__sudog *w; (w = s->rn_waiters) != NULL && wants(w) <= free;) {
        rn__waiters_unlink(&s->rn_waiters, w);
        if (!rn__waiter_claim(w)) {
            rn__waiter_let_go(w);
            continue;
        }
        free -= wants(w);
        w->next = NULL;
        *last = w;
        last = &w->next;
    }
    v = free << SHIFT | (s->rn_waiters != NULL ? WAITERS : 0);
    /* release: what those did who gave something back; the last access */
    atomic_store_explicit(word_of(s), v, memory_order_release);
    rn__waiters_ready_all(granted);
}

RN_COLD __attribute__((noreturn)) static void negative(const char *site)
{
    rn__panic_runtime(site, NULL, "semaphore: negative weight");
}

static inline bool take_fast(rn_sem *s, int64_t n)
{
    uint64_t v = atomic_load_explicit(word_of(s), memory_order_relaxed);
    if (RN_UNLIKELY((v & (QUEUE | WAITERS)) != 0) || RN_UNLIKELY(v >> SHIFT < (uint64_t)n) ||
        RN_UNLIKELY(!rn__solo_cas(word_of(s), &v, v - ((uint64_t)n << SHIFT))))
        return false;
    RN__HB_ACQUIRE(s);
    return true;
}

/* More than there is: nobody can grant it, and nobody shall have to queue behind it. */
static int wait_in_vain(rn_sem *s, rn__breaker *b, const char *site)
{
    rn__g *g = rn__current();
    rn__note_wait(g, RN__WAIT_SEM_ACQUIRE, s, site);
    rn__sudog *nobody = NULL;
    rn__waiters_push_back(&nobody, g, b);
    if (b != NULL)
        return rn__waiters_wait(g, b);
    for (;;)
        rn__park_permit(g); /* nobody has a token to wake us with */
}

static __attribute__((noinline)) int take_slow(rn_sem *s, int64_t n, rn__breaker *b,
                                               const char *site)
{
    if (n < 0)
        negative(site);
    if (n > s->rn_size)
        return wait_in_vain(s, b, site);
    rn__g *g = rn__current(); /* first: a foreign thread registers before it writes */
    uint64_t v = hold(s);
    if (!(v & WAITERS) && v >> SHIFT >= (uint64_t)n) {
        atomic_store_explicit(word_of(s), v - ((uint64_t)n << SHIFT), memory_order_release);
        RN__HB_ACQUIRE(s);
        return 0;
    }
    rn__note_wait(g, RN__WAIT_SEM_ACQUIRE, s, site);
    g->sudog.elem = (void *)(uintptr_t)n;
    rn__waiters_push_back(&s->rn_waiters, g, b);
    int err = 0;
    if (b == NULL) {
        rn__park_locked(g, word_of(s), v | WAITERS);
    } else {
        /* release: the queue */
        atomic_store_explicit(word_of(s), v | WAITERS, memory_order_release);
        err = rn__waiters_wait(g, b);
        if (err != 0) {
            v = hold(s);
            rn__waiters_withdraw(&s->rn_waiters, g);
            grant_and_drop(s, v); /* those behind us may want less */
            rn__waiters_gone(g);
            return err;
        }
    }
    RN__HB_ACQUIRE(s);
    return err;
}

int rn__sem_acquire_by(rn_sem *s, int64_t n, rn__breaker *b, const char *site)
{
    RN__SELF_CHECK(s, "Semaphore", site);
    return RN_LIKELY(take_fast(s, n)) ? 0 : take_slow(s, n, b, site);
}

void rn_sem_acquire_at(rn_sem *s, int64_t n, const char *site)
{
    rn__sem_acquire_by(s, n, NULL, site);
}

int rn_sem_acquire_until_at(rn_sem *s, int64_t n, int64_t deadline, const char *site)
{
    RN__SELF_CHECK(s, "Semaphore", site);
    if (RN_LIKELY(take_fast(s, n)))
        return 0;
    if (deadline == RN_NEVER)
        return take_slow(s, n, NULL, site);
    if (deadline <= rn_now())
        return rn_sem_tryacquire_at(s, n, site) ? 0 : -ETIMEDOUT;
    rn__deadline d;
    return take_slow(s, n, rn__deadline_init(&d, deadline), site);
}

bool rn_sem_tryacquire_at(rn_sem *s, int64_t n, const char *site)
{
    RN__SELF_CHECK(s, "Semaphore", site);
    if (n < 0)
        negative(site);
    uint64_t v = atomic_load_explicit(word_of(s), memory_order_relaxed);
    for (unsigned round = 0; !(v & WAITERS) && v >> SHIFT >= (uint64_t)n;) {
        if (v & QUEUE) {
            rn__backoff(round++, false);
            v = atomic_load_explicit(word_of(s), memory_order_relaxed);
        } else if (rn__solo_cas(word_of(s), &v, v - ((uint64_t)n << SHIFT))) {
            RN__HB_ACQUIRE(s);
            return true;
        }
    }
    return false;
}

RN_COLD __attribute__((noreturn)) static void too_much(int64_t n, uint64_t free, int64_t size,
                                                       const char *site)
{
    char extra[128];
    snprintf(extra, sizeof extra, "released %lld, but only %lld of %lld are held", (long long)n,
             (long long)size - (long long)free, (long long)size);
    rn__panic_runtime(site, extra, "semaphore: released more than held");
}

void rn_sem_release_at(rn_sem *s, int64_t n, const char *site)
{
    RN__SELF_CHECK(s, "Semaphore", site);
    if (RN_UNLIKELY(n < 0))
        negative(site);
    RN__HB_RELEASE(s);
    int64_t size = s->rn_size; /* before anything is given back */
    uint64_t v = atomic_load_explicit(word_of(s), memory_order_relaxed);
    for (;;) {
        uint64_t free = v >> SHIFT;
        if (RN_UNLIKELY(n > size - (int64_t)free))
            too_much(n, free, size, site);
        if (RN_UNLIKELY((v & (QUEUE | WAITERS)) != 0))
            break;
        /* release: what was done while holding them */
        if (RN_LIKELY(rn__solo_cas(word_of(s), &v, v + ((uint64_t)n << SHIFT))))
            return;
    }
    v = hold(s);
    if (n > size - (int64_t)(v >> SHIFT)) {
        atomic_store_explicit(word_of(s), v, memory_order_release);
        too_much(n, v >> SHIFT, size, site);
    }
    grant_and_drop(s, v + ((uint64_t)n << SHIFT));
}

int64_t rn_sem_size(const rn_sem *s)
{
    return s->rn_size;
}

int64_t rn_sem_available(const rn_sem *s)
{
    /* relaxed: a snapshot */
    return (int64_t)(__atomic_load_n(&s->rn_word, __ATOMIC_RELAXED) >> SHIFT);
}

void rn__sem_describe(const rn_sem *s, char *buf, size_t n)
{
    snprintf(buf, n, "%p, %lld of %lld free", (const void *)s, (long long)rn_sem_available(s),
             (long long)s->rn_size);
}
