/*
 * panic.c - panic, recover, try and Goexit.
 *
 * One loop, run_defers, serves panic and Goexit: it takes the newest record off the goroutine's
 * list and calls it, on top of the stack of whoever panicked. recover() only makes a mark; when
 * the call that made it has returned, the loop leaves for the guard of the function that deferred
 * it.
 *
 * Invariants
 *  - A record is off the list before its call starts, so it cannot run twice, whatever the call
 *    does.
 *  - The stack below the panicking frame is intact until the jump. The recovered function's
 *    remaining newer calls run before it, because their records and arguments may lie in blocks
 *    that the jump leaves; older ones run by their blocks' ends, after it.
 *  - A Goexit that a recovered panic would jump over goes on instead: it cannot be recovered.
 *  - No function of libc is called on a small stack, not even strlen: its first call may go through
 *    the dynamic linker, which takes kilobytes. What needs libc goes through rn__roomy.
 */
#include "record.h"
#include "dump.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if RN__ASAN
void __asan_handle_no_return(void);
#endif

/* ------------------------------------------------------------------------------- the way back */

static void unlink_record(rn__g *g, rn_deferred *d)
{
    g->defers = d->up;
    d->head = NULL;
}

/* Forgets running panics from p on, up to but without `stop`. */
static void abandon(rn__panic *p, const rn__panic *stop)
{
    for (; p != stop; p = p->link) {
        if (RN_UNLIKELY(p->whole != NULL))
            rn__roomy(p->g, free, p->whole);
        p->whole = NULL;
    }
}

__attribute__((noreturn)) static void jump(rn_guard *t)
{
#if RN__ASAN
    __asan_handle_no_return();
#endif
#if RN_GUARD_SETJMP
    _longjmp(t->regs, 1);
#else
    rn__guard_jump(t->regs);
#endif
}

/* Runs what the recovered function deferred after its guard; nobody panics any more. */
static void run_newer(rn__g *g, rn_guard *t)
{
    while (t->rec.head != NULL && g->defers != &t->rec) {
        rn_deferred *d = g->defers;
        void (*fn)(void *) = d->fn;
        void *arg = d->arg;
        if ((d->frame & RN__RECORD_KIND) == RN_RECORD_FUNCTION) {
            if (!rn__function_pop((rn_function_scope *)d, &fn, &arg)) {
                unlink_record(g, d);
                continue;
            }
        } else {
            unlink_record(g, d);
            if ((d->frame & RN__RECORD_KIND) != RN_RECORD_CALL)
                continue; /* a guard set later in the same function */
        }
        fn(arg);
    }
    if (t->rec.head != NULL)
        unlink_record(g, &t->rec);
}

__attribute__((noreturn)) static void goexit_rest(rn__g *g, rn__panic *p);

/* p has been recovered: goes on at p->target, or with a Goexit on the way there. */
__attribute__((noreturn)) static void go_on(rn__g *g, rn__panic *p)
{
    rn_guard *t = p->target;
    for (rn__panic *q = p; q != t->panics; q = q->link) {
        if (q->goexit) {
            abandon(p, q);
            g->ext->panic = q;
            goexit_rest(g, q);
        }
    }
    abandon(p, t->panics);
    g->ext->panic = t->panics;
    run_newer(g, t);
    jump(t);
}

/* ---------------------------------------------------------------------------------- the loop */

/* Copies a text; one that is too long is cut and ends in dots. Whether all of it found room. */
static bool copy_text(char *to, const char *from)
{
    size_t i = 0;
    for (; i < RN_PANIC_TEXT; i++)
        if ((to[i] = from[i]) == '\0')
            return true;
    to[RN_PANIC_TEXT - 1] = '\0';
    for (i = RN_PANIC_TEXT - 4; i < RN_PANIC_TEXT - 1; i++)
        to[i] = '.';
    return false;
}

static void copy_info(rn_panic_info *to, const rn_panic_info *from)
{
    to->value = from->value;
    to->site = from->site;
    to->goid = from->goid;
    to->is_runtime_error = from->is_runtime_error;
    copy_text(to->text, from->text);
}

static void call(rn__panic *p, const rn_deferred *d, void (*fn)(void *), void *arg)
{
    p->rec = d;
    p->fn = fn;
    rn__call_deferred(fn, arg);
    p->rec = NULL;
}

/* Runs all deferred calls of g, newest first. Returns when none is left. */
static void run_defers(rn__g *g, rn__panic *p)
{
    rn_deferred *d;
    while ((d = g->defers) != NULL) {
        void (*fn)(void *);
        void *arg;
        switch (d->frame & RN__RECORD_KIND) {
        case RN_RECORD_CALL:
            unlink_record(g, d);
            call(p, d, d->fn, d->arg);
            break;
        case RN_RECORD_FUNCTION:
            if (rn__function_pop((rn_function_scope *)d, &fn, &arg))
                call(p, d, fn, arg);
            else
                unlink_record(g, d);
            break;
        case RN_RECORD_GUARD:
            unlink_record(g, d);
            p->passed = (rn_guard *)d;
            break;
        case RN_RECORD_TRY:
            unlink_record(g, d);
            if (!p->goexit) {
                p->target = (rn_guard *)d;
                p->recovered = true;
                if (p->target->info != NULL)
                    copy_info(p->target->info, &p->info);
            }
            break;
        }
        if (p->recovered)
            go_on(g, p);
    }
}

/* -------------------------------------------------------------------------------------- panic */

static void make_ext(void *g)
{
    rn__g_ext(g);
}

static void start(rn__g *g, rn__panic *p, const char *site, bool runtime)
{
    if (RN_UNLIKELY(g->ext == NULL))
        rn__roomy(g, make_ext, g);
    p->info.value = NULL;
    p->info.site = site;
    p->info.goid = rn__is_foreign(g) ? 0 : g->id;
    p->info.is_runtime_error = runtime;
    p->g = g;
    p->link = g->ext->panic;
    p->rec = NULL;
    p->passed = NULL;
    p->whole = NULL;
    p->extra = NULL;
    p->unheard = NULL;
    p->goexit = false;
    p->recovered = false;
    p->again = false;
}

__attribute__((noreturn)) static void raise_panic(rn__g *g, rn__panic *p)
{
    g->ext->panic = p;
    run_defers(g, p);
    rn__panic_die(p);
}

struct text {
    rn__panic *p;
    const char *s; /* the text, or a format */
    va_list *ap, *again;
};

static void keep_whole(void *arg)
{
    struct text *t = arg;
    t->p->whole = strdup(t->s); /* without memory the short text has to do */
}

static void set_text(rn__panic *p, const char *s)
{
    if (!copy_text(p->info.text, s)) {
        struct text t = {.p = p, .s = s};
        rn__roomy(p->g, keep_whole, &t);
    }
}

static void format_text(void *arg)
{
    struct text *t = arg;
    char
        buf[RN_PANIC_TEXT + 1]; /* one more than fits, so that copy_text sees that it is too long */
    int n = vsnprintf(buf, sizeof buf, t->s, *t->ap);
    if (n < 0)
        buf[0] = '\0';
    if (copy_text(t->p->info.text, buf) || n < 0)
        return;
    t->p->whole = malloc((size_t)n + 1);
    if (t->p->whole != NULL)
        vsnprintf(t->p->whole, (size_t)n + 1, t->s, *t->again);
}

static bool has_percent(const char *s)
{
    while (*s != '\0' && *s != '%')
        s++;
    return *s == '%';
}

void rn_panic_at(const char *site, const char *fmt, ...)
{
    rn__g *g = rn__current();
    rn__panic p;
    start(g, &p, site, false);
    if (!has_percent(fmt)) {
        set_text(&p, fmt);
    } else {
        va_list ap, again;
        struct text t = {&p, fmt, &ap, &again};
        va_start(ap, fmt);
        va_start(again, fmt);
        rn__roomy(g, format_text, &t);
        va_end(again);
        va_end(ap);
    }
    raise_panic(g, &p);
}

void rn_panic_value_at(const char *site, void *value, const char *text)
{
    rn__g *g = rn__current();
    rn__panic p;
    start(g, &p, site, false);
    p.info.value = value;
    if (text != NULL) {
        set_text(&p, text);
    } else if (value == NULL) {
        p.info.is_runtime_error = true;
        set_text(&p, "runtime error: panic called with nil argument");
    } else {
        static const char type[] = "(void *) ";
        char buf[40];
        copy_text(buf, type);
        rn__format_hex(buf + sizeof type - 1, (uintptr_t)value);
        set_text(&p, buf);
    }
    raise_panic(g, &p);
}

static bool same_info(const rn_panic_info *a, const rn_panic_info *b)
{
    for (size_t i = 0; a->text[i] == b->text[i]; i++)
        if (a->text[i] == '\0')
            return a->value == b->value && a->site == b->site && a->goid == b->goid &&
                   a->is_runtime_error == b->is_runtime_error;
    return false;
}

void rn_repanic(const rn_panic_info *info)
{
    rn__g *g = rn__current();
    rn__panic p;
    start(g, &p, info->site, info->is_runtime_error);
    copy_info(&p.info, info);
    if (p.link != NULL && !p.link->goexit && same_info(&p.link->info, info)) {
        p.again = true;
        p.extra = p.link->extra;
        p.whole = p.link->whole; /* the older one is only printed through this one */
        p.link->whole = NULL;
    }
    raise_panic(g, &p);
}

void rn__panic_runtime(const char *site, const char *extra, const char *text)
{
    rn__g *g = rn__current();
    rn__panic p;
    start(g, &p, site, true);
    p.extra = extra;
    set_text(&p, text);
    raise_panic(g, &p);
}

/* ------------------------------------------------------------------------------------ recover */

/* The guard of the function that deferred the running call. */
static rn_guard *guard_for(const rn__g *g, const rn__panic *p)
{
    for (rn_deferred *d = g->defers; d != NULL && rn__same_frame(d, p->rec); d = d->up)
        if ((d->frame & RN__RECORD_KIND) == RN_RECORD_GUARD)
            return (rn_guard *)d;
    for (const rn__panic *q = p; q != NULL; q = q->link)
        if (q->passed != NULL && rn__same_frame(&q->passed->rec, p->rec))
            return q->passed;
    return NULL;
}

static const rn_panic_info *recover_as(rn__g *g, rn__panic *p)
{
    rn_guard *t = guard_for(g, p);
    if (t == NULL) {
        p->unheard = p->rec->func;
        return NULL;
    }
    p->target = t;
    p->recovered = true;
    return &p->info;
}

const rn_panic_info *rn_recover_at(const void *ret, const char *func)
{
    rn__g *g = rn__current();
    rn__panic *p = rn__panic_of(g);
    if (p == NULL || p->goexit || p->recovered || p->rec == NULL)
        return NULL;
    if (ret == rn__deferred_return ? rn__is_named(p->fn, func) : rn__is_wrapped(p->fn, ret))
        return recover_as(g, p);
    return NULL;
}

bool rn_try(void (*fn)(void *), void *arg, rn_panic_info *info)
{
    rn_guard t;
    rn_guard_enter(&t, NULL, __func__);
    t.rec.frame = RN_RECORD_TRY;
    t.info = info;
    if (rn_guard_save(&t) != 0)
        return false;
    fn(arg);
    rn_guard_leave(&t);
    return true;
}

/* ------------------------------------------------------------------------------------- Goexit */

static void goexit_rest(rn__g *g, rn__panic *p)
{
    run_defers(g, p);
    abandon(p, NULL);
    g->ext->panic = NULL;
    if (rn__is_foreign(g))
        pthread_exit(NULL);
    rn__g_exit();
}

void rn_goexit(void)
{
    rn__g *g = rn__current();
    rn__panic p;
    start(g, &p, NULL, false);
    p.info.text[0] = '\0';
    p.goexit = true;
    g->ext->panic = &p;
    goexit_rest(g, &p);
}
