/*
 * turn.h - whose turn it is: the word and the queue by which mutex and rwmutex give out the one place
 * inside.
 *
 * Normal mode: leaving frees the place and wakes the first waiter, which competes with newcomers. They
 * usually win, being on a CPU already, and that is what makes the lock fast: one goroutine takes it
 * many times in a row while the others sleep. Starvation mode: a waiter that has lost for 1 ms says
 * so; from then on the place is handed to the first waiter and newcomers queue at the end. The mode
 * ends with a waiter that waited less than 1 ms, or with the last one.
 *
 * Invariants
 *  - QUEUE is a lock: who has set it is the only one to change the word (by plain stores) and the only
 *    one to touch the queues. While it is clear, the word changes by compare-and-swap of the whole.
 *    Under it: list operations, claims, and the park that clears it; no call that may wait.
 *  - WAITERS says that the queue is not empty. STARVING implies WAITERS and LOCKED.
 *  - WOKEN: one goroutine has been woken, or spins, and will compete; who leaves need not wake another.
 *    Its holder clears it when it gets the place or queues up, and gives up only from the queue: so
 *    WAITERS without LOCKED implies WOKEN, and no wake-up is lost with a waiter that gives up.
 *  - The bits from RN__TURN_DRAIN on up but for the count of passes are the rwmutex's.
 */
#ifndef RN_SYNC_TURN_H
#define RN_SYNC_TURN_H

#include "waiters.h"

enum {
    RN__TURN_LOCKED = 1,
    RN__TURN_QUEUE = 2,
    RN__TURN_WAITERS = 4,
    RN__TURN_WOKEN = 8,
    RN__TURN_STARVING = 16,
    RN__TURN_DRAIN = 32,   /* rwmutex: the holder of LOCKED sleeps until the readers are gone */
    RN__TURN_READERS = 64, /* rwmutex: readers are queued */
    RN__TURN_BARGE_ONE =
        128, /* from here up, below the upper half: how often newcomers passed the woken */
};
#define RN__TURN_BARGE_MASK (UINT64_C(0xFFFFFFFF) & ~(uint64_t)(RN__TURN_BARGE_ONE - 1))

/* The parts of an object that hold its turn. */
typedef struct rn__turn {
    uint64_t *word;
    rn__sudog **head;     /* who waits */
    struct rn__g **owner; /* who was let in last: a hint whether spinning pays */
    void *obj;            /* for dumps */
    enum rn__reason reason;
} rn__turn;

/* Sets LOCKED for the caller; waits until that is possible or b ends it. 0, -ETIMEDOUT, -ECANCELED. */
int rn__turn_take(const rn__turn *t, rn__breaker *b, const char *site);

/* LOCKED, if it is clear, for the caller; fails else, and while any of `busy` is set in the word. */
bool rn__turn_try(uint64_t *word, uint64_t busy);

static inline _Atomic(uint64_t) *rn__turn_word(uint64_t *word)
{
    return (_Atomic(uint64_t) *)word;
}

/* Takes QUEUE and returns the word without it. Never while it is held already. */
uint64_t rn__turn_hold(_Atomic(uint64_t) *word);

/* With QUEUE held by the one who holds LOCKED too: clears LOCKED in *s or hands it on. Returns who is to be
 * readied once *s is stored, or NULL. */
rn__g *rn__turn_pass(rn__sudog **head, uint64_t *s);

#endif
