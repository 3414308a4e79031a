/*
 * select.c - waiting on several channels at once.
 *
 * Look without locks and choose uniformly among the ready cases; lock only that channel, ask again,
 * commit. To block: lock all channels in address order, ask again, queue one waiter per case, unlock,
 * park. Nobody takes another goroutine's token while it is registered itself, so whoever finds this
 * select in a queue commits with one CAS (models/chansel, PROTO=1).
 *
 * Invariants
 *  - Uniform means per case: a channel listed twice has two shares.
 *  - default is taken only if no case was ready at one instant: the sum of all channels' versions is
 *    the same before and after the look. Versions only grow, so equal sums mean equal versions.
 *  - Several channel locks are held only in address order, each once.
 *  - Waiters that lost are withdrawn before the select returns.
 */
#include "attempt.h"
#include <stdlib.h>

enum {
    ON_STACK = 8,      /* cases whose waiters fit on the stack */
    LOOKS = 8,         /* optimistic rounds before everything is locked */
    CASES_MAX = 65536, /* item 66 */
};

typedef struct rn__select {
    const rn_case *cases; /* the caller's table */
    size_t n;             /* its length */
    int fallback;         /* index of the case to take if none is ready: default, or a time case
                             that is due already; -1: block */
    int timer_case;       /* index of the after/deadline case that is due first, -1 */
    int64_t deadline;     /* when it is due, RN_NEVER */
    const char *site;     /* of the select */
} rn__select;

/* A case's interest in its channel's word. */
static inline uint64_t wants(const rn_case *k)
{
    _Static_assert(RN_OP_RECV << 2 == RN__CH_VALUE && RN_OP_SEND << 2 == RN__CH_ROOM, "");
    return (uint64_t)k->op << 2 | RN__CH_CLOSED;
}

static inline bool is_channel_case(const rn_case *k)
{
    return k->op <= RN_OP_SEND && k->c != NULL;
}

/* ------------------------------------------------------------------------------- one chosen case */

/* Tries a case on its locked channel; does not publish. */
static inline enum rn__try attempt(const rn_case *k, uint64_t s, rn__partner *partner)
{
    if (k->op == RN_OP_RECV)
        return rn__try_recv_locked(k->c, s, k->elem, partner);
    return rn__try_send_locked(k->c, s, k->elem, partner);
}

static inline void finish(const rn_case *k, bool ok, const char *site)
{
    if (k->op == RN_OP_RECV) {
        if (k->ok != NULL)
            *k->ok = ok;
    } else if (!ok) {
        rn_hchan_send_on_closed(k->c, site);
    }
}

/* Locks one channel and tries. */
static inline __attribute__((always_inline)) bool commit_one(const rn_case *k, const char *site)
{
    uint64_t s = rn__chan_lock(k->c);
    rn__partner partner = {NULL, false};
    enum rn__try r = attempt(k, s, &partner);
    rn__chan_publish(k->c, s); /* also if nothing was there: stale waiters may be gone */
    rn__partner_ready(partner);
    if (r == RN__TRY_NO)
        return false;
    finish(k, r == RN__TRY_OK, site);
    return true;
}

/* ----------------------------------------------------------------------------- looking, no locks */

/* Without the POPCNT instruction the builtin is a call. */
static inline uint32_t count_bits(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(x * UINT64_C(0x0101010101010101) >> 56);
}

/* A uniformly chosen one of the set bits below n. No branch depends on the choice: it would be
 * mispredicted half of the time. */
static inline size_t pick_bit(uint64_t mask, size_t n)
{
    if ((mask & (mask - 1)) == 0)
        return (size_t)__builtin_ctzll(mask);
    uint32_t skip = rn__choose(count_bits(mask));
    if (n > 16) {
        while (skip-- > 0)
            mask &= mask - 1;
        return (size_t)__builtin_ctzll(mask);
    }
    size_t chosen = 0;
    uint32_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bit = (uint32_t)(mask >> i) & 1;
        chosen = (bit & (seen == skip)) != 0 ? i : chosen;
        seen += bit;
    }
    return chosen;
}

/*
 * Picks uniformly among the cases that look ready: returns its index, or -1 if none does. *sum gets the
 * sum of the versions seen.
 */
static inline int look(const rn__select *sel, uint64_t *sum)
{
    uint64_t total = 0;
    if (sel->n <= 64) {
        uint64_t mask = 0;
        for (size_t i = 0; i < sel->n; i++) {
            const rn_case *k = &sel->cases[i];
            if (!is_channel_case(k))
                continue;
            /* acquire: the second pass cannot move before the first */
            uint64_t s = atomic_load_explicit(&k->c->word, memory_order_acquire);
            total += s / RN__CH_VERSION;
            mask |= (uint64_t)((s & wants(k)) != 0) << i;
        }
        *sum = total;
        return mask != 0 ? (int)pick_bit(mask, sel->n) : -1;
    }
    int chosen = -1;
    uint32_t ready = 0;
    for (size_t i = 0; i < sel->n; i++) {
        const rn_case *k = &sel->cases[i];
        if (!is_channel_case(k))
            continue;
        uint64_t s = atomic_load_explicit(&k->c->word, memory_order_acquire);
        total += s / RN__CH_VERSION;
        /* keep the i-th ready one with probability 1/i: uniform in the end */
        if ((s & wants(k)) != 0 && rn__choose(++ready) == 0)
            chosen = (int)i;
    }
    *sum = total;
    return chosen;
}

static inline uint64_t versions(const rn__select *sel)
{
    uint64_t total = 0;
    for (size_t i = 0; i < sel->n; i++) {
        const rn_case *k = &sel->cases[i];
        if (is_channel_case(k))
            total += atomic_load_explicit(&k->c->word, memory_order_acquire) / RN__CH_VERSION;
    }
    return total;
}

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
        if (!is_channel_case(&sel->cases[i]))
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
            if ((s & wants(k)) != 0 && rn__choose(++ready) == 0)
                chosen = (int)order[i];
        }
        if (chosen < 0)
            return -1;
        const rn_case *k = &sel->cases[chosen];
        *r = attempt(k, locked_word(k->c), partner);
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
    /* Fair among cases of one channel: queued in random order. publish_all needs them sorted. */
    bool twice = false;
    for (size_t i = 1; i < m; i++)
        twice |= !first_of_channel(sel, order, i);
    uint32_t rotate = twice ? rn__choose((uint32_t)m) : 0;
    for (size_t i = 0; i < m; i++) {
        size_t at = i + rotate < m ? i + rotate : i + rotate - m;
        const rn_case *k = &sel->cases[order[at]];
        rn__sudog *w = &waiters[i];
        w->elem = k->elem;
        w->c = k->c;
        w->g = g;
        w->gen = token;
        w->icase = (uint16_t)order[at];
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
    rn__park_permit(g);
    if (sel->deadline != RN_NEVER)
        rn__timer_disarm(&timer);
    int won = g->won_case;
    *how = g->won_how;
    withdraw(sel, waiters, m);
    rn__token_close(g);

    if (*how == RN__WON_TIMEOUT)
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
    uint32_t order[ON_STACK];
    rn__sudog waiters[ON_STACK];
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

enum rn__won rn__chan_wait(rn_hchan *c, void *elem, bool is_send, int64_t deadline,
                           const char *site)
{
    rn_case k = {.c = c, .elem = elem, .op = is_send ? RN_OP_SEND : RN_OP_RECV};
    rn__select sel = {&k, 1, -1, 0, deadline, site};
    enum rn__won how;
    block_small(&sel, &how);
    return how;
}

/* ------------------------------------------------------------------------------------- the entry */

/* What the table holds. */
typedef struct survey {
    size_t channels; /* send and receive cases, nil ones included */
    size_t only;     /* index of the last of them */
    bool timed;      /* there is an after or deadline case */
} survey;

/* default, after, deadline, or nonsense. */
static void survey_rare(rn__select *sel, size_t i, survey *v)
{
    switch (sel->cases[i].op) {
    case RN_OP_DEFAULT:
        if (sel->fallback >= 0)
            rn__panic_runtime(sel->site, NULL, "select: more than one default case");
        sel->fallback = (int)i;
        break;
    case RN_OP_AFTER:
    case RN_OP_DEADLINE: v->timed = true; break;
    default:
        rn__panic_runtime(sel->site,
                          "a case must be made by on_recv, on_send, on_after, on_deadline or "
                          "on_default",
                          "select: bad case");
    }
}

static survey survey_all(rn__select *sel)
{
    survey v = {0};
    for (size_t i = 0; i < sel->n; i++) {
        if (sel->cases[i].op - 1u <= 1u) {
            v.channels++;
            v.only = i;
        } else {
            survey_rare(sel, i, &v);
        }
    }
    return v;
}

/* The earliest of the time cases, on the clock of now. */
static void set_deadline(rn__select *sel)
{
    int64_t now = rn_now();
    sel->deadline = RN_NEVER;
    for (size_t i = 0; i < sel->n; i++) {
        const rn_case *k = &sel->cases[i];
        int64_t at;
        if (k->op == RN_OP_AFTER)
            at = k->t > RN_NEVER - now ? RN_NEVER : now + (k->t > 0 ? k->t : 0);
        else if (k->op == RN_OP_DEADLINE)
            at = k->t;
        else
            continue;
        if (sel->timer_case < 0 || at < sel->deadline) {
            sel->timer_case = (int)i;
            sel->deadline = at;
        }
    }
    if (sel->timer_case >= 0 && sel->fallback < 0 && sel->deadline <= now)
        sel->fallback = sel->timer_case; /* already due: as good as a default */
}

/* One case is the plain operation, and shows as such in dumps (items 56, 62). */
static int select_one(const rn_case *k, size_t i, const char *site)
{
    bool ok = k->op == RN_OP_RECV ? rn_hchan_recv(k->c, k->elem, site)
                                  : rn_hchan_send(k->c, k->elem, site);
    finish(k, ok, site);
    return (int)i;
}

/* One case and a default is the non-blocking operation (item 62). */
static int try_one(const rn_case *k, size_t i, int fallback, const char *site)
{
    bool done = k->op == RN_OP_RECV ? rn_hchan_try_recv(k->c, k->elem, k->ok, site)
                                    : rn_hchan_try_send(k->c, k->elem, site);
    return done ? (int)i : fallback;
}

/* Everything but a ready case at the first look. */
__attribute__((noinline)) static int select_slow(const rn_case *cases, size_t n, const char *site)
{
    rn__select sel = {cases, n, -1, -1, RN_NEVER, site};
    if (n > CASES_MAX)
        rn__panic_runtime(site, NULL, "select: too many cases");
    survey v = survey_all(&sel);
    if (!v.timed && sel.fallback < 0) {
        if (v.channels == 0)
            rn__block_forever(RN__WAIT_SELECT_NO_CASES, site);
        if (v.channels == 1)
            return select_one(&cases[v.only], v.only, site);
    }
    if (!v.timed && sel.fallback >= 0 && v.channels == 1)
        return try_one(&cases[v.only], v.only, sel.fallback, site);
    if (v.timed)
        set_deadline(&sel);
    for (int round = 0; round < LOOKS; round++) {
        if (sel.fallback >= 0)
            rn__chan_fence();
        uint64_t seen;
        int i = look(&sel, &seen);
        if (i >= 0) {
            if (commit_one(&cases[i], site))
                return i;
            continue;
        }
        if (sel.fallback < 0)
            break;
        if (versions(&sel) == seen)
            return sel.fallback;
    }
    enum rn__won how;
    int i = n <= ON_STACK ? block_small(&sel, &how) : block_large(&sel, &how);
    if (how != RN__WON_TIMEOUT)
        finish(&cases[i], how == RN__WON_OK, site);
    return i;
}

int rn_hselect(const rn_case *cases, size_t n, const char *site)
{
    if (RN_UNLIKELY(rn__hooked()))
        rn__hook_point(RN__EV_BLOCK, rn__current(), NULL);
    if (n <= 64) {
        uint64_t ready = 0;
        for (size_t i = 0; i < n; i++) {
            const rn_case *k = &cases[i];
            if (RN_UNLIKELY(k->op - 1u > 1u || k->c == NULL))
                continue;
            uint64_t s = atomic_load_explicit(&k->c->word, memory_order_acquire);
            ready |= (uint64_t)((s & wants(k)) != 0) << i;
        }
        if (ready != 0) {
            size_t i = pick_bit(ready, n);
            if (RN_LIKELY(commit_one(&cases[i], site)))
                return (int)i;
        }
    }
    return select_slow(cases, n, site);
}
