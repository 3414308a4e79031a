/*
 * bubble_run.c - the controller of a bubble: whoever made it, and waits until it is over.
 *
 * Invariants
 *  - The controller acts only while nobody in the bubble can: it owns one unit of active meanwhile.
 *  - What it does on behalf of the bubble (callbacks of timers, the first goroutine) it does in the
 *    bubble's name: rn__acting.
 *  - A bubble in which somebody is left is never freed: its goroutines point to it.
 */
#include "bubble.h"
#include <stdlib.h>

static struct {
    rn__lock lock;    /* guards everything here */
    rn__bubble *live; /* all that have not been freed */
    uint32_t numbers; /* given so far */
} bubbles;

/* Whether the bubble of this number is still there. */
bool rn__bubble_is_live(uint32_t number)
{
    rn__lock_take(&bubbles.lock);
    rn__bubble *b = bubbles.live;
    while (b != NULL && b->number != number)
        b = b->next;
    rn__lock_drop(&bubbles.lock);
    return b != NULL;
}

rn__bubble *rn__bubble_new(uint64_t seed, int64_t start)
{
    rn__g *c = rn__current();
    rn__g_ext(c);
    RN__OWN_BEGIN();
    rn__bubble *b = calloc(1, sizeof *b);
    RN__OWN_END();
    if (b == NULL)
        return NULL;
    b->controller = c;
    b->serial = seed != 0;
    b->rng = seed != 0 ? seed : (uint64_t)rn__choose(UINT32_MAX) << 32 | rn__choose(UINT32_MAX);
    atomic_store(&b->active, 1);
    atomic_store(&b->now, start);
    rn__lock_take(&bubbles.lock);
    if (++bubbles.numbers == 0)
        bubbles.numbers = 1;
    b->number = bubbles.numbers;
    b->next = bubbles.live;
    bubbles.live = b;
    atomic_fetch_or(&rn__hooks, RN__HOOK_BUBBLE);
    rn__lock_drop(&bubbles.lock);
    c->ext->acting = b;
    return b;
}

/* Gives the controller's unit up until nobody has one, and takes it again. */
static void until_still(rn__bubble *b)
{
    rn__g *c = b->controller;
    rn__note_wait(c, RN__WAIT_TEST_RUN, NULL, NULL);
    b->token = rn__token_open(c);
    if (atomic_fetch_sub(&b->active, 1) == 1) {
        atomic_fetch_add(&b->active, 1);
        atomic_fetch_add_explicit(&b->epoch, 1, memory_order_relaxed);
        atomic_store_explicit(&c->status, RN__RUNNING, memory_order_relaxed);
    } else {
        rn__park_permit(c);
    }
    rn__token_close(c);
    RN__HB_ACQUIRE(b);
}

int rn__bubble_run(rn__bubble *b)
{
    for (;;) {
        until_still(b);
        /* Somebody outside may have woken one meanwhile, a lock's owner for instance. */
        if (atomic_load(&b->active) != 1)
            continue;
        /* acquire: what the waiter noted; it is parked, so its token stands still */
        rn__g *waiter = atomic_exchange_explicit(&b->waiter, NULL, memory_order_acquire);
        if (waiter != NULL) {
            uint64_t token = atomic_load_explicit(&waiter->token, memory_order_relaxed);
            if (rn__token_take(waiter, token))
                rn__ready_permit(waiter);
            continue;
        }
        rn__lock_take(&b->lock);
        bool none = b->members == 0, done = b->done;
        bool timers = b->ntimers != 0 && b->heap[0].when != RN_NEVER;
        rn__lock_drop(&b->lock);
        if (none)
            return 0;
        if (done)
            return RN__BUBBLE_LEFT; /* time stops with the first one */
        if (!timers)
            return RN__BUBBLE_STUCK;
        rn__bubble_advance(b);
    }
}

void rn__bubble_look_again(rn__bubble *b, int64_t ns)
{
    b->controller->ext->acting = NULL;
    rn_sleep(ns);
    b->controller->ext->acting = b;
}

void rn__bubble_keep(rn__bubble *b, void *p)
{
    b->kept = p;
}

void rn__bubble_end(rn__bubble *b)
{
    b->controller->ext->acting = NULL;
    rn__bubble_forget_timers(b);
    rn__lock_take(&b->lock);
    bool left = b->members != 0;
    rn__lock_drop(&b->lock);
    if (left)
        return; /* those that remain point to it, for ever */
    rn__lock_take(&bubbles.lock);
    rn__bubble **p = &bubbles.live;
    while (*p != b)
        p = &(*p)->next;
    *p = b->next;
    if (bubbles.live == NULL)
        atomic_fetch_and(&rn__hooks, ~(uint32_t)RN__HOOK_BUBBLE);
    rn__lock_drop(&bubbles.lock);
    RN__OWN_BEGIN();
    free(b->heap);
    free(b->run);
    free(b);
    RN__OWN_END();
}

bool rn__bubble_wait(rn__g *g, const char *site)
{
    rn__bubble *b = g->ext->bubble;
    rn__note_wait(g, RN__WAIT_TEST_WAIT, NULL, site);
    rn__token_open(g);
    rn__g *nobody = NULL;
    /* release: the token */
    bool first = atomic_compare_exchange_strong_explicit(
        &b->waiter, &nobody, g, memory_order_release, memory_order_relaxed);
    if (first)
        rn__park_permit(g);
    else
        atomic_store_explicit(&g->status, RN__RUNNING, memory_order_relaxed);
    rn__token_close(g);
    RN__HB_ACQUIRE(b);
    return first;
}
