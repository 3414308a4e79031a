/*
 * fatal.c - errors that no program can go on after: rn__fatal, and the overflow of a stack.
 *
 * Invariants
 *  - Not recoverable: no deferred call runs (semantics items 101 and 126).
 *  - rn__fatal may be called anywhere in the library, on any stack, under its locks.
 *  - rn__overflow_report runs in a signal handler on the alternate stack.
 */
#include "dump.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TRACEBACK_NONE = 0, TRACEBACK_ALL = 2, TEXT_BYTES = 1024 };

struct fatal {
    rn__g *g;
    const char *fmt;
    va_list ap;
};

static void report_fatal(void *arg)
{
    struct fatal *f = arg;
    static char text[TEXT_BYTES]; /* the one report's */
    vsnprintf(text, sizeof text, f->fmt, f->ap);
    rn__out *o = rn__dying_out();
    if (f->g != NULL && rn__print_panics(o, f->g))
        rn__out_str(o, "\t");
    rn__out_str(o, "fatal error: ");
    rn__out_indented(o, text);
    rn__out_str(o, "\n");
    rn__places_refresh();
    if (f->g != NULL && rn__cfg.traceback > TRACEBACK_NONE) {
        rn__out_str(o, "\n");
        rn__dump_g(o, f->g, RN__DUMP_SELF, NULL);
    }
    if (rn__cfg.traceback >= TRACEBACK_ALL)
        rn__dump_others(o, f->g);
    rn__dying_exit(o);
}

void rn__fatal(const char *fmt, ...)
{
    struct fatal f = {.g = rn__g_peek(), .fmt = fmt};
    rn__dying_enter();
    rn__flush_stdio();
    va_start(f.ap, fmt);
    if (f.g != NULL)
        rn__roomy(f.g, report_fatal, &f);
    else
        report_fatal(&f);
    va_end(f.ap);
    _exit(2);
}

/* ------------------------------------------------------------------------------- stack overflow */

struct owner {
    const char *lo, *hi;
    rn__g *g;
};
static void find_owner(rn__g *g, void *arg)
{
    struct owner *w = arg;
    const char *s = (const char *)g->stack;
    if (s >= w->lo && s < w->hi)
        w->g = g;
}

static void print_size(rn__out *o, uint64_t n)
{
    bool mib = n >= 1 << 20 && n % (1 << 20) == 0;
    rn__out_u64(o, n >> (mib ? 20 : 10));
    rn__out_str(o, mib ? " MiB" : " KiB");
}

void rn__overflow_report(const void *addr, char *slot_lo, char *slot_hi)
{
    rn__dying_enter();
    rn__out *o = rn__dying_out();
    struct owner w = {slot_lo, slot_hi, NULL};
    rn__for_each_g(find_owner, &w);
    uint64_t size = (uint64_t)(slot_hi - slot_lo);
    rn__out_str(o, "runnel: ");
    if (w.g != NULL) {
        rn__out_str(o, "goroutine ");
        rn__out_u64(o, w.g->id);
        rn__out_str(o, " (");
        if (rn__g_name(w.g) != NULL) {
            rn__out_str(o, rn__g_name(w.g));
            rn__out_str(o, ", ");
        }
        rn__out_str(o, "function ");
        rn__out_str(o, w.g->where != NULL ? w.g->where->fname : "??");
        rn__out_str(o, ")");
    } else {
        rn__out_str(o, "the scheduler");
    }
    rn__out_str(o, " overflowed its ");
    print_size(o, size);
    rn__out_str(o, " stack\nrunnel: address=");
    rn__out_hex(o, (uintptr_t)addr);
    rn__out_str(o, " stack=[");
    rn__out_hex(o, (uintptr_t)slot_lo);
    rn__out_str(o, ", ");
    rn__out_hex(o, (uintptr_t)slot_hi);
    rn__out_str(o, "]\nrunnel: give it more with go_with(((rn_go_attr){.stack = ");
    rn__out_u64(o, size * 4);
    rn__out_str(o, "}), ...), or all goroutines with RUNNEL_DEBUG=stack=");
    rn__out_u64(o, size * 4);
    rn__out_str(o, "\nfatal error: stack overflow\n");
    rn__places_refresh();
    if (w.g != NULL && rn__cfg.traceback > TRACEBACK_NONE) {
        rn__out_str(o, "\n");
        rn__dump_g(o, w.g, RN__DUMP_INTERRUPTED, NULL);
    }
    if (rn__cfg.traceback >= TRACEBACK_ALL)
        rn__dump_others(o, w.g);
    rn__dying_exit(o);
}
