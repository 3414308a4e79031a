/*
 * hchan.h - the untyped channel and select: the whole binary interface below the typed macros.
 *
 * Programs use the typed layer (chan.h, select.h). Bindings for other languages, and code that makes
 * channels of types known only at run time, use this one. The rules are Go's and are the same in
 * both layers; `site` is a "file:line" string that outlives the channel (RN_HERE), or NULL.
 *
 * Invariants
 *  - Elements are copied by value; after a send returns, later writes to the source do not reach
 *    the receiver.
 *  - A NULL channel is Go's nil channel: it blocks for ever, is never ready, len and cap are 0.
 *  - Any thread may call any function here: goroutines park, foreign threads wait on a futex.
 *  - A matched operation never touches the channel again: as soon as one side has returned it may
 *    drop the last reference, whatever the other side is doing.
 */
#ifndef RUNNEL_HCHAN_H
#define RUNNEL_HCHAN_H

#include <runnel/base.h>

RN_EXTERN_C_BEGIN

typedef struct rn_hchan rn_hchan;

/* What chan_make_with accepts beside type and capacity. All members may be left zero. */
typedef struct rn_chan_opts {
    /* called for each element that nobody received when the channel is freed */
    void (*drop)(void *elem) RN_OPTIONAL;
    const char *name RN_OPTIONAL; /* shown in dumps; copied */
    /* no limit: a send never waits. The ring grows with what is in it, and shrinks as it drains; the
     * capacity given beside is what it starts with. cap says SIZE_MAX */
    bool unbounded RN_OPTIONAL;
    /* unbounded: on_high_water(len, arg) is called by the send after which soft_limit elements or more
     * are buffered, and not again before the channel has been half empty. The send of a select does not
     * call it; the next other one does. It may block: then it holds that sender back. 0, NULL: never */
    size_t soft_limit RN_OPTIONAL;
    void (*on_high_water)(size_t len, void *arg) RN_OPTIONAL;
    void *arg RN_OPTIONAL;
} rn_chan_opts;

/*
 * Makes a channel with one reference. size is at most 65535, size 0 allocates no buffer at all.
 * Panics "makechan: size out of range" if cap is negative or cap * size overflows, and
 * "makechan: invalid channel element type" if size is too large. Out of memory is fatal, as in Go.
 * type is the element type's name for dumps. Go: make(chan T, cap).
 */
RN_API rn_hchan *rn_hchan_make(size_t size, int64_t cap, const char *type, const char *site);
RN_API rn_hchan *rn_hchan_make_with(size_t size, int64_t cap, const char *type, const char *site,
                                    const rn_chan_opts *opts);

/* Sends *elem; may block. Returns false, having sent nothing, if the channel is closed (the typed
 * layer then calls rn_hchan_send_on_closed). Blocks for ever on NULL. Go: c <- v. */
RN_API bool rn_hchan_send(rn_hchan *c, const void *elem, const char *site);

/* Panics "send on closed channel"; in debug builds it names who closed the channel. */
RN_API RN_COLD __attribute__((noreturn)) void rn_hchan_send_on_closed(rn_hchan *c,
                                                                      const char *site);

/* Receives into *elem (NULL: discards); may block. Returns false, with *elem zeroed, when closed and
 * drained. Blocks for ever on NULL. Go: v, ok := <-c. */
RN_API bool rn_hchan_recv(rn_hchan *c, void *elem, const char *site);

/* The non-blocking pair. try_send: true if sent; panics on a closed channel. try_recv: true if a
 * value was received (*ok = true) or the channel is closed and drained (*ok = false, *elem zeroed);
 * false if not ready. elem and ok may be NULL. Go: select with one case and default. */
RN_API bool rn_hchan_try_send(rn_hchan *c, const void *elem, const char *site);
RN_API bool rn_hchan_try_recv(rn_hchan *c, void *elem, bool *ok, const char *site);

/* The errno-style pair; never panics. 0 done; -EPIPE closed (and, for take, drained); -EAGAIN not
 * ready and the deadline already past on entry; -ETIMEDOUT it passed while waiting. NULL channels
 * wait for the deadline. */
RN_API int rn_hchan_put(rn_hchan *c, int64_t deadline, const void *elem, const char *site);
RN_API int rn_hchan_take(rn_hchan *c, int64_t deadline, void *elem, const char *site);

/*
 * Many at once, with one lock for all that can be done without waiting.
 *
 * send_n sends n elements in their order and returns how many were sent: n, or fewer if the channel was
 * or has been closed; it never panics. Where it has to wait, other senders' elements may come in between.
 *
 * recv_n receives up to max elements, in the channel's order, and waits until it has min; min 0 never
 * waits, and RN_NEVER is no deadline. Returns how many it has: fewer than min if the channel is closed and
 * drained, or the deadline has passed. elems may be NULL: then they are discarded.
 *
 * On NULL both wait for ever, or for the deadline, unless there is nothing to wait for. Go: a loop.
 */
RN_API size_t rn_hchan_send_n(rn_hchan *c, const void *elems, size_t n, const char *site);
RN_API size_t rn_hchan_recv_n(rn_hchan *c, void *elems, size_t min, size_t max, int64_t deadline,
                              const char *site);

/* Closes. Panics "close of nil channel" and "close of closed channel"; try_close returns false for
 * a channel that is NULL or closed already. Go: close(c). */
RN_API void rn_hchan_close(rn_hchan *c, const char *site);
RN_API bool rn_hchan_try_close(rn_hchan *c, const char *site);

/* Lock-free snapshots, exact when nobody else is at the channel; 0 on NULL. The capacity of an unbounded
 * channel is SIZE_MAX. Go: len(c), cap(c). */
RN_API size_t rn_hchan_len(const rn_hchan *c);
RN_API size_t rn_hchan_cap(const rn_hchan *c);

/* Shared ownership. unref by the last owner frees the channel and passes elements that were never
 * received to `drop`; it panics, naming a waiter, if somebody still waits. NULL is allowed. */
RN_API rn_hchan *rn_hchan_ref(rn_hchan *c);
RN_API void rn_hchan_unref(rn_hchan *c, const char *site);

/* Names the channel in dumps; the text is copied. Returns 0 or -ENOMEM. */
RN_API int rn_hchan_set_name(rn_hchan *c, const char *name);

/* A file descriptor that polls readable while a receive would not block, for foreign event loops.
 * Made at the first call, owned by the channel, closed with it. Level-triggered: never read it.
 * Returns the descriptor or a negative errno. */
RN_API int rn_hchan_fd(rn_hchan *c);

/* ------------------------------------------------------------------------------------- select */

enum { RN_OP_RECV = 1, RN_OP_SEND = 2, RN_OP_DEFAULT = 3, RN_OP_AFTER = 4, RN_OP_DEADLINE = 5 };

/* One case. Made by on_recv, on_send, on_default, on_after and on_deadline. */
typedef struct rn_case {
    rn_hchan *c; /* recv, send: the channel; NULL never fires */
    void *elem;  /* send: the value's address (read only); recv: the destination or NULL */
    union {
        bool *ok;  /* recv: set to whether a value came; may be NULL */
        int64_t t; /* after: duration; deadline: absolute time on rn_now() */
    };
    uint8_t op; /* RN_OP_* */
} rn_case;

/* Go's select over a table. Returns the index of the case that was done; blocks if none is ready and
 * there is no default; panics "send on closed channel" if the chosen case says so. At most one
 * default; of several after/deadline cases the earliest counts. n = 0 blocks for ever. At most
 * 65536 cases. */
RN_API int rn_hselect(const rn_case *cases, size_t n, const char *site);

/* The same, but if several cases are ready, the first of them in the table is done: at one instant, it
 * was ready and none before it was. If none is ready it waits as rn_hselect does. */
RN_API int rn_hselect_ordered(const rn_case *cases, size_t n, const char *site);

RN_EXTERN_C_END

#endif
