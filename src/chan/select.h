/*
 * select.h - what the two halves of select share: the table being waited on, and one case of it.
 *
 * Private to chan/: select.c looks and commits without locks, select_block.c decides under all locks and
 * parks.
 *
 * Invariants: see select.c.
 */
#ifndef RN_CHAN_SELECT_H
#define RN_CHAN_SELECT_H

#include "attempt.h"

enum {
    RN__SELECT_ON_STACK = 8, /* cases whose waiters fit on the stack */
    RN__SELECT_MAX = 65536,  /* item 66 */
};

typedef struct rn__select {
    const rn_case *cases; /* the caller's table */
    size_t n;             /* its length */
    int fallback;         /* index of the case to take if none is ready: default, or a time case
                             that is due already; -1: block */
    int timer_case;       /* index of the after/deadline case that is due first, -1 */
    int64_t deadline;     /* when it is due, RN_NEVER */
    const char *site;     /* of the select */
    rn__breaker *breaker; /* ends it too; NULL: none */
    bool ordered;         /* the first ready case, not any of them */
} rn__select;

/* A case's interest in its channel's word. */
static inline uint64_t rn__case_wants(const rn_case *k)
{
    _Static_assert(RN_OP_RECV << 2 == RN__CH_VALUE && RN_OP_SEND << 2 == RN__CH_ROOM, "");
    return (uint64_t)k->op << 2 | RN__CH_CLOSED;
}

static inline bool rn__case_has_channel(const rn_case *k)
{
    return k->op <= RN_OP_SEND && k->c != NULL;
}

/* ------------------------------------------------------------------------------- one chosen case */

/* Tries a case on its locked channel; does not publish. */
static inline __attribute__((always_inline)) enum rn__try rn__case_try(const rn_case *k, uint64_t s,
                                                                       rn__partner *partner)
{
    if (k->op == RN_OP_RECV)
        return rn__try_recv_locked(k->c, s, k->elem, partner);
    return rn__try_send_locked(k->c, s, k->elem, partner);
}

static inline void rn__case_finish(const rn_case *k, bool ok, const char *site)
{
    if (k->op == RN_OP_RECV) {
        if (k->ok != NULL)
            *k->ok = ok;
    } else if (!ok) {
        rn_hchan_send_on_closed(k->c, site);
    }
}

/* Decides under all locks: the first of the ready cases, chosen uniformly; else the fallback; else
 * parks. Returns the case; *how says how it went (RN__WON_TIMEOUT: fallback or time case). */
int rn__select_block(const rn__select *sel, enum rn__won *how);

#endif
