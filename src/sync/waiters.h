/*
 * waiters.h - the queue of waiters in a sync object.
 *
 * Used by the files of this folder only.
 *
 * A queue is a pointer to its first waiter; the waiters form a circle, so the first one's prev is the
 * last. A waiter is the rn__sudog in the goroutine's descriptor, of which only next, prev and g are
 * used here.
 *
 * Invariants
 *  - The object's lock bit guards the queue, and next and prev of everybody in it.
 *  - Taking a waiter out makes the taker its only waker. It readies the waiter after the object's
 *    word has been stored: from then on the object belongs to others and may be gone.
 */
#ifndef RN_SYNC_WAITERS_H
#define RN_SYNC_WAITERS_H

#include "../platform/annotate.h"
#include "../sched/sched.h"

static inline void rn__waiters_push_back(rn__sudog **head, rn__g *g)
{
    rn__sudog *w = &g->sudog;
    w->g = g;
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

static inline void rn__waiters_push_front(rn__sudog **head, rn__g *g)
{
    rn__waiters_push_back(head, g);
    *head = &g->sudog;
}

/* Takes out the first waiter of a queue that is not empty. */
static inline rn__g *rn__waiters_pop_front(rn__sudog **head)
{
    rn__sudog *w = *head;
    if (w->next == w) {
        *head = NULL;
    } else {
        w->prev->next = w->next;
        w->next->prev = w->prev;
        *head = w->next;
    }
    return w->g;
}

/* Makes everybody of a queue that the caller has taken over runnable, in order. */
static inline void rn__waiters_ready_all(rn__sudog *first)
{
    if (first->next == first) {
        rn__ready(first->g);
        return;
    }
    rn__batch batch;
    rn__batch_init(&batch);
    rn__sudog *w = first;
    do {
        rn__sudog *next = w->next;
        rn__batch_add(&batch, w->g);
        w = next;
    } while (w != first);
    rn__batch_ready(&batch);
}

#endif
