/*
 * walk.c - back-traces: of the caller, by libgcc's unwinder; of parked goroutines, by cfi.c.
 *
 * Invariants
 *  - Of a long stack the first and the last frames are kept, as Go prints them; a runaway recursion
 *    costs no memory.
 *  - A walk ends after FRAMES_MAX frames, whatever the stack looks like.
 */
#include "dump.h"
#include <unwind.h>

enum { FRAMES_MAX = 1 << 20 };

static void keep(rn__trace *t, uintptr_t pc)
{
    size_t i =
        t->n < RN__WALK_INNER ? t->n : RN__WALK_INNER + (t->n - RN__WALK_INNER) % RN__WALK_OUTER;
    t->pc[i] = pc;
    t->n++;
}

size_t rn__trace_kept(const rn__trace *t, size_t *elided)
{
    size_t max = RN__WALK_INNER + RN__WALK_OUTER;
    *elided = t->n > max ? t->n - max : 0;
    return t->n - *elided;
}

uintptr_t rn__trace_pc(const rn__trace *t, size_t i)
{
    if (i < RN__WALK_INNER)
        return t->pc[i];
    size_t elided;
    rn__trace_kept(t, &elided);
    return t->pc[RN__WALK_INNER + (i + elided - RN__WALK_INNER) % RN__WALK_OUTER];
}

struct self {
    rn__trace *t;
    bool skip; /* the frames of the signal handler are still to be passed */
};

static _Unwind_Reason_Code take(struct _Unwind_Context *c, void *arg)
{
    struct self *s = arg;
    int exact = 0;
    uintptr_t pc = _Unwind_GetIPInfo(c, &exact);
    if (pc == 0 || s->t->n >= FRAMES_MAX)
        return _URC_END_OF_STACK;
    if (s->skip && exact) {
        s->skip = false;
        s->t->n = 0;
        s->t->exact = true;
    }
    keep(s->t, pc);
    return _URC_NO_REASON;
}

void rn__walk_self(rn__trace *t, bool interrupted)
{
    struct self s = {t, interrupted};
    t->n = 0;
    t->exact = false;
    _Unwind_Backtrace(take, &s);
}

/* The memory that holds g's frames. */
static bool bounds(const rn__g *g, uintptr_t *lo, uintptr_t *hi)
{
    uintptr_t sp = (uintptr_t)g->ctx.sp;
    char *slot_lo, *slot_hi;
    if (rn__stack_find(g->ctx.sp, &slot_lo, &slot_hi)) {
        *lo = sp;
        *hi = (uintptr_t)slot_hi;
        return true;
    }
    if ((g->flags & RN__G_OWNSTACK) == 0 || g->ext == NULL || g->ext->own_size == 0)
        return false;
    *lo = sp;
    *hi = (uintptr_t)g->ext->own_lo + g->ext->own_size;
    return sp >= (uintptr_t)g->ext->own_lo && sp < *hi;
}

bool rn__walk_parked(const rn__g *g, rn__trace *t)
{
    uintptr_t lo, hi;
    rn__frame f;
    t->n = 0;
    t->exact = false;
    if (!bounds(g, &lo, &hi) || !rn__cfi_parked(&f, &g->ctx, lo, hi))
        return false;
    do
        keep(t, f.pc);
    while (t->n < FRAMES_MAX && rn__cfi_step(&f, false, lo, hi));
    return true;
}
