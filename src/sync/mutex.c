/*
 * mutex.c - rn_mutex: a word with a lock bit, and a queue of parked waiters.
 *
 * Normal mode: unlock frees the mutex and wakes the first waiter, which competes with newcomers. They
 * usually win, being on a CPU already, and that is what makes the mutex fast: one goroutine takes it
 * many times in a row while the others sleep. Starvation mode: a waiter that has lost for 1 ms says
 * so; from then on unlock hands the mutex to the first waiter and newcomers queue at the end. The mode
 * ends with a waiter that waited less than 1 ms, or with the last one.
 *
 * Invariants
 *  - QUEUE is a lock: who has set it is the only one to change the word (by plain stores) and the only
 *    one to touch the queue. While it is clear, the word changes by compare-and-swap of the whole.
 *    Under it: a few list operations, and the park that clears it; no call that may wait.
 *  - WAITERS says that the queue is not empty. STARVING implies WAITERS and LOCKED.
 *  - WOKEN: one goroutine has been woken, or spins, and will compete; unlock need not wake another.
 *    Its holder clears it when it gets the mutex or queues up.
 *  - rn_owner and rn_site belong to whoever holds the mutex; nothing depends on them but dumps and the
 *    guess whether spinning pays.
 *  - The store or swap that frees the mutex, or hands it over, is the last access of unlock to it.
 */
#include <runnel/sync.h>
#include "waiters.h"

enum {
    LOCKED = 1,
    QUEUE = 2,
    WAITERS = 4,
    WOKEN = 8,
    STARVING = 16,
    BARGE_ONE = 32, /* from here up: how often newcomers passed the woken waiter */
};
#define BARGE_MASK (~(uint64_t)(BARGE_ONE - 1))

enum {
    BARGE_MAX = 256, /* so often in a row; then the newcomer yields, for the woken one may stand in
                        the run queue of the very worker that the newcomers keep busy */
    SPINS = 4,       /* looks before a newcomer queues up */
    SPIN_NS = 200,   /* between two looks */
};
enum { COMPETE = 0, HANDED_OVER = 1 }; /* what a woken waiter is told */
#define STARVING_NS (1 * RN_MS)

_Static_assert(sizeof(rn_mutex) == 32, "part of the binary interface");

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

/* Whether the holder is likely to unlock within the next microsecond: it is on a CPU, and not on ours.
 * Descriptors are never given back, so an old rn_owner does no harm. */
static bool worth_spinning(rn_mutex *m, rn__g *g)
{
    rn__g *owner = __atomic_load_n(&m->rn_owner, __ATOMIC_RELAXED);
    return owner != NULL && owner != g &&
           atomic_load_explicit(&owner->status, memory_order_relaxed) == RN__RUNNING;
}

/* In a bubble: whether somebody outside of it holds the mutex, and so can end the wait. */
static void note_holder(rn_mutex *m, rn__g *g)
{
    rn__g *owner = __atomic_load_n(&m->rn_owner, __ATOMIC_RELAXED);
    rn__bubble_loose(g, rn__bubble_outsider(owner, g));
}

/* Ends starvation mode after a hand-over to somebody who did not wait long. */
static void leave_starvation(_Atomic(uint64_t) *word)
{
    uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
    for (unsigned round = 0; s & STARVING;) {
        if (s & QUEUE) {
            rn__backoff(round++, true);
            s = atomic_load_explicit(word, memory_order_relaxed);
            continue;
        }
        /* relaxed: only the mode bit changes; the mutex is ours before and after */
        if (atomic_compare_exchange_weak_explicit(word, &s, s & ~(uint64_t)STARVING,
                                                  memory_order_relaxed, memory_order_relaxed))
            return;
    }
}

static __attribute__((noinline)) void lock_slow(rn_mutex *m, const char *site)
{
    rn__g *g = rn__current(); /* first: a foreign thread registers before it writes */
    _Atomic(uint64_t) *word = word_of(m);
    int64_t began = 0;     /* when we first queued up; 0: not yet */
    bool woken = false;    /* the WOKEN bit is ours */
    bool starving = false; /* we waited too long */
    bool queued_before = false;
    unsigned spins = 0, round = 0;
    for (;;) {
        uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
        if (s & QUEUE) {
            rn__backoff(round++, true);
            continue;
        }
        if (!(s & LOCKED)) {
            uint64_t n = s | LOCKED;
            if (woken) {
                n &= ~(WOKEN | BARGE_MASK);
            } else if (s & WOKEN) {
                if (s / BARGE_ONE >= BARGE_MAX) {
                    rn_yield();
                    n &= ~BARGE_MASK;
                } else {
                    n += BARGE_ONE;
                }
            }
            /* acquire: pairs with the release of the unlock that cleared LOCKED */
            if (atomic_compare_exchange_strong_explicit(word, &s, n, memory_order_acquire,
                                                        memory_order_relaxed))
                break;
            continue;
        }
        if (!(s & STARVING) && spins < SPINS && worth_spinning(m, g)) {
            /* relaxed: WOKEN guards no data */
            if (!woken && (s & (WAITERS | WOKEN)) == WAITERS)
                woken = atomic_compare_exchange_strong_explicit(
                    word, &s, s | WOKEN, memory_order_relaxed, memory_order_relaxed);
            rn__spin(SPIN_NS);
            spins++;
            continue;
        }
        if (began == 0)
            began = rn_now();
        /* acquire: the queue as the last holder of QUEUE left it */
        if (!atomic_compare_exchange_strong_explicit(word, &s, s | QUEUE, memory_order_acquire,
                                                     memory_order_relaxed))
            continue;
        uint64_t n = s | WAITERS;
        if (woken)
            n &= ~(WOKEN | BARGE_MASK);
        if (starving)
            n |= STARVING;
        rn__note_wait(g, RN__WAIT_MUTEX_LOCK, m, site);
        if (RN_UNLIKELY(rn__hooked()))
            note_holder(m, g);
        if (queued_before)
            rn__waiters_push_front(&m->rn_head, g);
        else
            rn__waiters_push_back(&m->rn_head, g);
        queued_before = true;
        if (rn__park_locked(g, word, n) == HANDED_OVER) {
            if (!starving && rn_now() - began < STARVING_NS)
                leave_starvation(word);
            break;
        }
        woken = true;
        starving = starving || rn_now() - began >= STARVING_NS;
        spins = round = 0;
    }
    set_owner(m, g, site);
    RN__HB_ACQUIRE(m);
}

void rn_mutex_lock_at(rn_mutex *m, const char *site)
{
    _Atomic(uint64_t) *word = word_of(m);
    rn__hot *h = rn__self_hot();
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
        if (RN_LIKELY(s == 0))
            atomic_store_explicit(word, LOCKED, memory_order_relaxed);
        rn__solo_end(h);
        if (RN_LIKELY(s == 0)) {
            set_owner(m, h->cur, site);
            RN__HB_ACQUIRE(m);
            return;
        }
    } else if (RN_LIKELY(h != NULL)) {
        uint64_t s = 0;
        /* acquire: pairs with the release of the unlock before us */
        if (RN_LIKELY(atomic_compare_exchange_strong_explicit(
                word, &s, LOCKED, memory_order_acquire, memory_order_relaxed))) {
            set_owner(m, h->cur, site);
            RN__HB_ACQUIRE(m);
            rn__solo_hope();
            return;
        }
    }
    lock_slow(m, site);
}

bool rn_mutex_trylock_at(rn_mutex *m, const char *site)
{
    rn__g *g = rn__current(); /* first: a foreign thread registers before it writes */
    _Atomic(uint64_t) *word = word_of(m);
    uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
    for (unsigned round = 0; !(s & LOCKED);) {
        if (s & QUEUE) {
            /* somebody is between two list operations: neither locked nor free */
            rn__backoff(round++, false);
            s = atomic_load_explicit(word, memory_order_relaxed);
            continue;
        }
        /* acquire: as in lock */
        if (atomic_compare_exchange_weak_explicit(word, &s, s | LOCKED, memory_order_acquire,
                                                  memory_order_relaxed)) {
            set_owner(m, g, site);
            RN__HB_ACQUIRE(m);
            return true;
        }
    }
    return false;
}

RN_COLD __attribute__((noreturn)) static void not_locked(rn_mutex *m, const char *site)
{
    const char *last = __atomic_load_n(&m->rn_site, __ATOMIC_RELAXED);
    rn__fatal("sync: unlock of unlocked mutex\n\tunlocked at %s, %s%s",
              site != NULL ? site : "a place unknown",
              last != NULL ? "last locked at " : "never locked", last != NULL ? last : "");
}

static __attribute__((noinline)) void unlock_slow(rn_mutex *m, const char *site)
{
    rn__meet(); /* first: a foreign thread registers before it writes */
    _Atomic(uint64_t) *word = word_of(m);
    for (unsigned round = 0;;) {
        uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
        if (!(s & LOCKED))
            not_locked(m, site);
        if (s & QUEUE) {
            rn__backoff(round++, true);
            continue;
        }
        if (!(s & WAITERS) || (s & WOKEN)) {
            /* nobody needs to be woken; release: what the holder wrote */
            if (atomic_compare_exchange_strong_explicit(word, &s, s & ~(uint64_t)LOCKED,
                                                        memory_order_release, memory_order_relaxed))
                return;
            continue;
        }
        /* acquire: the queue as the last holder of QUEUE left it */
        if (!atomic_compare_exchange_strong_explicit(word, &s, s | QUEUE, memory_order_acquire,
                                                     memory_order_relaxed))
            continue;
        rn__g *next = rn__waiters_pop_front(&m->rn_head);
        uint64_t n = m->rn_head != NULL ? s : s & ~(uint64_t)(WAITERS | STARVING);
        if (s & STARVING) {
            next->ctx.ret = HANDED_OVER;
        } else {
            next->ctx.ret = COMPETE;
            n = (n & ~(uint64_t)LOCKED) | WOKEN;
        }
        /* release: what the holder wrote, and the queue. Our last access: once next is awake the
         * mutex may be gone. next itself cannot, for we are its only waker. */
        atomic_store_explicit(word, n, memory_order_release);
        rn__ready(next);
        return;
    }
}

void rn_mutex_unlock_at(rn_mutex *m, const char *site)
{
    _Atomic(uint64_t) *word = word_of(m);
    rn__hot *h = rn__self_hot();
    RN__HB_RELEASE(m);
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        bool plain = atomic_load_explicit(word, memory_order_relaxed) == LOCKED;
        if (RN_LIKELY(plain))
            atomic_store_explicit(word, 0, memory_order_release);
        rn__solo_end(h);
        if (RN_LIKELY(plain))
            return;
    } else if (RN_LIKELY(h != NULL)) {
        uint64_t s = LOCKED;
        /* release: what the holder wrote is visible to the next one */
        if (RN_LIKELY(atomic_compare_exchange_strong_explicit(word, &s, 0, memory_order_release,
                                                              memory_order_relaxed)))
            return;
    }
    unlock_slow(m, site);
}
