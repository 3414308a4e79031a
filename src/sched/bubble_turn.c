/*
 * bubble_turn.c - a bubble with a seed: one of its goroutines runs at a time.
 *
 * Whoever has the turn passes it on when it blocks, ends or yields, to one drawn among those that
 * are ready. So the bubble does the same for the same seed, whatever the workers and the rest of
 * the program do meanwhile.
 *
 * Invariants
 *  - turn is true while a goroutine of the bubble runs, or is in a run queue, or the controller
 *    fires timers. All others that are ready are in run.
 *  - The turn is passed on the next stack, when the one that had it can be woken by anybody.
 *  - run has room for all members, so that nothing is allocated when one becomes ready.
 */
#include "bubble.h"

bool rn__bubble_draw(uint32_t *r)
{
    rn__bubble *b = rn__acting();
    if (b == NULL || !b->serial)
        return false;
    *r = rn__bubble_random(b);
    return true;
}

/* Passes the turn to one of those that are ready, if there is one. */
void rn__bubble_pass_turn(rn__bubble *b)
{
    rn__g *g = NULL;
    rn__lock_take(&b->lock);
    if (b->nrun != 0) {
        uint32_t i = (uint32_t)((uint64_t)rn__bubble_random(b) * b->nrun >> 32);
        g = b->run[i];
        b->run[i] = b->run[--b->nrun];
    } else {
        b->turn = false;
    }
    rn__lock_drop(&b->lock);
    if (g != NULL)
        rn__push_now(g);
}

/* g is ready. True if it has to wait for its turn; false if the caller shall push it. */
bool rn__bubble_hold(rn__g *g)
{
    if (g->bubble == 0 || !g->ext->bubble->serial)
        return false;
    rn__bubble *b = g->ext->bubble;
    rn__lock_take(&b->lock);
    bool taken = b->turn;
    b->turn = true;
    if (taken)
        b->run[b->nrun++] = g;
    rn__lock_drop(&b->lock);
    return taken;
}

/* Whether a yield of g would pass its turn on. */
bool rn__bubble_others_wait(rn__g *g)
{
    return g->bubble != 0 && g->ext->bubble->serial &&
           *(volatile uint32_t *)&g->ext->bubble->nrun != 0;
}

/* g, which has the turn, yields: it or another one goes on. False if there is no other. */
bool rn__bubble_give_way(rn__g *g)
{
    if (!rn__bubble_others_wait(g))
        return false;
    rn__bubble *b = g->ext->bubble;
    rn__lock_take(&b->lock);
    uint32_t i = (uint32_t)((uint64_t)rn__bubble_random(b) * (b->nrun + 1) >> 32);
    if (i < b->nrun) {
        rn__g *next = b->run[i];
        b->run[i] = g;
        g = next;
    }
    rn__lock_drop(&b->lock);
    rn__push_now(g);
    return true;
}
