/*
 * sched.h - goroutines and the scheduler's knobs: what the typed `go` macros stand on, and the
 * functions that a goroutine calls about itself.
 *
 * Invariants
 *  - The first use of the runtime by the process's main thread turns it into goroutine 1 on its own
 *    stack. Other threads that runnel did not start are foreign threads: they may use every channel
 *    operation and wait on a futex.
 *  - Returning from main ends the program, whatever other goroutines do.
 *  - Goroutine ids are never reused.
 */
#ifndef RUNNEL_SCHED_H
#define RUNNEL_SCHED_H

#include <runnel/base.h>

RN_EXTERN_C_BEGIN

/* Stack sizes for rn_go_attr.stack. Other values are bytes, rounded up to the next class. */
#define RN_STACK_DEFAULT ((size_t)0)    /* 64 KiB of guarded address space, grown by touch */
#define RN_STACK_SMALL   ((size_t)2048) /* packed, canary instead of a guard page: no printf here */

/* How to start a goroutine. All members may be left zero. */
typedef struct rn_go_attr {
    const char *name RN_OPTIONAL; /* shown in dumps; must outlive the goroutine (a literal does) */
    size_t stack RN_OPTIONAL;     /* RN_STACK_* or bytes; -EINVAL above 256 MiB */
    bool stay RN_OPTIONAL;        /* never migrates to another thread once it has run */
} rn_go_attr;

/* A go statement as dumps show it; must outlive every goroutine started from it (static const). */
typedef struct rn_go_site {
    const char *fname;   /* the function that the goroutine runs */
    const char *creator; /* the function that contains the statement */
    const char *site;    /* "file:line" of the statement */
} rn_go_site;

/*
 * Starts a goroutine that calls fn with a pointer to a copy of the nargs bytes at args (aligned to
 * 16). The copy lives until fn has returned. attr and where may be NULL. Out of descriptors or
 * memory is fatal, as in Go. Never blocks. Go: go f(args).
 */
RN_API void rn_go_start(void (*fn)(void *), const void *args, size_t nargs, const rn_go_attr *attr,
                        const rn_go_site *where);

/* Lets other goroutines run; the caller goes to the tail of the queue. Go: runtime.Gosched. */
RN_API void rn_yield(void);

/* Parks the caller for at least ns nanoseconds; ns <= 0 returns at once. Go: time.Sleep. */
RN_API void rn_sleep(int64_t ns);

/* The monotonic clock in nanoseconds since an unspecified start. Never goes backwards. */
RN_API int64_t rn_now(void);

/* Ends the calling goroutine after running its deferred calls. In main the others run on. */
RN_API __attribute__((noreturn)) void rn_goexit(void);

/* The caller's goroutine id: 1 for main, 0 for a foreign thread. */
RN_API uint64_t rn_goid(void);

/* Number of live goroutines, main included, foreign threads not. Go: runtime.NumGoroutine. */
RN_API int64_t rn_num_goroutine(void);

/* Sets how many workers run goroutines, and returns the old value; n < 1 only asks. The default is
 * RUNNEL_MAXPROCS, else the CPUs that affinity and cgroup quota leave. Go: runtime.GOMAXPROCS. */
RN_API int rn_gomaxprocs(int n);

/* Ties the caller to its thread, and the thread to it, until as many unlocks. Go: LockOSThread. */
RN_API void rn_lock_os_thread(void);
RN_API void rn_unlock_os_thread(void);

/*
 * rn_blocking { ... } marks a block that may block in the kernel: a spare worker takes over the
 * other goroutines meanwhile. Use no channel in it. The mark ends with the block on every path out
 * of it: break and continue (both leave this block only, it is a loop that runs once), return, goto.
 */
RN_API void rn_blocking_enter(void);
RN_API void rn_blocking_leave(void);

static inline RN_UNUSED bool rn__blocking_begin(void)
{
    rn_blocking_enter();
    return true;
}
static inline RN_UNUSED void rn__blocking_end(bool *on_)
{
    (void)on_;
    rn_blocking_leave();
}
#define rn_blocking RN__BLOCKING(RN_CAT(rn__blocking_, __LINE__))
#define RN__BLOCKING(on) \
    for (bool on __attribute__((cleanup(rn__blocking_end))) = rn__blocking_begin(); on; on = false)

/* Calls fn(arg) on a large system stack and returns: for deep library calls from small stacks. The
 * callee must not block in runnel. */
RN_API void rn_on_system_stack(void (*fn)(void *), void *arg);

/*
 * Embeds the runtime: the calling thread (not a goroutine) becomes a worker and runs fn(arg) as
 * goroutine 1; returns when fn has returned. 0, or -EBUSY inside the runtime or while another
 * rn_run is active, -ENOMEM.
 */
RN_API int rn_run(void (*fn)(void *), void *arg);

RN_EXTERN_C_END

#endif
