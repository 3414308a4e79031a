/*
 * panic.h - how the parts above and below raise panics, end goroutines and describe what they wait
 * on.
 *
 * The only header of this folder that other parts may include.
 *
 * Invariants
 *  - Deferred records are linked on rn__g.defers, newest first; running panics on rn__gext.panic.
 *    Both are touched by the goroutine itself only; dumps read them after the program is doomed.
 *  - Printing of a fatal error happens once: the first one wins, later ones wait for the exit.
 *  - Everything reached from a dump is usable in a signal handler: no malloc, no stdio, no lock
 *    that could be held by the interrupted code.
 */
#ifndef RN_PANIC_H
#define RN_PANIC_H

#include "../sched/sched.h"
#if RN__TSAN && !defined(RN_GUARD_SETJMP)
#define RN_GUARD_SETJMP 1 /* the library is not instrumented, the program is */
#endif
#include <runnel/panic.h>

/* Panics with a runtime error. text is Go's, printed bare; extra (or NULL) is what C can add and is
 * printed on a line of its own behind a tab; it may stand in the caller's frame. site:
 * "file:line" of the operation. */
RN_COLD __attribute__((noreturn)) void rn__panic_runtime(const char *site, const char *extra,
                                                         const char *text);

/* Describes what a goroutine waits on, in words that fit in parentheses behind the name of the
 * operation: `chan int "jobs", len 0, cap 4, made at a.c:5`. Writes at most n bytes with the NUL;
 * an empty text for "nothing to say". Async-signal-safe. Set by chan/; NULL: addresses only. */
extern void (*rn__describe_object)(enum rn__reason reason, const void *obj, char *buf, size_t n);

/* The same for the objects of sync/; asked if the other one has nothing to say. Set by sync/. */
extern void (*rn__describe_sync)(enum rn__reason reason, const void *obj, char *buf, size_t n);

/* Writes the dumps of n goroutines that are not running to fd, a blank line between two. */
void rn__dump_list(int fd, rn__g *const *g, size_t n);

/* Calls fn(arg) where there is room for libc: on the system stack if g, the caller, has a small one. */
void rn__roomy(const rn__g *g, void (*fn)(void *), void *arg);

/* Sets rn__deadlock_report. Called by the scheduler's start-up, before the first goroutine. */
void rn__panic_init(void);

/* Installs the SIGQUIT handler if SIGQUIT has its default action: dumps all goroutines and exits
 * with status 2. Needs at least one thread with SIGQUIT unblocked; runs on the alternate stack
 * where the thread has one. */
void rn__sigquit_install(void);

/* For rn__overflow_install: names the goroutine whose stack overflowed, and exits with status 2. */
void rn__overflow_report(const void *addr, char *slot_lo, char *slot_hi);

#endif
