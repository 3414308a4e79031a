/*
 * close_and_waiters.c - what other C and C++ libraries got wrong when a channel is closed while
 * somebody waits on it. Each item is the bug as it was seen there.
 *
 * Invariants
 *  - The waiter is seen to be parked before the close.
 */
#include "../test.h"

struct sender {
    chan(int) c;
    int value;
    _Atomic(int) result; /* 1 sent, 2 panicked, 3 -EPIPE */
};

static void send_plain(void *p)
{
    struct sender *s = p;
    chan_send(s->c, s->value);
}

static void send_watched(void *p)
{
    struct sender *s = p;
    atomic_store(&s->result, rn_try(send_plain, s, NULL) ? 1 : 2);
}

static void put_watched(void *p)
{
    struct sender *s = p;
    int e = chan_put(s->c, RN_NEVER, s->value);
    CHECK(e == 0 || e == -EPIPE);
    atomic_store(&s->result, e == 0 ? 1 : 3);
}

ITEM(1, "tylertreat/chan: a sender blocked on an unbuffered channel reports success at close")
{
    for (int form = 0; form < 2; form++) {
        struct sender s = {.c = chan_make(int, 0), .value = 5};
        test_go(form ? put_watched : send_watched, &s);
        WAIT_PARKED(1, CHAN_SEND, s.c);
        chan_close(s.c);
        WAIT_UNTIL(atomic_load(&s.result) != 0);
        CHECK_EQ(s.result, 2 + form);
        int v = 9;
        CHECK(!chan_recv(s.c, &v)); /* the value has gone nowhere */
        CHECK_EQ(v, 0);
        WAIT_GONE(1);
        chan_unref(s.c);
    }
}

ITEM(2, "tylertreat/chan: a sender blocked on a full buffer puts its value in after the close")
{
    for (int form = 0; form < 2; form++) {
        for (int cap = 1; cap <= 3; cap++) {
            struct sender s = {.c = chan_make(int, cap), .value = 500};
            for (int i = 0; i < cap; i++)
                chan_send(s.c, i);
            test_go(form ? put_watched : send_watched, &s);
            WAIT_PARKED(1, CHAN_SEND, s.c);
            chan_close(s.c);
            WAIT_UNTIL(atomic_load(&s.result) != 0); /* released by the close, not by a receive */
            CHECK_EQ(s.result, 2 + form);
            for (int i = 0; i < cap; i++) {
                int v = -1;
                CHECK(chan_recv(s.c, &v));
                CHECK_EQ(v, i);
            }
            CHECK(!chan_recv(s.c, NULL)); /* 500 is not in there */
            WAIT_GONE(1);
            chan_unref(s.c);
        }
    }
}

ITEM(3, "Boost.Fiber: after a blocked push and a close, pop finds the pusher's dead stack slot")
{
    /* The pusher has returned and its stack is in use by others when the receive looks. */
    for (int round = 0; round < 100; round++) {
        chan(int) c = chan_make(int, 0);
        struct sender s = {.c = c, .value = round};
        test_go(send_watched, &s);
        WAIT_PARKED(1, CHAN_SEND, c);
        chan_close(c);
        WAIT_GONE(1);
        for (int i = 0; i < 5; i++) {
            int v = 7;
            bool ok = true;
            CHECK(!chan_recv(c, &v));
            CHECK(chan_try_recv(c, &v, &ok) && !ok && v == 0);
            CHECK_EQ(chan_select(on_recv(c, &v, &ok)), 0);
            CHECK(!ok);
        }
        CHECK_EQ(s.result, 2);
        chan_unref(c);
    }
}

ITEM(4, "neco: senders that were blocked before the close still deliver after it")
{
    enum { N = 10 };
    static struct sender s[N];
    chan(int) c = chan_make(int, 1);
    chan_send(c, -1);
    for (int i = 0; i < N; i++) {
        s[i] = (struct sender){.c = c, .value = i};
        test_go(i % 2 ? put_watched : send_watched, &s[i]);
    }
    WAIT_PARKED(N, CHAN_SEND, c);
    chan_close(c);
    int v = 0, got = 0;
    while (chan_recv(c, &v)) {
        CHECK_EQ(v, -1);
        got++;
    }
    CHECK_EQ(got, 1);
    WAIT_GONE(1);
    for (int i = 0; i < N; i++)
        CHECK_EQ(s[i].result, i % 2 ? 3 : 2);
    chan_unref(c);
}

static void recv_watched(void *p)
{
    struct sender *s = p;
    atomic_store(&s->result, chan_recv(s->c, &s->value) ? 1 : 2);
}

ITEM(5, "Boost.Fiber #114: a try-push woke nobody")
{
    for (int cap = 0; cap <= 1; cap++) {
        struct sender s = {.c = chan_make(int, cap)};
        test_go(recv_watched, &s);
        WAIT_PARKED(1, CHAN_RECEIVE, s.c);
        CHECK(chan_try_send(s.c, 8));
        WAIT_UNTIL(atomic_load(&s.result) == 1);
        CHECK_EQ(s.value, 8);
        WAIT_GONE(1);
        chan_unref(s.c);
    }
}

static void take_briefly(void *p)
{
    struct sender *s = p;
    int e = chan_take(s->c, rn_now() + RN_MS, &s->value);
    atomic_store(&s->result, e == 0 ? 1 : 2);
}

ITEM(6, "Boost.Fiber #166, #212: a wait that timed out leaves its place in the queue behind")
{
    for (int round = 0; round < 20; round++) {
        struct sender s = {.c = chan_make(int, 0), .value = -1};
        test_go(take_briefly, &s);
        WAIT_UNTIL(atomic_load(&s.result) != 0);
        CHECK_EQ(s.result, 2);
        CHECK(!chan_try_send(s.c, 1)); /* nobody waits there any more */
        struct sender again = {.c = s.c};
        test_go(recv_watched, &again);
        WAIT_PARKED(1, CHAN_RECEIVE, s.c);
        chan_send(s.c, 2); /* and who waits now is found */
        WAIT_UNTIL(atomic_load(&again.result) == 1);
        CHECK_EQ(again.value, 2);
        CHECK_EQ(s.value, -1);
        WAIT_GONE(1);
        chan_unref(s.c);
    }
}

TEST_MAIN
