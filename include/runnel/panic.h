/*
 * panic.h - defer, panic, recover: Go's three words for C.
 *
 *     int load(const char *path)
 *     {
 *         rn_recoverable(-1);               a recovered panic makes load return -1
 *         defer(handler, NULL);             handler calls recover()
 *         FILE *f = fopen(path, "r");
 *         defer(close_file, f);             runs at the end of this block, on every path
 *         if (!f)
 *             panic("cannot open %s", path);
 *         ...
 *     }
 *
 * Invariants
 *  - A deferred call runs exactly once: at the end of its block, or, when the goroutine panics or
 *    calls rn_goexit, before the stack is given up, newest first, on the panicking stack.
 *  - A record lives in the frame that deferred it and is linked on the goroutine; a frame that ends
 *    takes its records out again. Nothing here allocates, except defer_fn from the fifth call on
 *    and panic texts that are longer than rn_panic_info holds.
 *  - recover() succeeds only in the function that was deferred, not in one that it calls, and only
 *    if the function that deferred it said with rn_recoverable what it then returns.
 *  - A goroutine recovers its own panics only. rn_goexit cannot be recovered.
 *  - What an abandoned frame had not deferred is not undone: C++ destructors between the panic and
 *    the recovering function do not run.
 *
 * Variables of a function with rn_recoverable that change after it and are read by the recovered
 * return must be volatile, as with setjmp.
 */
#ifndef RUNNEL_PANIC_H
#define RUNNEL_PANIC_H

#include <runnel/base.h>
#include <runnel/hchan.h>

RN_EXTERN_C_BEGIN

/* --------------------------------------------------------------------------------------- panic */

enum { RN_PANIC_TEXT = 216 };

/* A panic as recover and rn_try tell it. A plain value: it may be copied and kept. */
typedef struct rn_panic_info {
    void *value;           /* what rn_panic_value was given; NULL for the others */
    const char *site;      /* "file:line" of the panic; lives for ever */
    uint64_t goid;         /* goroutine that panicked; 0: a foreign thread */
    bool is_runtime_error; /* raised by runnel itself, as Go's runtime.Error */
    char text
        [RN_PANIC_TEXT]; /* the message; a longer one ends in "..." here, and is printed whole */
} rn_panic_info;

/*
 * panic("fmt", ...) stops the normal flow of the goroutine: its deferred calls run, newest first,
 * and if none recovers, the program prints Go's text with a back-trace and exits with status 2.
 * Go: panic(fmt.Sprintf(...)).
 */
RN_API RN_COLD __attribute__((noreturn, format(printf, 2, 3))) void rn_panic_at(const char *site,
                                                                                const char *fmt,
                                                                                ...);
#define rn_panic(...) rn_panic_at(RN_HERE, __VA_ARGS__)

/* The same with a value, which runnel only hands on; text may be NULL, then the address is printed.
 * Both NULL is Go's panic(nil), a runtime error. Go: panic(v). */
RN_API RN_COLD __attribute__((noreturn)) void rn_panic_value_at(const char *site, void *value,
                                                                const char *text);
#define rn_panic_value(value, text) rn_panic_value_at(RN_HERE, (value), (text))

/* Goes on with a panic that was recovered; Go prints "[recovered, repanicked]" for it. The info may
 * come from another goroutine. Go: panic(r). */
RN_API RN_COLD __attribute__((noreturn)) void rn_repanic(const rn_panic_info *info);

/*
 * Calls fn(arg). true if it returned. false if it panicked: the deferred calls up to here have
 * run, and *info (may be NULL) tells about the panic. rn_goexit in fn ends the goroutine all the
 * same. Go: func() { defer func() { info = recover() }(); fn(arg) }().
 */
RN_API bool rn_try(void (*fn)(void *), void *arg, rn_panic_info *info);

/*
 * In a deferred function that panicking called: stops the panic and returns what it was; the
 * function that deferred this one then returns to its caller what it declared with rn_recoverable.
 * Otherwise NULL: no panic, a panic recovered already, rn_goexit, called by a function that a
 * deferred function calls, or deferred by a function without rn_recoverable (then the printed panic
 * says so). The result is valid until the deferred function returns.
 *
 * "Directly" is decided by the caller's return address, and by its name where a compiler inlined or
 * tail-called a helper; the name needs the program's symbol table. In a stripped program such a
 * helper counts as the deferred function itself.
 */
RN_API const rn_panic_info *rn_recover_at(const void *ret, const char *func);
#define rn_recover() \
    rn_recover_at(__builtin_extract_return_addr(__builtin_return_address(0)), __func__)

/* Writes back-traces to fd in Go's format: of the calling goroutine, or of all, the caller first.
 * Running goroutines of other threads are named without a stack. Go: runtime.Stack. */
RN_API void rn_dump(int fd, bool all);

/* --------------------------------------------------------------------------------------- defer */

/* A deferred call. Made by the macros only; the members are part of the ABI, not of the API. */
typedef struct rn_deferred {
    struct rn_deferred *up; /* the next older one of this goroutine */
    void **head;            /* the goroutine's newest; NULL once panicking has taken this record */
    void (*fn)(void *);
    void *arg;
    uintptr_t frame;  /* of the function that deferred it; the low two bits: RN_RECORD_* */
    const char *func; /* name of that function */
} rn_deferred;

enum { RN_RECORD_CALL = 0, RN_RECORD_GUARD = 1, RN_RECORD_TRY = 2, RN_RECORD_FUNCTION = 3 };

RN_API void rn_deferred_push(rn_deferred *d);

/* These touch the goroutine's descriptor, which is the library's memory: no race of the user's. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RN__NO_RACE __attribute__((no_sanitize("thread")))
#endif
#endif
#ifndef RN__NO_RACE
#define RN__NO_RACE
#endif

RN__NO_RACE static inline void rn_deferred_leave(rn_deferred *d)
{
    if (RN_LIKELY(d->head != NULL)) {
        *d->head = d->up;
        d->fn(d->arg);
    }
}

RN__NO_RACE static inline void rn_deferred_enter(rn_deferred *d, void (*fn)(void *), void *arg,
                                                 void *frame, const char *func)
{
    d->fn = fn;
    d->arg = arg;
    d->frame = (uintptr_t)frame;
    d->func = func;
    rn_deferred_push(d);
}

/*
 * rn_defer(fn, arg) calls fn(arg), void fn(void *), at the end of the enclosing block on every
 * path: return, break, continue, goto, panic, rn_goexit. Both are evaluated now. Several in one
 * block run newest first. It is a declaration: do not jump over it (use braces in a switch). Go:
 * defer fn(arg), which runs at the end of the function instead; see rn_defer_fn.
 */
#define rn_defer(fn, arg)     RN_DEFER_(__COUNTER__, fn, arg)
#define RN_DEFER_(n, fn, arg) RN_DEFER_AS_(RN_CAT(rn_deferred_, n), fn, arg)
#define RN_DEFER_AS_(name, fn, arg)                               \
    rn_deferred name __attribute__((cleanup(rn_deferred_leave))); \
    rn_deferred_enter(&name, fn, arg, __builtin_frame_address(0), __func__)

/* Closes / drops one reference of a channel at the end of the block. Go: defer close(c). */
#define rn_defer_close(c)        RN_DEFER_CHAN_(__COUNTER__, rn_deferred_close, c)
#define rn_defer_unref(c)        RN_DEFER_CHAN_(__COUNTER__, rn_deferred_unref, c)
#define RN_DEFER_CHAN_(n, fn, c) RN_DEFER_CHAN_AS_(RN_CAT(rn_deferred_chan_, n), n, fn, c)
#define RN_DEFER_CHAN_AS_(name, n, fn, c)                                 \
    rn_deferred_chan name = {(struct rn_hchan *)(uintptr_t)(c), RN_HERE}; \
    RN_DEFER_(n, fn, &name)

typedef struct rn_deferred_chan {
    struct rn_hchan *c;
    const char *site; /* of the defer statement: a double close names it */
} rn_deferred_chan;

static inline void rn_deferred_close(void *p)
{
    rn_deferred_chan *d = (rn_deferred_chan *)p;
    rn_hchan_close(d->c, d->site);
}
static inline void rn_deferred_unref(void *p)
{
    rn_deferred_chan *d = (rn_deferred_chan *)p;
    rn_hchan_unref(d->c, d->site);
}

/*
 * rn_function; at the top of a function lets rn_defer_fn(fn, arg) in it, in loops and inner blocks
 * too, run at the end of the function (of the block that rn_function stands in), newest first,
 * after what the function deferred with rn_defer. Up to four calls need no memory; out of memory
 * is fatal. Go: defer in a loop.
 */
enum { RN_FUNCTION_SLOTS = 4 };
typedef struct rn_function_slot {
    void (*fn)(void *);
    void *arg;
} rn_function_slot;
typedef struct rn_function_scope {
    rn_deferred rec;        /* kind FUNCTION: stands for all calls of this scope */
    rn_function_slot *more; /* calls beyond the first slots, malloc'ed; NULL: none */
    size_t n;               /* calls that have not run */
    size_t cap;             /* room behind more */
    rn_function_slot slots[RN_FUNCTION_SLOTS];
} rn_function_scope;

RN_API void rn_function_enter(rn_function_scope *s, void *frame, const char *func);
RN_API void rn_function_defer(rn_function_scope *s, void (*fn)(void *), void *arg);
RN_API void rn_function_leave(rn_function_scope *s);

#define rn_function                                                                   \
    rn_function_scope rn_function_scope_ __attribute__((cleanup(rn_function_leave))); \
    rn_function_enter(&rn_function_scope_, __builtin_frame_address(0), __func__)
#define rn_defer_fn(fn, arg) rn_function_defer(&rn_function_scope_, (fn), (arg))

/* ------------------------------------------------------------------------------------- recover */

#if !defined(RN_GUARD_SETJMP)
#if defined(__SANITIZE_THREAD__)
#define RN_GUARD_SETJMP 1 /* TSan follows setjmp, and not our own */
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RN_GUARD_SETJMP 1
#endif
#endif
#endif
#if !defined(RN_GUARD_SETJMP)
#if defined(__x86_64__) && !defined(__ILP32__)
#define RN_GUARD_SETJMP 0
#define RN_GUARD_WORDS  8
#elif defined(__aarch64__)
#define RN_GUARD_SETJMP 0
#define RN_GUARD_WORDS  22
#elif defined(__riscv) && __riscv_xlen == 64
#define RN_GUARD_SETJMP 0
#define RN_GUARD_WORDS  26
#else
#define RN_GUARD_SETJMP 1
#endif
#endif

RN_EXTERN_C_END
#if RN_GUARD_SETJMP
#include <setjmp.h>
#endif
RN_EXTERN_C_BEGIN

/* A place where a panic can end. Made by the macros only. */
typedef struct rn_guard {
    rn_deferred rec;     /* kind GUARD or TRY; only the links, frame and func are used */
    void *panics;        /* the goroutine's running panics when the guard was set */
    rn_panic_info *info; /* TRY: where to put what happened; may be NULL */
#if RN_GUARD_SETJMP
    jmp_buf regs;
#else
    void *regs[RN_GUARD_WORDS];
#endif
} rn_guard;

/* A guard's layout depends on how it is set: program and library must agree, or not link. */
#if RN_GUARD_SETJMP
#define rn_guard_enter rn_guard_enter_setjmp
#endif
RN_API void rn_guard_enter(rn_guard *g, void *frame, const char *func);
static inline void rn_guard_leave(rn_guard *g)
{
    if (RN_LIKELY(g->rec.head != NULL))
        *g->rec.head = g->rec.up;
}
#if RN_GUARD_SETJMP
#define rn_guard_save(g) _setjmp((g)->regs)
#else
/* Like setjmp: 0 now, 1 when a recovered panic comes back here. */
RN_API __attribute__((returns_twice)) int rn_guard_save_regs(void **regs);
#define rn_guard_save(g) rn_guard_save_regs((g)->regs)
#endif

/*
 * rn_recoverable(ret) makes the deferred functions of this function able to recover(): the function
 * then returns ret, evaluated at that time; rn_recoverable() in a function that returns nothing.
 * Deferred calls that have not run yet run first. Costs a few nanoseconds. Use it in the function's
 * outermost block, before or after the defers.
 */
#define rn_recoverable(...) RN_RECOVERABLE_(RN_CAT(rn_guard_, __COUNTER__), __VA_ARGS__)
#define RN_RECOVERABLE_(name, ...)                               \
    rn_guard name __attribute__((cleanup(rn_guard_leave)));      \
    rn_guard_enter(&name, __builtin_frame_address(0), __func__); \
    if (RN_UNLIKELY(rn_guard_save(&name)))                       \
    return __VA_ARGS__

RN_EXTERN_C_END

/* gcc's -Wclobbered (in -Wextra) warns of nearly every variable in a function with rn_recoverable,
 * whether the recovered return reads it or not, and takes no notice of pragmas inside of a
 * function. Define RN_KEEP_CLOBBERED_WARNING before the include to have it all the same. */
#if defined(__GNUC__) && !defined(__clang__) && !defined(RN_KEEP_CLOBBERED_WARNING)
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

#ifndef RN_NO_SHORT_NAMES
#define defer(fn, arg)    rn_defer(fn, arg)
#define defer_fn(fn, arg) rn_defer_fn(fn, arg)
#define defer_close(c)    rn_defer_close(c)
#define defer_unref(c)    rn_defer_unref(c)
#define panic(...)        rn_panic(__VA_ARGS__)
#define recover()         rn_recover()
#endif

#endif
