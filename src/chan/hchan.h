/*
 * hchan.h - the channel's structure and its invariants. Start here: this is the heart.
 *
 * A channel is a small lock, a ring of elements and two queues of waiters. Every operation asks Go's
 * questions in Go's order, one function per question:
 *
 *     send     closed? -> receiver waiting? -> free slot? -> park        (attempt.h, send.c)
 *     receive  sender waiting? -> element buffered? -> closed? -> park   (attempt.h, recv.c)
 *     close    nil? closed? -> wake everybody                            (close.c)
 *     select   look without locks -> lock one -> lock all and park       (select.c)
 *
 * Invariants
 *  - At least one of recvq and sendq is empty, but for waiters whose select has been won elsewhere.
 *  - count > 0 implies that recvq has no waiter that could be served; count < cap implies the same of
 *    sendq: a value never waits while somebody waits for it.
 *  - Unbuffered channels and channels of size-0 elements have no buffer.
 *  - word says in one atomic 64-bit load what an operation would find: lock, closed, value there, room
 *    there, and a version that changes with every change. Only the holder of the lock stores it, and
 *    the store that publishes is the store that unlocks. An operation takes effect at that store.
 *  - A waiter is served by whoever takes it out of its queue under the lock; if it belongs to a select,
 *    only by whoever also wins the goroutine's token. Whoever takes another goroutine's token is itself
 *    not registered anywhere, so a commit is one CAS and there is no two-sided race.
 *  - After its unlocking store an operation does not touch the channel again: it may be gone.
 */
#ifndef RN_CHAN_HCHAN_H
#define RN_CHAN_HCHAN_H

#include "../panic/panic.h"
#include "../platform/annotate.h"
#include "../sched/sched.h"
#include <runnel/hchan.h>
#include <string.h>

/* The bits of word. VALUE: a receive would find an element or a sender. ROOM: a send would find a slot or
 * a receiver. Closed channels are ready for both: the receiver gets zero, the sender its panic. */
enum {
    RN__CH_LOCK = 1,
    RN__CH_CLOSED = 2,
    RN__CH_VALUE = 4,
    RN__CH_ROOM = 8,
    RN__CH_VERSION = 16, /* the version counts in steps of this */
};

/* flags */
enum {
    RN__CH_HAS_FD = 1, /* rn_hchan_fd was called: the descriptor follows VALUE|CLOSED */
    RN__CH_IN_USE = 2, /* a free slot of the slab has it cleared */
    RN__CH_TIMER = 4,  /* part of a timer: one slot, but looks unbuffered; see rn__chan_keeper */
    RN__CH_GROWS = 8, /* unbounded: the ring has room again whenever the lock is dropped (grow.c) */
    RN__CH_RARE = RN__CH_HAS_FD | RN__CH_GROWS, /* more to do when a change is published */
};

struct rn_hchan {
    /* line 0: all that an operation touches */
    _Atomic(uint64_t) word; /* see above */
    uint16_t size;          /* of an element, at most 65535 */
    uint8_t flags;          /* RN__CH_HAS_FD, ...; under the lock */
    uint8_t spare_;
    int fd;           /* eventfd of rn_hchan_fd, -1; under the lock */
    size_t count;     /* elements in the ring; under the lock, relaxed reads by len */
    size_t cap;       /* slots; constant, but for RN__CH_GROWS: then under the lock */
    char *sendp;      /* slot for the next send */
    char *recvp;      /* slot of the next receive */
    rn__sudog *recvq; /* first waiting receiver; its prev is the last one */
    rn__sudog *sendq; /* first waiting sender */

    /* line 1: the rest */
    char *buf, *end;        /* the ring */
    _Atomic(int32_t) refs;  /* owners */
    uint32_t bubble;        /* number of the bubble that made it, 0: none */
    void (*drop)(void *);   /* destructor for elements nobody received */
    const char *type;       /* element type's name */
    const char *site;       /* where it was made */
    char *name;             /* from chan_name, allocated; or NULL */
    const char *close_site; /* where it was closed */
    uint64_t closer;        /* goroutine that closed it */

    /* line 2 */
    union {
        rn_hchan *next_free;            /* free: link in the slab's free list */
        struct rn__chan_growth *growth; /* RN__CH_GROWS: how it grows */
    };
    _Alignas(16) char small[RN__CACHELINE - 16]; /* ring of small channels */
};

#define RN__CH_SMALL sizeof(((rn_hchan *)0)->small)

/* ------------------------------------------------------------------------------------- the lock */

uint64_t rn__chan_lock_crowd(rn_hchan *c, bool may_yield);
void rn__chan_fence_crowd(void);

/* Takes the lock and returns the word as it was, unlocked. A caller that holds another lock must not
 * give way to other goroutines. */
static inline uint64_t rn__chan_lock_as(rn_hchan *c, rn__hot *h, bool may_yield)
{
    if (RN_LIKELY(h != NULL && rn__solo_begin(h))) {
        /* nobody else can hold it: a lock is never held over a switch */
        uint64_t s = atomic_load_explicit(&c->word, memory_order_relaxed);
        atomic_store_explicit(&c->word, s | RN__CH_LOCK, memory_order_relaxed);
        rn__solo_end(h);
        return s;
    }
    return rn__chan_lock_crowd(c, may_yield);
}
static inline uint64_t rn__chan_lock(rn_hchan *c)
{
    return rn__chan_lock_as(c, rn__self_hot(), true);
}

/* Before an unlocked answer "not ready": keeps the load of word from overtaking the plain store that
 * ended this thread's last operation. Otherwise `send A; try B` against `send B; try A` could both miss
 * (models/trylit). A solo worker has nobody to miss. */
static inline void rn__chan_fence(void)
{
    rn__hot *h = rn__self_hot();
    if (RN_UNLIKELY(h == NULL || atomic_load_explicit(&h->solo, memory_order_relaxed) == 0))
        rn__chan_fence_crowd();
}

/* The word after this section changed something: new version, flags from the state. */
static inline uint64_t rn__chan_next_word(const rn_hchan *c, uint64_t s)
{
    uint64_t w = (s & ~(uint64_t)(RN__CH_VERSION - 1)) + RN__CH_VERSION;
    w |= s & RN__CH_CLOSED;
    if (c->count > 0 || c->sendq != NULL)
        w |= RN__CH_VALUE;
    if (c->count < c->cap || c->recvq != NULL)
        w |= RN__CH_ROOM;
    return w;
}

void rn__chan_fd_follow(rn_hchan *c, uint64_t word);
uint64_t rn__chan_rare_word(rn_hchan *c, uint64_t s); /* does what RN__CH_RARE asks for */

/* Publishes a change and unlocks, in one store. */
static inline void rn__chan_publish(rn_hchan *c, uint64_t s)
{
    uint64_t w = rn__chan_next_word(c, s);
    if (RN_UNLIKELY((c->flags & RN__CH_RARE) != 0))
        w = rn__chan_rare_word(c, s);
    /* release: the section's writes; also what makes the operation visible */
    atomic_store_explicit(&c->word, w, memory_order_release);
}

/* Unlocks a section that has changed nothing. */
static inline void rn__chan_unlock(rn_hchan *c, uint64_t s)
{
    atomic_store_explicit(&c->word, s, memory_order_release);
}

/* --------------------------------------------------------------------------------- wait queues */

static inline void rn__waitq_append(rn__sudog **q, rn__sudog *w)
{
    rn__sudog *head = *q;
    if (head == NULL) {
        w->next = w->prev = w;
        *q = w;
        return;
    }
    rn__sudog *tail = head->prev;
    w->next = head;
    w->prev = tail;
    tail->next = w;
    head->prev = w;
}

static inline void rn__waitq_remove(rn__sudog **q, rn__sudog *w)
{
    if (w->next == w) {
        *q = NULL;
        return;
    }
    w->prev->next = w->next;
    w->next->prev = w->prev;
    if (*q == w)
        *q = w->next;
}

/*
 * Takes the first waiter that can be served out of *q; the caller serves it and then gives it up with
 * rn__sudog_release. Stale ones, whose select was won elsewhere, are dropped on the way.
 */
static inline rn__sudog *rn__waitq_take(rn__sudog **q)
{
    rn__sudog *w;
    while ((w = *q) != NULL) {
        rn__waitq_remove(q, w);
        if (!w->is_select || rn__token_take(w->g, w->gen))
            return w;
        /* release, the last access: its select may return at once and reuse the memory */
        atomic_store_explicit(&w->linked, 0, memory_order_release);
    }
    return NULL;
}

/* Who has been served, to be made runnable after the unlock. */
typedef struct rn__partner {
    rn__g *g;       /* NULL: nobody */
    bool is_select; /* it waits for a permit */
} rn__partner;

/* Tells a served waiter how it went, and gives its sudog up. */
static inline rn__partner rn__sudog_release(rn__sudog *w, enum rn__won how)
{
    if (!w->is_select) {
        rn__g *g = rn__sudog_g(w);
        g->ctx.ret = how == RN__WON_OK;
        return (rn__partner){g, false};
    }
    rn__g *g = w->g;
    g->won_case = w->icase;
    g->won_how = (uint8_t)how;
    /* release: the last access to the sudog, see rn__waitq_take */
    atomic_store_explicit(&w->linked, 0, memory_order_release);
    return (rn__partner){g, true};
}

static inline void rn__partner_ready(rn__partner p)
{
    if (p.g == NULL)
        return;
    if (RN_UNLIKELY(p.is_select))
        rn__ready_permit(p.g);
    else
        rn__ready(p.g);
}

/* Publishes a send that was done on a channel with RN__CH_RARE, wakes the partner, and tells the user if
 * the channel has become too long: last, for that may block. Returns true. */
bool rn__chan_sent_rare(rn_hchan *c, uint64_t s, rn__partner partner);

/* The same in two steps: what the user shall be told, fn NULL if nothing, after everybody is awake. */
typedef struct rn__notice {
    void (*fn)(size_t len, void *arg);
    void *arg;
    size_t len;
} rn__notice;
rn__notice rn__chan_publish_sent(rn_hchan *c, uint64_t s);

/* ------------------------------------------------------------------------------------- elements */

/* Copies one element; the usual sizes without a call. Either side may be NULL: then nothing moves. */
static inline void rn__elem_copy(size_t size, void *dst, const void *src)
{
    if (size == 8)
        memcpy(dst, src, 8);
    else if (size == 4)
        memcpy(dst, src, 4);
    else if (size == 16)
        memcpy(dst, src, 16);
    else if (size != 0)
        memcpy(dst, src, size);
}

static inline char *rn__ring_next(const rn_hchan *c, char *slot)
{
    slot += c->size;
    return slot == c->end ? c->buf : slot;
}

/* Puts *elem into the ring; there must be room. */
static inline void rn__ring_in(rn_hchan *c, const void *elem)
{
    RN__HB_ACQUIRE(c->sendp); /* the receive that freed the slot, item 41 */
    rn__elem_copy(c->size, c->sendp, elem);
    RN__HB_RELEASE(c->sendp);
    c->sendp = rn__ring_next(c, c->sendp);
}

/* Takes the oldest element out of the ring into *elem (or drops it) and clears its slot. */
static inline void rn__ring_out(rn_hchan *c, void *elem)
{
    RN__HB_ACQUIRE(c->recvp);
    if (elem != NULL)
        rn__elem_copy(c->size, elem, c->recvp);
    if (c->size == 8)
        memset(c->recvp, 0, 8); /* no stale pointer stays, item 13 */
    else if (c->size != 0)
        memset(c->recvp, 0, c->size);
    RN__HB_RELEASE(c->recvp);
    c->recvp = rn__ring_next(c, c->recvp);
}

/* What an operation on c does first when there are hooks. May switch. */
void rn__chan_hook(enum rn__event e, rn_hchan *c);

/*
 * The channel inside a timer (time/): its memory is not the slab's. The last unref calls stop before it
 * touches anything, and release at the end.
 */
typedef struct rn__chan_keeper {
    void (*stop)(rn_hchan *c, const char *site);
    void (*release)(rn_hchan *c);
} rn__chan_keeper;
extern const rn__chan_keeper *_Atomic rn__chan_timer_keeper;

/* Makes *c, whatever was there, the channel of a timer: room for one time, nobody waits. */
void rn__chan_init_timer(rn_hchan *c, const char *site);

/* Blocks for ever, on a nil channel or in a select without cases. */
__attribute__((noreturn)) void rn__block_forever(enum rn__reason reason, const char *site);

/* A one-case select with a deadline: what put and take stand on. enum rn__won. */
enum rn__won rn__chan_wait(rn_hchan *c, void *elem, bool is_send, int64_t deadline,
                           const char *site);

/* The same ended by a breaker rather than a deadline; RN__WON_CANCELED: by it, ask it how. */
enum rn__won rn__chan_wait_broken(rn_hchan *c, void *elem, bool is_send, rn__breaker *breaker,
                                  const char *site);

/* Closes, and adds those who waited to *batch and, linked by next, to *permits: their tokens are the
 * caller's, who makes all of them runnable. False, having done nothing, if it was closed already. */
bool rn__chan_close_into(rn_hchan *c, const char *site, rn__batch *batch, rn__g **permits);

/* grow.c: makes c, whose ring is empty, unbounded; makes room where there is none, under the lock. */
void rn__chan_growth_init(rn_hchan *c, const rn_chan_opts *opts);
void rn__chan_make_room(rn_hchan *c);

/* describe.c */
void rn__chan_describe(enum rn__reason reason, const void *obj, char *buf, size_t n);

#endif
