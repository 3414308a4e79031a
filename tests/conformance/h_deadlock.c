/*
 * h_deadlock.c - items 100 to 103: the verdict "all goroutines are asleep".
 *
 * Invariants
 *  - Each case runs in a process of its own; its standard error and exit status are compared.
 *  - What must not be a deadlock is shown by a program that goes on.
 */
#include "../test.h"

#define ASLEEP "fatal error: all goroutines are asleep - deadlock!\n\n"

static bool starts_with(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static void say(void *text)
{
    fputs(text, stdout);
    fflush(stdout);
}

/* Something to do after the wait, so that the call is no tail call and has a frame of its own. */
static volatile int after;

static void just_recv(void *p)
{
    chan_recv((chan(int))p, NULL);
    after = 1;
}

/* ---- item 100 */

CHILD(main_alone)
{
    chan(int) c = chan_make(int, 0);
    chan_recv(c, NULL);
}

CHILD(everybody)
{
    chan(int) c = chan_make(int, 0);
    chan(int) d = chan_make(int, 1);
    for (int i = 0; i < 20; i++)
        test_go(just_recv, (void *)(i % 2 ? c : d));
    chan_select(on_recv(c, NULL), on_recv(d, NULL));
}

static void *foreign_waits(void *p)
{
    chan_recv((chan(int))p, NULL);
    return NULL;
}

CHILD(foreign_too)
{
    chan(int) c = chan_make(int, 0);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, foreign_waits, (void *)c) == 0);
    chan(int) mine = chan_make(int, 0);
    chan_send(mine, 1);
}

static void *foreign_leaves(void *p)
{
    chan_send((chan(int))p, 1);
    usleep(1000);
    return NULL; /* as long as it lived it might have sent more */
}

CHILD(foreign_gone)
{
    chan(int) c = chan_make(int, 0);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, foreign_leaves, (void *)c) == 0);
    pthread_detach(t);
    chan_recv(c, NULL);
    chan_recv(c, NULL);
}

CHILD(after_timers)
{
    chan(int) c = chan_make(int, 0);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(chan_select(on_recv(c, NULL), on_after(RN_MS)), 1);
    rn_sleep(RN_MS);
    CHECK_EQ(chan_take(c, rn_now() + RN_MS, NULL), -ETIMEDOUT);
    chan_recv(c, NULL);
}

ITEM(100, "nobody can run: first line, blank line, dump, exit status 2")
{
    static const char *const children[] = {"main_alone", "everybody", "foreign_too", "foreign_gone",
                                           "after_timers"};
    static const char *const procs[] = {"RUNNEL_MAXPROCS=1", "RUNNEL_MAXPROCS=2",
                                        "RUNNEL_MAXPROCS=8"};
    for (size_t i = 0; i < sizeof children / sizeof *children; i++) {
        for (int k = 0; k < 3; k++) {
            for (int again = 0; again < 5; again++) {
                test_child *r = test_run_child(children[i], procs[k], NULL);
                CHECK_EQ(r->status, 2);
                CHECK(starts_with(r->err, ASLEEP "goroutine 1 ["));
            }
        }
    }
}

/* ---- item 101 */

static void recover_it(void *p)
{
    (void)p;
    if (recover() != NULL)
        say((char[]){"recovered"});
}

static void block_for_ever(void *p)
{
    rn_recoverable();
    defer(recover_it, NULL);
    defer(say, (char[]){"deferred"});
    chan_recv((chan(int))p, NULL);
}

CHILD(try_to_recover)
{
    rn_panic_info info;
    rn_try(block_for_ever, (void *)chan_make(int, 0), &info);
    say((char[]){"went on"});
}

ITEM(101, "it is no panic: not recoverable, no defers run")
{
    test_child *r = test_run_child("try_to_recover", NULL);
    CHECK_EQ(r->status, 2);
    CHECK(starts_with(r->err, ASLEEP));
    CHECK(r->out[0] == '\0');
}

/* ---- item 102 */

static void sleep_then_send(void *p)
{
    rn_sleep(5 * RN_MS);
    chan_send((chan(int))p, 1);
}

ITEM(102, "a pending sleep or time-out suppresses it")
{
    for (int i = 0; i < 10; i++) {
        chan(int) c = chan_make(int, 0);
        test_go(sleep_then_send, (void *)c);
        CHECK(chan_recv(c, NULL));
        chan(int) never = chan_make(int, 0);
        CHECK_EQ(chan_select(on_recv(never, NULL), on_after(2 * RN_MS)), 1);
        CHECK_EQ(chan_put(never, rn_now() + 50 * RN_MS, 1), -ETIMEDOUT);
        WAIT_GONE(1);
        chan_unref(never);
        chan_unref(c);
    }
}

struct ticket {
    chan(int) c;
    int value;
};

static void *foreign_sends_late(void *p)
{
    struct ticket *t = p;
    chan_send(t->c, 1); /* now the runtime knows this thread */
    usleep(20000);
    chan_send(t->c, 2);
    return NULL;
}

ITEM(102, "a foreign thread that is alive and not parked suppresses it")
{
    struct ticket t = {chan_make(int, 0), 0};
    pthread_t th;
    CHECK(pthread_create(&th, NULL, foreign_sends_late, &t) == 0);
    WAIT_PARKED(1, CHAN_SEND, t.c);
    int v = 0;
    CHECK(chan_recv(t.c, &v) && v == 1);
    CHECK(chan_recv(t.c, &v) && v == 2); /* nobody but that thread can end this */
    pthread_join(th, NULL);
    chan_unref(t.c);
}

static void block_then_send(void *p)
{
    rn_blocking
    {
        usleep(20000);
    }
    chan_send((chan(int))p, 3);
}

ITEM(102, "a goroutine in a blocking section suppresses it")
{
    chan(int) c = chan_make(int, 0);
    int v = 0;
    test_go(block_then_send, (void *)c);
    CHECK(chan_recv(c, &v) && v == 3);
    chan_unref(c);
}

/* ---- item 103 */

static void run_then_exit(void *p)
{
    (void)p;
    for (int i = 0; i < 20000; i++)
        rn_yield();
    exit(7);
}

CHILD(main_never_wakes)
{
    test_go(run_then_exit, NULL);
    chan_recv(chan_make(int, 0), NULL);
}

ITEM(103, "no verdict while another goroutine can run, even if main can never wake")
{
    CHECK_EQ(test_run_child("main_never_wakes", NULL)->status, 7);
}

TEST_MAIN
