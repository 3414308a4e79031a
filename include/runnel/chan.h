/*
 * chan.h - typed channels: the macros that let the C compiler check what travels through a channel.
 *
 * A channel of T is a pointer whose target type mentions T and which is never dereferenced:
 *
 *     chan(T)       T *(**)(rn_chan_of *)            both directions
 *     recv_chan(T)  T *(*const *)(rn_chan_of *)      receive only (Go: <-chan T)
 *     send_chan(T)  T *(*volatile *)(rn_chan_of *)   send only    (Go: chan<- T)
 *
 * C converts X * to const X * or volatile X * silently and warns about every way back, which are
 * exactly Go's rules for directional channels. There is no declaration per type and no code at run
 * time: each macro checks types in operands that are never evaluated and then calls hchan.h.
 *
 * Invariants
 *  - Every macro evaluates each of its arguments exactly once (types: never); sends evaluate the
 *    channel first, then the value, as Go does.
 *  - The names that macros declare are unique: nested uses shadow nothing.
 *  - The copy of a sent value lives until the send has returned; nothing is allocated here.
 *  - A program that uses these macros compiles without warnings in C11, C17, C23 and C++11 on.
 *
 * All macros exist as rn_ forms; the short forms at the end are left out if RN_NO_SHORT_NAMES is
 * defined before the first runnel header.
 */
#ifndef RUNNEL_CHAN_H
#define RUNNEL_CHAN_H

#include <runnel/base.h>
#include <runnel/hchan.h>

/* The brand that tells a channel from any other pointer. Never defined, never made. */
typedef struct rn_chan_of rn_chan_of;

/* The three types. Arrays cannot be elements; put them in a struct.
 * Go: chan T, <-chan T, chan<- T. */
#define rn_chan(T)      __typeof__(__typeof__(T) *(**)(rn_chan_of *))
#define rn_recv_chan(T) __typeof__(__typeof__(T) *(*const *)(rn_chan_of *))
#define rn_send_chan(T) __typeof__(__typeof__(T) *(*volatile *)(rn_chan_of *))

/* Inlined even without optimization: back-traces go from the user's frame to the library's. */
#define RN__INLINE      static inline __attribute__((always_inline, unused))

/* clang-format off */
/* The first of several macro arguments; and 1 if there is one, 0 if there are 2 to 17. */
#define RN__FIRST(...)     RN__FIRST_(__VA_ARGS__, )
#define RN__FIRST_(a, ...) a
#define RN__IS_ONE(...)    RN__18TH(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,)
#define RN__18TH(...)      RN__18TH_(__VA_ARGS__)
#define RN__18TH_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, ...) r
/* clang-format on */

/*
 * The primitives, one set per language:
 *
 *   RN__ELEM(c)           the element type
 *   RN__ANY(c)            the untyped channel; an error if c is not a channel
 *   RN__SEND(c, what)     the same; an error, mentioning `what`, if c is receive-only
 *   RN__RECV(c, what)     the same; an error if c is send-only
 *   RN__VALUE(c, v...)    address of a copy of v, converted to the element type as in a call, that
 *                         lives on after the expression (see select.h)
 *   RN__FROM(c, p)        p, checked to point to an element that may be const
 *   RN__INTO(c, p)        p, checked to point to an element; NULL is fine
 *   RN__CAST(T, x)        x as a T
 *   RN__ELEM_SIZE(T)      the size that the library is told: 0 for rn_unit
 *   RN__MAKE(T, h)        h as a chan(T), if T can be an element at all
 *   RN__OPTS(...)         address of an rn_chan_opts with these members
 *   RN__SAME(c, h)        h as a channel of c's type
 */
#ifdef __cplusplus
#include <runnel/cxx.hpp>
#else

/* Compilers quote this line, with its comment, when c is something else. */
#define RN__ELEM(c)    __typeof__(*(*(c))((rn_chan_of *)0)) /* c must be a channel */

/* Through an integer, because a cast between pointers would be a -Wcast-qual warning for views. */
#define RN__RAW(c)     ((rn_hchan *)(uintptr_t)(c))
#define RN__CAST(T, x) ((T)(x))

/* What is only checked stands in __typeof__, also inside sizeof and _Generic: there clang does not
 * warn that the i++ in it has no effect. */
#define RN__ASSERT(cond, msg)      \
    ((void)sizeof(struct {         \
        _Static_assert(cond, msg); \
        int rn__dummy;             \
    }))
#define RN__IS_VIEW(c, q) \
    _Generic((__typeof__((c) + 0))0, RN__ELEM(c) * (*q *)(rn_chan_of *) : 1, default : 0)

#define RN__ANY(c) ((void)sizeof(RN__ELEM(c) *), RN__RAW(c))
#define RN__SEND(c, what)                                                                     \
    (RN__ASSERT(!RN__IS_VIEW(c, const), what ": this is a receive-only channel (recv_chan)"), \
     RN__RAW(c))
#define RN__RECV(c, what)                                                                     \
    (RN__ASSERT(!RN__IS_VIEW(c, volatile), what ": this is a send-only channel (send_chan)"), \
     RN__RAW(c))

/* The array lets a value of struct type initialize its element; the call that is never made then
 * refuses what would initialize the struct's first member instead. */
#define RN__VALUE(c, ...)                                               \
    ((void)sizeof(__typeof__(((char (*)(RN__ELEM(c)))0)(__VA_ARGS__))), \
     (RN__ELEM(c)[1]){__VA_ARGS__})
#define RN__FROM(c, p)   ((const RN__ELEM(c) *[1]){(p)}[0])
#define RN__INTO(c, p)   ((RN__ELEM(c) *[1]){(p)}[0])

#define RN__ELEM_SIZE(T) _Generic((__typeof__(T) *)0, rn_unit * : (size_t)0, default : sizeof(T))
#define RN__MAKE(T, call)                                                                \
    (RN__ASSERT(sizeof(T) <= 65535, "channel element type too large (>64kB)"),           \
     (void)sizeof(__typeof__(T)(*)(void)), /* refuses arrays: no function returns one */ \
     (rn_chan(T))(void *)(call))
#define RN__OPTS(...)  (&(rn_chan_opts){__VA_ARGS__})
#define RN__SAME(c, h) ((__typeof__((c) + 0))(void *)(h))

#endif /* C */

/* chan_send in two steps: rn__send returns NULL, or c if it is closed, and rn__sent panics. The copy
 * of the value is gone in between, or compilers would give each send of a function a copy of its
 * own on the stack. */
RN__INLINE rn_hchan *rn__send(rn_hchan *c_, const void *elem_, const char *site_)
{
    if (RN_LIKELY(rn_hchan_send(c_, elem_, site_)))
        return NULL;
    if (c_ == NULL)
        __builtin_unreachable(); /* a send on NULL never returns */
    return c_;
}
RN__INLINE void rn__sent(rn_hchan *closed_, const char *site_)
{
    if (RN_UNLIKELY(closed_ != NULL))
        rn_hchan_send_on_closed(closed_, site_);
}

/* The same text as RN_HERE, but another address (the linker merges the two). Given the same one,
 * gcc keeps it in a register across the call for the path that is never taken. */
#define RN__HERE_AGAIN (&(" " RN_HERE)[1])

/* What chan_range remembers while its loop runs. */
typedef struct rn__range {
    rn_hchan *ch; /* the channel, evaluated once */
    bool on;      /* false after the inner loop has ended, however it ended */
} rn__range;

/* chan_auto's end of scope. Copies the bytes, because the variable has another pointer type. */
static inline RN_UNUSED void rn__unref_var(void *var_)
{
    rn_hchan *c_;
    __builtin_memcpy(&c_, var_, sizeof c_);
    rn_hchan_unref(c_, NULL);
}

/* `| 0` refuses what is no integer; the cast keeps negative values negative and turns unsigned ones
 * above INT64_MAX negative, so that make refuses both. */
#define RN__CAP(cap)         RN__CAST(int64_t, (cap) | 0) /* cap must be a whole number */

/*
 * chan(T) c = chan_make(T, cap);     a channel with one reference
 * Panics "makechan: size out of range" if cap (any integer type) is negative or cap elements do not
 * fit the address space. An element type above 65535 bytes does not compile. Go: make(chan T, cap).
 */
#define rn_chan_make(T, cap) RN__CHAN_MAKE(T, cap, #T)
#define RN__CHAN_MAKE(T, cap, name) \
    RN__MAKE(T, rn_hchan_make(RN__ELEM_SIZE(T), RN__CAP(cap), name, RN_HERE))

/* The same with members of rn_chan_opts: chan_make_with(T, cap, .drop = free_it, .name = "jobs"), or
 * chan_make_with(T, 0, .unbounded = true): a send never waits, and the ring grows and shrinks.
 * In C++ before C++20 they have no names: chan_make_with(T, cap, free_it, "jobs"). */
#define rn_chan_make_with(T, cap, ...) RN__CHAN_MAKE_WITH(T, cap, #T, __VA_ARGS__)
#define RN__CHAN_MAKE_WITH(T, cap, name, ...)                                     \
    RN__MAKE(T, rn_hchan_make_with(RN__ELEM_SIZE(T), RN__CAP(cap), name, RN_HERE, \
                                   RN__OPTS(__VA_ARGS__)))

/* Sends v; blocks until it is taken or buffered; for ever if c is NULL. Panics "send on closed
 * channel". The value is the last argument and may contain commas: chan_send(c, (struct s){1, 2}).
 * Go: c <- v. */
#define rn_chan_send(c, ...)                                                                      \
    rn__sent(RN__GIVE(RN_UNIQUE(rn__c), RN_UNIQUE(rn__v), c, "chan_send", rn__send, __VA_ARGS__), \
             RN__HERE_AGAIN)

/* Evaluates c, then the value, in a scope of its own with the fresh names ch and v; does call. */
#define RN__GIVE(ch, v, c, what, call, ...)                          \
    __extension__({                                                  \
        rn_hchan *ch = RN__SEND(c, what);                            \
        RN__ELEM(c) v = __VA_ARGS__; /* one value of c's elements */ \
        call(ch, &v, RN_HERE);                                       \
    })

/* Sends *p without a copy on the stack: for large elements. *p must not change meanwhile. */
#define rn_chan_send_from(c, p) \
    rn__sent(rn__send(RN__SEND(c, "chan_send_from"), RN__FROM(c, p), RN_HERE), RN__HERE_AGAIN)

/* Receives into *p, or discards if p is NULL; blocks, for ever if c is NULL. False, and *p zeroed,
 * when c is closed and drained. Go: v, ok := <-c. */
#define rn_chan_recv(c, p) rn_hchan_recv(RN__RECV(c, "chan_recv"), RN__INTO(c, p), RN_HERE)

/* chan_range(v, c) { ... }  declares v and runs the block for every value until c is closed and
 * drained. c is evaluated once; break, continue, return and goto mean what they say.
 * Go: for v := range c. */
#define rn_chan_range(v, c)                                                             \
    for (rn__range rn__range_##v = {RN__RECV(c, "chan_range"), true}; rn__range_##v.on; \
         rn__range_##v.on = false)                                                      \
        for (RN__ELEM(c) v; rn_hchan_recv(rn__range_##v.ch, &v, RN_HERE);)

/* Never block. try_send: true if sent; panics on a closed channel. try_recv(c, p, ok): true if a
 * value came (*ok true) or c is closed and drained (*ok false, *p zeroed), false if nothing was
 * ready; p and ok may be NULL. Go: select with one case and default. */
#define rn_chan_try_send(c, ...) \
    RN__GIVE(RN_UNIQUE(rn__c), RN_UNIQUE(rn__v), c, "chan_try_send", rn_hchan_try_send, __VA_ARGS__)
#define rn_chan_try_recv(c, p, okp) \
    rn_hchan_try_recv(RN__RECV(c, "chan_try_recv"), RN__INTO(c, p), okp, RN_HERE)

/* The errno-style pair with an absolute deadline on rn_now() (RN_NEVER: none); never panics. 0;
 * -EPIPE closed (and, for take, drained); -EAGAIN not ready and the deadline past on entry;
 * -ETIMEDOUT it passed while waiting. */
#define rn_chan_put(c, deadline, ...) \
    RN__PUT(RN_UNIQUE(rn__c), RN_UNIQUE(rn__d), RN_UNIQUE(rn__v), c, deadline, __VA_ARGS__)
#define RN__PUT(ch, d, v, c, deadline, ...)                          \
    __extension__({                                                  \
        rn_hchan *ch = RN__SEND(c, "chan_put");                      \
        int64_t d = deadline;                                        \
        RN__ELEM(c) v = __VA_ARGS__; /* one value of c's elements */ \
        rn_hchan_put(ch, d, &v, RN_HERE);                            \
    })
#define rn_chan_take(c, deadline, p) \
    rn_hchan_take(RN__RECV(c, "chan_take"), deadline, RN__INTO(c, p), RN_HERE)

/*
 * Many at once, from or into an array, with one lock for all that can be done without waiting.
 * chan_send_n(c, p, n) returns how many were sent, fewer than n only if c is closed; it does not panic.
 * chan_recv_n(c, p, min, max) and chan_recv_n(c, p, min, max, deadline) wait until min are there and
 * take up to max; fewer than min mean that c is closed and drained or the deadline has passed.
 */
#define rn_chan_send_n(c, p, n) \
    rn_hchan_send_n(RN__SEND(c, "chan_send_n"), RN__FROM(c, p), RN__CAST(size_t, n), RN_HERE)
#define rn_chan_recv_n(c, p, min, ...) \
    RN_CAT(RN__RECV_N_, RN__IS_ONE(__VA_ARGS__))(c, p, min, __VA_ARGS__)
#define RN__RECV_N_1(c, p, min, max) RN__RECV_N_0(c, p, min, max, RN_NEVER)
#define RN__RECV_N_0(c, p, min, max, deadline)                                         \
    rn_hchan_recv_n(RN__RECV(c, "chan_recv_n"), RN__INTO(c, p), RN__CAST(size_t, min), \
                    RN__CAST(size_t, max), deadline, RN_HERE)

/* Closes. Panics "close of nil channel" and "close of closed channel"; a receive-only view does not
 * compile. try_close never panics: false if c is NULL or closed already. Go: close(c). */
#define rn_chan_close(c)      rn_hchan_close(RN__SEND(c, "chan_close"), RN_HERE)
#define rn_chan_try_close(c)  rn_hchan_try_close(RN__SEND(c, "chan_try_close"), RN_HERE)

/* Elements buffered now, and the capacity; snapshots without a lock, 0 if c is NULL. An unbounded
 * channel's capacity is SIZE_MAX.
 * Go: len(c), cap(c). */
#define rn_chan_len(c)        rn_hchan_len(RN__ANY(c))
#define rn_chan_cap(c)        rn_hchan_cap(RN__ANY(c))

/* Shared ownership: ref returns c, of the same type; unref by the last owner frees, and panics if
 * somebody still waits. NULL is allowed. */
#define rn_chan_ref(c)        RN__SAME(c, rn_hchan_ref(RN__ANY(c)))
#define rn_chan_unref(c)      rn_hchan_unref(RN__ANY(c), RN_HERE)

/* chan_auto(T) c = chan_make(T, cap);  unref at the end of the scope, on every path out of it. */
#define rn_chan_auto(T)       __attribute__((cleanup(rn__unref_var))) rn_chan(T)

/* Names c in dumps, traces and metrics; the text is copied. 0 or -ENOMEM. */
#define rn_chan_name(c, text) rn_hchan_set_name(RN__ANY(c), text)

/* A descriptor, owned by c, that polls readable while a receive would not block; never read it.
 * Or a negative errno. */
#define rn_chan_fd(c)         rn_hchan_fd(RN__RECV(c, "chan_fd"))

#ifndef RN_NO_SHORT_NAMES
#define chan(T)                     rn_chan(T)
#define recv_chan(T)                rn_recv_chan(T)
#define send_chan(T)                rn_send_chan(T)
#define chan_auto(T)                rn_chan_auto(T)
#define chan_make(T, cap)           RN__CHAN_MAKE(T, cap, #T)
#define chan_make_with(T, cap, ...) RN__CHAN_MAKE_WITH(T, cap, #T, __VA_ARGS__)
#define chan_send(c, ...)           rn_chan_send(c, __VA_ARGS__)
#define chan_send_from(c, p)        rn_chan_send_from(c, p)
#define chan_recv(c, p)             rn_chan_recv(c, p)
#define chan_range(v, c)            rn_chan_range (v, c)
#define chan_try_send(c, ...)       rn_chan_try_send(c, __VA_ARGS__)
#define chan_try_recv(c, p, okp)    rn_chan_try_recv(c, p, okp)
#define chan_put(c, deadline, ...)  rn_chan_put(c, deadline, __VA_ARGS__)
#define chan_take(c, deadline, p)   rn_chan_take(c, deadline, p)
#define chan_send_n(c, p, n)        rn_chan_send_n(c, p, n)
#define chan_recv_n(c, p, min, ...) rn_chan_recv_n(c, p, min, __VA_ARGS__)
#define chan_close(c)               rn_chan_close(c)
#define chan_try_close(c)           rn_chan_try_close(c)
#define chan_len(c)                 rn_chan_len(c)
#define chan_cap(c)                 rn_chan_cap(c)
#define chan_ref(c)                 rn_chan_ref(c)
#define chan_unref(c)               rn_chan_unref(c)
#define chan_name(c, text)          rn_chan_name(c, text)
#define chan_fd(c)                  rn_chan_fd(c)
#endif

#endif
