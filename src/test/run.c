/*
 * run.c - rn_test_run: a test in a bubble, and what is said about one that cannot go on.
 *
 * The bubble itself is src/sched/bubble.c.
 *
 * Invariants
 *  - The caller is the bubble's controller from rn__bubble_new to rn__bubble_end, whatever happens.
 *  - A report is made while nothing in the bubble can move: stacks and descriptors stand still.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <runnel/sync.h>
#include <runnel/test.h>
#include "../panic/panic.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    LISTED_MAX = 1000,
    LOOK_AGAIN = 1000000, /* ns */
    LOOKS = 3,            /* before a wait for a mutex is a deadlock, see is_over */
    MUTEX_LOCKED = 1,     /* in rn_mutex.rn_word */
};

static const char *const text_of[] = {
    [RN__BUBBLE_STUCK] = "deadlock: all goroutines in bubble are blocked",
    [RN__BUBBLE_LEFT] = "deadlock: main bubble goroutine has exited but blocked goroutines remain",
};

/* --------------------------------------------------------------------------------- the report */

typedef struct remains {
    int n;                /* goroutines that are left */
    bool locks;           /* one of them waits for a mutex */
    bool hope;            /* which somebody outside holds, or is about to take */
    rn__g *g[LISTED_MAX]; /* the first ones, oldest first */
} remains;

static void look_at(rn__g *g, void *arg)
{
    remains *r = arg;
    if (r->n < LISTED_MAX)
        r->g[r->n] = g;
    r->n++;
    if (g->reason == RN__WAIT_MUTEX_LOCK && g->obj != NULL) {
        const rn_mutex *m = g->obj;
        const rn__g *owner = __atomic_load_n(&m->rn_owner, __ATOMIC_RELAXED);
        bool locked = (__atomic_load_n(&m->rn_word, __ATOMIC_RELAXED) & MUTEX_LOCKED) != 0;
        r->locks = true;
        r->hope |= !locked || rn__bubble_outsider(owner, g);
    }
}

/* The dump of all that are left, allocated; NULL without memory or a file to write it to. */
static char *describe(const remains *r)
{
    int fd = memfd_create("report", MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    rn__dump_list(fd, r->g, (size_t)(r->n < LISTED_MAX ? r->n : LISTED_MAX));
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (text != NULL) {
        ssize_t n = pread(fd, text, (size_t)size, 0);
        text[n > 0 ? n : 0] = '\0';
    }
    close(fd);
    return text;
}

/* ------------------------------------------------------------------------------------- the run */

typedef struct run {
    void (*fn)(void *);
    void *arg;
    rn__bubble *b;
    remains *left; /* RN__BUBBLE_*: who; else NULL */
    char *report;  /* their dump; may be NULL */
} run;

static void start_body(void *p)
{
    run *r = *(run **)p;
    r->fn(r->arg);
}

/*
 * Nothing moves in the bubble. Whether that is the end: not while somebody outside holds a mutex
 * that is waited for inside. Who has just been let in outside may not have written down yet that it
 * is the holder, so a wait for a mutex is looked at several times.
 */
static bool is_over(run *r, int looks)
{
    if (r->left == NULL)
        r->left = malloc(sizeof *r->left);
    if (r->left == NULL)
        rn__fatal("out of memory for the report of a deadlock in a bubble");
    r->left->n = 0;
    r->left->locks = r->left->hope = false;
    rn__bubble_each(r->b, look_at, r->left);
    return !r->left->hope && (!r->left->locks || looks >= LOOKS);
}

/* Needs more stack than a small goroutine has. */
static void make_report(void *p)
{
    run *r = p;
    r->report = describe(r->left);
}

static void tell(rn_test_result *to, int how, const run *r, int64_t elapsed)
{
    to->err = how != 0 ? -EDEADLK : 0;
    to->blocked = r->left != NULL ? r->left->n : 0;
    to->elapsed = elapsed;
    to->report[0] = '\0';
    if (how != 0)
        snprintf(to->report, sizeof to->report, "%s\n\n%s", text_of[how],
                 r->report != NULL ? r->report : "");
}

int rn_test_run_at(void (*fn)(void *), void *arg, const rn_test_opts *opts, const rn_go_site *where)
{
    static const rn_test_opts usual = {0};
    if (opts == NULL)
        opts = &usual;
    rn__g *g = rn__current();
    if (g->bubble != 0)
        rn__panic_runtime(where != NULL ? where->site : NULL, NULL,
                          "synctest.Run called from within a synctest bubble");
    int64_t start = opts->start != 0 ? opts->start : RN_TEST_EPOCH;
    run r = {.fn = fn, .arg = arg, .b = rn__bubble_new(opts->seed, start)};
    if (r.b == NULL) {
        if (opts->result != NULL)
            *opts->result = (rn_test_result){.err = -ENOMEM};
        return -ENOMEM;
    }
    run *rp = &r;
    rn_go_start(start_body, &rp, sizeof rp, NULL, where);
    int how;
    for (int looks = 1; (how = rn__bubble_run(r.b)) != 0 && !is_over(&r, looks); looks++) {
        if (r.left->hope)
            looks = 0;
        rn__bubble_look_again(r.b, LOOK_AGAIN);
    }
    int64_t elapsed = rn_now() - start;
    rn__bubble_end(r.b);
    if (how == 0)
        free(r.left), r.left = NULL;
    else
        rn__roomy(g, make_report, &r);
    if (opts->result != NULL) {
        tell(opts->result, how, &r, elapsed);
        free(r.report);
        free(r.left);
        return opts->result->err;
    }
    if (how == 0)
        return 0;
    free(r.left);
    rn__bubble_keep(r.b, r.report); /* whoever recovers may panic again, and print it */
    rn__panic_runtime(where != NULL ? where->site : NULL, r.report, text_of[how]);
}

/* ------------------------------------------------------------------------------------- waiting */

void rn_test_wait_at(const char *site)
{
    rn__g *g = rn__current();
    if (g->bubble == 0)
        rn__panic_runtime(site, NULL, "goroutine is not in a bubble");
    if (!rn__bubble_wait(g, site))
        rn__panic_runtime(site, NULL, "wait already in progress");
}

void rn_test_sleep_at(int64_t ns, const char *site)
{
    if (rn__current()->bubble == 0)
        rn__panic_runtime(site, NULL, "goroutine is not in a bubble");
    rn_sleep(ns);
    rn_test_wait_at(site);
}
