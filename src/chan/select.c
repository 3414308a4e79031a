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
#include "select.h"

enum { LOOKS = 8 }; /* optimistic rounds before everything is locked */

/* Locks one channel and tries. */
static inline __attribute__((always_inline)) bool commit_hot(const rn_case *k, rn__hot *h,
                                                             const char *site)
{
    uint64_t s = rn__chan_lock_as(k->c, h, true);
    rn__partner partner = {NULL, false};
    enum rn__try r = rn__case_try(k, s, &partner);
    rn__chan_publish(k->c, s); /* also if nothing was there: stale waiters may be gone */
    rn__partner_ready(partner);
    if (r == RN__TRY_NO)
        return false;
    rn__case_finish(k, r == RN__TRY_OK, site);
    return true;
}

static bool commit_one(const rn_case *k, const char *site)
{
    return commit_hot(k, rn__self_hot(), site);
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
    uint64_t all = ~UINT64_C(0) >> (64 - n);
    if (mask == all)
        return rn__choose((uint32_t)n);
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
            if (!rn__case_has_channel(k))
                continue;
            /* acquire: the second pass cannot move before the first */
            uint64_t s = atomic_load_explicit(&k->c->word, memory_order_acquire);
            total += s / RN__CH_VERSION;
            mask |= (uint64_t)((s & rn__case_wants(k)) != 0) << i;
        }
        *sum = total;
        return mask != 0 ? (int)pick_bit(mask, sel->n) : -1;
    }
    int chosen = -1;
    uint32_t ready = 0;
    for (size_t i = 0; i < sel->n; i++) {
        const rn_case *k = &sel->cases[i];
        if (!rn__case_has_channel(k))
            continue;
        uint64_t s = atomic_load_explicit(&k->c->word, memory_order_acquire);
        total += s / RN__CH_VERSION;
        /* keep the i-th ready one with probability 1/i: uniform in the end */
        if ((s & rn__case_wants(k)) != 0 && rn__choose(++ready) == 0)
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
        if (rn__case_has_channel(k))
            total += atomic_load_explicit(&k->c->word, memory_order_acquire) / RN__CH_VERSION;
    }
    return total;
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

/*
 * The first case that looks ready, if it and those before it were so at one instant: two looks with the
 * same versions, the second while its channel is locked. 1 done, 0 no case is ready at one instant, -1 to
 * be looked at again.
 */
static int try_ordered(const rn__select *sel, int *chosen)
{
    uint64_t before = 0, after = 0;
    size_t i = 0;
    for (; i < sel->n; i++) {
        const rn_case *k = &sel->cases[i];
        if (!rn__case_has_channel(k))
            continue;
        uint64_t s = atomic_load_explicit(&k->c->word, memory_order_acquire);
        before += s / RN__CH_VERSION;
        if ((s & rn__case_wants(k)) != 0)
            break;
    }
    if (i == sel->n)
        return versions(sel) == before ? 0 : -1;
    const rn_case *k = &sel->cases[i];
    uint64_t s = rn__chan_lock(k->c);
    for (size_t j = 0; j <= i; j++) {
        if (rn__case_has_channel(&sel->cases[j]))
            after +=
                atomic_load_explicit(&sel->cases[j].c->word, memory_order_acquire) / RN__CH_VERSION;
    }
    if (before != after) {
        rn__chan_unlock(k->c, s);
        return -1;
    }
    rn__partner partner = {NULL, false};
    enum rn__try r = rn__case_try(k, s, &partner);
    *chosen = (int)i;
    rn__chan_publish(k->c, s); /* also if nothing was there: stale waiters may be gone */
    rn__partner_ready(partner);
    if (r == RN__TRY_NO)
        return -1;
    rn__case_finish(k, r == RN__TRY_OK, sel->site);
    return 1;
}

/* One case is the plain operation, and shows as such in dumps (items 56, 62). */
static int select_one(const rn_case *k, size_t i, const char *site)
{
    bool ok = k->op == RN_OP_RECV ? rn_hchan_recv(k->c, k->elem, site)
                                  : rn_hchan_send(k->c, k->elem, site);
    rn__case_finish(k, ok, site);
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
__attribute__((noinline)) static int select_slow(const rn_case *cases, size_t n, const char *site,
                                                 bool ordered)
{
    rn__select sel = {cases, n, -1, -1, RN_NEVER, site, NULL, ordered};
    if (n > RN__SELECT_MAX)
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
        int i;
        if (ordered) {
            int did = try_ordered(&sel, &i);
            if (did > 0)
                return i;
            if (did == 0 && sel.fallback >= 0)
                return sel.fallback;
            if (did == 0)
                break;
            continue;
        }
        i = look(&sel, &seen);
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
    int i = rn__select_block(&sel, &how);
    if (how != RN__WON_TIMEOUT)
        rn__case_finish(&cases[i], how == RN__WON_OK, site);
    return i;
}

/* With hooks. The wait is loose if somebody outside of the caller's bubble can end it by any case. */
__attribute__((noinline)) static void select_hook(const rn_case *cases, size_t n)
{
    rn__g *g = rn__current();
    bool loose = false;
    for (size_t i = 0; i < n; i++) {
        if (rn__case_has_channel(&cases[i]))
            loose |= !rn__bubble_use(cases[i].c->bubble, "select on");
        else
            loose |= cases[i].op > RN_OP_DEADLINE; /* neither a channel nor a time */
    }
    rn__bubble_loose(g, loose);
    rn__hook_point(RN__EV_BLOCK, g, NULL);
}

int rn_hselect(const rn_case *cases, size_t n, const char *site)
{
    if (RN_UNLIKELY(rn__hooked()))
        select_hook(cases, n);
    if (n <= 64) {
        uint64_t ready = 0, bit = 1;
        for (size_t i = 0; i < n; i++, bit += bit) {
            const rn_case *k = &cases[i];
            if (RN_UNLIKELY(k->op - 1u > 1u || k->c == NULL))
                continue;
            uint64_t s = atomic_load_explicit(&k->c->word, memory_order_acquire);
            ready |= (s & rn__case_wants(k)) != 0 ? bit : 0;
        }
        if (ready != 0) {
            size_t i = pick_bit(ready, n);
            if (RN_LIKELY(commit_hot(&cases[i], rn__self_hot(), site)))
                return (int)i;
        }
    }
    return select_slow(cases, n, site, false);
}

int rn_hselect_ordered(const rn_case *cases, size_t n, const char *site)
{
    if (RN_UNLIKELY(rn__hooked()))
        rn__hook_point(RN__EV_BLOCK, rn__current(), NULL);
    return select_slow(cases, n, site, true);
}
