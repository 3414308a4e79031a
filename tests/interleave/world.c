/*
 * world.c - park, ready, locks, time and panics for the explorer; see world.h.
 */
#include "world.h"
#include "../../src/panic/panic.h"
#include "../../src/sched/worker.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

rn__g w_g[IL_THREADS + 1];
int w_time_may_jump;
int w_late_arms;
const char *w_panic[IL_THREADS];
const char *w_fatal_expected;
static int64_t now = 1;
static uint8_t permit[IL_THREADS]; /* 1: given and not used */
_Atomic(uint32_t) rn__hooks;
_Atomic(int64_t) rn__coarse;
extern void il_point(int op, const volatile void *addr, size_t size, const char *file, int line);

bool il_quiet(const volatile void *addr)
{
    if (addr == &rn__hooks || addr == &rn__coarse)
        return true;
    for (int t = 0; t <= IL_THREADS; t++)
        if (addr == &w_g[t].status)
            return true;
    return false;
}

static int thread_of(const rn__g *g)
{
    return (int)(g - w_g);
}

rn__g *rn__current(void)
{
    rn__meet(); /* registers a foreign thread */
    return &w_g[il_self() < 0 ? IL_THREADS : il_self()];
}

rn__g *rn__g_peek(void)
{
    return rn__current();
}

bool rn__park_locked(rn__g *g, _Atomic(uint64_t) *unlock, uint64_t value)
{
    il_point(IL_PARK, unlock, sizeof *unlock, "park", 0);
    il_park(unlock, value);
    atomic_store_explicit(&g->status, RN__RUNNING, memory_order_relaxed);
    return g->ctx.ret != 0;
}

void rn__ready(rn__g *g)
{
    il_point(IL_READY, NULL, 0, "ready", 0);
    il_drain();
    atomic_store_explicit(&g->status, RN__RUNNABLE, memory_order_relaxed);
    il_wake(thread_of(g));
}

void rn__batch_ready(rn__batch *b)
{
    rn__g *lists[2] = {b->odd, b->first};
    for (int i = 0; i < 2; i++) {
        for (rn__g *g = lists[i]; g != NULL;) {
            rn__g *next = g->next;
            rn__ready(g);
            g = next;
        }
    }
    *b = (rn__batch){0};
}

void rn__park_permit(rn__g *g)
{
    int t = thread_of(g);
    il_point(IL_PARK, NULL, 0, "park_permit", 0);
    if (!permit[t])
        il_park(NULL, 0);
    permit[t] = 0;
    atomic_store_explicit(&g->status, RN__RUNNING, memory_order_relaxed);
}

void rn__ready_permit(rn__g *g)
{
    int t = thread_of(g);
    il_point(IL_READY, NULL, 0, "ready_permit", 0);
    il_drain();
    if (permit[t])
        il_fail("goroutine %d gets a second permit for one wait", t);
    permit[t] = 1;
    if (il_parked(t))
        il_wake(t);
}

/* --------------------------------------------------------------------------------- solo mode */

/*
 * src/sched/solo.c itself runs here. In a case that calls w_solo in its setup, thread 0 is a worker,
 * and solo; the others are foreign threads that register with their first write. In other cases nobody
 * is a worker, which is what every thread is like when solo mode is off.
 */
rn__scheduler rn__sched;
rn__config rn__cfg;
__thread struct rn__worker *rn__tls_worker;
static struct rn__worker worker;
static bool with_worker, met[IL_THREADS];

void il_begin(void)
{
    /* nothing uses these here, and they are large */
    il_exclude(&rn__sched.worker, sizeof rn__sched.worker);
    il_exclude((char *)&worker + sizeof worker.hot, sizeof worker - sizeof worker.hot);
}

void il_enter(int t)
{
    rn__tls_worker = t == 0 && with_worker ? &worker : NULL;
}

/* membarrier: the only system call of solo.c */
long il_syscall(long number, int cmd, ...);
long il_syscall(long number, int cmd, ...)
{
    (void)number, (void)cmd;
    if (il_self() >= 0) {
        il_point(IL_FENCE, NULL, 0, "membarrier", 0);
        il_drain_all();
    }
    return 0;
}

void w_solo(void)
{
    rn__solo_init();
    rn__sched.live = 1;
    with_worker = true;
    rn__solo_enter(&worker);
    if (!worker.hot.solo)
        il_fail("the worker is not solo");
}

/* As in sched/foreign.c. */
void rn__meet(void)
{
    int t = il_self();
    if (t < 0 || (t == 0 && with_worker) || met[t] || !with_worker)
        return;
    met[t] = true;
    rn__crowd_add(1);
}

/* ------------------------------------------------------------------------------------- timers */

static rn__timer *armed[IL_THREADS]; /* by the thread that armed it; one each */
static uint8_t waits[IL_THREADS];    /* how often each thread has armed one */
static uint8_t firing_for;           /* which of them the timer that fires belongs to */
static int timer_thread = -1;        /* parked, waits for an armed timer; -1: not */

void rn__timer_arm(rn__timer *t, int64_t when)
{
    t->when = when;
    waits[il_self()]++;
    armed[il_self()] = t;
    if (timer_thread >= 0) {
        int wake = timer_thread;
        timer_thread = -1;
        il_wake(wake);
    }
}

bool rn__timer_disarm(rn__timer *t)
{
    il_point(IL_PLAIN, t, sizeof *t, "disarm", 0);
    if (armed[il_self()] != t)
        return false;
    armed[il_self()] = NULL;
    return true;
}

void w_timer_thread(void)
{
    for (;;) {
        il_point(IL_PLAIN, NULL, 0, "timer", 0);
        unsigned n = 0;
        for (int i = 0; i < IL_THREADS; i++)
            n += armed[i] != NULL;
        if (n == 0) {
            timer_thread = il_self();
            il_park(NULL, 0);
            continue;
        }
        int t = -1;
        for (unsigned skip = il_choose(n) + 1; skip > 0; skip -= armed[t] != NULL)
            t++;
        rn__timer mine = *armed[t]; /* out of the heap; the owner may go on */
        armed[t] = NULL;
        firing_for = waits[t];
        il_point(IL_PLAIN, NULL, 0, "fire", 0);
        mine.fire(mine.arg, mine.gen);
    }
}

/* As in sched/timers.c. */
void rn__timer_wake(void *arg, uint64_t gen)
{
    rn__g *g = arg;
    if (rn__token_take(g, gen)) {
        if (waits[thread_of(g)] != firing_for)
            il_fail("an old timer ends a new wait");
        g->won_how = RN__WON_TIMEOUT;
        rn__ready_permit(g);
    }
}

/* As in sched/timers.c, but that the time may have come already when the wait begins. */
static bool deadline_arm(rn__breaker *b, rn__g *g, uint64_t gen)
{
    rn__deadline *d = (rn__deadline *)(void *)b;
    if (w_late_arms > 0 && il_choose(2) == 1) {
        w_late_arms--;
        return false;
    }
    d->timer.arg = g;
    d->timer.gen = gen;
    rn__timer_arm(&d->timer, d->at);
    return true;
}
static void deadline_disarm(rn__breaker *b)
{
    rn__timer_disarm(&((rn__deadline *)(void *)b)->timer);
}
static int deadline_how(rn__breaker *b)
{
    (void)b;
    return -ETIMEDOUT;
}
rn__breaker *rn__deadline_init(rn__deadline *d, int64_t at)
{
    *d = (rn__deadline){.base = {deadline_arm, deadline_disarm, deadline_how},
                        .timer = {.fire = rn__timer_wake},
                        .at = at};
    return &d->base;
}

/* ----------------------------------------------------------------------- locks, time, choices */

void rn__backoff(unsigned round, bool may_yield)
{
    (void)round, (void)may_yield;
    il_spin();
}

void rn__lock_slow(rn__lock *l)
{
    while (!rn__lock_try(l))
        il_spin();
}

void rn_yield(void)
{
}

void rn__spin(unsigned ns)
{
    (void)ns;
}

int64_t rn_now(void)
{
    if (w_time_may_jump > 0 && il_choose(2) == 1) {
        w_time_may_jump--;
        now += 2 * RN_MS;
    }
    return now;
}

int64_t rn__clock(void)
{
    return rn_now();
}

void (*rn__describe_sync)(enum rn__reason reason, const void *obj, char *buf, size_t n);
void rn__sync_describe(enum rn__reason reason, const void *obj, char *buf, size_t n)
{
    (void)reason, (void)obj, (void)buf, (void)n;
}

uint32_t rn__choose_rare(uint32_t n)
{
    return il_choose(n);
}

void rn__panic_runtime(const char *site, const char *extra, const char *text)
{
    (void)site, (void)extra;
    w_panic[il_self()] = text;
    il_end();
}

void rn__fatal(const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (w_fatal_expected == NULL || strcmp(text, w_fatal_expected) != 0)
        il_fail("fatal error: %s", text);
    il_end();
}

void rn__hook_point(enum rn__event e, rn__g *g, void *obj)
{
    (void)e, (void)g, (void)obj;
}

/* No hooks, so no bubbles. */
uint32_t rn__acting_number(void)
{
    return 0;
}

bool rn__bubble_use(uint32_t mark, const char *op)
{
    (void)mark, (void)op;
    return false;
}

void rn__bubble_loose(rn__g *g, bool loose)
{
    (void)g, (void)loose;
}

const char *rn__reason_text(enum rn__reason r)
{
    (void)r;
    return "";
}

void rn_deferred_push(rn_deferred *d)
{
    rn__g *g = rn__current();
    d->head = &g->defers;
    d->up = g->defers;
    g->defers = d;
}
