/*
 * turn.c - waiting for one's turn, and passing it on; turn.h has the rules.
 */
#include "turn.h"

enum {
    LOCKED = RN__TURN_LOCKED,
    QUEUE = RN__TURN_QUEUE,
    WAITERS = RN__TURN_WAITERS,
    WOKEN = RN__TURN_WOKEN,
    STARVING = RN__TURN_STARVING,
    BARGE_MAX = 256, /* so often in a row; then the newcomer yields, for the woken one may stand in
                        the run queue of the very worker that the newcomers keep busy */
    SPINS = 4,       /* looks before a newcomer queues up */
    SPIN_NS = 200,   /* between two looks */
};
#define BARGE_ONE  ((uint64_t)RN__TURN_BARGE_ONE)
#define BARGE_MASK RN__TURN_BARGE_MASK
enum { COMPETE = 0, HANDED_OVER = 1 }; /* what a woken waiter is told */
#define STARVING_NS (1 * RN_MS)

/* Whether the holder is likely to leave within the next microsecond: it is on a CPU, and not on ours.
 * Descriptors are never given back, so an old owner does no harm. */
static bool worth_spinning(const rn__turn *t, rn__g *g)
{
    rn__g *owner = __atomic_load_n(t->owner, __ATOMIC_RELAXED);
    return owner != NULL && owner != g &&
           atomic_load_explicit(&owner->status, memory_order_relaxed) == RN__RUNNING;
}

uint64_t rn__turn_hold(_Atomic(uint64_t) *word)
{
    for (unsigned round = 0;;) {
        uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
        if (s & QUEUE) {
            rn__backoff(round++, true);
            continue;
        }
        /* acquire: the queue as the last holder of QUEUE left it */
        if (atomic_compare_exchange_strong_explicit(word, &s, s | QUEUE, memory_order_acquire,
                                                    memory_order_relaxed))
            return s;
    }
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
        /* relaxed: only the mode bit changes; the place is ours before and after */
        if (atomic_compare_exchange_weak_explicit(word, &s, s & ~(uint64_t)STARVING,
                                                  memory_order_relaxed, memory_order_relaxed))
            return;
    }
}

/* A waiter whose wait was broken leaves the queue. */
static void give_up(const rn__turn *t, rn__g *g)
{
    _Atomic(uint64_t) *word = rn__turn_word(t->word);
    uint64_t s = rn__turn_hold(word);
    if (rn__waiters_withdraw(t->head, g) && *t->head == NULL)
        s &= ~(uint64_t)(WAITERS | STARVING);
    /* release: the queue */
    atomic_store_explicit(word, s, memory_order_release);
    rn__waiters_gone(g);
}

int rn__turn_take(const rn__turn *t, rn__breaker *b, const char *site)
{
    rn__g *g = rn__current(); /* first: a foreign thread registers before it writes */
    _Atomic(uint64_t) *word = rn__turn_word(t->word);
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
                if ((s & BARGE_MASK) >= BARGE_MAX * BARGE_ONE) {
                    rn_yield();
                    n &= ~BARGE_MASK;
                } else {
                    n += BARGE_ONE;
                }
            }
            /* acquire: pairs with the release of whoever cleared LOCKED */
            if (atomic_compare_exchange_strong_explicit(word, &s, n, memory_order_acquire,
                                                        memory_order_relaxed))
                return 0;
            continue;
        }
        if (!(s & STARVING) && spins < SPINS && worth_spinning(t, g)) {
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
        rn__note_wait(g, t->reason, t->obj, site);
        if (RN_UNLIKELY(rn__hooked())) /* in a bubble: somebody outside of it may end the wait */
            rn__bubble_loose(g,
                             rn__bubble_outsider(__atomic_load_n(t->owner, __ATOMIC_RELAXED), g));
        if (queued_before)
            rn__waiters_push_front(t->head, g, b);
        else
            rn__waiters_push_back(t->head, g, b);
        queued_before = true;
        bool told;
        if (b == NULL) {
            told = rn__park_locked(g, word, n);
        } else {
            /* release: the queue */
            atomic_store_explicit(word, n, memory_order_release);
            int err = rn__waiters_wait(g, b);
            if (err != 0) {
                give_up(t, g);
                return err;
            }
            told = g->won_case != 0;
        }
        if (told == HANDED_OVER) {
            if (!starving && rn_now() - began < STARVING_NS)
                leave_starvation(word);
            return 0;
        }
        woken = true;
        starving = starving || rn_now() - began >= STARVING_NS;
        spins = round = 0;
    }
}

bool rn__turn_try(uint64_t *at, uint64_t busy)
{
    rn__current(); /* first: a foreign thread registers before it writes */
    _Atomic(uint64_t) *word = rn__turn_word(at);
    uint64_t s = atomic_load_explicit(word, memory_order_relaxed);
    for (unsigned round = 0; !(s & (LOCKED | busy));) {
        if (s & QUEUE) {
            /* somebody is between two list operations: neither locked nor free */
            rn__backoff(round++, false);
            s = atomic_load_explicit(word, memory_order_relaxed);
            continue;
        }
        /* acquire: as in take */
        if (atomic_compare_exchange_weak_explicit(word, &s, s | LOCKED, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    }
    return false;
}

rn__g *rn__turn_pass(rn__sudog **head, uint64_t *s)
{
    rn__g *next = NULL;
    uint64_t n = *s;
    if ((n & WAITERS) && !(n & WOKEN)) {
        next = rn__waiters_take(head);
        if (*head == NULL)
            n &= ~(uint64_t)(WAITERS | STARVING);
    }
    if (next == NULL) {
        n &= ~(uint64_t)LOCKED;
    } else if (*s & STARVING) {
        rn__waiter_tell(next, HANDED_OVER);
    } else {
        rn__waiter_tell(next, COMPETE);
        n = (n & ~(uint64_t)LOCKED) | WOKEN;
    }
    *s = n;
    return next;
}
