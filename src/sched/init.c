/*
 * init.c - the start of the runtime: settings, the first worker, goroutine 1, rn_run.
 *
 * Invariants
 *  - rn__init runs once, on whichever thread comes first. If it is the process's main thread, that
 *    thread becomes the first worker and what it is doing becomes goroutine 1, on the thread's own stack.
 *  - A main thread that has not come yet counts as a foreign thread that is awake: it may still wake
 *    everybody. rn_run ends that, since it brings its own goroutine 1.
 *  - After fork the child may do anything but use runnel; any use is a fatal error that says so.
 */
#define _GNU_SOURCE
#include "runq.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

rn__scheduler rn__sched;
_Atomic(int64_t) rn__coarse;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static rn__stack own_stack; /* stands for a thread's own stack, so that main counts as bound */

static _Atomic(bool) main_to_come; /* the main thread is counted in ext although it is not here */
static _Atomic(bool) id_one_used;

/* Goroutine 1 is here, or nobody will be it: the main thread's place in ext is given up. */
static void main_has_come(void)
{
    if (atomic_exchange(&main_to_come, false))
        atomic_fetch_sub(&rn__sched.ext, 1);
}

static uint64_t take_id_one(rn__worker *w)
{
    return atomic_exchange(&id_one_used, true) ? rn__g_new_id(w) : 1;
}

/* The bounds of the calling thread's stack; for ASan and for dumps. */
static void thread_bounds(const void **lo, size_t *size)
{
    pthread_attr_t attr;
    void *p;
    if (pthread_getattr_np(pthread_self(), &attr) != 0)
        return;
    if (pthread_attr_getstack(&attr, &p, size) == 0)
        *lo = p;
    pthread_attr_destroy(&attr);
}

static bool on_main_thread(void)
{
    return syscall(SYS_gettid) == getpid();
}

static void forked_child(void)
{
    atomic_store(&rn__sched.forked, true);
    rn__set_self(NULL);
}

#if RN__ASAN
/* What only a goroutine's stack points to is no leak: shows the stacks to the leak checker, which runs
 * after us at exit. */
static void show_stack(rn__g *g, void *arg)
{
    (void)arg;
    if (g->stack == NULL || (g->flags & RN__G_OWNSTACK))
        return;
    const char *lo = g->ctx.sp, *top = rn__stack_top(g->stack);
    if (atomic_load(&g->status) == RN__RUNNING || lo < g->stack->lo || lo > top)
        lo = g->stack->lo;
    __lsan_register_root_region(lo, (size_t)(top - lo));
}
static void show_stacks(void)
{
    rn__for_each_g(show_stack, NULL);
}
#endif

static void start(void)
{
#if RN__ASAN
    atexit(show_stacks);
#endif
    rn__config_read();
    rn__policy_init();
    rn__solo_init();
    rn__gs_init();
    int n = rn__cfg.maxprocs > 0 ? rn__cfg.maxprocs : rn__cpu_count();
    if (n > RN__WORKERS_MAX / 2)
        n = RN__WORKERS_MAX / 2;
    rn__sched.nprocs = rn__cfg.deterministic ? 1 : n;
    rn__note_clock(rn__clock());
    rn__spin(1); /* calibrates */
    rn__panic_init();
    rn__overflow_install(rn__overflow_report);
    rn__sigquit_install();
    pthread_atfork(NULL, NULL, forked_child);
    rn__adjust_workers();
    if (!on_main_thread()) {
        atomic_store(&main_to_come, true);
        atomic_fetch_add(&rn__sched.ext, 1);
    }
    atomic_store(&rn__sched.started, true);
}

/* Turns the calling thread into an active normal worker. It takes the place of a cold one if it can. */
static rn__worker *become_worker(void)
{
    rn__worker *w = NULL;
    for (int pass = 0; pass < 2 && w == NULL; pass++) {
        rn__lock_take(&rn__sched.idle_lock);
        for (rn__worker **p = &rn__sched.idle; *p != NULL; p = &(*p)->idle_next) {
            if ((*p)->cold) {
                w = *p;
                *p = w->idle_next;
                atomic_fetch_sub_explicit(&rn__sched.nsleep, 1, memory_order_relaxed);
                rn__solo_leave_locked();
                w->cold = false;
                w->asleep = false;
                atomic_fetch_add(&rn__sched.live, (UINT64_C(1) << 32) + 1);
                break;
            }
        }
        rn__lock_drop(&rn__sched.idle_lock);
        if (w == NULL && rn__worker_new(false) == NULL)
            break;
    }
    if (w != NULL) {
        w->thread = pthread_self();
        atomic_store(&w->tid, (int)syscall(SYS_gettid));
    }
    return w;
}

/* The main thread's first use: what it does becomes goroutine 1. */
static rn__g *adopt_main(void)
{
    rn__worker *w = become_worker();
    rn__stack *s = w != NULL ? rn__stack_get(&w->stacks, RN__STACK_DEFAULT_CLASS + 2) : NULL;
    if (s == NULL)
        rn__fatal("out of memory for the first worker");
    rn__g *g = rn__g_alloc(NULL);
    g->id = take_id_one(w);
    g->flags = RN__G_MAIN | RN__G_OWNSTACK;
    g->stack = &own_stack;
    g->klass = RN__STACK_MAX_CLASS;
    static const rn_go_site here = {"main", NULL, NULL};
    g->where = &here;
    atomic_store(&g->status, RN__RUNNING);
    rn__gext *x = rn__g_ext(g);
    thread_bounds(&x->own_lo, &x->own_size);
    rn__ctx_init(&w->g0, rn__stack_top(s), rn__g0_entry);
    w->g0_lo = s->lo;
    w->g0_size = (size_t)((char *)rn__stack_top(s) - s->lo);
#if RN__TSAN
    x->tsan_fiber = __tsan_get_current_fiber();
    w->tsan_g0 = __tsan_create_fiber(0);
#endif
    w->hot.cur = g;
    w->ncreated++;
    rn__sched.main_g = g;
    atomic_fetch_add(&rn__sched.known_threads, 1);
    rn__set_self(w);
    rn__overflow_thread_enter();
    main_has_come();
    rn__solo_enter(w);
    return g;
}

void rn__init(void)
{
    pthread_once(&once, start);
    if (RN_UNLIKELY(atomic_load(&rn__sched.forked)))
        rn__fatal(
            "runnel was used in a child of fork; call exec first, or start the runtime in the "
            "child only");
}

rn__g *rn__current(void)
{
    rn__worker *w = rn__self();
    if (RN_LIKELY(w != NULL && w->hot.cur != NULL))
        return w->hot.cur;
    if (w != NULL)
        rn__fatal("a runnel function was called from inside the scheduler");
    if (RN_LIKELY(rn__foreign_known()))
        return rn__foreign_current();
    rn__init();
    if (on_main_thread() && rn__sched.main_g == NULL)
        return adopt_main();
    return rn__foreign_current();
}

/* ---------------------------------------------------------------------------------------- knobs */

int rn_gomaxprocs(int n)
{
    rn__current();
    rn__lock_take(&rn__sched.idle_lock);
    int old = rn__sched.nprocs;
    if (n >= 1 && !rn__det())
        rn__sched.nprocs = n <= RN__WORKERS_MAX / 2 ? n : RN__WORKERS_MAX / 2;
    rn__lock_drop(&rn__sched.idle_lock);
    rn__adjust_workers();
    return old;
}

/* --------------------------------------------------------------------------------------- rn_run */

typedef struct run_args {
    void (*fn)(void *); /* the body */
    void *arg;          /* its argument */
} run_args;

static void run_body(void *p)
{
    run_args *a = p;
    a->fn(a->arg);
}

/* The thread goes; its worker stays, cold, until somebody wakes it. */
static void leave_worker(rn__worker *w)
{
    rn__dump_queues(w);
    rn__lock_take(&rn__sched.idle_lock);
    w->cold = true;
    w->asleep = true;
    w->idle_next = rn__sched.idle;
    rn__sched.idle = w;
    atomic_fetch_add_explicit(&rn__sched.nsleep, 1, memory_order_relaxed);
    atomic_fetch_sub(&rn__sched.live, 1);
    rn__lock_drop(&rn__sched.idle_lock);
    rn__overflow_thread_leave();
    rn__set_self(NULL);
    if (atomic_load(&rn__sched.npinned) != 0 && w->pin_head != NULL)
        rn__wake_worker(w);
    if (atomic_load(&rn__sched.gq_n) != 0)
        rn__wake_one();
    rn__watch_before(rn__timers_first());
}

int rn_run(void (*fn)(void *), void *arg)
{
    if (rn__self() != NULL)
        return -EBUSY; /* a goroutine, goroutine 1 included */
    rn__init();
    if (atomic_exchange(&rn__sched.run_active, true))
        return -EBUSY;
    rn__worker *w = become_worker();
    if (w == NULL) {
        atomic_store(&rn__sched.run_active, false);
        return -ENOMEM;
    }
    bool stranger = !rn__foreign_known();
    if (stranger)
        atomic_fetch_add(&rn__sched.known_threads, 1);
    rn__foreign_suspend(); /* while it is a worker it does not count as a foreign thread */
    rn__set_self(w);
    rn__overflow_thread_enter();
    main_has_come();

    rn__g *g = rn__g_alloc(NULL);
    static const rn_go_site here = {"rn_run", "rn_run", NULL};
    run_args a = {fn, arg};
    g->fn = run_body;
    g->where = &here;
    g->id = take_id_one(w);
    g->klass = RN__STACK_DEFAULT_CLASS + 2;
    g->flags = RN__G_PINNED; /* it ends on this thread, so that we return from here */
    memcpy(g->args, &a, sizeof a);
    rn__g_ext(g)->home = w;
    w->ncreated++;
    w->main_g = g;
    w->run_done = false;
    w->handoff = g;
    thread_bounds(&w->g0_lo, &w->g0_size);
    RN__HB_RELEASE(g);
#if RN__TSAN
    w->tsan_g0 = __tsan_get_current_fiber();
    g->ext->tsan_fiber = __tsan_create_fiber(0);
#endif
    rn__g0_loop(w);
    w->main_g = NULL;
    w->run_done = false;
    rn__foreign_resume();
    if (stranger)
        atomic_fetch_sub(&rn__sched.known_threads, 1);
    leave_worker(w);
    atomic_store(&rn__sched.run_active, false);
    return 0;
}
