/*
 * broadcast.c - rn_broadcast: who gets what, in which order, and what the slow ones do to the others.
 *
 * Invariants
 *  - The numbers are only labels: items 1 to 5 of this file.
 */
#include "../test.h"

typedef rn_broadcast(int) bus;

struct listener {
    bus *b;
    int cap;
    rn_broadcast_policy policy;
    int first, last, n;
    int64_t sum;
    rn_waitgroup *joined;
};

/* Checks that nothing is missing between the first and the last value it gets. */
static void listen_all(void *p)
{
    struct listener *l = p;
    recv_chan(int) c = rn_broadcast_join(l->b, l->cap, l->policy);
    rn_waitgroup_done(l->joined);
    chan_range (v, c) {
        if (l->n == 0)
            l->first = v;
        else
            CHECK_EQ(v, l->last + 1);
        l->last = v;
        l->sum += v;
        l->n++;
        if (v % 7 == 0)
            rn_yield();
    }
    CHECK_EQ(rn_broadcast_missed(l->b, c), 0);
    rn_broadcast_leave(l->b, c);
}

static void *listen_in_thread(void *p)
{
    listen_all(p);
    return NULL;
}

ITEM(1, "everybody gets everything after his join, in order, threads and latecomers included")
{
    for (int workers = 1; workers <= 4; workers *= 2) {
        rn_gomaxprocs(workers);
        bus b = {0};
        rn_waitgroup joined = {0};
        struct listener l[6];
        pthread_t t;
        int n = (int)test_scale(3000 / TEST_SLOW, 50);
        rn_waitgroup_add(&joined, 5);
        for (int i = 0; i < 6; i++)
            l[i] = (struct listener){.b = &b, .cap = i, .joined = &joined};
        for (int i = 0; i < 4; i++)
            test_go(listen_all, &l[i]);
        CHECK(pthread_create(&t, NULL, listen_in_thread, &l[4]) == 0);
        rn_waitgroup_wait(&joined);
        for (int i = 0; i < n; i++)
            CHECK_EQ(rn_broadcast_send(&b, i), 5);
        rn_waitgroup_add(&joined, 1);
        test_go(listen_all, &l[5]);
        rn_waitgroup_wait(&joined);
        for (int i = n; i < 2 * n; i++)
            CHECK_EQ(rn_broadcast_send(&b, i), 6);
        rn_broadcast_close(&b);
        rn_broadcast_close(&b);
        CHECK_EQ(rn_broadcast_send(&b, 1), 0);
        WAIT_GONE(1);
        pthread_join(t, NULL);
        for (int i = 0; i < 6; i++) {
            CHECK_EQ(l[i].first, i < 5 ? 0 : n);
            CHECK_EQ(l[i].last, 2 * n - 1);
            CHECK_EQ(l[i].n, i < 5 ? 2 * n : n);
        }
    }
}

ITEM(2, "drop-oldest: the sender never waits, the newest stay, the rest is counted")
{
    bus b = {0};
    recv_chan(int) c = rn_broadcast_join(&b, 3, RN_BROADCAST_DROP_OLDEST);
    recv_chan(int) none = rn_broadcast_join(&b, 0, RN_BROADCAST_DROP_OLDEST);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(rn_broadcast_send(&b, i), 2);
    CHECK_EQ(rn_broadcast_missed(&b, c), 7);
    CHECK_EQ(rn_broadcast_missed(&b, none), 10);
    for (int i = 7; i < 10; i++) {
        int v;
        CHECK(chan_recv(c, &v));
        CHECK_EQ(v, i);
    }
    rn_broadcast_leave(&b, none);
    CHECK_EQ(rn_broadcast_send(&b, 10), 1);
    rn_broadcast_leave(&b, c);
    CHECK_EQ(rn_broadcast_send(&b, 11), 0);
}

static void send_one(void *p)
{
    CHECK_EQ(rn_broadcast_send((bus *)p, 5), 1);
}

ITEM(3, "a send that waits for a subscriber goes on when that one leaves")
{
    bus b = {0};
    recv_chan(int) slow = rn_broadcast_join(&b, 0, RN_BROADCAST_BLOCK);
    recv_chan(int) quick = rn_broadcast_join(&b, 1, RN_BROADCAST_BLOCK);
    test_go(send_one, &b);
    WAIT_PARKED(1, CHAN_SEND, NULL);
    CHECK_EQ(chan_len(quick), 0); /* in the order of joining */
    rn_broadcast_leave(&b, slow);
    WAIT_GONE(1);
    int v = 0;
    CHECK(chan_recv(quick, &v) && v == 5);
    rn_broadcast_leave(&b, quick);
}

static void leave_stranger(void *p)
{
    chan_auto(int) c = chan_make(int, 0);
    rn_broadcast_leave((bus *)p, c);
}

ITEM(4, "a channel that has not joined cannot leave; who joins after close finds a closed channel")
{
    bus b = {0};
    CHECK_PANIC(leave_stranger, &b, "broadcast: leave of a channel that has not joined");
    rn_broadcast_close(&b);
    recv_chan(int) c = rn_broadcast_join(&b, 1, RN_BROADCAST_BLOCK);
    CHECK(!chan_recv(c, NULL));
    rn_broadcast_leave(&b, c);
}

/* ---- comings and goings while others send */

struct crowd {
    bus b;
    int64_t rounds;
    _Atomic(int64_t) sent, got;
    _Atomic(int) senders;
};

static void crowd_sender(void *p)
{
    struct crowd *c = p;
    for (int64_t i = 0; i < c->rounds; i++) {
        atomic_fetch_add(&c->sent, (int64_t)rn_broadcast_send(&c->b, 1));
        if (i % 8 == 0)
            rn_yield();
    }
    atomic_fetch_sub(&c->senders, 1);
}

static void crowd_listener(void *p)
{
    struct crowd *c = p;
    for (int round = 0; atomic_load(&c->senders) > 0; round++) {
        recv_chan(int) mine =
            rn_broadcast_join(&c->b, 4, round % 2 ? RN_BROADCAST_BLOCK : RN_BROADCAST_DROP_OLDEST);
        int64_t n = 0;
        for (int i = 0; i < 20 && atomic_load(&c->senders) > 0; i++)
            n += chan_select(on_recv(mine, NULL), on_after(RN_MS)) == 0;
        atomic_fetch_add(&c->got, n);
        rn_broadcast_leave(&c->b, mine);
    }
}

ITEM(5, "join and leave while others send: nobody hangs, nobody gets more than was sent")
{
    for (int workers = 1; workers <= 4; workers *= 2) {
        rn_gomaxprocs(workers);
        static struct crowd c;
        memset(&c, 0, sizeof c);
        c.rounds = test_scale(2000 / TEST_SLOW, 50);
        c.senders = 3;
        for (int i = 0; i < 3; i++)
            test_go(crowd_sender, &c);
        for (int i = 0; i < 4; i++)
            test_go(crowd_listener, &c);
        WAIT_GONE(1);
        CHECK(c.got <= c.sent);
        CHECK_EQ(rn_broadcast_send(&c.b, 0), 0);
    }
}

TEST_MAIN
