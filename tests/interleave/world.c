/*
 * world.c - park, ready, locks, time and panics for the explorer; see world.h.
 */
#include "world.h"
#include "../../src/panic/panic.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

rn__g w_g[IL_THREADS + 1];
int w_time_may_jump;
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
    return &w_g[il_self() < 0 ? IL_THREADS : il_self()];
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

uint32_t rn__choose(uint32_t n)
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

void rn_deferred_push(rn_deferred *d)
{
    rn__g *g = rn__current();
    d->head = &g->defers;
    d->up = g->defers;
    g->defers = d;
}
