/*
 * thread.c - workers and their threads.
 *
 * Invariants
 *  - A worker is made cold, asleep, and in a list; its thread is created by whoever wakes it first.
 *    Workers are never freed. When a goroutine ends that holds its thread, the thread ends, too, and
 *    the worker is cold again.
 *  - Threads are created on a system stack: a goroutine's may be too small.
 *  - All signals are blocked in our threads, except those that a fault raises and SIGQUIT.
 */
#define _GNU_SOURCE
#include "runq.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#if RN__TSAN
void AnnotateBenignRaceSized(const char *file, int line, const volatile void *mem, size_t size,
                             const char *what);
#endif

/* Calls fn(arg) on a system stack: the worker's g0 if we stand on a goroutine's stack. */
void rn__on_g0(void (*fn)(void *), void *arg)
{
    rn__worker *w = rn__self();
    if (w == NULL || w->hot.cur == NULL || w->g0.sp == NULL) {
        fn(arg);
        return;
    }
    rn_on_system_stack(fn, arg);
}

/* Makes a worker; NULL if the table is full or memory is out. Normal ones go into the idle list. */
rn__worker *rn__worker_new(bool spare)
{
    size_t size = (sizeof(rn__worker) + 4095) & ~(size_t)4095;
    size_t sights = sizeof(rn__sight) * RN__WORKERS_MAX;
    rn__worker *w = rn__reserve(size + sights, 4096); /* zeroed, touched as used */
    if (w == NULL)
        return NULL;
#if RN__ASAN
    __lsan_register_root_region(w, size);
#endif
    w->sight = (rn__sight *)(void *)((char *)w + size);
    atomic_store(&w->timers.first, RN_NEVER);
    w->cold = true;
    w->asleep = true;
    w->spare = spare;
    w->hot.rng = ((uint64_t)(uintptr_t)w << 32 ^ (uint64_t)rn__clock()) | 1;
    rn__hot_rand(&w->hot);
    if (rn__det())
        atomic_fetch_or(&w->urgent, RN__URGENT_DET);

    rn__lock_take(&rn__sched.boot_lock);
    int n = atomic_load(&rn__sched.nworkers);
    if (n < RN__WORKERS_MAX) {
        w->index = n;
        /* release, both: a thief sees the worker whole */
        atomic_store_explicit(&rn__sched.worker[n], w, memory_order_release);
        atomic_store_explicit(&rn__sched.nworkers, n + 1, memory_order_release);
    }
    rn__lock_drop(&rn__sched.boot_lock);
    if (n >= RN__WORKERS_MAX) {
        rn__release(w, size + sights);
        return NULL;
    }
    if (!spare) {
        rn__lock_take(&rn__sched.idle_lock);
        rn__sched.nnormal++;
        w->idle_next = rn__sched.idle;
        rn__sched.idle = w;
        atomic_fetch_add_explicit(&rn__sched.nsleep, 1, memory_order_relaxed);
        rn__lock_drop(&rn__sched.idle_lock);
    }
    return w;
}

static void *worker_main(void *arg)
{
    rn__worker *w = arg;
    atomic_fetch_add(&rn__sched.known_threads, 1);
    atomic_store(&w->tid, (int)syscall(SYS_gettid));
    rn__set_self(w);
    rn__overflow_thread_enter();
#if RN__TSAN
    w->tsan_g0 = __tsan_get_current_fiber();
    /* errno belongs to the thread; all goroutines that come by may read and write it, one at a time */
    AnnotateBenignRaceSized(__FILE__, __LINE__, &errno, sizeof errno, "errno is the thread's");
#endif
#if RN__ASAN
    pthread_attr_t attr;
    void *lo;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &lo, &w->g0_size);
        w->g0_lo = lo;
        pthread_attr_destroy(&attr);
    }
#endif
    w->ours = true;
    rn__g0_loop(w); /* comes back when the thread shall end; w may be another thread's by then */
    rn__overflow_thread_leave();
    atomic_fetch_sub(&rn__sched.known_threads, 1);
    return NULL;
}

int rn__thread_create(pthread_t *t, size_t stack, bool runs_goroutines, void *(*run)(void *),
                      void *arg)
{
    static const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                                 SIGTRAP, SIGABRT, SIGSYS, SIGQUIT};
    sigset_t block, old;
    RN__OWN_BEGIN();
    sigfillset(&block);
    for (size_t i = 0; runs_goroutines && i < sizeof faults / sizeof *faults; i++)
        sigdelset(&block, faults[i]);
    pthread_sigmask(SIG_SETMASK, &block, &old); /* inherited by the new thread */
    RN__OWN_END();
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, stack);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int e = pthread_create(t, &attr, run, arg);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -e;
}

static void create(void *arg)
{
    rn__worker *w = arg;
    int e = rn__thread_create(&w->thread, 1024 * 1024, true, worker_main, w);
    if (e != 0)
        rn__fatal("cannot create a worker thread (error %d): raise the limit on threads "
                  "(ulimit -u, kernel.threads-max) or lower RUNNEL_MAXPROCS",
                  -e);
}

/* The first wake-up of a cold worker; its waker has made it active and counted it as searching. */
void rn__thread_start(rn__worker *w)
{
    w->started = true;
    rn__on_g0(create, w);
}
