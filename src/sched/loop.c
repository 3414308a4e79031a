/*
 * loop.c - the worker's loop, which is the base frame of every goroutine stack, and g0.
 *
 * A fresh goroutine is called directly in the loop that stands on the present stack. If it returns
 * without ever having blocked, the loop goes on with the next one on the same hot stack. If it blocks,
 * the stack is its own from then on, and the worker leaves for another goroutine's stack, or for a
 * pooled stack on which a new loop begins.
 *
 * Invariants
 *  - While the loop's code runs between two goroutines, the stack under it belongs to the worker.
 *  - The loop re-reads the worker after every call of a goroutine: it may be another one.
 *  - Only g0 searches, sleeps and creates threads: goroutine stacks may be small.
 */
#include "runq.h"
#include <stdlib.h>
#include <string.h>
#if RN__TSAN
#include <sys/mman.h>
#endif
#if RN__VALGRIND
#include <valgrind/memcheck.h>
#endif

#if RN__TSAN
/*
 * Makes ThreadSanitizer forget who used this stack before. An edge from the former owner to the next one
 * would be simpler, and would hide their races. Mapping the pages anew is what the tool understands; it
 * must not count as an access, and the header at the end is kept.
 */
static void forget_accesses(rn__stack *s)
{
    rn__stack keep = *s;
    char *end = (char *)(s + 1);
    size_t size = (size_t)(end - s->lo) & ~(size_t)4095;
    RN__OWN_BEGIN();
    void *p = mmap(end - size, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    RN__OWN_END();
    if (p != MAP_FAILED)
        *s = keep;
}
#endif

/* Gives a fresh goroutine a stack with a loop at its base. */
rn__ctx *rn__bind(rn__worker *w, rn__g *next)
{
    rn__stack *s = rn__stack_get(&w->stacks, next->klass);
    if (s == NULL)
        rn__fatal("out of stacks with %lld goroutines: %s", (long long)rn__count_goroutines(),
                  rn__stack_limit_text());
#if RN__ASAN
    /* frames of the former owner may have left poison behind */
    __asan_unpoison_memory_region(s->lo, (size_t)((char *)rn__stack_top(s) - s->lo));
#endif
#if RN__TSAN
    forget_accesses(s);
#endif
    next->stack = s;
    rn__ctx_init(&next->ctx, rn__stack_top(s), rn__loop_entry);
    return &next->ctx;
}

static void run_fresh(rn__worker *w, rn__g *g)
{
#if RN__TSAN
    RN__HB_ACQUIRE(g);
#endif
    if (RN_UNLIKELY(rn__hooked()))
        rn__hook_event(RN__EV_START, g, NULL);
    if (RN_UNLIKELY((g->flags & RN__G_STAY) != 0)) {
        g->ext->home = w;
        w->nstay++;
        g->flags |= RN__G_PINNED;
    }
    if (RN_UNLIKELY((g->flags & RN__G_HEAPARGS) != 0)) {
        g->fn(g->args[0]); /* freed with ext at the end */
        rn__self_end(g);
        return;
    }
    /* The descriptor's copy is overwritten by the first wait; a fixed size copies fastest. */
    _Alignas(16) char args[RN__ARGS_INLINE];
    memcpy(args, g->args, sizeof args);
    g->fn(args);
    if (RN_UNLIKELY(g->ext != NULL))
        rn__self_end(g);
}

/* Takes the finished goroutine off the books; its stack stays with the caller. */
static rn__stack *finish(rn__worker *w, rn__g *g)
{
    rn__stack *s = g->stack;
    if (RN_UNLIKELY(rn__hooked())) {
        rn__hook_event(RN__EV_EXIT, g, NULL);
        rn__bubble_exit(g);
    }
    if (RN_UNLIKELY(rn__stack_smashed(s)))
        rn__fatal("goroutine %llu (%s) overflowed its %u byte stack", (unsigned long long)g->id,
                  g->where != NULL ? g->where->fname : "?", 1u << s->klass);
    if (RN_UNLIKELY(w->locked == g))
        rn__unlock_thread_at_exit(w, g);
    if (RN_UNLIKELY(w->main_g == g))
        w->run_done = true;
    w->hot.cur = NULL;
    rn__g_free(w, g);
    return s;
}

#if RN__ASAN || RN__TSAN
__attribute__((noreturn)) static void loop(bool finished)
{
    if (!finished) {
#if RN__ASAN
        __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
        rn__worker *w = rn__self();
        run_fresh(w, w->hot.cur);
    }
    rn__worker *w = rn__self();
    rn__g *g = w->hot.cur;
#if RN__TSAN
    void *fiber = g->ext->tsan_fiber;
    /* with synchronisation: g0 frees what the goroutine had. It passes nothing on, since all other
     * switches are without. */
    __tsan_switch_to_fiber(w->tsan_g0, 0);
    __tsan_destroy_fiber(fiber);
#endif
    rn__stack *s = finish(w, g);
    rn__stack_put(&w->stacks, s);
    w->handoff = NULL;
#if RN__ASAN
    __sanitizer_start_switch_fiber(NULL, w->g0_lo, w->g0_size);
#endif
    rn__ctx gone;
    rn__switch(&gone, &w->g0, &w->nowhere, 0);
    __builtin_unreachable();
}
#else
__attribute__((noreturn)) static void loop(bool finished)
{
    rn__worker *w = rn__self();
    for (;;) {
        rn__g *g = w->hot.cur;
        if (!finished) {
            run_fresh(w, g);
            w = rn__self();
            g = w->hot.cur;
        }
        finished = false;
        rn__stack *s = finish(w, g);
        rn__g *next = RN_UNLIKELY(w->run_done) ? NULL : rn__pick(w);
        if (RN_LIKELY(next != NULL && next->stack == NULL && next->klass == s->klass)) {
            next->stack = s;
            w->hot.cur = next;
            atomic_store_explicit(&next->status, RN__RUNNING, memory_order_relaxed);
            continue;
        }
        /* From here on the stack under us is in the pool; nobody takes it before we have left. */
        rn__stack_put(&w->stacks, s);
        rn__ctx gone;
        w->hot.cur = next;
        if (next == NULL) {
            rn__switch(&gone, &w->g0, &w->nowhere, 0);
        } else {
            atomic_store_explicit(&next->status, RN__RUNNING, memory_order_relaxed);
            rn__ctx *to = &next->ctx;
            if (next->stack == NULL) {
                /* Another class, so another stack than the one we stand on. */
                to = rn__bind(w, next);
            }
            rn__switch(&gone, to, &w->nowhere, 0);
        }
        __builtin_unreachable();
    }
}
#endif

void rn__loop_entry(void)
{
    loop(false);
}

static void loop_exit_entry(void)
{
    loop(true);
}

void rn__g_exit(void)
{
    if (rn__current()->ext != NULL)
        rn__self_end(rn__current());
    rn__worker *w = rn__self(); /* not before: values may block when they are dropped */
    rn__g *g = w->hot.cur;
    if (g->flags & RN__G_OWNSTACK) {
        /* Main's stack is the thread's: it cannot be taken away. It stays, and never runs again. */
        atomic_store(&rn__sched.main_gone, true);
        w->nended++;
        rn__note_wait(g, RN__WAIT_GOEXIT_MAIN, NULL, NULL);
        for (;;)
            rn__park_permit(g);
    }
#if RN__ASAN
    __asan_handle_no_return();
#endif
    rn__ctx_restart(rn__stack_top(g->stack), loop_exit_entry);
}

/* ----------------------------------------------------------------------------------------- g0 */

static void enter(rn__worker *w, rn__g *next)
{
    w->hot.cur = next;
    atomic_store_explicit(&next->status, RN__RUNNING, memory_order_relaxed);
    rn__ctx *to = &next->ctx;
    if (next->stack == NULL)
        to = rn__bind(w, next);
#if RN__TSAN
    __tsan_switch_to_fiber(rn__g_ext(next)->tsan_fiber, 1);
#endif
#if RN__ASAN
    const void *lo = next->stack->lo;
    size_t size = (size_t)((char *)next->stack - next->stack->lo);
    if (next->flags & RN__G_OWNSTACK) {
        lo = next->ext->own_lo;
        size = next->ext->own_size;
    }
    __sanitizer_start_switch_fiber(&w->asan_g0_fake, lo, size);
#endif
    rn__switch(&w->g0, to, &w->nowhere, 0);
#if RN__ASAN
    __sanitizer_finish_switch_fiber(w->asan_g0_fake, NULL, NULL);
#endif
    if (w->after != NULL) {
        void (*commit)(void *) = w->after;
        w->after = NULL;
        commit(w->after_arg);
    }
}

void rn__g0_loop(rn__worker *w)
{
    for (;;) {
        rn__g *next = w->handoff;
        w->handoff = NULL;
        if (w->run_done && next == NULL)
            return;
        if (next == NULL)
            next = rn__find_work(w);
        if (next == NULL)
            return;
        enter(w, next);
    }
}

/* The system stack of the worker that main runs on: entered when main first parks. */
void rn__g0_entry(void)
{
    rn__worker *w = rn__self();
#if RN__ASAN
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
    if (w->after != NULL) {
        void (*commit)(void *) = w->after;
        w->after = NULL;
        commit(w->after_arg);
    }
    rn__g0_loop(w);
    rn__fatal("the scheduler's loop ended on the main thread");
}

void rn_on_system_stack(void (*fn)(void *), void *arg)
{
    rn__worker *w = rn__self();
    if (w == NULL || w->hot.cur == NULL || w->on_system) {
        fn(arg); /* a foreign thread, or on a system stack already */
        return;
    }
    /* g0 is suspended: what lies below its saved stack pointer is free. The callee may not block, so
     * we come back on this worker. */
    w->on_system = true;
    char *top = (char *)(((uintptr_t)w->g0.sp - 256) & ~(uintptr_t)15);
#if RN__VALGRIND
    /* it has seen the stack pointer rise above this, and takes it for free memory */
    VALGRIND_MAKE_MEM_UNDEFINED(top - 16384, 16384);
#endif
    rn__call_on(top, fn, arg);
    w->on_system = false;
}
