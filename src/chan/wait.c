/*
 * wait.c - the rest of a channel's operations: waiting for its lock, waiting for ever, waiting until a
 * deadline, the descriptor that follows it, and its description in dumps.
 *
 * Invariants
 *  - A goroutine that waits for a channel's lock backs off in long steps, so that the holder's core
 *    does a long run while the cache line stays put, and then lets others run.
 *  - The eventfd of rn_hchan_fd holds 1 exactly while a receive would not block; it is changed under
 *    the channel's lock only.
 */
#include "attempt.h"
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

uint64_t rn__chan_lock_crowd(rn_hchan *c, bool may_yield)
{
    rn__meet(); /* before anything is written */
    uint64_t s = atomic_load_explicit(&c->word, memory_order_relaxed) & ~(uint64_t)RN__CH_LOCK;
    /* acquire: pairs with the release of the last unlock */
    if (RN_LIKELY(atomic_compare_exchange_weak_explicit(
            &c->word, &s, s | RN__CH_LOCK, memory_order_acquire, memory_order_relaxed))) {
        rn__solo_hope();
        return s;
    }
    for (unsigned round = 0;; round++) {
        /* relaxed: to see whether a try is worth the line */
        s = atomic_load_explicit(&c->word, memory_order_relaxed);
        if (!(s & RN__CH_LOCK) &&
            atomic_compare_exchange_weak_explicit(&c->word, &s, s | RN__CH_LOCK,
                                                  memory_order_acquire, memory_order_relaxed))
            return s;
        rn__backoff(round, may_yield);
    }
}

void rn__chan_fence_crowd(void)
{
    atomic_thread_fence(memory_order_seq_cst);
    rn__solo_hope();
}

void rn__chan_hook(enum rn__event e, rn_hchan *c)
{
    rn__g *g = rn__current();
    const char *op = e == RN__EV_SEND ? "send on" : e == RN__EV_RECV ? "receive on" : "close of";
    /* nobody can end a wait on a nil channel */
    rn__bubble_loose(g, c != NULL && !rn__bubble_use(c->bubble, op));
    rn__hook_point(e, g, c);
}

void rn__block_forever(enum rn__reason reason, const char *site)
{
    rn__g *g = rn__current();
    rn__note_wait(g, reason, NULL, site);
    for (;;)
        rn__park_permit(g); /* nobody has a token to wake us with */
}

/* ---------------------------------------------------------------------------------- put and take */

int rn_hchan_put(rn_hchan *c, int64_t deadline, const void *elem, const char *site)
{
    if (RN_UNLIKELY(rn__hooked()))
        rn__chan_hook(RN__EV_SEND, c);
    if (c != NULL) {
        if (deadline == RN_NEVER)
            return rn_hchan_send(c, elem, site) ? 0 : -EPIPE;
        uint64_t s = rn__chan_lock(c);
        rn__partner partner = {NULL, false};
        enum rn__try r = rn__try_send_locked(c, s, elem, &partner);
        if (RN_UNLIKELY((c->flags & RN__CH_RARE) != 0 && r == RN__TRY_OK)) {
            rn__chan_sent_rare(c, s, partner);
            return 0;
        }
        rn__chan_publish(c, s);
        rn__partner_ready(partner);
        if (r != RN__TRY_NO)
            return r == RN__TRY_OK ? 0 : -EPIPE;
    } else if (deadline == RN_NEVER) {
        rn__block_forever(RN__WAIT_CHAN_SEND_NIL, site);
    }
    if (deadline <= rn_now())
        return -EAGAIN;
    switch (rn__chan_wait(c, (void *)(uintptr_t)elem, true, deadline, site)) {
    case RN__WON_OK: return 0;
    case RN__WON_CLOSED: return -EPIPE;
    case RN__WON_CANCELED: return -ECANCELED;
    default: return -ETIMEDOUT;
    }
}

int rn_hchan_take(rn_hchan *c, int64_t deadline, void *elem, const char *site)
{
    if (RN_UNLIKELY(rn__hooked()))
        rn__chan_hook(RN__EV_RECV, c);
    if (c != NULL) {
        if (deadline == RN_NEVER)
            return rn_hchan_recv(c, elem, site) ? 0 : -EPIPE;
        uint64_t s = rn__chan_lock(c);
        rn__partner partner = {NULL, false};
        enum rn__try r = rn__try_recv_locked(c, s, elem, &partner);
        rn__chan_publish(c, s);
        rn__partner_ready(partner);
        if (r != RN__TRY_NO)
            return r == RN__TRY_OK ? 0 : -EPIPE;
    } else if (deadline == RN_NEVER) {
        rn__block_forever(RN__WAIT_CHAN_RECEIVE_NIL, site);
    }
    if (deadline <= rn_now())
        return -EAGAIN;
    switch (rn__chan_wait(c, elem, false, deadline, site)) {
    case RN__WON_OK: return 0;
    case RN__WON_CLOSED: return -EPIPE;
    case RN__WON_CANCELED: return -ECANCELED;
    default: return -ETIMEDOUT;
    }
}

/* -------------------------------------------------------------------------------- the descriptor */

/* Makes the descriptor say what `word` says. Under the lock; the calls never block. */
void rn__chan_fd_follow(rn_hchan *c, uint64_t word)
{
    bool readable = (word & (RN__CH_VALUE | RN__CH_CLOSED)) != 0;
    bool was = (atomic_load_explicit(&c->word, memory_order_relaxed) &
                (RN__CH_VALUE | RN__CH_CLOSED)) != 0;
    if (readable == was)
        return;
    uint64_t one = 1;
    ssize_t n;
    int keep = errno;
    if (readable)
        n = write(c->fd, &one, sizeof one);
    else
        n = read(c->fd, &one, sizeof one);
    (void)n; /* the counter is 0 or 1 and the descriptor non-blocking: neither call can fail */
    errno = keep;
}

int rn_hchan_fd(rn_hchan *c)
{
    if (c == NULL)
        return -EINVAL;
    rn__current();
    int fresh = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int err = fresh < 0 ? -errno : 0;
    uint64_t s = rn__chan_lock(c);
    int fd = c->fd;
    if (fd < 0 && fresh >= 0) {
        fd = c->fd = fresh;
        fresh = -1;
        c->flags |= RN__CH_HAS_FD;
        if (s & (RN__CH_VALUE | RN__CH_CLOSED)) {
            uint64_t one = 1;
            ssize_t n = write(fd, &one, sizeof one);
            (void)n;
        }
    }
    rn__chan_unlock(c, s);
    if (fresh >= 0)
        close(fresh); /* there was one already */
    return fd >= 0 ? fd : err;
}

/* ------------------------------------------------------------------------------------- describe */

/* `chan int "jobs", len 0, cap 4, made at a.c:5`. Async-signal-safe in effect: snprintf with integers
 * and strings only. */
void rn__chan_describe(enum rn__reason reason, const void *obj, char *buf, size_t n)
{
    buf[0] = '\0';
    switch (reason) {
    case RN__WAIT_NONE:
    case RN__WAIT_CHAN_RECEIVE:
    case RN__WAIT_CHAN_SEND: break;
    default: return;
    }
    const rn_hchan *c = obj;
    if (c == NULL)
        return;
    bool closed = (atomic_load_explicit(&c->word, memory_order_relaxed) & RN__CH_CLOSED) != 0;
    char cap[32] = "unbounded";
    if (!(c->flags & RN__CH_GROWS))
        snprintf(cap, sizeof cap, "cap %zu", (c->flags & RN__CH_TIMER) != 0 ? (size_t)0 : c->cap);
    snprintf(buf, n, "chan %s%s%s%s, len %zu, %s%s, made at %s", c->type != NULL ? c->type : "?",
             c->name != NULL ? " \"" : "", c->name != NULL ? c->name : "",
             c->name != NULL ? "\"" : "", rn_hchan_len(c), cap, closed ? ", closed" : "",
             c->site != NULL ? c->site : "?");
}
