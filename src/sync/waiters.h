/*
 * waiters.h - the queue of waiters in a sync object.
 *
 * Used by the files of this folder only.
 *
 * A queue is a pointer to its first waiter; the waiters form a circle, so the first one's prev is the
 * last. A waiter is the rn__sudog in the goroutine's descriptor. It waits plainly, or with a breaker
 * that may end the wait; then whoever takes it out has to win its token.
 *
 * Invariants
 *  - The object's lock bit guards the queue, and next and prev of everybody in it.
 *  - Taking a waiter out and claiming it makes the taker its only waker. It readies the waiter after
 *    the object's word has been stored: from then on the object belongs to others and may be gone.
 *  - `linked` of a waiter with a breaker: QUEUED in the queue; TAKEN out of it by somebody who has lost
 *    its token and is not through yet; 0 once nobody touches the waiter or the object on its behalf.
 *    A wait that was broken returns only then.
 *  - A queue that allows breakers is emptied by rn__waiters_take and rn__waiters_take_all only.
 */
#ifndef RN_SYNC_WAITERS_H
#define RN_SYNC_WAITERS_H

#include "../platform/annotate.h"
#include "../sched/sched.h"

enum { RN__WAITER_QUEUED = 1, RN__WAITER_TAKEN = 2 };

static inline void rn__waiters_link(rn__sudog **head, rn__sudog *w)
{
    if (*head == NULL) {
        w->next = w->prev = w;
        *head = w;
    } else {
        rn__sudog *first = *head;
        w->next = first;
        w->prev = first->prev;
        first->prev->next = w;
        first->prev = w;
    }
}

static inline void rn__waiters_unlink(rn__sudog **head, rn__sudog *w)
{
    if (w->next == w) {
        *head = NULL;
    } else {
        w->prev->next = w->next;
        w->next->prev = w->prev;
        if (*head == w)
            *head = w->next;
    }
}

/* Queues g, which will park plainly if b is NULL, else by rn__waiters_wait. */
static inline void rn__waiters_push_back(rn__sudog **head, rn__g *g, const rn__breaker *b)
{
    rn__sudog *w = &g->sudog;
    w->g = g;
    w->is_select = b != NULL;
    if (b != NULL) {
        w->gen = rn__token_open(g);
        /* relaxed: published by the object's lock */
        atomic_store_explicit(&w->linked, RN__WAITER_QUEUED, memory_order_relaxed);
    }
    rn__waiters_link(head, w);
}

static inline void rn__waiters_push_front(rn__sudog **head, rn__g *g, const rn__breaker *b)
{
    rn__waiters_push_back(head, g, b);
    *head = &g->sudog;
}

/* Whether the caller, who has taken w out, is to wake it. */
static inline bool rn__waiter_claim(rn__sudog *w)
{
    if (RN_LIKELY(!w->is_select))
        return true;
    if (!rn__token_take(w->g, w->gen))
        return false;
    w->g->won_how = RN__WON_OK;
    return true;
}

/* Nobody touches w on the object's behalf any more. */
static inline void rn__waiter_let_go(rn__sudog *w)
{
    /* release: pairs with rn__waiters_gone; the last access to a waiter that is not ours */
    atomic_store_explicit(&w->linked, 0, memory_order_release);
}

/* Takes out and claims the first waiter that is still waiting; NULL if there is none. Under the object's
 * lock. */
static inline rn__g *rn__waiters_take(rn__sudog **head)
{
    while (*head != NULL) {
        rn__sudog *w = *head;
        rn__waiters_unlink(head, w);
        if (RN_LIKELY(rn__waiter_claim(w)))
            return w->g;
        rn__waiter_let_go(w);
    }
    return NULL;
}

/* Makes a waiter runnable that has been taken out and claimed. No lock held. */
static inline void rn__waiter_ready(rn__g *g)
{
    if (RN_UNLIKELY(g->sudog.is_select))
        rn__ready_permit(g);
    else
        rn__ready(g);
}

/* A word for a waiter that has been claimed, before it is readied. */
static inline void rn__waiter_tell(rn__g *g, bool word)
{
    if (RN_UNLIKELY(g->sudog.is_select))
        g->won_case = word;
    else
        g->ctx.ret = word;
}

/*
 * Takes everybody out, under the object's lock, and claims those who still wait: *n of them. The result
 * is a list, linked by next, for rn__waiters_ready_all after the lock has been dropped. It includes
 * those that could not be claimed, so that they stay until the taker is through with the object.
 */
static inline rn__sudog *rn__waiters_take_all(rn__sudog **head, uint32_t *n)
{
    rn__sudog *first = *head;
    *n = 0;
    if (first == NULL)
        return NULL;
    *head = NULL;
    first->prev->next = NULL;
    for (rn__sudog *w = first; w != NULL; w = w->next) {
        if (RN_LIKELY(rn__waiter_claim(w)))
            ++*n;
        else /* relaxed: its owner looks under the lock */
            atomic_store_explicit(&w->linked, RN__WAITER_TAKEN, memory_order_relaxed);
    }
    return first;
}

/* Readies a list, in order, and lets those go that were not claimed. */
static inline void rn__waiters_ready_all(rn__sudog *first)
{
    if (first == NULL)
        return;
    if (first->next == NULL && !first->is_select) {
        rn__ready(first->g);
        return;
    }
    rn__batch batch;
    rn__batch_init(&batch);
    for (rn__sudog *w = first, *next; w != NULL; w = next) {
        next = w->next;
        if (RN_LIKELY(!w->is_select))
            rn__batch_add(&batch, w->g);
        else if (atomic_load_explicit(&w->linked, memory_order_relaxed) == RN__WAITER_TAKEN)
            rn__waiter_let_go(w);
        else
            rn__ready_permit(w->g);
    }
    rn__batch_ready(&batch);
}

/* The same for a circle without breakers that the caller has taken over. */
static inline void rn__waiters_ready_circle(rn__sudog *first)
{
    first->prev->next = NULL;
    rn__waiters_ready_all(first);
}

/*
 * Parks g, which has been queued with breaker b and holds no lock. 0: somebody has claimed it. Else
 * -ETIMEDOUT or -ECANCELED, and the caller withdraws: under the object's lock
 * rn__waiters_withdraw, then, without it, rn__waiters_gone.
 */
int rn__waiters_wait(rn__g *g, rn__breaker *b);

/* Whether g was still queued; if so it is taken out. Under the object's lock. */
static inline bool rn__waiters_withdraw(rn__sudog **head, rn__g *g)
{
    /* relaxed: changed under the lock, but for the last store, after which 0 is what is wanted */
    if (atomic_load_explicit(&g->sudog.linked, memory_order_relaxed) != RN__WAITER_QUEUED)
        return false;
    rn__waiters_unlink(head, &g->sudog);
    atomic_store_explicit(&g->sudog.linked, 0, memory_order_relaxed);
    return true;
}

/* Waits until whoever took g out is through with it and with the object. */
void rn__waiters_gone(rn__g *g);

#endif
