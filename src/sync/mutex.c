/*
 * mutex.c - rn_mutex: a turn (turn.h) and nothing else.
 *
 * Invariants
 *  - rn_owner and rn_site belong to whoever holds the mutex; nothing depends on them but dumps, the
 *    texts of misuse and the guess whether spinning pays.
 *  - The store or swap that frees the mutex, or hands it over, is the last access of unlock to it.
 */
#include "sync.h"
#include "self.h"
#include "turn.h"
#include <errno.h>
#include <stdio.h>

enum { LOCKED = RN__TURN_LOCKED, QUEUE = RN__TURN_QUEUE };

_Static_assert(sizeof(rn_mutex) == 40, "part of the binary interface");

static inline _Atomic(uint64_t) *word_of(rn_mutex *m)
{
    return (_Atomic(uint64_t) *)&m->rn_word;
}

/* relaxed: read by others as a hint only */
static inline void set_owner(rn_mutex *m, rn__g *g, const char *site)
{
    __atomic_store_n(&m->rn_owner, g, __ATOMIC_RELAXED);
    __atomic_store_n(&m->rn_site, site, __ATOMIC_RELAXED);
}

/* Without waiting, and without a call. False: it is locked, or this is a foreign thread. */
static inline bool lock_fast(rn_mutex *m, const char *site)
{
    _Atomic(uint64_t) *word = word_of(m);
    rn__hot *h = rn__self_hot();
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
        if (RN_LIKELY(s == 0))
            atomic_store_explicit(word, LOCKED, memory_order_relaxed);
        rn__solo_end(h);
        if (RN_UNLIKELY(s != 0))
            return false;
        set_owner(m, h->cur, site);
        RN__HB_ACQUIRE(m);
        return true;
    }
    uint64_t s = 0;
    /* acquire: pairs with the release of the unlock before us */
    if (RN_UNLIKELY(h == NULL) ||
        RN_UNLIKELY(!atomic_compare_exchange_strong_explicit(word, &s, LOCKED, memory_order_acquire,
                                                             memory_order_relaxed)))
        return false;
    set_owner(m, h->cur, site);
    RN__HB_ACQUIRE(m);
    rn__solo_hope();
    return true;
}

static __attribute__((noinline)) int lock_slow(rn_mutex *m, rn__breaker *b, const char *site)
{
    rn__turn t = {&m->rn_word, &m->rn_head, &m->rn_owner, m, RN__WAIT_MUTEX_LOCK};
    int err = rn__turn_take(&t, b, site);
    if (err != 0)
        return err;
    set_owner(m, rn__running(), site);
    RN__HB_ACQUIRE(m);
    return 0;
}

void rn_mutex_lock_at(rn_mutex *m, const char *site)
{
    RN__SELF_CHECK(m, "Mutex", site);
    if (RN_UNLIKELY(!lock_fast(m, site)))
        lock_slow(m, NULL, site);
}

int rn__mutex_lock_by(rn_mutex *m, rn__breaker *b, const char *site)
{
    RN__SELF_CHECK(m, "Mutex", site);
    return RN_LIKELY(lock_fast(m, site)) ? 0 : lock_slow(m, b, site);
}

int rn_mutex_lock_until_at(rn_mutex *m, int64_t deadline, const char *site)
{
    RN__SELF_CHECK(m, "Mutex", site);
    if (RN_LIKELY(lock_fast(m, site)))
        return 0;
    if (deadline == RN_NEVER)
        return lock_slow(m, NULL, site);
    if (deadline <= rn_now())
        return rn_mutex_trylock_at(m, site) ? 0 : -ETIMEDOUT;
    rn__deadline d;
    return lock_slow(m, rn__deadline_init(&d, deadline), site);
}

bool rn_mutex_trylock_at(rn_mutex *m, const char *site)
{
    RN__SELF_CHECK(m, "Mutex", site);
    if (!rn__turn_try(&m->rn_word, 0))
        return false;
    set_owner(m, rn__running(), site);
    RN__HB_ACQUIRE(m);
    return true;
}

RN_COLD __attribute__((noreturn)) static void not_locked(rn_mutex *m, const char *site)
{
    const char *last = __atomic_load_n(&m->rn_site, __ATOMIC_RELAXED);
    char by[48];
    rn__sync_by(by, sizeof by, __atomic_load_n(&m->rn_owner, __ATOMIC_RELAXED));
    rn__fatal("sync: unlock of unlocked mutex\n\tunlocked at %s, %s%s%s",
              site != NULL ? site : "a place unknown",
              last != NULL ? "last locked at " : "never locked", last != NULL ? last : "",
              last != NULL ? by : "");
}

/* Unlocks a mutex that is not plainly locked. Returns who is to be readied, or NULL. */
static inline rn__g *unlock_slow(rn_mutex *m, bool may_yield, const char *site)
{
    rn__meet(); /* first: a foreign thread registers before it writes */
    _Atomic(uint64_t) *word = word_of(m);
    for (unsigned round = 0;;) {
        uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
        if (!(s & LOCKED))
            not_locked(m, site);
        if (s & QUEUE) {
            rn__backoff(round++, may_yield);
            continue;
        }
        if (!(s & RN__TURN_WAITERS) || (s & RN__TURN_WOKEN)) {
            /* nobody needs to be woken; release: what the holder wrote */
            if (atomic_compare_exchange_strong_explicit(word, &s, s & ~(uint64_t)LOCKED,
                                                        memory_order_release, memory_order_relaxed))
                return NULL;
            continue;
        }
        /* acquire: the queue as the last holder of QUEUE left it */
        if (!atomic_compare_exchange_strong_explicit(word, &s, s | QUEUE, memory_order_acquire,
                                                     memory_order_relaxed))
            continue;
        rn__g *next = rn__turn_pass(&m->rn_head, &s);
        /* release: what the holder wrote, and the queue. Our last access: once next is awake the
         * mutex may be gone. next itself cannot, for we are its only waker. */
        atomic_store_explicit(word, s, memory_order_release);
        return next;
    }
}

static __attribute__((noinline)) void unlock_and_ready(rn_mutex *m, const char *site)
{
    rn__g *next = unlock_slow(m, true, site);
    if (next != NULL)
        rn__waiter_ready(next);
}

/* Without a call; false: somebody may have to be woken, or this is a foreign thread. */
static inline bool unlock_fast(rn_mutex *m)
{
    _Atomic(uint64_t) *word = word_of(m);
    rn__hot *h = rn__self_hot();
    RN__HB_RELEASE(m);
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        bool plain = atomic_load_explicit(word, memory_order_relaxed) == LOCKED;
        if (RN_LIKELY(plain))
            atomic_store_explicit(word, 0, memory_order_release);
        rn__solo_end(h);
        return plain;
    }
    uint64_t s = LOCKED;
    /* release: what the holder wrote is visible to the next one */
    return RN_LIKELY(h != NULL) && RN_LIKELY(atomic_compare_exchange_strong_explicit(
                                       word, &s, 0, memory_order_release, memory_order_relaxed));
}

void rn_mutex_unlock_at(rn_mutex *m, const char *site)
{
    RN__SELF_CHECK(m, "Mutex", site);
    if (RN_UNLIKELY(!unlock_fast(m)))
        unlock_and_ready(m, site);
}

rn__g *rn__mutex_unlock_quietly(rn_mutex *m, const char *site)
{
    RN__SELF_CHECK(m, "Mutex", site);
    return RN_LIKELY(unlock_fast(m)) ? NULL : unlock_slow(m, false, site);
}

/* ------------------------------------------------------------------------------------- for dumps */

void rn__mutex_describe(const rn_mutex *m, char *buf, size_t n)
{
    const char *site = __atomic_load_n(&m->rn_site, __ATOMIC_RELAXED);
    if (!(__atomic_load_n(&m->rn_word, __ATOMIC_RELAXED) & LOCKED) || site == NULL)
        return;
    char by[48];
    rn__sync_by(by, sizeof by, __atomic_load_n(&m->rn_owner, __ATOMIC_RELAXED));
    snprintf(buf, n, "%p, locked%s at %s", (const void *)m, by, site);
}
