/*
 * g_scheduler.c - items 84 to 93 and 98: what the scheduler owes its goroutines.
 *
 * Invariants
 *  - Progress is tested by progress: a test ends because the goroutine that must get its turn got it,
 *    and hangs into the time limit if it does not. No test measures how long something took.
 *  - Items 86 and 88 (queue sizes, number of searchers) are about the inside; what users see of
 *    them is that nothing is lost or starved, and that is tested here.
 */
#include "../test.h"
#include <fcntl.h>
#include <sys/syscall.h>

static int thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

/* ---- item 84 */

static _Atomic(int) turns[10];
static _Atomic(bool) stop;

static void take_turns(void *p)
{
    while (!atomic_load(&stop)) {
        atomic_fetch_add((_Atomic(int) *)p, 1);
        rn_yield();
    }
}

ITEM(84, "goroutines that only yield take turns: none is left out")
{
    rn_gomaxprocs(1);
    for (int i = 0; i < 10; i++)
        test_go(take_turns, &turns[i]);
    for (int i = 0; i < 10; i++)
        WAIT_UNTIL(atomic_load(&turns[i]) >= 1000);
    atomic_store(&stop, true);
    WAIT_GONE(1);
}

/* ---- item 85 */

struct next_up {
    chan(int) c;
    _Atomic(int) clock; /* counts who ran */
    int woken_at;       /* its value when the woken one ran */
    rn_waitgroup done;
};

static void be_woken(void *p)
{
    struct next_up *n = p;
    chan_recv(n->c, NULL);
    n->woken_at = atomic_fetch_add(&n->clock, 1);
    rn_waitgroup_done(&n->done);
}

static void stand_in_line(void *p)
{
    struct next_up *n = p;
    atomic_fetch_add(&n->clock, 1);
    rn_waitgroup_done(&n->done);
}

ITEM(85, "who is woken by a channel operation runs next, before those that wait in the queue")
{
    /* A spare worker may step in when the machine is busy, so single rounds may differ; most may not. */
    enum { ROUNDS = 200 };
    int first = 0;
    rn_gomaxprocs(1);
    for (int round = 0; round < ROUNDS; round++) {
        static struct next_up n;
        memset(&n, 0, sizeof n);
        n.c = chan_make(int, 0);
        rn_waitgroup_add(&n.done, 1 + 20);
        test_go(be_woken, &n);
        WAIT_PARKED(1, CHAN_RECEIVE, n.c);
        for (int i = 0; i < 20; i++)
            test_go(stand_in_line, &n);
        chan_send(n.c, 1);
        rn_waitgroup_wait(&n.done);
        first += n.woken_at == 0;
        WAIT_GONE(1);
        chan_unref(n.c);
    }
    CHECK(first > ROUNDS / 2);
}

/* ---- items 86 to 88 */

static _Atomic(int) ran;

static void count_run(void *p)
{
    (void)p;
    rn_yield();
    atomic_fetch_add(&ran, 1);
}

ITEM(86, "far more runnable goroutines than a queue holds: each runs once")
{
    rn_gomaxprocs(1);
    int n = (int)test_scale(20000, 500);
    if (TEST_SANITIZED && n > 4000)
        n = 4000;
    for (int i = 0; i < n; i++)
        test_go(count_run, NULL);
    WAIT_GONE(1);
    CHECK_EQ(ran, n);
}

static void *go_from_outside(void *p)
{
    (void)p;
    test_go(count_run, NULL);
    return NULL;
}

ITEM(86, "the global queue is served although the local one never runs dry")
{
    rn_gomaxprocs(1);
    for (int i = 0; i < 2; i++)
        test_go(take_turns, &turns[i]);
    for (int i = 1; i <= 20; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, go_from_outside, NULL) == 0);
        WAIT_UNTIL(atomic_load(&ran) == i);
        pthread_join(t, NULL);
    }
    atomic_store(&stop, true);
    WAIT_GONE(1);
}

static void set_flag(void *p)
{
    atomic_store((_Atomic(int) *)p, 1);
}

/* Computes without a call into runnel until the flag is set by somebody else. */
static void hog_until(_Atomic(int) *flag)
{
    int64_t limit = test_patience();
    while (atomic_load_explicit(flag, memory_order_relaxed) == 0)
        if (rn_now() > limit)
            test_fail(__FILE__, __LINE__, "nobody else ever ran");
}

static void recv_then_set(void *p)
{
    struct next_up *n = p;
    chan_recv(n->c, NULL);
    atomic_store(&n->clock, 1);
}

ITEM(87, "work queued behind a busy worker is stolen: fresh, woken, and last woken")
{
    rn_gomaxprocs(2);
    for (int round = 0; round < 20; round++) {
        _Atomic(int) flag = 0;
        test_go(set_flag, &flag); /* fresh */
        hog_until(&flag);
        WAIT_GONE(1);
        static struct next_up n[3];
        for (int i = 0; i < 3; i++) {
            n[i] = (struct next_up){.c = chan_make(int, 0)};
            test_go(recv_then_set, &n[i]);
            WAIT_PARKED(1, CHAN_RECEIVE, n[i].c);
        }
        for (int i = 0; i < 3; i++)
            chan_send(n[i].c, 0); /* two in the queue, one next in line */
        for (int i = 0; i < 3; i++)
            hog_until(&n[i].clock);
        WAIT_GONE(1);
        for (int i = 0; i < 3; i++)
            chan_unref(n[i].c);
    }
}

/* ---- items 89, 98: with one worker only */

ITEM(89, "a goroutine that computes without calls does not stop the others, with one worker too")
{
    rn_gomaxprocs(1);
    for (int round = 0; round < 5; round++) {
        _Atomic(int) flag = 0;
        test_go(set_flag, &flag);
        hog_until(&flag);
        static struct next_up n;
        n = (struct next_up){.c = chan_make(int, 0)};
        test_go(recv_then_set, &n);
        WAIT_PARKED(1, CHAN_RECEIVE, n.c);
        chan_send(n.c, 0);
        hog_until(&n.clock);
        WAIT_GONE(1);
        chan_unref(n.c);
    }
}

struct pipe_job {
    int fd;
    bool flagged; /* says rn_blocking */
};

static void write_byte(void *p)
{
    CHECK(write(((struct pipe_job *)p)->fd, "x", 1) == 1);
}

ITEM(98, "a blocking system call does not stop the others, whether announced or not")
{
    rn_gomaxprocs(1);
    for (int round = 0; round < 6; round++) {
        int fd[2];
        CHECK(pipe2(fd, O_CLOEXEC) == 0);
        struct pipe_job j = {fd[1], round % 2 == 0};
        char byte = 0;
        ssize_t got = 0;
        test_go(write_byte, &j); /* somebody else must run it: we are in the kernel */
        if (j.flagged) {
            rn_blocking
            {
                got = read(fd[0], &byte, 1);
            }
        } else {
            got = read(fd[0], &byte, 1);
        }
        CHECK(got == 1 && byte == 'x');
        WAIT_GONE(1);
        close(fd[0]);
        close(fd[1]);
    }
}

/* ---- items 90, 91 */

struct pair {
    chan(int) there, back;
};

static void pong(void *p)
{
    struct pair *pp = p;
    chan_range (v, pp->there)
        chan_send(pp->back, v);
    chan_close(pp->back);
}

static void ping(void *p)
{
    struct pair *pp = p;
    while (!atomic_load(&stop)) {
        chan_send(pp->there, 1);
        chan_recv(pp->back, NULL);
    }
    chan_close(pp->there);
    CHECK(!chan_recv(pp->back, NULL));
}

static void start_pair(struct pair *p)
{
    *p = (struct pair){chan_make(int, 0), chan_make(int, 0)};
    test_go(ping, p);
    test_go(pong, p);
}

static void end_pairs(struct pair *p, int n)
{
    atomic_store(&stop, true);
    WAIT_GONE(1);
    for (int i = 0; i < n; i++) {
        chan_unref(p[i].there);
        chan_unref(p[i].back);
    }
}

ITEM(90, "a pair that plays ping-pong does not starve the rest of the queue")
{
    rn_gomaxprocs(1);
    struct pair p;
    start_pair(&p);
    for (int i = 1; i <= 200; i++) {
        test_go(count_run, NULL);
        WAIT_UNTIL(atomic_load(&ran) == i);
    }
    end_pairs(&p, 1);
}

static void sleep_and_count(void *p)
{
    (void)p;
    for (int i = 0; i < 20; i++) {
        rn_sleep(RN_MS);
        atomic_fetch_add(&ran, 1);
    }
}

ITEM(91, "timers fire while all workers play ping-pong")
{
    rn_gomaxprocs(2);
    struct pair p[6];
    for (int i = 0; i < 6; i++)
        start_pair(&p[i]);
    test_go(sleep_and_count, NULL);
    rn_sleep(RN_MS);
    WAIT_UNTIL(atomic_load(&ran) == 20);
    end_pairs(p, 6);
}

/* ---- items 92, 93 */

ITEM(92, "rn_gomaxprocs returns the old value, ignores n < 1, and may change under load")
{
    int n0 = rn_gomaxprocs(0);
    CHECK(n0 >= 1);
    CHECK_EQ(rn_gomaxprocs(3), n0);
    CHECK_EQ(rn_gomaxprocs(0), 3);
    CHECK_EQ(rn_gomaxprocs(-5), 3);
    struct pair p[4];
    for (int i = 0; i < 4; i++)
        start_pair(&p[i]);
    uint64_t seed = 92;
    for (int i = 0; i < 300; i++) {
        int n = 1 + (int)(test_random(&seed) % 8);
        rn_gomaxprocs(n);
        CHECK_EQ(rn_gomaxprocs(0), n);
        int before = atomic_load(&ran);
        test_go(count_run, NULL);
        WAIT_UNTIL(atomic_load(&ran) == before + 1);
    }
    end_pairs(p, 4);
}

static void stay_on_thread(void *p)
{
    struct pair *pp = p;
    rn_lock_os_thread();
    rn_lock_os_thread(); /* nests */
    int tid = thread_id();
    for (int i = 0; i < 3000; i++) {
        chan_send(pp->there, tid);
        CHECK_EQ(thread_id(), tid);
        if (i % 8 == 0)
            rn_yield();
        CHECK_EQ(thread_id(), tid);
        if (i == 1500)
            rn_unlock_os_thread(); /* one lock is left */
    }
    chan_close(pp->there);
    chan_recv(pp->back, NULL); /* keeps the thread until all have looked */
}

static void watch_thread(void *p)
{
    struct pair *pp = p;
    chan_range (tid, pp->there)
        CHECK(thread_id() != tid); /* the thread is its alone */
    atomic_fetch_add(&ran, 1);
}

ITEM(93, "a locked goroutine stays on its thread, and nobody else runs there")
{
    rn_gomaxprocs(4);
    struct pair p = {chan_make(int, 0), chan_make(int, 0)};
    for (int i = 0; i < 3; i++)
        test_go(watch_thread, &p);
    test_go(stay_on_thread, &p);
    WAIT_UNTIL(atomic_load(&ran) == 3);
    chan_close(p.back);
    WAIT_GONE(1);
    chan_unref(p.there);
    chan_unref(p.back);
}

static pthread_key_t on_thread;
static _Atomic(int) ended, to_end;

static void thread_ends(void *p)
{
    (void)p;
    atomic_fetch_add(&ended, 1);
}

static void end_locked(void *p)
{
    (void)p;
    rn_lock_os_thread();
    if (syscall(SYS_gettid) != getpid()) { /* main's thread stays: main's stack is there */
        CHECK(pthread_setspecific(on_thread, &ended) == 0);
        atomic_fetch_add(&to_end, 1);
    }
    atomic_fetch_add(&ran, 1);
}

ITEM(93, "a goroutine that ends while locked takes its thread with it; the scheduler goes on")
{
    CHECK(pthread_key_create(&on_thread, thread_ends) == 0);
    rn_gomaxprocs(2);
    for (int i = 1; i <= 50; i++) {
        test_go(end_locked, NULL);
        WAIT_UNTIL(atomic_load(&ran) == i);
    }
    WAIT_GONE(1);
    for (int i = 1; i <= 50; i++)
        test_go(count_run, NULL);
    WAIT_UNTIL(atomic_load(&ran) == 100);
    /* some at least were not on main's thread, and all of those threads end */
    rn_gomaxprocs(4);
    while (atomic_load(&to_end) == 0) {
        test_go(end_locked, NULL);
        rn_sleep(RN_MS);
    }
    WAIT_UNTIL(atomic_load(&ended) == atomic_load(&to_end));
}

static void stay_here(void *p)
{
    chan(int) c = p;
    long thread = syscall(SYS_gettid);
    while (chan_recv(c, NULL))
        CHECK_EQ(syscall(SYS_gettid), thread);
    atomic_fetch_add(&ran, 1);
}

static void stay_arg(void *args)
{
    stay_here(*(void **)args);
}

ITEM(93, "but not a thread on which others shall stay")
{
    CHECK(pthread_key_create(&on_thread, thread_ends) == 0);
    rn_gomaxprocs(2);
    chan(int) c = chan_make(int, 0);
    for (int i = 0; i < 4; i++)
        rn_go_start(stay_arg, &(void *){c}, sizeof(void *), &(rn_go_attr){.stay = true}, NULL);
    for (int i = 1; i <= 50; i++) {
        test_go(end_locked, NULL);
        WAIT_UNTIL(atomic_load(&ran) == i);
        for (int k = 0; k < 8; k++)
            chan_send(c, k);
    }
    chan_close(c);
    WAIT_UNTIL(atomic_load(&ran) == 54);
    WAIT_GONE(1);
    chan_unref(c);
}

TEST_MAIN
