/*
 * policy.c - choices: random numbers, the event hook, and the deterministic policy.
 *
 * RUNNEL_DEBUG=seed=N runs a program on one worker. Which goroutine runs next, where one gives way to
 * another, and which ready case a select takes, are drawn from the seed; time is virtual and jumps to
 * the next timer when nothing can run. The same binary with the same seed does the same thing again, and
 * the hash of all its events says so.
 *
 * Invariants
 *  - Under the deterministic policy all runnable goroutines are in one array, guarded by gq_lock and
 *    counted by gq_n; the workers' own queues stay empty.
 *  - Every random draw of that policy comes from the one generator below, in program order of its one
 *    worker. Foreign threads draw from another one, since their moments are not reproducible anyway.
 */
#include "runq.h"
#include <inttypes.h>
#include <runnel/self.h>
#include <stdio.h>
#include <stdlib.h>

_Atomic(uint32_t) rn__hooks;

static struct {
    uint64_t rng;           /* splitmix state */
    rn__g **run;            /* runnable goroutines; gq_lock */
    uint32_t n, cap;        /* of run; gq_lock */
    _Atomic(uint64_t) hash; /* of all events so far; relaxed, one worker writes */
    _Atomic(uint64_t) events;
} det;

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ------------------------------------------------------------------------------- random numbers */

uint32_t rn__choose_rare(uint32_t n)
{
    static _Atomic(uint64_t) foreign_state = 1;
    rn__worker *w = rn__self();
    uint32_t r;
    if (w == NULL) {
        uint64_t s = atomic_fetch_add_explicit(&foreign_state, 1, memory_order_relaxed);
        r = (uint32_t)splitmix(&s);
    } else if (rn__hooked() && rn__bubble_draw(&r)) {
        /* a bubble with a seed draws from it */
    } else if (rn__det()) {
        r = (uint32_t)(splitmix(&det.rng) >> 32);
    } else {
        r = rn__hot_rand(&w->hot);
    }
    return (uint32_t)((uint64_t)r * n >> 32);
}

/* ------------------------------------------------------------------------------------- the hook */

void rn__hook_event(enum rn__event e, rn__g *g, void *obj)
{
    (void)obj; /* addresses differ between runs: they are not hashed */
    if (!rn__det())
        return;
    uint64_t h = atomic_load_explicit(&det.hash, memory_order_relaxed);
    h = (h ^ ((uint64_t)e + 1)) * UINT64_C(0x100000001b3);
    h = (h ^ (g != NULL && !rn__is_foreign(g) ? g->id : 0)) * UINT64_C(0x100000001b3);
    atomic_store_explicit(&det.hash, h, memory_order_relaxed);
    atomic_fetch_add_explicit(&det.events, 1, memory_order_relaxed);
}

void rn__hook_point(enum rn__event e, rn__g *g, void *obj)
{
    rn__hook_event(e, g, obj);
    rn__worker *w = rn__self();
    if (w == NULL || w->hot.cur == NULL || w->on_system)
        return;
    uint32_t r;
    bool mine = w->hot.cur->bubble != 0 && rn__bubble_draw(&r);
    if (mine ? r % 4 == 0 : rn__det() && splitmix(&det.rng) % 4 == 0)
        rn_yield();
}

/* ------------------------------------------------------------------------ the deterministic policy */

void rn__det_push(rn__g *g)
{
    rn__lock_take(&rn__sched.gq_lock);
    if (det.n == det.cap) {
        uint32_t cap = det.cap != 0 ? det.cap * 2 : 256;
        RN__OWN_BEGIN();
        rn__g **run = realloc(det.run, cap * sizeof *run);
        RN__OWN_END();
        if (run == NULL)
            rn__fatal("out of memory");
        det.run = run;
        det.cap = cap;
    }
    det.run[det.n++] = g;
    atomic_fetch_add(&rn__sched.gq_n, 1);
    rn__lock_drop(&rn__sched.gq_lock);
    if (rn__self() == NULL) {
        atomic_thread_fence(memory_order_seq_cst);
        rn__wake_one();
    }
}

rn__g *rn__det_pick(void)
{
    rn__g *g = NULL;
    rn__lock_take(&rn__sched.gq_lock);
    if (det.n != 0) {
        uint32_t i = (uint32_t)(splitmix(&det.rng) % det.n);
        g = det.run[i];
        det.run[i] = det.run[--det.n];
        atomic_fetch_sub(&rn__sched.gq_n, 1);
    }
    rn__lock_drop(&rn__sched.gq_lock);
    return g;
}

/* Nothing can run: time jumps to the next timer. False if there is none. */
bool rn__det_advance(void)
{
    int64_t next = rn__timers_first();
    if (next == RN_NEVER)
        return false;
    if (next > rn_now())
        rn__det_set_now(next);
    int n = atomic_load_explicit(&rn__sched.nworkers, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        rn__worker *w = atomic_load_explicit(&rn__sched.worker[i], memory_order_acquire);
        if (w != NULL)
            rn__timers_run(w, rn_now());
    }
    return true;
}

static void print_hash(void)
{
    fprintf(stderr, "runnel: trace hash 0x%016" PRIx64 " (%" PRIu64 " events)\n",
            atomic_load(&det.hash), atomic_load(&det.events));
}

void rn__policy_init(void)
{
    if (!rn__cfg.deterministic)
        return;
    det.rng = rn__cfg.seed;
    det.hash = UINT64_C(0xcbf29ce484222325);
    rn__det_set_now(RN_SEC); /* an instant that is not zero */
    atomic_fetch_or(&rn__hooks, RN__HOOK_DET);
    rn_checkpoint_wanted = 1; /* every checkpoint may be a switch */
    if (rn__cfg.trace_hash)
        atexit(print_hash);
}
