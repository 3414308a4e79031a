/*
 * platform.h - the machine below runnel: the context switch, the worker word, futex, clock, pages.
 *
 * The only header of this folder that other parts may include.
 *
 * Invariants
 *  - Nothing here knows goroutines beyond "an object whose first word is the saved stack pointer".
 *  - Nothing here returns an address of a thread-local variable or touches `errno` visibly: a caller
 *    may go on on another thread after the next switch.
 */
#ifndef RN_PLATFORM_H
#define RN_PLATFORM_H

#include <runnel/base.h>
#include <stdatomic.h>

#define RN__CACHELINE 64

/* Which tools this build of the library speaks to. One of them at most. */
#if defined(__SANITIZE_THREAD__)
#define RN__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RN__TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define RN__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RN__ASAN 1
#endif
#endif
#ifndef RN__TSAN
#define RN__TSAN 0
#endif
#ifndef RN__ASAN
#define RN__ASAN 0
#endif

/* Client requests are a few idle instructions outside of valgrind. -DRN__VALGRIND=0 leaves them out. */
#if !defined(RN__VALGRIND) && defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#define RN__VALGRIND 1
#endif
#endif
#ifndef RN__VALGRIND
#define RN__VALGRIND 0
#endif

/* ------------------------------------------------------------------------ the context switch */

/* What the switch knows of a goroutine; the first member of struct rn__g. */
typedef struct rn__ctx {
    void *sp;    /* saved stack pointer; meaningful only while not running */
    int64_t ret; /* 0 or 1: what rn__switch returns in this context when it is resumed */
} rn__ctx;

/*
 * Saves the callee-saved state of the caller in *from, loads the stack of *to, then stores `value`
 * to *unlock (release), and goes on in *to, whose rn__switch call returns to->ret.
 *
 * The store comes after the new stack pointer is loaded: whoever sees it may resume `from` at once,
 * and no moment is left at which this thread stands on a stack that another one may use.
 * Written so that a C function may end in `return rn__switch(...)` and be compiled to a jump: the
 * resumed side then goes straight back to the caller of that function ("tail-park").
 */
bool rn__switch(rn__ctx *from, rn__ctx *to, _Atomic(uint64_t) *unlock, uint64_t value);

/*
 * The same, but instead of the store it calls commit(arg) on the new stack, after the old context is
 * saved: for parks that are published by more than one store, and for yields. commit uses little stack
 * and must not switch.
 */
bool rn__switch_call(rn__ctx *from, rn__ctx *to, void (*commit)(void *), void *arg);

/*
 * Makes a context that calls entry() on an empty stack ending at top (16-aligned, exclusive) when it
 * is first switched to. entry must not return. Unwinders stop cleanly at its caller.
 */
void rn__ctx_init(rn__ctx *ctx, void *top, void (*entry)(void));

/* Abandons the current stack frame chain and calls entry() on an empty stack ending at top. */
__attribute__((noreturn)) void rn__ctx_restart(void *top, void (*entry)(void));

/* Calls fn(arg) on the stack ending at top and comes back. */
void rn__call_on(void *top, void (*fn)(void *), void *arg);

/* Lets the unwinder start in a context that is not running: calls fn(arg) on the current stack with
 * unwind information that continues in the frames saved in *ctx. */
void rn__call_unwinding(const rn__ctx *ctx, void (*fn)(void *), void *arg);

/* ---------------------------------------------------------------------------- the worker word */

/*
 * The current thread's struct rn__worker, or NULL on a thread that is not a worker. Compilers may
 * keep the address of a thread-local over a switch that moves the goroutine to another thread, so
 * the word is read by code they cannot see through.
 */
struct rn__worker;
extern __thread struct rn__worker *rn__tls_worker
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

struct rn__worker *rn__self_slow(void); /* an opaque function, for CPUs without an inline form */

static inline struct rn__worker *rn__self(void)
{
    struct rn__worker *w;
#if defined(__x86_64__) && !defined(__ILP32__)
    __asm__ volatile("movq rn__tls_worker@gottpoff(%%rip), %0\n\t"
                     "movq %%fs:(%0), %0"
                     : "=r"(w)
                     :
                     : "memory");
#elif defined(__aarch64__)
    uintptr_t at; /* the word's distance from the thread pointer */
    __asm__ volatile("mrs %0, tpidr_el0\n\t"
                     "adrp %1, :gottprel:rn__tls_worker\n\t"
                     "ldr %1, [%1, #:gottprel_lo12:rn__tls_worker]\n\t"
                     "ldr %0, [%0, %1]"
                     : "=&r"(w), "=&r"(at)
                     :
                     : "memory");
#elif defined(__riscv)
    __asm__ volatile("la.tls.ie %0, rn__tls_worker\n\t"
                     "add %0, %0, tp\n\t"
                     "ld %0, 0(%0)"
                     : "=&r"(w)
                     :
                     : "memory");
#else
    w = rn__self_slow();
#endif
    return w;
}
void rn__set_self(struct rn__worker *w);

/* ------------------------------------------------------------------------------------- futex */

/* A full barrier on every running thread of the process (membarrier.c), and whether this kernel has it. */
bool rn__membarrier_usable(void);
void rn__membarrier(void);

/* Sleeps while *word == expect, at most until `deadline` (rn__clock time; RN_NEVER: no limit). Returns
 * 0 or -ETIMEDOUT; may return early. Private to the process. */
int rn__futex_wait(_Atomic(uint32_t) *word, uint32_t expect, int64_t deadline);

/* Wakes up to n sleepers on word. */
void rn__futex_wake(_Atomic(uint32_t) *word, int n);

/* ------------------------------------------------------------------------------------- clock */

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t rn__clock(void);

/* Sets this thread's timer slack to 1 ns, so that timed sleeps are as exact as the kernel can. */
void rn__clock_precise(void);

/* ------------------------------------------------------------------------------------ CPUs */

/* CPUs that this process may use: affinity mask and cgroup quota (rounded up); at least 1. */
int rn__cpu_count(void);

/* Waits about ns nanoseconds without giving up the CPU; calibrated at the first use. */
void rn__spin(unsigned ns);

static inline void rn__pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#elif defined(__riscv)
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory"); /* pause: a hint everywhere */
#else
    __asm__ volatile("" ::: "memory");
#endif
}

/* ------------------------------------------------------------------------------------ pages */

size_t rn__page_size(void);

/* Reserves n bytes of address space, no memory behind it, aligned to `align` (a power of two).
 * NULL when the address space, the mappings or an rlimit say no. */
void *rn__reserve(size_t n, size_t align);
void rn__release(void *p, size_t n);

/* Gives the memory behind [p, p+n) back to the system; the next touch reads zeros. */
void rn__discard(void *p, size_t n);

/* Makes [p, p+n) fault on access. 0, or a negative errno. Which way it takes is decided at the first
 * use and told by rn__guard_kind: MADV_GUARD_INSTALL, mprotect, or none left (canaries only). */
int rn__guard(void *p, size_t n);

/* The same for `count` ranges of n bytes, the first at p, `stride` bytes apart. Returns how many were
 * made, from the first on; less than count when one failed. */
size_t rn__guard_many(char *p, size_t n, size_t stride, size_t count);

/* Keeps the kernel from backing [p, p+n) with huge pages, which for widely spaced stacks would cost
 * the whole slot at the first touch. */
void rn__no_huge_pages(void *p, size_t n);

/* Asks for huge pages behind [p, p+n), for what is large, dense and walked in no order. */
void rn__huge_pages(void *p, size_t n);
enum { RN__HUGE_PAGE = 2 << 20 };

enum rn__guard_kind { RN__GUARD_MADVISE, RN__GUARD_MPROTECT, RN__GUARD_NONE };
enum rn__guard_kind rn__guard_kind(void);
void rn__guard_force(enum rn__guard_kind k); /* RUNNEL_DEBUG=guard=..., before the first guard */

#endif
