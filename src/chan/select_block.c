/*
 * select_block.c - the half of select that decides under all locks, and parks.
 *
 * All channels are locked in address order, each once; if no case is ready now, one waiter per case is
 * queued, everything is unlocked, and the goroutine parks by permit. Whoever wins its token has done one
 * of its cases; the other waiters are withdrawn after waking.
 *
 * Invariants
 *  - Nothing of ours is queued while we try, so own cases never pair (item 60).
 *  - The unlocks come before the park: a wake-up may come at once, and the permit copes with it.
 *  - A waiter's memory is ours again when its `linked` reads 0, and not before.
 */
#include "select.h"
#include <stdlib.h>

/* ------------------------------------------------------------------------------ locking them all */

static int by_channel(const void *a, const void *b, void *arg)
{
    const rn_case *cases = arg;
    uintptr_t x = (uintptr_t)cases[*(const uint32_t *)a].c;
    uintptr_t y = (uintptr_t)cases[*(const uint32_t *)b].c;
    return (x > y) - (x < y);
}

/* Heap sort, since qsort may allocate. */
static void heap_sort(uint32_t *order, size_t n, const rn_case *cases)
{
    for (size_t end = n, root = n / 2; end > 1;) {
        if (root > 0) {
            root--;
        } else {
            uint32_t t = order[--end];
            order[end] = order[0];
            order[0] = t;
        }
        size_t i = root, child;
        while ((child = 2 * i + 1) < end) {
            if (child + 1 < end &&
                by_channel(&order[child], &order[child + 1], (void *)(uintptr_t)cases) < 0)
                child++;
            if (by_channel(&order[i], &order[child], (void *)(uintptr_t)cases) >= 0)
                break;
            uint32_t t = order[i];
            order[i] = order[child];
            order[child] = t;
            i = child;
        }
    }
}

/* Fills order with the indices of the channel cases, sorted by channel. Returns their number. */
static size_t sort_cases(const rn__select *sel, uint32_t *order)
{
    size_t m = 0;
    for (size_t i = 0; i < sel->n; i++) {
        if (!rn__case_has_channel(&sel->cases[i]))
            continue;
        order[m++] = (uint32_t)i;
    }
    if (m > 16) {
        heap_sort(order, m, sel->cases);
        return m;
    }
    for (size_t i = 1; i < m; i++) {
        uint32_t x = order[i];
        size_t j = i;
        for (; j > 0 && sel->cases[order[j - 1]].c > sel->cases[x].c; j--)
            order[j] = order[j - 1];
        order[j] = x;
    }
    return m;
}

static inline bool first_of_channel(const rn__select *sel, const uint32_t *order, size_t i)
{
    return i == 0 || sel->cases[order[i]].c != sel->cases[order[i - 1]].c;
}

static inline uint64_t locked_word(rn_hchan *c)
{
    return atomic_load_explicit(&c->word, memory_order_relaxed) & ~(uint64_t)RN__CH_LOCK;
}

static void lock_all(const rn__select *sel, const uint32_t *order, size_t m)
{
    for (size_t i = 0; i < m; i++) {
        if (first_of_channel(sel, order, i))
            rn__chan_lock_as(sel->cases[order[i]].c, rn__self_hot(),
                             i == 0); /* no yielding while holding others */
    }
}

static void publish_all(const rn__select *sel, const uint32_t *order, size_t m)
{
    for (size_t i = 0; i < m; i++) {
        if (first_of_channel(sel, order, i)) {
            rn_hchan *c = sel->cases[order[i]].c;
            rn__chan_publish(c, locked_word(c));
        }
    }
}

/* All are locked: tries the ready cases in uniformly random order. Index, or -1. */
static int commit_locked(const rn__select *sel, const uint32_t *order, size_t m,
                         rn__partner *partner, enum rn__try *r)
{
    for (;;) {
        int chosen = -1;
        uint32_t ready = 0;
        for (size_t i = 0; i < m; i++) {
            const rn_case *k = &sel->cases[order[i]];
            uint64_t s = rn__chan_next_word(k->c, locked_word(k->c));
            if ((s & rn__case_wants(k)) == 0)
                continue;
            if (sel->ordered ? chosen < 0 || (int)order[i] < chosen : rn__choose(++ready) == 0)
                chosen = (int)order[i];
        }
        if (chosen < 0)
            return -1;
        const rn_case *k = &sel->cases[chosen];
        *r = rn__case_try(k, locked_word(k->c), partner);
        if (*r != RN__TRY_NO)
            return chosen;
        /* its queue held stale waiters only, and they are gone now: choose again */
    }
}

/* ------------------------------------------------------------------------------------- blocking */

/* Withdraws the waiters that lost. */
static void withdraw(const rn__select *sel, rn__sudog *waiters, size_t m)
{
    for (size_t i = 0; i < m; i++) {
        rn__sudog *w = &waiters[i];
        /* acquire: whoever unlinked it is through with it */
        if (atomic_load_explicit(&w->linked, memory_order_acquire) == 0)
            continue;
        rn_hchan *c = sel->cases[w->icase].c;
        uint64_t s = rn__chan_lock(c);
        if (atomic_load_explicit(&w->linked, memory_order_relaxed) != 0)
            rn__waitq_remove(w->is_send ? &c->sendq : &c->recvq, w);
        rn__chan_publish(c, s);
    }
}

/* Brings the cases of one channel, which stand side by side, into a random order: a waker takes the
 * first one that it finds. */
static void shuffle_twins(const rn__select *sel, uint32_t *order, size_t m)
{
    for (size_t lo = 0, hi; lo < m; lo = hi) {
        for (hi = lo + 1; hi < m && !first_of_channel(sel, order, hi);)
            hi++;
        for (size_t i = hi - 1; i > lo; i--) {
            size_t j = lo + rn__choose((uint32_t)(i - lo + 1));
            uint32_t t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
    }
}

/* Decides under all locks; parks if no case is ready and there is no fallback. Returns the case, and in
 * *how how it went. */
static int block_with(const rn__select *sel, uint32_t *order, rn__sudog *waiters, enum rn__won *how)
{
    rn__g *g = rn__current();
    size_t m = sort_cases(sel, order);
    lock_all(sel, order, m);

    rn__partner partner = {NULL, false};
    enum rn__try r = RN__TRY_NO;
    int done = commit_locked(sel, order, m, &partner, &r);
    if (done >= 0) {
        publish_all(sel, order, m);
        rn__partner_ready(partner);
        *how = r == RN__TRY_OK ? RN__WON_OK : RN__WON_CLOSED;
        return done;
    }
    if (sel->fallback >= 0) {
        publish_all(sel, order, m);
        *how = RN__WON_TIMEOUT;
        return sel->fallback;
    }

    rn__note_wait(g, RN__WAIT_SELECT, m == 1 ? sel->cases[order[0]].c : NULL, sel->site);
    uint64_t token = rn__token_open(g);
    shuffle_twins(sel, order, m);
    for (size_t i = 0; i < m; i++) {
        const rn_case *k = &sel->cases[order[i]];
        rn__sudog *w = &waiters[i];
        w->elem = k->elem;
        w->c = k->c;
        w->g = g;
        w->gen = token;
        w->icase = (uint16_t)order[i];
        w->is_select = true;
        w->is_send = k->op == RN_OP_SEND;
        /* relaxed: published by the unlock */
        atomic_store_explicit(&w->linked, 1, memory_order_relaxed);
        rn__waitq_append(w->is_send ? &k->c->sendq : &k->c->recvq, w);
        RN__HB_RELEASE(w);
    }
    publish_all(sel, order, m); /* a wake-up may come from here on */

    rn__timer timer = {.fire = rn__timer_wake, .arg = g, .gen = token};
    if (sel->deadline != RN_NEVER)
        rn__timer_arm(&timer, sel->deadline);
    if (RN_LIKELY(sel->breaker == NULL) || sel->breaker->arm(sel->breaker, g, token)) {
        rn__park_permit(g);
    } else if (rn__token_take(g, token)) {
        g->won_how = RN__WON_CANCELED; /* over before it began */
    } else {
        rn__park_permit(g); /* somebody has done a case meanwhile */
    }
    if (sel->deadline != RN_NEVER)
        rn__timer_disarm(&timer);
    if (RN_UNLIKELY(sel->breaker != NULL))
        sel->breaker->disarm(sel->breaker);
    int won = g->won_case;
    *how = g->won_how;
    withdraw(sel, waiters, m);
    rn__token_close(g);

    if (*how == RN__WON_TIMEOUT || *how == RN__WON_CANCELED)
        return sel->timer_case;
#if RN__TSAN
    for (size_t i = 0; i < m; i++) {
        if (waiters[i].icase == won)
            RN__HB_ACQUIRE(&waiters[i]);
    }
#endif
    return won;
}

__attribute__((noinline)) static int block_small(const rn__select *sel, enum rn__won *how)
{
    uint32_t order[RN__SELECT_ON_STACK];
    rn__sudog waiters[RN__SELECT_ON_STACK];
    return block_with(sel, order, waiters, how);
}

__attribute__((noinline)) static int block_large(const rn__select *sel, enum rn__won *how)
{
    size_t each = sizeof(rn__sudog) + sizeof(uint32_t);
    rn__sudog *waiters = malloc(sel->n * each);
    if (waiters == NULL)
        rn__fatal("out of memory for a select of %zu cases at %s", sel->n,
                  sel->site != NULL ? sel->site : "?");
    int i = block_with(sel, (uint32_t *)(void *)(waiters + sel->n), waiters, how);
    free(waiters);
    return i;
}

int rn__select_block(const rn__select *sel, enum rn__won *how)
{
    return sel->n <= RN__SELECT_ON_STACK ? block_small(sel, how) : block_large(sel, how);
}

enum rn__won rn__chan_wait(rn_hchan *c, void *elem, bool is_send, int64_t deadline,
                           const char *site)
{
    rn_case k = {.c = c, .elem = elem, .op = is_send ? RN_OP_SEND : RN_OP_RECV};
    rn__select sel = {&k, 1, -1, 0, deadline, site, NULL, false};
    enum rn__won how;
    block_small(&sel, &how);
    return how;
}

enum rn__won rn__chan_wait_broken(rn_hchan *c, void *elem, bool is_send, rn__breaker *breaker,
                                  const char *site)
{
    rn_case k = {.c = c, .elem = elem, .op = is_send ? RN_OP_SEND : RN_OP_RECV};
    rn__select sel = {&k, 1, -1, -1, RN_NEVER, site, breaker, false};
    enum rn__won how;
    block_small(&sel, &how);
    return how;
}
