/*
 * rwmutex.c - rn_rwmutex: one word that counts the readers and says whose turn it is to write.
 *
 * Writers share a turn (turn.h). Whoever has it (LOCKED) keeps new readers out at once, and then waits for
 * those who are inside; the last of them wakes it. When it leaves, all readers that have queued enter in
 * the same store that passes the turn on.
 *
 * Invariants
 *  - The word: readers inside << 32 | the bits of turn.h. A writer is inside when LOCKED is set and
 *    the count is zero.
 *  - READERS says that rn_readers is not empty; DRAIN, that rn_drain holds the writer that has LOCKED.
 *  - Readers enter while neither LOCKED nor WOKEN is set. WOKEN means that a writer has been woken
 *    and will set LOCKED, or queue because another one has: so READERS implies LOCKED or WOKEN, and
 *    whoever clears the last of these lets the readers in. Only release_turn clears LOCKED.
 *  - The swap or store that lets somebody in, or ends the last hold, is the operation's last access.
 */
#include "sync.h"
#include "self.h"
#include "turn.h"
#include <errno.h>
#include <stdio.h>

enum {
    LOCKED = RN__TURN_LOCKED,
    QUEUE = RN__TURN_QUEUE,
    WOKEN = RN__TURN_WOKEN,
    DRAIN = RN__TURN_DRAIN,
    READERS = RN__TURN_READERS,
};
#define ONE_READER (UINT64_C(1) << 32)

_Static_assert(sizeof(rn_rwmutex) == 56, "part of the binary interface");

static inline _Atomic(uint64_t) *word_of(rn_rwmutex *rw)
{
    return (_Atomic(uint64_t) *)&rw->rn_word;
}

/* For race detectors there are two edges: from writers to all, and from readers to writers. */
static inline void now_reading(rn_rwmutex *rw)
{
    (void)rw;
    RN__HB_ACQUIRE(&rw->rn_word);
}

/* relaxed: read by others as a hint only */
static inline void now_writing(rn_rwmutex *rw, const char *site)
{
    __atomic_store_n(&rw->rn_owner, rn__running(), __ATOMIC_RELAXED);
    __atomic_store_n(&rw->rn_site, site, __ATOMIC_RELAXED);
    RN__HB_ACQUIRE(&rw->rn_word);
    RN__HB_ACQUIRE(&rw->rn_readers);
}

/* ----------------------------------------------------------------------------------- reading */

/* rn__solo_cas for the two operations that must cost nothing: a worker that is not solo does not even open
 * the window. */
static inline bool count_cas(rn_rwmutex *rw, uint64_t *expect, uint64_t value)
{
    rn__hot *h = rn__self_hot();
    /* relaxed: only a hint; the window asks again */
    if (h != NULL && atomic_load_explicit(&h->solo, memory_order_relaxed) == 0)
        return atomic_compare_exchange_strong_explicit(word_of(rw), expect, value,
                                                       memory_order_acq_rel, memory_order_relaxed);
    return rn__solo_cas(word_of(rw), expect, value);
}

static inline bool rlock_fast(rn_rwmutex *rw)
{
    uint64_t s = atomic_load_explicit(word_of(rw), memory_order_relaxed);
    if (RN_UNLIKELY((s & (LOCKED | WOKEN | QUEUE)) != 0) ||
        RN_UNLIKELY(!count_cas(rw, &s, s + ONE_READER)))
        return false;
    now_reading(rw);
    return true;
}

static __attribute__((noinline)) int rlock_slow(rn_rwmutex *rw, rn__breaker *b, const char *site)
{
    rn__g *g = rn__current(); /* first: a foreign thread registers before it writes */
    _Atomic(uint64_t) *word = word_of(rw);
    for (unsigned round = 0;;) {
        uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
        if (s & QUEUE) {
            rn__backoff(round++, true);
            continue;
        }
        if (!(s & (LOCKED | WOKEN))) {
            /* acquire: pairs with the release of the writer before us */
            if (atomic_compare_exchange_strong_explicit(word, &s, s + ONE_READER,
                                                        memory_order_acquire, memory_order_relaxed))
                break;
            continue;
        }
        /* acquire: the queue as the last holder of QUEUE left it */
        if (!atomic_compare_exchange_strong_explicit(word, &s, s | QUEUE, memory_order_acquire,
                                                     memory_order_relaxed))
            continue;
        rn__note_wait(g, RN__WAIT_RWMUTEX_RLOCK, rw, site);
        if (RN_UNLIKELY(rn__hooked())) /* see turn.c */
            rn__bubble_loose(
                g, rn__bubble_outsider(__atomic_load_n(&rw->rn_owner, __ATOMIC_RELAXED), g));
        rn__waiters_push_back(&rw->rn_readers, g, b);
        if (b == NULL) {
            rn__park_locked(g, word, s | READERS);
            break;
        }
        /* release: the queue */
        atomic_store_explicit(word, s | READERS, memory_order_release);
        int err = rn__waiters_wait(g, b);
        if (err == 0)
            break;
        s = rn__turn_hold(word);
        if (rn__waiters_withdraw(&rw->rn_readers, g) && rw->rn_readers == NULL)
            s &= ~(uint64_t)READERS;
        atomic_store_explicit(word, s, memory_order_release);
        rn__waiters_gone(g);
        return err;
    }
    now_reading(rw); /* whoever let us in has counted us */
    return 0;
}

void rn_rwmutex_rlock_at(rn_rwmutex *rw, const char *site)
{
    RN__SELF_CHECK(rw, "RWMutex", site);
    if (RN_UNLIKELY(!rlock_fast(rw)))
        rlock_slow(rw, NULL, site);
}

int rn__rwmutex_rlock_by(rn_rwmutex *rw, rn__breaker *b, const char *site)
{
    RN__SELF_CHECK(rw, "RWMutex", site);
    return RN_LIKELY(rlock_fast(rw)) ? 0 : rlock_slow(rw, b, site);
}

int rn_rwmutex_rlock_until_at(rn_rwmutex *rw, int64_t deadline, const char *site)
{
    RN__SELF_CHECK(rw, "RWMutex", site);
    if (RN_LIKELY(rlock_fast(rw)))
        return 0;
    if (deadline == RN_NEVER)
        return rlock_slow(rw, NULL, site);
    if (deadline <= rn_now())
        return rn_rwmutex_tryrlock_at(rw, site) ? 0 : -ETIMEDOUT;
    rn__deadline d;
    return rlock_slow(rw, rn__deadline_init(&d, deadline), site);
}

bool rn_rwmutex_tryrlock_at(rn_rwmutex *rw, const char *site)
{
    (void)site;
    RN__SELF_CHECK(rw, "RWMutex", site);
    uint64_t s = atomic_load_explicit(word_of(rw), memory_order_relaxed);
    for (unsigned round = 0; !(s & (LOCKED | WOKEN));) {
        if (s & QUEUE) {
            rn__backoff(round++, false);
            s = atomic_load_explicit(word_of(rw), memory_order_relaxed);
        } else if (rn__solo_cas(word_of(rw), &s, s + ONE_READER)) {
            now_reading(rw);
            return true;
        }
    }
    return false;
}

/* The last reader inside lets the writer in that waits for it. */
static void end_drain(rn_rwmutex *rw)
{
    uint64_t s = rn__turn_hold(word_of(rw));
    rn__g *writer = NULL;
    if (s >> 32 == 1 && (s & DRAIN)) {
        writer =
            rn__waiters_take(&rw->rn_drain); /* NULL: it has just given up, and will see us gone */
        s &= ~(uint64_t)DRAIN;
    }
    atomic_store_explicit(word_of(rw), s - ONE_READER, memory_order_release);
    if (writer != NULL)
        rn__waiter_ready(writer);
}

RN_COLD __attribute__((noreturn)) static void misuse(rn_rwmutex *rw, const char *text,
                                                     const char *what, const char *site)
{
    char now[128] = "";
    rn__rwmutex_describe(rw, now, sizeof now);
    rn__fatal("%s\n\t%s at %s; rwmutex %s", text, what, site != NULL ? site : "a place unknown",
              now);
}

static __attribute__((noinline)) void runlock_slow(rn_rwmutex *rw, const char *site)
{
    for (unsigned round = 0;;) {
        uint64_t s = atomic_load_explicit(word_of(rw), memory_order_relaxed);
        if (s >> 32 == 0)
            misuse(rw, "sync: RUnlock of unlocked RWMutex", "unlocked for reading", site);
        if (s & QUEUE) {
            rn__backoff(round++, true);
        } else if ((s & DRAIN) && s >> 32 == 1) {
            end_drain(rw);
            return;
        } else if (rn__solo_cas(word_of(rw), &s, s - ONE_READER)) {
            return;
        }
    }
}

void rn_rwmutex_runlock_at(rn_rwmutex *rw, const char *site)
{
    RN__SELF_CHECK(rw, "RWMutex", site);
    RN__HB_RELEASE(&rw->rn_readers);
    uint64_t s = atomic_load_explicit(word_of(rw), memory_order_relaxed);
    if (RN_UNLIKELY((s & (DRAIN | QUEUE)) != 0) || RN_UNLIKELY(s >> 32 == 0) ||
        RN_UNLIKELY(!count_cas(rw, &s, s - ONE_READER)))
        runlock_slow(rw, site);
}

/* ----------------------------------------------------------------------------------- writing */

/* Ends the caller's turn; it holds QUEUE, and the word without it is s. */
static void release_turn(rn_rwmutex *rw, uint64_t s)
{
    uint32_t n;
    rn__sudog *readers = rn__waiters_take_all(&rw->rn_readers, &n);
    s = (s & ~(uint64_t)READERS) + n * ONE_READER;
    rn__g *writer = rn__turn_pass(&rw->rn_writers, &s);
    /* release: what the writer did, and the queues. Our last access. */
    atomic_store_explicit(word_of(rw), s, memory_order_release);
    rn__waiters_ready_all(readers);
    if (writer != NULL)
        rn__waiter_ready(writer);
}

/* The caller has the turn; waits until the readers inside are gone. */
static int drain(rn_rwmutex *rw, rn__breaker *b, const char *site)
{
    _Atomic(uint64_t) *word = word_of(rw);
    /* acquire: what the readers did, the last of them having left */
    if (atomic_load_explicit(word, memory_order_acquire) >> 32 == 0)
        return 0;
    rn__g *g = rn__current();
    uint64_t s = rn__turn_hold(word);
    if (s >> 32 == 0) {
        atomic_store_explicit(word, s, memory_order_release);
        return 0;
    }
    rn__note_wait(g, RN__WAIT_RWMUTEX_LOCK, rw, site);
    if (RN_UNLIKELY(rn__hooked()))
        rn__bubble_loose(g, false); /* who the readers are is not known: taken for ours */
    rn__waiters_push_back(&rw->rn_drain, g, b);
    if (b == NULL) {
        rn__park_locked(g, word, s | DRAIN);
        return 0;
    }
    /* release: the queue */
    atomic_store_explicit(word, s | DRAIN, memory_order_release);
    int err = rn__waiters_wait(g, b);
    if (err == 0)
        return 0;
    s = rn__turn_hold(word);
    rn__waiters_withdraw(&rw->rn_drain, g);
    s &= ~(uint64_t)DRAIN;
    if (s >> 32 == 0) { /* they have left meanwhile: it is ours after all */
        atomic_store_explicit(word, s, memory_order_release);
        return 0;
    }
    release_turn(rw, s);
    return err;
}

static inline bool lock_fast(rn_rwmutex *rw, const char *site)
{
    uint64_t s = 0;
    if (RN_UNLIKELY(!rn__solo_cas(word_of(rw), &s, LOCKED)))
        return false;
    now_writing(rw, site);
    return true;
}

static __attribute__((noinline)) int lock_slow(rn_rwmutex *rw, rn__breaker *b, const char *site)
{
    rn__turn t = {&rw->rn_word, &rw->rn_writers, &rw->rn_owner, rw, RN__WAIT_RWMUTEX_LOCK};
    int err = rn__turn_take(&t, b, site);
    if (err == 0)
        err = drain(rw, b, site);
    if (err == 0)
        now_writing(rw, site);
    return err;
}

void rn_rwmutex_lock_at(rn_rwmutex *rw, const char *site)
{
    RN__SELF_CHECK(rw, "RWMutex", site);
    if (RN_UNLIKELY(!lock_fast(rw, site)))
        lock_slow(rw, NULL, site);
}

int rn__rwmutex_lock_by(rn_rwmutex *rw, rn__breaker *b, const char *site)
{
    RN__SELF_CHECK(rw, "RWMutex", site);
    return RN_LIKELY(lock_fast(rw, site)) ? 0 : lock_slow(rw, b, site);
}

int rn_rwmutex_lock_until_at(rn_rwmutex *rw, int64_t deadline, const char *site)
{
    RN__SELF_CHECK(rw, "RWMutex", site);
    if (RN_LIKELY(lock_fast(rw, site)))
        return 0;
    if (deadline == RN_NEVER)
        return lock_slow(rw, NULL, site);
    if (deadline <= rn_now())
        return rn_rwmutex_trylock_at(rw, site) ? 0 : -ETIMEDOUT;
    rn__deadline d;
    return lock_slow(rw, rn__deadline_init(&d, deadline), site);
}

bool rn_rwmutex_trylock_at(rn_rwmutex *rw, const char *site)
{
    RN__SELF_CHECK(rw, "RWMutex", site);
    if (!rn__turn_try(&rw->rn_word, ~(ONE_READER - 1)))
        return false;
    now_writing(rw, site);
    return true;
}

void rn_rwmutex_unlock_at(rn_rwmutex *rw, const char *site)
{
    RN__SELF_CHECK(rw, "RWMutex", site);
    RN__HB_RELEASE(&rw->rn_word);
    uint64_t s = LOCKED;
    if (RN_LIKELY(rn__solo_cas(word_of(rw), &s, 0)))
        return;
    if (!(s & LOCKED) || s >> 32 != 0)
        misuse(rw, "sync: Unlock of unlocked RWMutex", "unlocked", site);
    release_turn(rw, rn__turn_hold(word_of(rw)));
}

/* ------------------------------------------------------------------------------------- for dumps */

void rn__rwmutex_describe(const rn_rwmutex *rw, char *buf, size_t n)
{
    uint64_t s = __atomic_load_n(&rw->rn_word, __ATOMIC_RELAXED);
    const char *site = __atomic_load_n(&rw->rn_site, __ATOMIC_RELAXED);
    unsigned readers = (unsigned)(s >> 32);
    char by[48];
    rn__sync_by(by, sizeof by, __atomic_load_n(&rw->rn_owner, __ATOMIC_RELAXED));
    if (readers != 0)
        snprintf(buf, n, "%p, locked by %u reader%s", (const void *)rw, readers,
                 readers == 1 ? "" : "s");
    else if ((s & LOCKED) && site != NULL)
        snprintf(buf, n, "%p, locked%s at %s", (const void *)rw, by, site);
    else if (site != NULL)
        snprintf(buf, n, "%p, not locked, last written%s at %s", (const void *)rw, by, site);
    else
        snprintf(buf, n, "%p, never written", (const void *)rw);
}
