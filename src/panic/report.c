/*
 * report.c - how a program dies: one report, then exit status 2.
 *
 * Invariants
 *  - One thread reports. Others that want to wait for the exit; so does a main that returns
 *    meanwhile, because the status must be 2.
 *  - What stdio holds is written out first, unless somebody holds the stream's lock: nothing here
 *    waits for the rest of the program.
 *  - A failure while reporting ends the process at once.
 */
#include "dump.h"
#include "record.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRACEBACK_NONE = 0, TRACEBACK_ALL = 2, TRACEBACK_CRASH = 4, EXIT_STATUS = 2 };

/* --------------------------------------------------------------------------------- one reporter */

/* The reporting thread's address of `me`; NULL: nobody reports. seq_cst: once per process. */
static _Atomic(void *) reporter;
static __thread char me __attribute__((tls_model("initial-exec")));

__attribute__((noreturn)) static void wait_for_the_end(void)
{
    for (;;)
        pause();
}

void rn__dying_enter(void)
{
    void *nobody = NULL;
    if (atomic_compare_exchange_strong(&reporter, &nobody, &me))
        return;
    if (nobody != &me)
        wait_for_the_end();
    static const char text[] = "panic during panic\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
        /* nobody to tell */
    }
    _exit(EXIT_STATUS);
}

/* Runs in exit(): main may return while a goroutine dies. */
static void hold_exit(void)
{
    void *who = atomic_load(&reporter);
    if (who != NULL && who != &me)
        wait_for_the_end();
}

void rn__flush_stdio(void)
{
    FILE *stream[] = {stdout, stderr};
    for (int i = 0; i < 2; i++) {
        if (ftrylockfile(stream[i]) == 0) {
            fflush(stream[i]);
            funlockfile(stream[i]);
        }
    }
}

rn__out *rn__dying_out(void)
{
    static rn__out o = {.fd = STDERR_FILENO};
    return &o;
}

void rn__dying_exit(rn__out *o)
{
    rn__out_flush(o);
    if (rn__cfg.traceback >= TRACEBACK_CRASH) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    _exit(EXIT_STATUS);
}

void rn__roomy(const rn__g *g, void (*fn)(void *), void *arg)
{
    /* A sanitizer's stacks are never small, and it does not know of the other one. */
    bool small = g->stack != NULL && (g->flags & RN__G_OWNSTACK) == 0 &&
                 g->stack->klass < RN__STACK_DEFAULT_CLASS;
    if (small && !RN__ASAN && !RN__TSAN)
        rn_on_system_stack(fn, arg);
    else
        fn(arg);
}

/* ----------------------------------------------------------------------------- chains of panics */

static void print_panic(rn__out *o, const rn__panic *p, bool repanicked)
{
    if (p->link != NULL) {
        if (p->again)
            return; /* the older line stands for both */
        if (!p->link->goexit)
            rn__out_str(o, "\t");
    }
    if (p->goexit)
        return;
    rn__out_str(o, "panic: ");
    rn__out_indented(o, p->whole != NULL ? p->whole : p->info.text);
    if (p->recovered)
        rn__out_str(o, repanicked ? " [recovered, repanicked]" : " [recovered]");
    rn__out_str(o, "\n");
    if (p->extra != NULL) {
        rn__out_str(o, "\t");
        rn__out_indented(o, p->extra);
        rn__out_str(o, "\n");
    }
    if (p->unheard != NULL) {
        rn__out_str(o, "\trecover() had no effect: ");
        rn__out_str(o, p->unheard);
        rn__out_str(o, ", which deferred its caller, has no rn_recoverable\n");
    }
}

/* Oldest first. The chain leads the other way, and memory for turning it round is not to be had. */
bool rn__print_panics(rn__out *o, rn__g *g)
{
    const rn__panic *newest = rn__panic_of(g), *newer = NULL;
    while (newer != newest) {
        const rn__panic *p = newest;
        while (p->link != newer && p->link != NULL)
            p = p->link;
        if (p->link != newer)
            break;
        const rn__panic *next = newest;
        while (next != p && next->link != p)
            next = next->link;
        print_panic(o, p, next != p && next->again);
        newer = p;
    }
    return newest != NULL;
}

/* ------------------------------------------------------------------------ the unrecovered panic */

static void report_panic(void *arg)
{
    rn__panic *p = arg;
    rn__g *g = p->g;
    rn__out *o = rn__dying_out();
    rn__places_refresh();
    rn__print_panics(o, g);
    if (rn__cfg.traceback > TRACEBACK_NONE) {
        rn__out_str(o, "\n");
        rn__dump_g(o, g, RN__DUMP_SELF, p->info.site);
    }
    if (rn__cfg.traceback >= TRACEBACK_ALL)
        rn__dump_others(o, g);
    rn__dying_exit(o);
}

void rn__panic_die(rn__panic *p)
{
    rn__dying_enter();
    rn__flush_stdio();
    rn__roomy(p->g, report_panic, p);
    _exit(EXIT_STATUS);
}

/* ------------------------------------------------------------------------------------- start-up */

static void report_deadlock(bool main_gone)
{
    rn__dying_enter();
    rn__flush_stdio();
    rn__out *o = rn__dying_out();
    if (main_gone) {
        rn__out_str(o, "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
        rn__dying_exit(o);
    }
    rn__out_str(o, "fatal error: all goroutines are asleep - deadlock!\n");
    if (rn__cfg.traceback > TRACEBACK_NONE) {
        rn__places_refresh();
        rn__dump_others(o, NULL);
    }
    rn__dying_exit(o);
}

void rn__panic_init(void)
{
    rn__deadlock_report = report_deadlock;
    atexit(hold_exit);
}
