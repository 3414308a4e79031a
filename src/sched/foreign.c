/*
 * foreign.c - threads that runnel did not start: each gets a record that looks like a goroutine, and
 * waits on a futex instead of switching.
 *
 * Invariants
 *  - ext counts the foreign threads that have entered and are neither parked in the library nor gone.
 *    The waker of a parked one counts it in again before it leaves (models/deadlock, bad-ext-late).
 *  - A record lives as long as its thread and is then kept for the next thread: records are
 *    type-stable like descriptors.
 */
#include "runq.h"
#include <pthread.h>
#include <stdlib.h>

typedef struct foreign {
    rn__g g;              /* must be first */
    struct foreign *next; /* all records, newest first; never unlinked */
    _Atomic(bool) taken;  /* a live thread owns it */
} foreign;

static foreign *_Atomic all; /* pushed by CAS (release), walked without a lock (acquire) */
static pthread_key_t key;    /* its destructor gives the record back */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static __thread bool exempt __attribute__((tls_model("initial-exec"))); /* the watcher */
static __thread foreign *mine __attribute__((tls_model("initial-exec")));

/* A thread exits: it will wake nobody any more. */
static void leave(void *arg)
{
    foreign *f = arg;
    mine = NULL;
    atomic_store_explicit(&f->g.status, RN__DEAD, memory_order_relaxed);
    f->g.defers = NULL;
    f->g.id = 0;
    atomic_store(&f->taken, false);
    rn__crowd_add(-1);
    atomic_fetch_sub(&rn__sched.known_threads, 1);
    atomic_fetch_sub(&rn__sched.ext, 1); /* seq_cst: then the check */
    rn__deadlock_check();
}

static void make_key(void)
{
    if (pthread_key_create(&key, leave) != 0)
        rn__fatal("out of thread-specific keys");
}

/* Whether this thread has a record already. */
bool rn__foreign_known(void)
{
    return mine != NULL &&
           RN_LIKELY(!atomic_load_explicit(&rn__sched.forked, memory_order_relaxed));
}

/* The watcher is no foreign thread; it ends solo mode by itself when it has to. */
void rn__foreign_exempt(void)
{
    exempt = true;
}

void rn__service_enter(void)
{
    rn__foreign_exempt();
    atomic_fetch_add(&rn__sched.known_threads, 1);
}

void rn__service_begin(void)
{
    rn__crowd_add(1);
}

void rn__service_end(void)
{
    rn__crowd_add(-1);
}

void rn__source_add(int n)
{
    atomic_fetch_add(&rn__sched.ext, n); /* seq_cst: then the check */
    if (n < 0)
        rn__deadlock_check();
}

void rn__meet(void)
{
    if (RN_UNLIKELY(mine == NULL && !exempt && rn__self() == NULL))
        rn__current();
}

/* The thread is a worker for a while (rn_run), and counts as one. */
void rn__foreign_suspend(void)
{
    if (mine != NULL)
        atomic_fetch_sub(&rn__sched.ext, 1);
}
void rn__foreign_resume(void)
{
    if (mine != NULL)
        atomic_fetch_add(&rn__sched.ext, 1);
}

rn__g *rn__foreign_current(void)
{
    if (RN_LIKELY(mine != NULL))
        return &mine->g;
    pthread_once(&once, make_key);
    foreign *f;
    for (f = atomic_load_explicit(&all, memory_order_acquire); f != NULL; f = f->next) {
        bool no = false;
        if (atomic_compare_exchange_strong(&f->taken, &no, true))
            break;
    }
    if (f == NULL) {
        RN__OWN_BEGIN();
        f = aligned_alloc(RN__CACHELINE,
                          (sizeof *f + RN__CACHELINE - 1) / RN__CACHELINE * RN__CACHELINE);
        RN__OWN_END();
        if (f == NULL)
            rn__fatal("out of memory");
        *f = (foreign){0};
        atomic_store(&f->taken, true);
        f->g.flags = RN__G_FOREIGN;
        foreign *head = atomic_load_explicit(&all, memory_order_relaxed);
        do
            f->next = head;
        while (!atomic_compare_exchange_weak_explicit(&all, &head, f, memory_order_release,
                                                      memory_order_relaxed));
    }
    rn__crowd_add(1); /* from now on more than one thread is at the channels */
    f->g.id = (uint64_t)(uintptr_t)pthread_self();
    atomic_store_explicit(&f->g.status, RN__RUNNING, memory_order_relaxed);
    atomic_fetch_add(&rn__sched.ext, 1);
    atomic_fetch_add(&rn__sched.known_threads, 1); /* after ext: see strangers() */
    pthread_setspecific(key, f);
    mine = f;
    return &f->g;
}

/* Waits for the waker's post. The thread is no source of events meanwhile. */
static void wait(rn__g *g)
{
    atomic_fetch_sub(&rn__sched.ext, 1); /* seq_cst: then the check */
    rn__deadlock_check();
    while (atomic_load_explicit(&g->permit, memory_order_acquire) != RN__PERMIT_NOTIFIED)
        rn__futex_wait(&g->permit, RN__PERMIT_RUNNING, RN_NEVER);
    /* the waker has counted us in again */
    atomic_store_explicit(&g->permit, RN__PERMIT_RUNNING, memory_order_relaxed);
    atomic_store_explicit(&g->status, RN__RUNNING, memory_order_relaxed);
}

bool rn__foreign_park_locked(rn__g *g, _Atomic(uint64_t) *unlock, uint64_t value)
{
    /* release: the lock's; nothing of ours need be saved, we keep our stack */
    atomic_store_explicit(unlock, value, memory_order_release);
    wait(g);
    return g->ctx.ret != 0;
}

/* A permit park: the same, the notification may have come already. */
void rn__foreign_park(rn__g *g)
{
    wait(g);
}

void rn__foreign_wake(rn__g *g)
{
    atomic_fetch_add(&rn__sched.ext, 1); /* before we leave, on its behalf */
    /* release: publishes won_*, ctx.ret and the element. The record outlives its thread, so the
     * futex call after the store is safe. */
    atomic_store_explicit(&g->permit, RN__PERMIT_NOTIFIED, memory_order_release);
    rn__futex_wake(&g->permit, 1);
}

void rn__for_each_foreign(void (*fn)(rn__g *g, void *arg), void *arg)
{
    for (foreign *f = atomic_load_explicit(&all, memory_order_acquire); f != NULL; f = f->next) {
        if (atomic_load(&f->taken))
            fn(&f->g, arg);
    }
}
