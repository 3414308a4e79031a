/*
 * defer.c - deferred calls: putting them on the goroutine's list, and the normal way off it.
 *
 * Invariants
 *  - The list is in the order of the frames and, within one frame, of its declarations: leaving a
 *    block always finds the block's own record at the head.
 *  - A record points to its goroutine's list head, so leaving needs no look at who is running; the
 *    frame cannot change its goroutine.
 *  - What a function deferred with defer_fn counts as one record of the list, at the place of its
 *    rn_function: calls deferred later may stand in inner blocks that end earlier.
 */
#include "record.h"
#include "dump.h"
#include <stdlib.h>

void rn_deferred_push(rn_deferred *d)
{
    rn__g *g = rn__current();
    d->head = &g->defers;
    d->up = g->defers;
    g->defers = d;
}

void rn_guard_enter(rn_guard *guard, void *frame, const char *func)
{
    rn__g *g = rn__current();
    rn_deferred *d = &guard->rec;
    d->frame = (uintptr_t)frame | RN_RECORD_GUARD;
    d->func = func;
    d->head = &g->defers;
    d->up = g->defers;
    g->defers = d;
    guard->panics = rn__panic_of(g);
}

/* -------------------------------------------------------------------------------- rn_function */

void rn_function_enter(rn_function_scope *s, void *frame, const char *func)
{
    s->n = 0;
    s->cap = 0;
    s->more = NULL;
    s->rec.frame = (uintptr_t)frame | RN_RECORD_FUNCTION;
    s->rec.func = func;
    rn_deferred_push(&s->rec);
}

/* Room for one more call behind the first slots. */
static void grow(void *arg)
{
    rn_function_scope *s = arg;
    size_t cap = s->cap == 0 ? 16 : s->cap * 2;
    rn_function_slot *more = realloc(s->more, cap * sizeof *more);
    if (more == NULL)
        rn__fatal("out of memory for %zu deferred calls of %s", s->n + 1, s->rec.func);
    s->more = more;
    s->cap = cap;
}

void rn_function_defer(rn_function_scope *s, void (*fn)(void *), void *arg)
{
    rn_function_slot *slot;
    if (RN_LIKELY(s->n < RN_FUNCTION_SLOTS)) {
        slot = &s->slots[s->n];
    } else {
        size_t i = s->n - RN_FUNCTION_SLOTS;
        if (i == s->cap)
            rn__roomy(rn__current(), grow, s);
        slot = &s->more[i];
    }
    slot->fn = fn;
    slot->arg = arg;
    s->n++;
}

bool rn__function_pop(rn_function_scope *s, void (**fn)(void *), void **arg)
{
    if (s->n == 0) {
        if (RN_UNLIKELY(s->more != NULL)) {
            rn__roomy(rn__current(), free, s->more);
            s->more = NULL;
        }
        return false;
    }
    size_t i = --s->n;
    rn_function_slot *slot = i < RN_FUNCTION_SLOTS ? &s->slots[i] : &s->more[i - RN_FUNCTION_SLOTS];
    *fn = slot->fn;
    *arg = slot->arg;
    return true;
}

void rn_function_leave(rn_function_scope *s)
{
    if (RN_UNLIKELY(s->rec.head == NULL))
        return; /* a panic has run them */
    void (*fn)(void *);
    void *arg;
    /* The record stays on the list meanwhile: if a call panics, the rest runs under that panic. */
    while (rn__function_pop(s, &fn, &arg))
        fn(arg);
    *s->rec.head = s->rec.up;
}
