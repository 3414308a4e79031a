/*
 * g_goroutines.c - items 79 to 83 and 94 to 97: how goroutines start, end, count, and how many fit.
 *
 * Invariants
 *  - What ends a process runs in a process of its own.
 */
#include "../test.h"

/* ---- item 79 */

static uint64_t evaluated_in[2];

static int arg_value(int i)
{
    evaluated_in[i] = rn_goid();
    return i + 10;
}

static _Atomic(int) arg_sum;

static void add_args(int a, int b)
{
    CHECK(rn_goid() != evaluated_in[0]);
    atomic_fetch_add(&arg_sum, a * 100 + b);
}
GO_FUNC(add_args, int, int);

ITEM(79, "arguments are evaluated in the spawning goroutine, before the new one runs")
{
    int v = 5;
    go(add_args, arg_value(0), arg_value(1));
    CHECK_EQ(evaluated_in[0], rn_goid());
    CHECK_EQ(evaluated_in[1], rn_goid());
    WAIT_GONE(1);
    CHECK_EQ(arg_sum, 1011);
    for (int i = 0; i < 100; i++) { /* later changes do not reach it */
        go(add_args, v, v);
        v++;
    }
    WAIT_GONE(1);
    int want = 1011;
    for (int i = 5; i < 105; i++)
        want += i * 101;
    CHECK_EQ(arg_sum, want);
}

struct large {
    int64_t word[40]; /* more than a descriptor holds */
};

static void sum_large(struct large a, _Atomic(int64_t) *out)
{
    int64_t s = 0;
    rn_yield(); /* the arguments live until the function returns */
    for (int i = 0; i < 40; i++)
        s += a.word[i];
    atomic_store(out, s);
}
GO_FUNC(sum_large, struct large, _Atomic(int64_t) *);

ITEM(79, "arguments of any size are copied")
{
    struct large a;
    _Atomic(int64_t) out = 0;
    for (int i = 0; i < 40; i++)
        a.word[i] = i;
    go(sum_large, a, &out);
    memset(&a, 0xFF, sizeof a);
    WAIT_GONE(1);
    CHECK_EQ(out, 39 * 40 / 2);
}

/* ---- items 80, 81 */

static void say(void *text)
{
    fputs(text, stdout);
    fflush(stdout);
}

static void defer_and_wait(void *p)
{
    defer(say, (char[]){"deferred"});
    chan_recv((chan(int))p, NULL);
}

CHILD(main_returns)
{
    chan(int) c = chan_make(int, 0);
    test_go(defer_and_wait, (void *)c);
    WAIT_PARKED(1, CHAN_RECEIVE, c);
    say((char[]){"bye"});
}

static void defer_and_exit(void *p)
{
    defer(say, (char[]){"deferred"});
    (void)p;
    exit(3);
}

CHILD(goroutine_exits)
{
    test_go(defer_and_exit, NULL);
    for (;;)
        rn_yield();
}

ITEM(80, "the program ends when main returns: status 0, nobody waited for, no defers of others")
{
    test_child *r = test_run_child("main_returns", NULL);
    CHECK_EQ(r->status, 0);
    CHECK(strcmp(r->out, "bye") == 0);
    CHECK(r->err[0] == '\0');
}

ITEM(81, "exit(n) ends at once, from any goroutine, without defers")
{
    test_child *r = test_run_child("goroutine_exits", NULL);
    CHECK_EQ(r->status, 3);
    CHECK(r->out[0] == '\0');
}

/* ---- items 82, 83 */

static void just_recv(void *p)
{
    chan_recv((chan(int))p, NULL);
}

static void *foreign_recv(void *p)
{
    chan_recv((chan(int))p, NULL);
    return NULL;
}

ITEM(82, "the number of goroutines counts main and the parked ones, but no foreign threads")
{
    CHECK_EQ(rn_num_goroutine(), 1);
    chan(int) c = chan_make(int, 0);
    for (int i = 1; i <= 50; i++) {
        test_go(just_recv, (void *)c);
        CHECK_EQ(rn_num_goroutine(), 1 + i);
    }
    WAIT_PARKED(50, CHAN_RECEIVE, c);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, foreign_recv, (void *)c) == 0);
    WAIT_PARKED(51, CHAN_RECEIVE, c);
    CHECK_EQ(rn_num_goroutine(), 51);
    chan_close(c);
    pthread_join(t, NULL);
    WAIT_GONE(1);
    CHECK_EQ(rn_num_goroutine(), 1);
    chan_unref(c);
}

ITEM(83, "a goroutine that waits for ever stays, even if nobody can reach its channel")
{
    chan(int) c = chan_make(int, 0);
    test_go(just_recv, (void *)c);
    WAIT_PARKED(1, CHAN_RECEIVE, NULL);
    c = NULL; /* gone */
    for (int i = 0; i < 1000; i++)
        rn_yield();
    CHECK_EQ(rn_num_goroutine(), 2);
    CHECK_EQ(test_parked(RN__WAIT_CHAN_RECEIVE, NULL), 1);
}

/* ---- items 94, 95 */

static void mark(void *p)
{
    atomic_fetch_add((_Atomic(int) *)p, 1);
}

static _Atomic(int) recovered, went_on;

static void recover_it(void *p)
{
    (void)p;
    if (recover() != NULL)
        atomic_fetch_add(&recovered, 1);
}

static void leave_deep(void *p)
{
    defer(mark, p);
    rn_goexit();
}

static void leave(void *p)
{
    rn_recoverable();
    defer(recover_it, NULL);
    defer(mark, p);
    rn_try(leave_deep, p, NULL);
    atomic_fetch_add(&went_on, 1);
}

ITEM(94, "goexit runs all defers, cannot be recovered, and ends only its goroutine")
{
    _Atomic(int) marks = 0;
    for (int i = 0; i < 100; i++)
        go1(leave, &marks);
    WAIT_GONE(1);
    CHECK_EQ(marks, 200);
    CHECK_EQ(recovered, 0);
    CHECK_EQ(went_on, 0);
}

static void send_and_say(void *p)
{
    for (int i = 0; i < 10; i++)
        rn_yield();
    say((char[]){"others run on."});
    (void)p;
}

CHILD(main_goexit)
{
    defer(say, (char[]){"deferred."});
    test_go(send_and_say, NULL);
    rn_goexit();
}

CHILD(main_goexit_blocked)
{
    chan(int) c = chan_make(int, 0);
    test_go(just_recv, (void *)c);
    rn_goexit();
}

ITEM(95, "goexit in main lets the others run on; when nothing is left it is a fatal error")
{
    test_child *r = test_run_child("main_goexit", NULL);
    CHECK_EQ(r->status, 2);
    CHECK(strncmp(r->err, "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n",
                  68) == 0);
    CHECK_HAS(r->out, "deferred.");
    CHECK_HAS(r->out, "others run on.");
    r = test_run_child("main_goexit_blocked", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: all goroutines are asleep - deadlock!");
}

/* ---- items 96, 97 */

/* The frame's address escapes into an empty statement, before and after the call: compilers can neither
 * shrink it nor make a loop of the recursion. */
static int deep(int n)
{
    char frame[1024];
    frame[0] = frame[1023] = (char)n;
    __asm__ volatile("" : : "r"(frame) : "memory");
    int below = n == 0 ? 0 : deep(n - 1) + 1;
    __asm__ volatile("" : : "r"(frame) : "memory");
    return below + (frame[1023] - frame[0]);
}

static void go_deep(void *p)
{
    CHECK_EQ(deep(3000), 3000);
    atomic_fetch_add((_Atomic(int) *)p, 1);
}

CHILD(too_deep)
{
    _Atomic(int) n = 0;
    test_go(go_deep, &n); /* some 3 MB on the default stack */
    WAIT_GONE(1);
}

ITEM(96, "a large stack is given on request; an overflow is fatal and says so")
{
    _Atomic(int) n = 0;
    for (int i = 0; i < 10; i++)
        go1_with(((rn_go_attr){.stack = (size_t)16 << 20}), go_deep, &n);
    WAIT_GONE(1);
    CHECK_EQ(n, 10);
    if (TEST_SANITIZED)
        return; /* the sanitizer's own handler reports it in its words */
    test_child *r = test_run_child("too_deep", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "stack overflow");
    CHECK_HAS(r->err, "go_deep");
}

ITEM(97, "a hundred thousand goroutines are blocked at once, and all complete")
{
    int n = (int)test_scale(100000, 1000);
    if (TEST_SANITIZED && n > 3000)
        n = 3000; /* a sanitizer keeps a shadow of hundreds of KiB per goroutine */
    chan(int) c = chan_make(int, 0);
    for (int i = 0; i < n; i++)
        test_go(just_recv, (void *)c);
    WAIT_UNTIL(test_parked(RN__WAIT_CHAN_RECEIVE, c) == n);
    CHECK_EQ(rn_num_goroutine(), n + 1);
    for (int i = 0; i < n / 2; i++)
        chan_send(c, i);
    chan_close(c);
    WAIT_GONE(1);
    chan_unref(c);
}

TEST_MAIN
