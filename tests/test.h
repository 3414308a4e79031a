/*
 * test.h - the few things that a test program needs: checks, items, child processes, and a way to
 * know that somebody is parked.
 *
 * A test program is one file: ITEM(number, "what") { ... } for each thing it shows, CHILD(name)
 * { ... } for code that must end its process, and TEST_MAIN at the end. Run without arguments it
 * forks one process per item, each with a time limit; with numbers it runs those items in this process (for
 * a debugger); --list prints what it has.
 *
 * Invariants
 *  - Include it first: it asks the C library for the names it needs.
 *  - A failed check prints file:line and ends the process with status 1 at once; no check is only
 *    counted.
 *  - The runtime is not started before an item runs, so that fork is safe and every item finds a
 *    fresh runtime, in which the item's code is goroutine 1.
 *  - Time is never an oracle. Time limits only turn a hang into a failure; "it is parked" is read
 *    from the goroutines' own states.
 */
#ifndef RN_TEST_H
#define RN_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <runnel.h>
#include <runnel/panic.h>
#include <runnel/sync.h>

/* The only private headers that tests may look into: states of goroutines, for test_wait_parked. */
#include "../src/chan/hchan.h"
#include "../src/context/context.h"
#include "../src/sched/sched.h"

/* Test programs use what they need of this file. */
#define TEST_FN __attribute__((unused)) static

/* ------------------------------------------------------------------------------------- checks */

__attribute__((noreturn, format(printf, 3, 4))) TEST_FN void test_fail(const char *file, int line,
                                                                       const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s:%d: %s (worker limit %d)\n", file, line, text, rn_gomaxprocs(0));
    fflush(NULL);
    _exit(1);
}

#define CHECK(cond) ((cond) ? (void)0 : test_fail(__FILE__, __LINE__, "CHECK(%s) failed", #cond))

/* Compares two integers and shows both. */
#define CHECK_EQ(got, want) \
    test_check_eq((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
TEST_FN void test_check_eq(long long got, long long want, const char *what, const char *file,
                           int line)
{
    if (got != want)
        test_fail(file, line, "%s is %lld, should be %lld", what, got, want);
}

/* The text must contain `part`. */
#define CHECK_HAS(text, part)     test_check_has((text), (part), true, __FILE__, __LINE__)
#define CHECK_HAS_NOT(text, part) test_check_has((text), (part), false, __FILE__, __LINE__)
TEST_FN void test_check_has(const char *text, const char *part, bool want, const char *file,
                            int line)
{
    if ((strstr(text, part) != NULL) != want) {
        fprintf(stderr, "---- text:\n%s\n----\n", text);
        test_fail(file, line, "the text %s \"%s\"", want ? "lacks" : "must not contain", part);
    }
}

/* fn(arg) must panic with exactly this text. */
#define CHECK_PANIC(fn, arg, text) test_check_panic((fn), (arg), (text), __FILE__, __LINE__)
TEST_FN void test_check_panic(void (*fn)(void *), void *arg, const char *text, const char *file,
                              int line)
{
    rn_panic_info info;
    memset(&info, 0, sizeof info);
    if (rn_try(fn, arg, &info))
        test_fail(file, line, "no panic; expected \"%s\"", text);
    if (strcmp(info.text, text) != 0)
        test_fail(file, line, "panic \"%s\"; expected \"%s\"", info.text, text);
}

/* -------------------------------------------------------------------------------------- scale */

#define TEST_TSAN RN__TSAN

/* 1 in plain builds; what sanitizers cost in time. */
#if RN__TSAN || RN__ASAN
#define TEST_SANITIZED 1
#define TEST_SLOW      4
#else
#define TEST_SANITIZED 0
#define TEST_SLOW      1
#endif

/* n, multiplied by RUNNEL_TEST_SCALE (a decimal number; 1 if not set); at least `least`. */
TEST_FN int64_t test_scale(int64_t n, int64_t least)
{
    const char *s = getenv("RUNNEL_TEST_SCALE");
    double f = s != NULL ? strtod(s, NULL) : 1.0;
    int64_t r = f > 0.0 ? (int64_t)((double)n * f) : n;
    return r < least ? least : r;
}

/* A deadline on rn_now() that turns a hang into a failure. */
TEST_FN int64_t test_patience(void)
{
    return rn_now() + 40 * TEST_SLOW * RN_SEC;
}

/* A small generator of its own per caller: tests must not share hidden state between threads. */
TEST_FN uint64_t test_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* --------------------------------------------------------------------------- who is parked? */

struct test_count {
    enum rn__reason reason; /* what they wait for */
    const void *obj;        /* the object; NULL: any */
    int n;                  /* how many do */
};

/* Whether g is in its queues for everybody to see. It notes what it waits for, status last, while it holds the
 * locks of its channels; try operations look without a lock, and see it once those are released. */
__attribute__((no_sanitize("thread"))) TEST_FN bool test_is_queued(rn__g *g)
{
    const rn_hchan *c = g->obj;
    switch (g->reason) {
    case RN__WAIT_CHAN_SEND:
    case RN__WAIT_CHAN_RECEIVE:
        return (atomic_load_explicit(&c->word, memory_order_acquire) & RN__CH_LOCK) == 0;
    case RN__WAIT_SELECT: /* a foreign thread does not say so; no test depends on it */
        return rn__is_foreign(g) ||
               atomic_load_explicit(&g->permit, memory_order_acquire) == RN__PERMIT_PARKED;
    default: return true;
    }
}

__attribute__((no_sanitize("thread"))) TEST_FN void test_count_one(rn__g *g, void *arg)
{
    struct test_count *c = arg;
    if (atomic_load_explicit(&g->status, memory_order_acquire) != RN__WAITING)
        return;
    if (g->reason != (uint8_t)c->reason || (c->obj != NULL && g->obj != c->obj))
        return;
    c->n += test_is_queued(g);
}

TEST_FN int test_parked(enum rn__reason reason, const void *obj)
{
    struct test_count c = {reason, obj, 0};
    rn__for_each_g(test_count_one, &c);
    rn__for_each_foreign(test_count_one, &c);
    return c.n;
}

/* Lets others run until at least n goroutines or foreign threads are parked for that reason. */
#define WAIT_PARKED(n, reason, obj) \
    test_wait_parked((n), RN__WAIT_##reason, (obj), __FILE__, __LINE__)
TEST_FN void test_wait_parked(int n, enum rn__reason reason, const void *obj, const char *file,
                              int line)
{
    int64_t limit = test_patience();
    while (test_parked(reason, obj) < n) {
        if (rn_now() > limit)
            test_fail(file, line, "only %d of %d are parked in \"%s\"", test_parked(reason, obj), n,
                      rn__reason_text(reason));
        rn_yield();
    }
}

/* Lets others run until the condition holds. */
#define WAIT_UNTIL(cond)                                                       \
    do {                                                                       \
        int64_t test_limit_ = test_patience();                                 \
        while (!(cond)) {                                                      \
            if (rn_now() > test_limit_)                                        \
                test_fail(__FILE__, __LINE__, "waited in vain for %s", #cond); \
            rn_yield();                                                        \
        }                                                                      \
    } while (0)

/* ------------------------------------------------------------------------- start and join */

/* Goroutines started by test_go, and how many of them have come to the end of their function. */
__attribute__((unused)) static _Atomic(int64_t) test_started, test_ended;

typedef struct test_start {
    void (*fn)(void *);
    void *arg;
} test_start;

TEST_FN void test_go_run(void *p)
{
    test_start s = *(test_start *)p;
    s.fn(s.arg);
    /* release: the end of a goroutine orders nothing by itself, but whoever waits with WAIT_GONE may
     * look at what it wrote */
    atomic_fetch_add_explicit(&test_ended, 1, memory_order_release);
}

/* go1(fn, arg), for goroutines that WAIT_GONE will wait for. */
#define test_go(fn, arg)                                                               \
    do {                                                                               \
        static const rn_go_site test_site_ = {#fn, __func__, RN_HERE};                 \
        test_start test_start_ = {(fn), (arg)};                                        \
        atomic_fetch_add_explicit(&test_started, 1, memory_order_relaxed);             \
        rn_go_start(test_go_run, &test_start_, sizeof test_start_, NULL, &test_site_); \
    } while (0)

/* Waits until all that test_go started have ended and no more than n goroutines live. */
#define WAIT_GONE(n)                                                            \
    WAIT_UNTIL(atomic_load_explicit(&test_ended, memory_order_acquire) ==       \
                   atomic_load_explicit(&test_started, memory_order_relaxed) && \
               rn_num_goroutine() <= (n))

/* -------------------------------------------------------------------------------------- items */

typedef struct test_item {
    int num;                /* item of the semantics list; 0: a child's code */
    const char *what;       /* one line; the child's name */
    void (*fn)(void);       /* its code */
    struct test_item *next; /* in order of the file */
} test_item;

static test_item *test_first, **test_last = &test_first;

TEST_FN void test_add(test_item *t)
{
    *test_last = t;
    test_last = &t->next;
}

#define TEST_ENTRY_(num, what, id)                                       \
    static void RN_CAT(test_fn_, id)(void);                              \
    __attribute__((constructor)) static void RN_CAT(test_add_, id)(void) \
    {                                                                    \
        static test_item item = {num, what, RN_CAT(test_fn_, id), NULL}; \
        test_add(&item);                                                 \
    }                                                                    \
    static void RN_CAT(test_fn_, id)(void)
#define ITEM(num, what) TEST_ENTRY_(num, what, __LINE__)
#define CHILD(name)     TEST_ENTRY_(0, #name, __LINE__)

/* ----------------------------------------------------------------------------- child processes */

typedef struct test_child {
    int status;      /* exit status, or 128 + signal */
    char err[32768]; /* what it wrote to stderr */
    char out[4096];  /* and to stdout */
} test_child;

TEST_FN void test_slurp(int fd, char *buf, size_t n)
{
    ssize_t got = pread(fd, buf, n - 1, 0);
    buf[got < 0 ? 0 : got] = '\0';
    close(fd);
}

/* Waits for a process; kills it after `limit` seconds. The status as a shell shows it. */
TEST_FN int test_reap(pid_t pid, int limit)
{
    int status = 0;
    for (int64_t i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
        if (i > (int64_t)limit * 2000)
            kill(pid, SIGKILL);
        usleep(500);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/*
 * Turns this process into a new run of this program. Where an emulator runs it, the kernel cannot start it
 * by itself: RUNNEL_TEST_EMULATOR then holds the emulator's path and arguments, separated by blanks.
 * Calls nothing that takes a lock.
 */
__attribute__((noreturn)) TEST_FN void test_exec_self(char **args, char **env)
{
    static char words[1024], self[4096];
    char *all[32];
    int n = 0;
    const char *emulator = getenv("RUNNEL_TEST_EMULATOR");
    if (emulator == NULL || *emulator == '\0') {
        execve("/proc/self/exe", args, env);
        _exit(127);
    }
    strncpy(words, emulator, sizeof words - 1);
    char *rest = words;
    for (char *w; n < 16 && (w = strsep(&rest, " ")) != NULL;)
        all[n++] = w;
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        _exit(127);
    all[n++] = self;
    for (char **a = args + 1; *a != NULL && n < 31; a++)
        all[n++] = *a;
    all[n] = NULL;
    execve(all[0], all, env);
    _exit(127);
}

/*
 * Runs CHILD(name) of this program in a process of its own and returns what became of it; the result is
 * overwritten by the next call. Further arguments are "NAME=VALUE" for its environment; the last
 * one is NULL.
 */
__attribute__((sentinel)) TEST_FN test_child *test_run_child(const char *name, ...)
{
    static test_child r;
    int out = memfd_create("out", 0), err = memfd_create("err", 0);
    char *env[512];
    int n = 0;
    va_list ap;
    va_start(ap, name);
    while ((env[n] = va_arg(ap, char *)) != NULL)
        n++;
    va_end(ap);
    for (char **e = environ; *e != NULL && n < 511; e++)
        env[n++] = *e; /* behind ours: the first of a name counts */
    env[n] = NULL;
    char *args[] = {(char[]){"test"}, (char[]){"--child"}, (char *)(uintptr_t)name, NULL};
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) { /* other threads may have held locks: only async-signal-safe calls here */
        dup2(out, 1);
        dup2(err, 2);
        test_exec_self(args, env);
    }
    CHECK(pid > 0);
    r.status = test_reap(pid, 20 * TEST_SLOW);
    test_slurp(out, r.out, sizeof r.out);
    test_slurp(err, r.err, sizeof r.err);
    return &r;
}

/* ------------------------------------------------------------------------------------- the run */

TEST_FN int test_run_forked(const test_item *t)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        t->fn();
        exit(0);
    }
    int status = pid > 0 ? test_reap(pid, (int)test_scale(60 * TEST_SLOW, 60 * TEST_SLOW)) : 127;
    printf("%s %3d  %s%s\n", status == 0 ? "ok  " : "FAIL", t->num, t->what,
           status == 128 + SIGKILL ? "  (time limit)" : "");
    return status;
}

TEST_FN int test_main(int argc, char **argv)
{
    int failed = 0, ran = 0;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (test_item *t = test_first; t != NULL; t = t->next)
            if (t->num != 0)
                printf("%d\t%s\n", t->num, t->what);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--child") == 0) {
        for (test_item *t = test_first; t != NULL; t = t->next) {
            if (t->num == 0 && strcmp(t->what, argv[2]) == 0) {
                t->fn();
                return 0;
            }
        }
        return 126;
    }
    for (test_item *t = test_first; t != NULL; t = t->next) {
        if (t->num == 0)
            continue;
        if (argc == 1) {
            failed += test_run_forked(t) != 0;
            ran++;
        }
        for (int i = 1; i < argc; i++) {
            if (atoi(argv[i]) == t->num) {
                printf("%d  %s\n", t->num, t->what);
                t->fn();
                ran++;
            }
        }
    }
    if (ran == 0) {
        fprintf(stderr, "no such item; try --list\n");
        return 1;
    }
    printf("%d run, %d failed\n", ran, failed);
    return failed != 0;
}

#define TEST_MAIN                     \
    int main(int argc, char **argv)   \
    {                                 \
        return test_main(argc, argv); \
    }

#endif
