/*
 * record.h - stands in for the library: every untyped function writes down what it was given and
 * returns what the test has asked for. The tests then look at what the typed macros made of a line.
 *
 * Invariants
 *  - Nothing here blocks, panics or starts anything: rec is the last call, calls counts them all.
 *  - A failed check ends the program with its file and line.
 */
#ifndef RECORD_H
#define RECORD_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <runnel.h>

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #cond); \
            exit(1);                                                           \
        }                                                                      \
    } while (0)
#define SAME(text, other) (strcmp(text, other) == 0)

/* What the last call was given. */
static struct rec {
    const char *call; /* the function's name without rn_hchan_ */
    rn_hchan *c;
    const void *elem;         /* the address itself */
    unsigned char bytes[256]; /* what was there at the time */
    bool *ok;
    int64_t n; /* capacity, deadline */
    size_t size;
    const char *type, *site, *name;
    void (*drop)(void *elem);
    rn_case cases[16];
    const void *sent[16]; /* bytes of the cases' values, one buffer each, in value */
    unsigned char value[16][64];
    void (*run)(void *args);
    rn_go_attr attr;
    bool has_attr;
    const rn_go_site *where;
} rec;

static int calls;         /* of any function */
static bool answer;       /* what functions that return bool return */
static int answer_n;      /* what functions that return int return */
static size_t elem_size;  /* bytes to look at behind elem; set by the test */
static int receives_left; /* recv returns true so often, then false */
static int received;      /* the next int that recv writes */
static jmp_buf on_closed; /* where send_on_closed goes */

/* Two channels that are not NULL. */
static char place[2];
static rn_hchan *const H0 = (rn_hchan *)(void *)&place[0];
static rn_hchan *const H1 = (rn_hchan *)(void *)&place[1];

static void note(const char *call, rn_hchan *c, const void *elem, const char *site)
{
    memset((void *)&rec, 0, sizeof rec);
    rec.call = call;
    rec.c = c;
    rec.elem = elem;
    rec.site = site;
    if (elem != NULL && elem_size <= sizeof rec.bytes)
        memcpy(rec.bytes, elem, elem_size);
    calls++;
}

RN_EXTERN_C_BEGIN

rn_hchan *rn_hchan_make(size_t size, int64_t cap, const char *type, const char *site)
{
    note("make", NULL, NULL, site);
    rec.size = size;
    rec.n = cap;
    rec.type = type;
    return H0;
}

rn_hchan *rn_hchan_make_with(size_t size, int64_t cap, const char *type, const char *site,
                             const rn_chan_opts *opts)
{
    rn_hchan_make(size, cap, type, site);
    rec.call = "make_with";
    rec.name = opts->name;
    rec.drop = opts->drop;
    return H0;
}

bool rn_hchan_send(rn_hchan *c, const void *elem, const char *site)
{
    note("send", c, elem, site);
    return answer;
}

void rn_hchan_send_on_closed(rn_hchan *c, const char *site)
{
    note("send_on_closed", c, NULL, site);
    longjmp(on_closed, 1);
}

bool rn_hchan_recv(rn_hchan *c, void *elem, const char *site)
{
    note("recv", c, elem, site);
    if (receives_left == 0)
        return false;
    receives_left--;
    if (elem != NULL && elem_size == sizeof received) {
        memcpy(elem, &received, sizeof received);
        received++;
    }
    return true;
}

bool rn_hchan_try_send(rn_hchan *c, const void *elem, const char *site)
{
    note("try_send", c, elem, site);
    return answer;
}

bool rn_hchan_try_recv(rn_hchan *c, void *elem, bool *ok, const char *site)
{
    note("try_recv", c, elem, site);
    rec.ok = ok;
    return answer;
}

int rn_hchan_put(rn_hchan *c, int64_t deadline, const void *elem, const char *site)
{
    note("put", c, elem, site);
    rec.n = deadline;
    return answer_n;
}

int rn_hchan_take(rn_hchan *c, int64_t deadline, void *elem, const char *site)
{
    note("take", c, elem, site);
    rec.n = deadline;
    return answer_n;
}

void rn_hchan_close(rn_hchan *c, const char *site)
{
    note("close", c, NULL, site);
}

bool rn_hchan_try_close(rn_hchan *c, const char *site)
{
    note("try_close", c, NULL, site);
    return answer;
}

size_t rn_hchan_len(const rn_hchan *c)
{
    note("len", c == H0 ? H0 : c == H1 ? H1 : NULL, NULL, NULL);
    return 3;
}

size_t rn_hchan_cap(const rn_hchan *c)
{
    note("cap", c == H0 ? H0 : c == H1 ? H1 : NULL, NULL, NULL);
    return 8;
}

rn_hchan *rn_hchan_ref(rn_hchan *c)
{
    note("ref", c, NULL, NULL);
    return c;
}

void rn_hchan_unref(rn_hchan *c, const char *site)
{
    note("unref", c, NULL, site);
}

int rn_hchan_set_name(rn_hchan *c, const char *name)
{
    note("set_name", c, NULL, NULL);
    rec.name = name;
    return answer_n;
}

int rn_hchan_fd(rn_hchan *c)
{
    note("fd", c, NULL, NULL);
    return answer_n;
}

int rn_hselect(const rn_case *cases, size_t n, const char *site)
{
    note("select", NULL, NULL, site);
    rec.elem = cases;
    rec.size = n;
    for (size_t i = 0; i < n && i < 16; i++) {
        rec.cases[i] = cases[i];
        if (cases[i].op == RN_OP_SEND)
            memcpy(rec.value[i], cases[i].elem, elem_size);
    }
    return answer_n;
}

void rn_go_start(void (*fn)(void *), const void *args, size_t nargs, const rn_go_attr *attr,
                 const rn_go_site *where)
{
    note("go", NULL, args, NULL);
    CHECK(nargs <= sizeof rec.bytes);
    memcpy(rec.bytes, args == NULL ? "" : args, nargs);
    rec.run = fn;
    rec.size = nargs;
    rec.has_attr = attr != NULL;
    if (attr != NULL)
        rec.attr = *attr;
    rec.where = where;
}

void rn_blocking_enter(void)
{
    note("blocking_enter", NULL, NULL, NULL);
}

void rn_blocking_leave(void)
{
    note("blocking_leave", NULL, NULL, NULL);
}

RN_EXTERN_C_END

/* Runs the goroutine of the last go statement from a copy of its arguments, as the library does. */
static RN_UNUSED void run_started(void)
{
    unsigned char args[sizeof rec.bytes] __attribute__((aligned(16)));
    memcpy(args, rec.bytes, sizeof args);
    void (*run)(void *) = rec.run;
    run(args);
}

/* A channel of a type, from one of the two places. */
#define AS(type, h) ((type)(void *)(h))

#endif
