/*
 * catch.c - from the operating system's signal to the thread that delivers it.
 *
 * The handler sets a bit and posts a futex, and that is all. The thread takes the bits and hands them
 * to register.c. It is a thread of its own because every worker may be computing, and because it can
 * take signals that all other threads block: it is the one that has them unblocked.
 *
 * Invariants
 *  - The handler touches three atomic words and makes one system call; it runs on the alternate stack
 *    where there is one, for the thread it interrupts may stand on a small goroutine stack.
 *  - delivering counts handlers that have begun, and pending keeps a bit until the thread has taken it,
 *    which it says by `busy` first: so all three at rest means that all has been delivered.
 *  - saved[n] holds what was there before our first change of signal n; `changed` says whether there was
 *    one.
 *  - The thread is none of the program's: it counts as known, ends solo mode only while it delivers, and
 *    registers with nobody. It is no source of events for the verdict; registrations are (register.c).
 */
#define _GNU_SOURCE
#include "signal.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

#if RN__TSAN
/* ThreadSanitizer's own sigaction puts signals off until the thread calls something that it watches; a
 * thread that sleeps in our futex never does. Nothing in our handler needs to be watched. */
int __sigaction(int sig, const struct sigaction *sa, struct sigaction *old);
#define sigaction(sig, sa, old) __sigaction(sig, sa, old)
#endif

rn__lock rn__signal_lock;

static _Atomic(rn__sigset) pending;  /* arrived, not taken by the thread */
static _Atomic(uint32_t) arrivals;   /* futex: changes with every arrival */
static _Atomic(uint32_t) delivering; /* handlers that are running */
static _Atomic(uint32_t) busy;       /* the thread has taken bits and not sent them all */

static bool started;               /* the thread exists; lock */
static rn__sigset changed;         /* we have installed something for these; lock */
static struct sigaction saved[64]; /* what was there; lock */

/* ------------------------------------------------------------------------------------- handler */

/* All accesses seq_cst: rn__signal_wait reads them in the opposite order. */
static void on_signal(int sig)
{
    atomic_fetch_add(&delivering, 1);
    atomic_fetch_or(&pending, rn__sig_bit(sig));
    atomic_fetch_add(&arrivals, 1);
    rn__futex_wake(&arrivals, 1);
    atomic_fetch_sub(&delivering, 1);
}

rn__sigset rn__signal_possible(void)
{
    rn__sigset set = 0;
    for (int sig = 1; sig <= 64; sig++) {
        /* the C library keeps those between the last old signal and the first one of real time */
        if (sig <= 31 || sig >= SIGRTMIN)
            set |= rn__sig_bit(sig);
    }
    static const int never[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        set &= ~rn__sig_bit(never[i]);
    return set;
}

static void install(rn__sigset set, const struct sigaction *sa)
{
    for (int sig = 1; sig <= 64; sig++) {
        rn__sigset bit = rn__sig_bit(sig);
        struct sigaction *old = (changed & bit) ? NULL : &saved[sig - 1];
        if ((set & bit) && sigaction(sig, sa, old) == 0)
            changed |= bit;
    }
}

void rn__signal_catch(rn__sigset set)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = on_signal;
    sa.sa_flags = SA_ONSTACK | SA_RESTART;
    sigfillset(&sa.sa_mask); /* one frame on the alternate stack is enough */
    install(set, &sa);
}

void rn__signal_discard(rn__sigset set)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = SIG_IGN;
    install(set, &sa);
}

void rn__signal_restore(rn__sigset set)
{
    for (int sig = 1; sig <= 64; sig++) {
        rn__sigset bit = rn__sig_bit(sig);
        const struct sigaction *old = &saved[sig - 1];
        if ((set & changed & bit) && sigaction(sig, old, NULL) == 0)
            changed &= ~bit;
    }
}

/* -------------------------------------------------------------------------------------- thread */

static void deliver(rn__sigset set)
{
    while (set != 0) {
        /* a few at a time: each may wake somebody in each of many channels */
        rn__sigset some = set & -set;
        set &= ~some;
        rn__sig_woken woken = {.n = 0};
        rn__service_begin();
        rn__lock_take(&rn__signal_lock);
        rn__signal_deliver(some, &woken);
        rn__lock_drop(&rn__signal_lock);
        for (int i = 0; i < woken.n; i++)
            rn__partner_ready(woken.who[i]);
        rn__service_end();
    }
}

static void *run(void *arg)
{
    (void)arg;
    rn__service_enter();
    sigset_t all;
    RN__OWN_BEGIN();
    sigemptyset(&all);
    for (int sig = 1; sig <= 64; sig++) {
        if (rn__signal_possible() & rn__sig_bit(sig))
            sigaddset(&all, sig);
    }
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    RN__OWN_END();
    for (;;) {
        uint32_t seen = atomic_load(&arrivals);
        atomic_store(&busy, 1);
        rn__sigset set = atomic_exchange(&pending, 0);
        deliver(set);
        atomic_store(&busy, 0);
        if (set == 0)
            rn__futex_wait(&arrivals, seen, RN_NEVER);
    }
    return NULL;
}

/* On a system stack: goroutines' may be too small. */
static void create(void *result)
{
    pthread_t t;
    *(int *)result = rn__thread_create(&t, 256 * 1024, false, run, NULL);
}

/* Without the lock; two that come at the same time are told apart by it. */
int rn__signal_start(void)
{
    rn__lock_take(&rn__signal_lock);
    bool make = !started;
    started = true;
    rn__lock_drop(&rn__signal_lock);
    if (!make)
        return 0;
    int err = 0;
    rn_on_system_stack(create, &err);
    if (err != 0) {
        rn__lock_take(&rn__signal_lock);
        started = false;
        rn__lock_drop(&rn__signal_lock);
    }
    return err;
}

void rn__signal_wait(void)
{
    for (unsigned round = 0;; round++) {
        if (atomic_load(&delivering) == 0 && atomic_load(&pending) == 0 && atomic_load(&busy) == 0)
            return;
        if (round < 16)
            rn__backoff(round, true);
        else
            rn_sleep(50 * RN_US);
    }
}
