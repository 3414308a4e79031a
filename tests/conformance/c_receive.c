/*
 * c_receive.c - items 27 to 37: what a receive does, and its three results.
 *
 * Invariants
 *  - Waiters are seen to be parked before their channel is touched.
 */
#include "../test.h"

struct recv_job {
    chan(int) c;
    int value;         /* what came; -1 before */
    bool ok;           /* whether it was sent */
    _Atomic(int) done; /* 1 once the receive has returned */
};

static void recv_job(void *p)
{
    struct recv_job *j = p;
    j->ok = chan_recv(j->c, &j->value);
    atomic_store(&j->done, 1);
}

struct send_job {
    chan(int) c;
    int value;
    _Atomic(int) done;
};

static void send_job(void *p)
{
    struct send_job *j = p;
    chan_send(j->c, j->value);
    atomic_store(&j->done, 1);
}

CHILD(recv_nil)
{
    chan(int) c = NULL;
    (void)chan_recv(c, NULL);
}

ITEM(27, "a receive on nil blocks for ever and does not panic: chan receive (nil chan)")
{
    test_child *r = test_run_child("recv_nil", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: all goroutines are asleep - deadlock!");
    CHECK_HAS(r->err, "goroutine 1 [chan receive (nil chan)]:");
    CHECK_HAS_NOT(r->err, "panic:");

    struct recv_job j = {.c = NULL};
    test_go(recv_job, &j);
    WAIT_PARKED(1, CHAN_RECEIVE_NIL, NULL);
    for (int i = 0; i < 100; i++)
        rn_yield();
    CHECK_EQ(j.done, 0);
}

ITEM(28, "a receive on an open empty channel waits: chan receive")
{
    for (int cap = 0; cap <= 2; cap++) {
        struct recv_job j = {.c = chan_make(int, cap), .value = -1};
        test_go(recv_job, &j);
        WAIT_PARKED(1, CHAN_RECEIVE, j.c);
        for (int i = 0; i < 50; i++)
            rn_yield();
        CHECK_EQ(j.done, 0);
        chan_send(j.c, 6);
        WAIT_UNTIL(atomic_load(&j.done));
        CHECK(j.ok && j.value == 6);
        chan_unref(j.c);
    }
}

ITEM(29, "closed and drained: zero value and false, any number of times")
{
    for (int cap = 0; cap <= 2; cap++) {
        chan(int) c = chan_make(int, cap);
        chan_close(c);
        for (int i = 0; i < 100; i++) {
            int v = 77;
            CHECK(!chan_recv(c, &v));
            CHECK_EQ(v, 0);
            bool ok = true;
            v = 77;
            CHECK(chan_try_recv(c, &v, &ok));
            CHECK(!ok && v == 0);
            v = 77;
            CHECK_EQ(chan_take(c, RN_NEVER, &v), -EPIPE);
        }
        chan_unref(c);
    }
}

ITEM(30, "closed with data left: the buffered values come first, in order")
{
    enum { N = 10 };
    for (int first = 0; first < N; first++) { /* every position of the ring's start */
        chan(int) c = chan_make(int, N);
        for (int i = 0; i < first; i++) {
            chan_send(c, -1);
            CHECK(chan_recv(c, NULL));
        }
        for (int i = 0; i < N; i++)
            chan_send(c, 100 + i);
        chan_close(c);
        for (int i = 0; i < N; i++) {
            int v = 0;
            CHECK(chan_recv(c, &v));
            CHECK_EQ(v, 100 + i);
        }
        CHECK(!chan_recv(c, NULL));
        chan_unref(c);
    }
}

ITEM(31, "ok is true for a zero that somebody sent")
{
    chan(int) c = chan_make(int, 1);
    int v = 5;
    bool ok = false;
    chan_send(c, 0);
    CHECK(chan_recv(c, &v));
    CHECK_EQ(v, 0);
    chan_send(c, 0);
    CHECK(chan_try_recv(c, &v, &ok));
    CHECK(ok);
    chan_send(c, 0);
    chan_close(c);
    CHECK(chan_recv(c, &v));
    CHECK(!chan_recv(c, &v));
    chan_unref(c);

    struct send_job s = {.c = chan_make(int, 0), .value = 0}; /* the same hand to hand */
    test_go(send_job, &s);
    CHECK(chan_recv(s.c, &v));
    WAIT_GONE(1);
    chan_unref(s.c);
}

ITEM(32, "full buffer and waiting senders: oldest value out, oldest sender's value in, len stays")
{
    enum { CAP = 3, WAITING = 7 };
    chan(int) c = chan_make(int, CAP);
    static struct send_job s[WAITING];
    for (int i = 0; i < CAP; i++)
        chan_send(c, i);
    for (int i = 0; i < WAITING; i++) {
        s[i] = (struct send_job){.c = c, .value = CAP + i};
        test_go(send_job, &s[i]);
        WAIT_PARKED(i + 1, CHAN_SEND, c);
    }
    for (int i = 0; i < CAP + WAITING; i++) {
        int v = -1;
        CHECK(chan_recv(c, &v));
        CHECK_EQ(v, i);
        int left = CAP + WAITING - 1 - i;
        CHECK_EQ(chan_len(c), left < CAP ? left : CAP);
        if (i < WAITING)
            WAIT_UNTIL(atomic_load(&s[i].done)); /* exactly this one has been let go */
        for (int k = i + 1; k < WAITING; k++)
            CHECK_EQ(s[k].done, 0);
    }
    WAIT_GONE(1);
    chan_unref(c);
}

ITEM(33, "blocked receivers are served first come first served, past an empty buffer")
{
    enum { N = 30 };
    for (int cap = 0; cap <= 2; cap++) {
        chan(int) c = chan_make(int, cap);
        static struct recv_job j[N];
        for (int i = 0; i < N; i++) {
            j[i] = (struct recv_job){.c = c, .value = -1};
            test_go(recv_job, &j[i]);
            WAIT_PARKED(i + 1, CHAN_RECEIVE, c);
        }
        for (int i = 0; i < N; i++) {
            chan_send(c, i);
            CHECK_EQ(chan_len(c), 0);
        }
        for (int i = 0; i < N; i++) {
            WAIT_UNTIL(atomic_load(&j[i].done));
            CHECK(j[i].ok);
            CHECK_EQ(j[i].value, i);
        }
        chan_unref(c);
    }
}

ITEM(34, "close wakes all blocked receivers with zero and false")
{
    enum { N = 20 };
    for (int cap = 0; cap <= 1; cap++) {
        chan(int) c = chan_make(int, cap);
        static struct recv_job j[N];
        for (int i = 0; i < N; i++) {
            j[i] = (struct recv_job){.c = c, .value = 1234, .ok = true};
            test_go(recv_job, &j[i]);
        }
        WAIT_PARKED(N, CHAN_RECEIVE, c);
        chan_close(c);
        for (int i = 0; i < N; i++) {
            WAIT_UNTIL(atomic_load(&j[i].done));
            CHECK(!j[i].ok);
            CHECK_EQ(j[i].value, 0); /* the destination is overwritten */
        }
        chan_unref(c);
    }
}

static void recv_discard(void *p)
{
    struct recv_job *j = p;
    j->ok = chan_recv(j->c, NULL);
    atomic_store(&j->done, 1);
}

ITEM(35, "the discard form consumes and writes nowhere")
{
    chan(int) c = chan_make(int, 2);
    chan_send(c, 1);
    chan_send(c, 2);
    CHECK(chan_recv(c, NULL));
    CHECK_EQ(chan_len(c), 1);
    bool ok = false;
    CHECK(chan_try_recv(c, NULL, &ok));
    CHECK(ok);
    chan_send(c, 3);
    CHECK_EQ(chan_select(on_recv(c, NULL)), 0);
    CHECK_EQ(chan_len(c), 0);
    struct recv_job j = {.c = c, .value = 55}; /* the same with a waiting receiver, and by close */
    test_go(recv_discard, &j);
    WAIT_PARKED(1, CHAN_RECEIVE, c);
    chan_send(c, 4);
    WAIT_UNTIL(atomic_load(&j.done));
    CHECK(j.ok && j.value == 55);
    CHECK_EQ(chan_len(c), 0);
    j.done = 0;
    test_go(recv_discard, &j);
    WAIT_PARKED(1, CHAN_RECEIVE, c);
    chan_close(c);
    WAIT_UNTIL(atomic_load(&j.done));
    CHECK(!j.ok && j.value == 55);
    chan_unref(c);
}

static int evaluated;

static chan(int) count_evaluation(chan(int) c)
{
    evaluated++;
    return c;
}

ITEM(36, "range ends at closed and drained; break leaves the channel usable")
{
    chan(int) c = chan_make(int, 8);
    int sum = 0, odd = 0;
    for (int i = 1; i <= 8; i++)
        chan_send(c, i);
    chan_range (v, count_evaluation(c)) {
        if (v == 3)
            break;
        sum += v;
    }
    CHECK_EQ(evaluated, 1);
    CHECK_EQ(sum, 1 + 2);
    CHECK_EQ(chan_len(c), 5);
    chan_send(c, 9);
    chan_close(c);
    sum = 0;
    chan_range (v, c) {
        if (v % 2 == 0)
            continue;
        odd++;
        sum += v;
    }
    CHECK_EQ(odd, 3);
    CHECK_EQ(sum, 5 + 7 + 9);
    int none = 0;
    chan_range (v, c)
        none += v;
    CHECK_EQ(none, 0);
    chan_unref(c);
}

ITEM(37, "the three results of a try-receive")
{
    chan(int) c = chan_make(int, 1);
    chan(int) nil = NULL;
    int v = 7;
    bool ok = true;
    CHECK(!chan_try_recv(c, &v, &ok)); /* not ready */
    CHECK(!chan_try_recv(nil, &v, &ok));
    CHECK_EQ(chan_select(on_recv(c, &v, &ok), on_default()), 1);
    CHECK_EQ(v, 7); /* nothing was written */
    chan_send(c, 8);
    CHECK(chan_try_recv(c, &v, &ok)); /* a value */
    CHECK(ok && v == 8);
    chan_send(c, 9);
    CHECK(chan_try_recv(c, NULL, NULL));
    chan_close(c);
    CHECK(chan_try_recv(c, &v, &ok)); /* closed */
    CHECK(!ok && v == 0);
    CHECK_EQ(chan_select(on_recv(c, &v, &ok), on_default()), 0);
    CHECK(!ok);
    CHECK_EQ(chan_take(nil, 0, &v), -EAGAIN);
    chan_unref(c);
}

TEST_MAIN
