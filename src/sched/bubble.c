/*
 * bubble.c - bubbles: goroutines whose clock moves when all of them are blocked.
 *
 * A bubble counts those of its goroutines that can still do something without help from the clock.
 * At zero its controller, the caller of rn_test_run, is woken: it lets rn_test_wait return, or
 * moves the clock to the next timer and fires what is due, or finds that nothing can ever move
 * again.
 *
 *     a goroutine is made    +1                       by its maker, before it is in any queue
 *     it waits               -1                       on the next stack, when all can see the wait
 *     it is woken            +1                       by the waker, before it is in any queue
 *     it ends                -1                       before its descriptor is free
 *     the controller works   1 for as long as it does
 *
 * The +1 of a waker may come before the -1 of the wait that it ends; the sum is right in any order,
 * and zero is reached only when all are blocked and nobody has been woken. A wait that somebody
 * outside of the bubble can end ("loose": a channel made outside, a mutex held outside, I/O) counts
 * neither way.
 *
 * A bubble with a seed lets one of its goroutines run at a time. Whoever has the turn passes it on
 * when it blocks, ends or yields, to one drawn among those that are ready; so all choices in it
 * come from the seed, however many workers there are.
 *
 * Invariants
 *  - A goroutine whose -1 is still to come keeps the bubble alive: after its own -1 nobody but the
 *    one who reached zero touches the bubble.
 *  - lock guards the members, the timers and the ready list. No callback, no push and no allocation
 *    under it. It is taken with no other lock of the scheduler held.
 *  - A bubble's timer is in its bubble's heap, whoever runs it; its callback runs on the
 *    controller.
 *  - g->bubble, g->ext->bubble are written by the maker and at the end, and are the same in
 *    between.
 */
#include "bubble.h"
#include <stdlib.h>

/* ----------------------------------------------------------------------------------- who acts? */

static rn__g *self_g(void)
{
    rn__worker *w = rn__self();
    if (w != NULL)
        return w->hot.cur;
    return rn__foreign_known() ? rn__foreign_current() : NULL;
}

rn__bubble *rn__acting(void)
{
    rn__g *g = self_g();
    return g != NULL && g->ext != NULL ? g->ext->acting : NULL;
}

uint32_t rn__acting_number(void)
{
    rn__bubble *b = rn__acting();
    return b != NULL ? b->number : 0;
}

/* The caller acts in another name from now on; returns the former one. Changes nothing from none to
 * none. */
rn__bubble *rn__bubble_act(rn__bubble *b)
{
    rn__g *g = self_g();
    if (g == NULL || g->ext == NULL)
        return NULL;
    rn__bubble *old = g->ext->acting;
    g->ext->acting = b;
    return old;
}

bool rn__bubble_now(int64_t *now)
{
    rn__bubble *b = rn__acting();
    if (b == NULL)
        return false;
    *now = atomic_load_explicit(&b->now, memory_order_relaxed);
    return true;
}

/* ------------------------------------------------------------------------------- objects, marks */

bool rn__bubble_use(uint32_t mark, const char *op)
{
    if (mark == rn__acting_number())
        return true;
    if (mark != 0 && rn__bubble_is_live(mark))
        rn__fatal("%s synctest channel from outside bubble\n\tit was made in bubble %u; only "
                  "goroutines of that bubble may use it",
                  op, mark);
    return false;
}

void rn__bubble_loose(rn__g *g, bool loose)
{
    if (g->bubble != 0)
        g->ext->loose = loose;
}

/* Whether only g's own bubble can end its present wait. While it waits the answer does not
 * change. */
static bool durable(const rn__g *g)
{
    switch (g->reason) {
    case RN__WAIT_IO_WAIT: return false;
    case RN__WAIT_CHAN_RECEIVE:
    case RN__WAIT_CHAN_SEND:
    case RN__WAIT_SELECT:
    case RN__WAIT_MUTEX_LOCK:
    case RN__WAIT_RWMUTEX_LOCK:
    case RN__WAIT_RWMUTEX_RLOCK: return !g->ext->loose;
    default: return true;
    }
}

/* --------------------------------------------------------------------------------- the counter */

/* One that could do something cannot any more. */
static void one_less(rn__bubble *b)
{
    if (atomic_fetch_sub(&b->active, 1) != 1)
        return;
    atomic_fetch_add(&b->active, 1); /* the controller's */
    atomic_fetch_add_explicit(&b->epoch, 1, memory_order_relaxed);
    rn__g *c = b->controller;
    if (rn__token_take(c, b->token))
        rn__ready_permit(c);
}

/* What g's wait takes off the books, first half: on the next stack, while g is not yet its
 * wakers'. */
rn__bubble *rn__bubble_parking(rn__g *g)
{
    if (g->bubble == 0)
        return NULL;
    rn__bubble *b = g->ext->bubble;
    g->ext->bubble_epoch = atomic_load_explicit(&b->epoch, memory_order_relaxed);
    if (!durable(g))
        atomic_fetch_add(&b->active, 1); /* so that the one less below changes nothing */
    return b;
}

/* g is its waker's now, and may have ended; or, if not blocked, somebody was faster and it runs
 * on. */
void rn__bubble_parked(rn__bubble *b, bool blocked)
{
    if (b == NULL)
        return;
    if (blocked && b->serial)
        rn__bubble_pass_turn(b);
    one_less(b);
}

/* Somebody outside wakes g, in a wait of which the bubble believes that only its own goroutines
 * can. */
static void from_outside(rn__bubble *b, rn__g *g, bool parked)
{
    const char *text;
    switch (g->reason) {
    case RN__WAIT_MUTEX_LOCK:
    case RN__WAIT_RWMUTEX_LOCK:
    case RN__WAIT_RWMUTEX_RLOCK: return; /* locks may be shared with the rest of the program */
    case RN__WAIT_WAITGROUP_WAIT:
        text = "sync: WaitGroup.Add called from inside and outside synctest bubble";
        break;
    case RN__WAIT_COND_WAIT:
        text = "semaphore wake of synctest goroutine from outside bubble";
        break;
    default:
        /* Harmless as long as nobody has taken it for blocked. */
        if (!parked ||
            g->ext->bubble_epoch == atomic_load_explicit(&b->epoch, memory_order_relaxed))
            return;
        text = "semaphore wake of synctest goroutine from outside bubble";
    }
    rn__fatal("%s\n\tgoroutine %llu of bubble %u waited in %s at %s", text,
              (unsigned long long)g->id, b->number, rn__reason_text(g->reason),
              g->site != NULL ? g->site : "?");
}

/* g's waker, before g is in any queue. parked: g is on the bubble's books as such already. */
void rn__bubble_ready(rn__g *g, bool parked)
{
    if (g->bubble == 0 || !durable(g))
        return;
    rn__bubble *b = g->ext->bubble;
    if (RN_UNLIKELY(rn__acting() != b))
        from_outside(b, g, parked);
    atomic_fetch_add(&b->active, 1);
}

/* ------------------------------------------------------------------------------------- members */

/* Makes room in an array that the bubble's lock guards, without allocating under it. Takes the
 * lock, and returns with it held. */
void rn__bubble_lock_with_room(rn__bubble *b, void **array, uint32_t *cap, const uint32_t *n,
                               size_t each)
{
    rn__lock_take(&b->lock);
    while (*n == *cap) {
        uint32_t want = *cap != 0 ? *cap * 2 : 16;
        rn__lock_drop(&b->lock);
        RN__OWN_BEGIN();
        char *more = malloc(want * each);
        RN__OWN_END();
        if (more == NULL)
            rn__fatal("out of memory for a bubble");
        void *old = more;
        rn__lock_take(&b->lock);
        if (*cap < want) {
            for (size_t i = 0; i < *cap * each; i++)
                more[i] = ((char *)*array)[i];
            old = *array;
            *array = more;
            *cap = want;
        }
        rn__lock_drop(&b->lock);
        RN__OWN_BEGIN();
        free(old);
        RN__OWN_END();
        rn__lock_take(&b->lock);
    }
}

/* The caller has made g: it belongs to the bubble in whose name the caller acts. */
void rn__bubble_adopt(rn__g *g)
{
    rn__bubble *b = rn__acting();
    if (b == NULL)
        return;
    rn__gext *x = rn__g_ext(g);
    x->bubble = x->acting = b;
    g->bubble = b->number;
    rn__bubble_lock_with_room(b, (void **)&b->run, &b->caprun, &b->members, sizeof *b->run);
    x->bubble_prev = b->last;
    *(b->last != NULL ? &b->last->ext->bubble_next : &b->first) = g;
    b->last = g;
    if (b->root == NULL)
        b->root = g;
    b->members++;
    rn__lock_drop(&b->lock);
    RN__HB_RELEASE(b);
    atomic_fetch_add(&b->active, 1);
}

/* The end of g, on its own stack. */
void rn__bubble_exit(rn__g *g)
{
    if (g->bubble == 0)
        return;
    rn__gext *x = g->ext;
    rn__bubble *b = x->bubble;
    RN__HB_RELEASE(b);
    g->bubble = 0;
    rn__lock_take(&b->lock);
    *(x->bubble_prev != NULL ? &x->bubble_prev->ext->bubble_next : &b->first) = x->bubble_next;
    *(x->bubble_next != NULL ? &x->bubble_next->ext->bubble_prev : &b->last) = x->bubble_prev;
    b->members--;
    if (b->root == g)
        b->done = true;
    rn__lock_drop(&b->lock);
    x->acting = NULL;
    if (b->serial)
        rn__bubble_pass_turn(b);
    one_less(b);
}

void rn__bubble_each(rn__bubble *b, void (*fn)(rn__g *g, void *arg), void *arg)
{
    rn__lock_take(&b->lock);
    for (rn__g *g = b->first; g != NULL; g = g->ext->bubble_next)
        fn(g, arg);
    rn__lock_drop(&b->lock);
}
