/*
 * sync.h - mutex, wait group and once for goroutines and foreign threads alike.
 *
 * Each is a plain struct that may live anywhere: static, on a stack, inside other structs. A waiting
 * goroutine parks and its worker runs others; a waiting foreign thread sleeps in the kernel.
 *
 * Invariants
 *  - The zero value is ready: an unlocked mutex, a wait group at zero, a once that has not run.
 *    There is nothing to destroy.
 *  - None of them may be copied or moved after its first use.
 *  - An operation that has released somebody never touches the object again: as soon as your lock,
 *    wait or do has returned you may free the memory, wherever the thread is that let you through.
 *  - What came before an unlock, a done, or the end of a once's function is visible after the lock,
 *    the wait, or the do that it let through.
 *
 * The members are private. The names without _at are macros that add the place of the call, which
 * dumps and panics show.
 */
#ifndef RUNNEL_SYNC_H
#define RUNNEL_SYNC_H

#include <runnel/base.h>

RN_EXTERN_C_BEGIN

struct rn__g;
struct rn__sudog;

/* -------------------------------------------------------------------------------------- mutex */

/* Mutual exclusion. Go: sync.Mutex. */
typedef struct rn_mutex {
    uint64_t rn_word;          /* locked, queue and mode bits */
    struct rn__sudog *rn_head; /* who waits, in order */
    struct rn__g *rn_owner;    /* who locked it last; shown in dumps */
    const char *rn_site;       /* where */
    uintptr_t rn_self;         /* for builds that look for copies */
} __attribute__((aligned(8))) rn_mutex;

/*
 * Locks m; blocks while somebody else holds it. Not recursive: locking twice in one goroutine waits
 * for ever. A waiter that has been passed over for 1 ms gets the mutex handed over before newcomers.
 * Go: m.Lock().
 */
RN_API RN_NONNULL void rn_mutex_lock_at(rn_mutex *m, const char *site);
#define rn_mutex_lock(m) rn_mutex_lock_at((m), RN_HERE)

/*
 * The same until the deadline, absolute on rn_now(): 0, or -ETIMEDOUT without the lock. RN_NEVER waits for
 * ever, a past deadline tries. Whoever gives up loses no wake-up and no hand-over: the next one gets it.
 */
RN_API RN_NONNULL int rn_mutex_lock_until_at(rn_mutex *m, int64_t deadline, const char *site);
#define rn_mutex_lock_until(m, deadline) rn_mutex_lock_until_at((m), (deadline), RN_HERE)

/* Locks m if that is possible at once, and says whether it did. Never blocks. Go: m.TryLock(). */
RN_API RN_NONNULL bool rn_mutex_trylock_at(rn_mutex *m, const char *site);
#define rn_mutex_trylock(m) rn_mutex_trylock_at((m), RN_HERE)

/*
 * Unlocks m. Any goroutine or thread may do it, not only the one that locked. Ends the program with
 * "fatal error: sync: unlock of unlocked mutex" if it is not locked; no recover stops that.
 * Go: m.Unlock().
 */
RN_API RN_NONNULL void rn_mutex_unlock_at(rn_mutex *m, const char *site);
#define rn_mutex_unlock(m) rn_mutex_unlock_at((m), RN_HERE)

/* --------------------------------------------------------------------------------- wait group */

/* Waits for a number of things to be done. Go: sync.WaitGroup. */
typedef struct rn_waitgroup {
    uint64_t rn_count; /* things to be done << 32 | waiters */
    uint64_t rn_queue; /* the first waiter's place and a lock bit, or who was released last */
    uintptr_t rn_self; /* for builds that look for copies */
} __attribute__((aligned(8))) rn_waitgroup;

/*
 * Adds n, which may be negative, to the counter; at zero all waiters go on. Never blocks. Call it
 * before the `go` it stands for. Panics "sync: negative WaitGroup counter", and, as far as it is
 * noticed, "sync: WaitGroup misuse: Add called concurrently with Wait" when the counter leaves zero
 * while somebody already waits, and "sync: WaitGroup is reused before previous Wait has returned" when it
 * does so before those who were released have run. Go: wg.Add(n), where the latter panics in the wait.
 */
RN_API RN_NONNULL void rn_waitgroup_add_at(rn_waitgroup *wg, int n, const char *site);
#define rn_waitgroup_add(wg, n) rn_waitgroup_add_at((wg), (n), RN_HERE)

/* Adds -1. Go: wg.Done(). */
#define rn_waitgroup_done(wg)   rn_waitgroup_add_at((wg), -1, RN_HERE)

/*
 * Blocks until the counter is zero; any number may wait. The group may be used again once all waits
 * have returned. Go: wg.Wait().
 */
RN_API RN_NONNULL void rn_waitgroup_wait_at(rn_waitgroup *wg, const char *site);
#define rn_waitgroup_wait(wg) rn_waitgroup_wait_at((wg), RN_HERE)

/* The same until the deadline: 0, or -ETIMEDOUT while the counter is not zero. The group must stay until such
 * a wait has returned, whoever else has been released. A past deadline looks. */
RN_API RN_NONNULL int rn_waitgroup_wait_until_at(rn_waitgroup *wg, int64_t deadline,
                                                 const char *site);
#define rn_waitgroup_wait_until(wg, deadline) rn_waitgroup_wait_until_at((wg), (deadline), RN_HERE)

/* In front of the arguments of a goroutine that a wait group waits for. */
typedef struct rn_waitgroup_job {
    rn_waitgroup *wg;
    void (*run)(void *args);
} __attribute__((aligned(16))) rn_waitgroup_job;

/* What such a goroutine runs: the job, then done. */
RN_API void rn_waitgroup_run(void *job);

#ifndef __cplusplus
/*
 * rn_waitgroup_go(wg, fn, args...) adds one, starts a goroutine that calls fn(args...), as go does,
 * and counts it done when fn has returned or ended by rn_goexit. Not when it panics: the panic is
 * what the program shall end with. Needs <runnel/go.h> and GO_FUNC(fn, types...). C only.
 * Go: wg.Go(f).
 */
#define rn_waitgroup_go(wg, ...) RN_CAT(RN__WG_GO_, RN__IS_ONE(__VA_ARGS__))(wg, __VA_ARGS__)
#define RN__WG_GO_1(wg_, fn)                                                             \
    __extension__({                                                                      \
        (void)rn_GO_FUNC_missing_for_##fn;                                               \
        rn_waitgroup_job rn__job = {(wg_), rn_go_run_##fn};                              \
        rn_waitgroup_add(rn__job.wg, 1);                                                 \
        rn_go_start(rn_waitgroup_run, &rn__job, sizeof rn__job, NULL, RN__GO_SITE(#fn)); \
    })
#define RN__WG_GO_0(wg_, fn, ...)                                                        \
    __extension__({                                                                      \
        (void)rn_GO_FUNC_missing_for_##fn;                                               \
        struct {                                                                         \
            rn_waitgroup_job job;                                                        \
            struct rn_go_args_##fn args;                                                 \
        } rn__job = {{(wg_), rn_go_run_##fn}, {__VA_ARGS__}};                            \
        rn_waitgroup_add(rn__job.job.wg, 1);                                             \
        rn_go_start(rn_waitgroup_run, &rn__job, sizeof rn__job, NULL, RN__GO_SITE(#fn)); \
    })
#endif

/* --------------------------------------------------------------------------------------- once */

/* Runs a function once. Go: sync.Once. */
typedef struct rn_once {
    uint64_t rn_word;        /* 0 fresh, 1 done, else running: waiters and a lock bit */
    struct rn__g *rn_runner; /* who runs the function; shown in dumps */
    uintptr_t rn_self;       /* for builds that look for copies */
} __attribute__((aligned(8))) rn_once;

/* The way of a call that does not find the function finished. Use rn_once_do or rn_once_do1. */
RN_API void rn_once_slow(rn_once *once, void (*fn0)(void), void (*fn1)(void *), void *arg,
                         const char *site);

/*
 * Calls fn() if this is the first call with this once; otherwise blocks until that first call has
 * finished. A call that ended by a panic or by rn_goexit counts as finished. Calling it from inside
 * its own fn waits for ever. Once finished it costs one load. Go: once.Do(fn).
 */
static inline void rn_once_do_at(rn_once *once, void (*fn)(void), const char *site)
{
    /* acquire: pairs with the store after fn, so that its effects are seen */
    if (RN_UNLIKELY(__atomic_load_n(&once->rn_word, __ATOMIC_ACQUIRE) != 1))
        rn_once_slow(once, fn, NULL, NULL, site);
}
#define rn_once_do(once, fn) rn_once_do_at((once), (fn), RN_HERE)

/* The same for a function with an argument: fn(arg). */
static inline void rn_once_do1_at(rn_once *once, void (*fn)(void *), void *arg, const char *site)
{
    if (RN_UNLIKELY(__atomic_load_n(&once->rn_word, __ATOMIC_ACQUIRE) != 1))
        rn_once_slow(once, NULL, fn, arg, site);
}
#define rn_once_do1(once, fn, arg) rn_once_do1_at((once), (fn), (arg), RN_HERE)

RN_EXTERN_C_END

#endif
