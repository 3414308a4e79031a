/*
 * engine.h - explores every interleaving of a few threads that run the library's own C code.
 *
 * The threads are coroutines on fixed stacks. Before each atomic access (fake/stdatomic.h) and at each
 * park and ready a thread comes back to the explorer, which decides who makes the next step. A state
 * is the program's writable data, the heap of the test and the live parts of the stacks; it is saved,
 * restored and compared by a 128-bit hash, so a state that was reached before is not explored again, and
 * "all interleavings" means all of them.
 *
 * Invariants
 *  - Everything that the threads can change lies in the program's .data and .bss, in il_malloc's heap or
 *    on the threads' stacks. The explorer's own state lies elsewhere.
 *  - A step is deterministic: the same thread from the same state does the same.
 *  - Relaxed loads and stores need no points where they touch what the thread owns or holds locked, or
 *    only guess what a compare-exchange then decides: a guess made earlier is one that could have
 *    been made. That is what the library uses them for; `fine` cases try them all the same.
 *  - A thread that waits for a lock is not enabled until the word that it saw has changed; so waiting
 *    costs no states, and a lock that is never released is found as a thread that never goes on.
 */
#ifndef IL_ENGINE_H
#define IL_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IL_THREADS = 4 };

typedef struct il_case {
    const char *name;
    int threads;         /* at most IL_THREADS */
    bool tso;            /* with store buffers */
    bool fine;           /* relaxed loads and stores are scheduling points, too */
    void (*setup)(void); /* makes the objects */
    void (*body)(int t); /* what thread t does */
    void (*final)(void); /* checks a state in which nobody can go on */
    int mixes;           /* 0, or: explore this many variants, which il_mix() tells apart */
} il_case;

/* Explores the case. Prints one line, or the way to the first violation. True if there is none. */
bool il_explore(const il_case *c);

/* Which variant is explored, 0 to mixes-1. */
int il_mix(void);
/* In setup: the variant is a renaming of another one; leaves it out. */
void il_skip(void);

/* The running thread, 0.. ; -1 in setup and final. */
int il_self(void);

/* A violation: tells why and ends the exploration. */
__attribute__((noreturn, format(printf, 1, 2))) void il_fail(const char *fmt, ...);
#define IL_CHECK(cond) ((cond) ? (void)0 : il_fail("%s:%d: %s", __FILE__, __LINE__, #cond))

/* A number below n; all of them are explored. */
unsigned il_choose(unsigned n);

/* Waits for the word that this thread accessed last to change. */
void il_spin(void);

/* Parks the running thread until il_wake; the store to *unlock is part of the step. */
void il_park(volatile void *unlock, uint64_t value);
void il_wake(int t);
bool il_parked(int t); /* and not woken */
bool il_done(int t);   /* its body has returned, or it has ended itself */

/* Ends the running thread where it stands. */
__attribute__((noreturn)) void il_end(void);

/* The heap of the code under test. Freed memory is never used again, and access to it is found. */
void *il_malloc(size_t n);
void *il_calloc(size_t n, size_t size);
void *il_aligned_alloc(size_t align, size_t n);
void il_free(void *p);

/* Called once at the start; the place for il_exclude. */
void il_begin(void);

/* In il_begin: leaves a piece of the program's data out of the state; nothing in it changes. */
void il_exclude(void *p, size_t n);

/* Called before thread t goes on: what belongs to the thread, but not to its stack. */
void il_enter(int t);

/* Empties the store buffers of all threads: membarrier. */
void il_drain_all(void);

/* Accesses to this memory are no scheduling points: dump-only fields, settings that never change. */
bool il_quiet(const volatile void *addr);

#endif
