/*
 * threads_and_process.c - what other libraries got wrong with threads, signals and process state.
 *
 * Invariants
 *  - Nothing here depends on the number of processors; the last item takes all but one away.
 */
#include "../test.h"
#include <fcntl.h>
#include <sched.h>

/* ---- item 1 */

struct bounce {
    chan(int) there, back;
};

static void bounce_back(void *p)
{
    struct bounce *b = p;
    chan_range (v, b->there)
        chan_send(b->back, v);
}

static void check_errno(void *p)
{
    struct bounce *b = p;
    for (int i = 0; i < 3000; i++) {
        errno = 0;
        CHECK(fcntl(-1, F_GETFD) == -1);
        CHECK_EQ(errno, EBADF);
        chan_send(b->there, i); /* may go on on another thread from here */
        CHECK(chan_recv(b->back, NULL));
        errno = ENOENT;
        CHECK(fcntl(-1, F_GETFD) == -1);
        CHECK_EQ(errno, EBADF); /* an address kept over the switch would show ENOENT */
        if (i % 4 == 0)
            rn_yield();
    }
    chan_close(b->there);
}

ITEM(1, "asio #1366: the address of errno is kept while the task moves to another thread")
{
    if (TEST_TSAN)
        return; /* it sees several goroutines use one thread's errno and cannot know that this is right */
    rn_gomaxprocs(4);
    enum { PAIRS = 6 };
    static struct bounce b[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        b[i] = (struct bounce){chan_make(int, i % 2), chan_make(int, 0)};
        test_go(bounce_back, &b[i]);
        test_go(check_errno, &b[i]);
    }
    WAIT_GONE(1);
    for (int i = 0; i < PAIRS; i++) {
        chan_unref(b[i].there);
        chan_unref(b[i].back);
    }
}

/* ---- item 2 */

ITEM(2, "neco: the runtime installs handlers for signals that belong to the program")
{
    chan(int) c = chan_make(int, 1);
    rn_gomaxprocs(2);
    rn_sleep(RN_MS);
    static const int signals[] = {SIGHUP,  SIGINT,  SIGTERM, SIGPIPE, SIGUSR1,
                                  SIGUSR2, SIGALRM, SIGCHLD, SIGILL,  SIGFPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction sa;
        CHECK(sigaction(signals[i], NULL, &sa) == 0);
        if (TEST_SANITIZED && (signals[i] == SIGFPE || signals[i] == SIGILL))
            continue; /* the sanitizer's own */
        CHECK(sa.sa_handler == SIG_DFL);
    }
    sigset_t mask;
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    for (int s = 1; s < 32; s++)
        CHECK_EQ(sigismember(&mask, s), 0); /* main's mask is main's */
    chan_unref(c);
}

/* ---- item 3 */

struct cross {
    chan(int) in, out;
    int n;
};

static void *foreign_relay(void *p)
{
    struct cross *x = p;
    for (int i = 0; i < x->n; i++) {
        int v = 0;
        CHECK(chan_recv(x->in, &v));
        chan_send(x->out, v + 1);
    }
    return NULL;
}

ITEM(3, "libdill, libmill, neco: a channel that cannot be used from another thread")
{
    struct cross x = {chan_make(int, 0), chan_make(int, 0), (int)test_scale(2000, 100)};
    pthread_t t;
    CHECK(pthread_create(&t, NULL, foreign_relay, &x) == 0);
    for (int i = 0; i < x.n; i++) {
        int v = 0;
        chan_send(x.in, i);
        CHECK(chan_recv(x.out, &v));
        CHECK_EQ(v, i + 1);
    }
    pthread_join(t, NULL);
    chan_unref(x.in);
    chan_unref(x.out);
}

/* ---- item 4 */

static void use_channels(void *p)
{
    _Atomic(int) *sum = p;
    struct bounce b = {chan_make(int, 0), chan_make(int, 1)};
    test_go(bounce_back, &b);
    for (int i = 1; i <= 100; i++) {
        int v = 0;
        chan_send(b.there, i);
        CHECK(chan_recv(b.back, &v));
        atomic_fetch_add(sum, v);
    }
    chan_close(b.there);
    WAIT_GONE(1);
    chan_unref(b.there);
    chan_unref(b.back);
}

static void *embed_twice(void *p)
{
    for (int i = 0; i < 3; i++)
        CHECK_EQ(rn_run(use_channels, p), 0);
    return NULL;
}

ITEM(4, "Boost.Fiber #217: static state, the scheduler cannot be used a second time")
{
    _Atomic(int) sum = 0;
    pthread_t t;
    CHECK(pthread_create(&t, NULL, embed_twice, &sum) == 0);
    pthread_join(t, NULL);
    CHECK_EQ(sum, 3 * 5050);
}

/* ---- item 5 */

struct crowd {
    chan(int) c;
    _Atomic(int64_t) sum;
    rn_waitgroup done;
};

static void add_up(void *p)
{
    struct crowd *k = p;
    chan_range (v, k->c)
        atomic_fetch_add(&k->sum, v);
    rn_waitgroup_done(&k->done);
}

static void pour(void *p)
{
    struct crowd *k = p;
    for (int i = 1; i <= 2000; i++)
        chan_send(k->c, i);
    rn_waitgroup_done(&k->done);
}

ITEM(5, "Concurrency Kit #141: hangs with one CPU, where spinning never helps")
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    rn_gomaxprocs(4);
    for (int cap = 0; cap < 3; cap++) {
        static struct crowd k;
        memset(&k, 0, sizeof k);
        k.c = chan_make(int, cap);
        rn_waitgroup_add(&k.done, 6);
        for (int i = 0; i < 6; i++)
            test_go(i < 4 ? pour : add_up, &k);
        WAIT_UNTIL(atomic_load(&k.sum) == 4 * (int64_t)2000 * 2001 / 2);
        chan_close(k.c);
        rn_waitgroup_wait(&k.done);
        chan_unref(k.c);
    }
}

TEST_MAIN
