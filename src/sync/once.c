/*
 * once.c - rn_once: one word that says fresh, running (with a queue of those who wait) or done.
 *
 * Invariants
 *  - rn_word = 0 fresh; DONE; or first waiter's address | RUNNING [| HELD]. It leaves fresh once and
 *    reaches DONE once. HELD is a lock on the queue: a list operation, and the park that drops it.
 *  - The swap to DONE is the last access of the first call; it takes the whole queue with it. A waiter
 *    that has been woken does not look at the object again.
 *  - However the function ends (return, panic, rn_goexit), DONE is stored.
 */
#include "sync.h"
#include "self.h"
#include "waiters.h"
#include "../panic/panic.h"
#include <stdio.h>

enum { FRESH = 0, DONE = 1, RUNNING = 2, HELD = 4, FLAGS = 7 };

_Static_assert(sizeof(rn_once) == 24, "part of the binary interface");
_Static_assert(_Alignof(rn__sudog) > FLAGS, "the flags live in the low bits of its address");

static inline _Atomic(uint64_t) *word_of(rn_once *once)
{
    return (_Atomic(uint64_t) *)&once->rn_word;
}

static void finish(void *arg)
{
    rn_once *once = arg;
    RN__HB_RELEASE(&once->rn_word);
    for (unsigned round = 0;;) {
        uint64_t s = atomic_load_explicit(word_of(once), memory_order_relaxed);
        if (s & HELD) {
            rn__backoff(round++, true);
            continue;
        }
        /* release: what the function did; acquire: the queue */
        if (atomic_compare_exchange_strong_explicit(word_of(once), &s, DONE, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            rn__sudog *first = (rn__sudog *)(uintptr_t)(s & ~(uint64_t)FLAGS);
            if (first != NULL)
                rn__waiters_ready_circle(first);
            return;
        }
    }
}

/* Runs the function. The deferred call stands in this frame, so it comes after whatever fn deferred,
 * and before the caller goes on. */
static __attribute__((noinline)) void run(rn_once *once, void (*fn0)(void), void (*fn1)(void *),
                                          void *arg)
{
    rn_defer(finish, once);
    if (fn0 != NULL)
        fn0();
    else
        fn1(arg);
}

void rn_once_slow(rn_once *once, void (*fn0)(void), void (*fn1)(void *), void *arg,
                  const char *site)
{
    RN__SELF_CHECK(once, "Once", site);
    rn__g *g = rn__current();
    /* acquire: what the function did, if it is done */
    uint64_t s = atomic_load_explicit(word_of(once), memory_order_acquire);
    for (unsigned round = 0; s != DONE;) {
        if (s == FRESH) {
            /* acquire: for a failure; nothing is published by starting */
            if (!atomic_compare_exchange_strong_explicit(
                    word_of(once), &s, RUNNING, memory_order_acquire, memory_order_acquire))
                continue;
            /* relaxed: for dumps */
            __atomic_store_n(&once->rn_runner, g, __ATOMIC_RELAXED);
            run(once, fn0, fn1, arg);
            return;
        }
        if (s & HELD) {
            rn__backoff(round++, true);
            s = atomic_load_explicit(word_of(once), memory_order_acquire);
            continue;
        }
        /* acquire: the queue as the last holder left it */
        if (!atomic_compare_exchange_strong_explicit(word_of(once), &s, s | HELD,
                                                     memory_order_acquire, memory_order_acquire))
            continue;
        rn__sudog *first = (rn__sudog *)(uintptr_t)(s & ~(uint64_t)FLAGS);
        rn__note_wait(g, RN__WAIT_ONCE, once, site);
        rn__waiters_push_back(&first, g, NULL);
        rn__park_locked(g, word_of(once), (uint64_t)(uintptr_t)first | RUNNING);
        break;
    }
    RN__HB_ACQUIRE(&once->rn_word);
}

void rn__once_describe(const rn_once *once, char *buf, size_t n)
{
    char by[48];
    if (__atomic_load_n(&once->rn_word, __ATOMIC_RELAXED) & RUNNING) {
        rn__sync_by(by, sizeof by, __atomic_load_n(&once->rn_runner, __ATOMIC_RELAXED));
        snprintf(buf, n, "%p, run%s", (const void *)once, by);
    }
}
