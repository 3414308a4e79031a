/*
 * b_send.c - items 14 to 25: what a send does, in the order in which it looks at the channel.
 *
 * Invariants
 *  - Blocked senders are seen to be parked before their channel is touched; nothing is assumed
 *    about the order in which woken goroutines run.
 */
#include "../test.h"

/* ---- goroutines */

struct send_job {
    chan(int) c;               /* where to */
    int value;                 /* what */
    _Atomic(int) done;         /* 1 once the send has returned, 2 if it panicked */
    char panic[RN_PANIC_TEXT]; /* with what */
};

static void send_plain(void *p)
{
    struct send_job *j = p;
    chan_send(j->c, j->value);
}

static void send_job(void *p)
{
    struct send_job *j = p;
    rn_panic_info info;
    if (rn_try(send_plain, j, &info)) {
        atomic_store(&j->done, 1);
    } else {
        snprintf(j->panic, sizeof j->panic, "%s", info.text);
        atomic_store(&j->done, 2);
    }
}

static void send_from_select(void *p)
{
    struct send_job *j = p;
    CHECK_EQ(chan_select(on_send(j->c, j->value)), 0);
}

static void try_send(void *p)
{
    struct send_job *j = p;
    j->done = chan_try_send(j->c, j->value);
}

/* ---- items */

CHILD(send_nil)
{
    chan(int) c = NULL;
    chan_send(c, 1);
}

ITEM(14, "a send on nil blocks for ever: chan send (nil chan)")
{
    test_child *r = test_run_child("send_nil", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: all goroutines are asleep - deadlock!");
    CHECK_HAS(r->err, "goroutine 1 [chan send (nil chan)]:");

    struct send_job j = {.c = NULL, .value = 1};
    test_go(send_job, &j);
    WAIT_PARKED(1, CHAN_SEND_NIL, NULL);
    for (int i = 0; i < 100; i++)
        rn_yield();
    CHECK_EQ(j.done, 0);
    CHECK_EQ(test_parked(RN__WAIT_CHAN_SEND_NIL, NULL), 1);
}

ITEM(15, "a send on a closed channel panics, whether or not the buffer is full")
{
    for (int cap = 0; cap <= 2; cap++) {
        for (int filled = 0; filled <= cap; filled++) {
            struct send_job j = {.c = chan_make(int, cap), .value = 9};
            for (int i = 0; i < filled; i++)
                chan_send(j.c, i);
            chan_close(j.c);
            CHECK_PANIC(send_plain, &j, "send on closed channel");
            CHECK_PANIC(send_from_select, &j, "send on closed channel");
            CHECK_PANIC(try_send, &j, "send on closed channel");
            CHECK_EQ(chan_put(j.c, RN_NEVER, 9), -EPIPE); /* the form that never panics */
            CHECK_EQ(chan_len(j.c), filled);
            for (int i = 0; i < filled; i++) {
                int v = -1;
                CHECK(chan_recv(j.c, &v));
                CHECK_EQ(v, i);
            }
            CHECK(!chan_recv(j.c, NULL));
            chan_unref(j.c);
        }
    }
}

ITEM(16, "closed comes before free slots")
{
    struct send_job j = {.c = chan_make(int, 8), .value = 9};
    chan_close(j.c);
    CHECK_PANIC(send_plain, &j, "send on closed channel");
    CHECK_EQ(chan_len(j.c), 0);
    CHECK(!chan_recv(j.c, NULL));
    chan_unref(j.c);
}

struct recv_job {
    chan(int) c;
    int value;
    bool ok;
    _Atomic(int) done;
};

static void recv_job(void *p)
{
    struct recv_job *j = p;
    j->ok = chan_recv(j->c, &j->value);
    atomic_store(&j->done, 1);
}

ITEM(17, "a waiting receiver gets the value straight, not through the buffer")
{
    int old = rn_gomaxprocs(1);
    for (int round = 0; round < 50; round++) {
        struct recv_job j = {.c = chan_make(int, 3)};
        test_go(recv_job, &j);
        WAIT_PARKED(1, CHAN_RECEIVE, j.c);
        chan_send(j.c, round);
        CHECK_EQ(chan_len(j.c), 0); /* never 1: it has not been in the buffer for an instant */
        int mine = -1;
        CHECK(!chan_try_recv(j.c, &mine, NULL)); /* and nobody can take it away any more */
        WAIT_UNTIL(atomic_load(&j.done));
        CHECK(j.ok);
        CHECK_EQ(j.value, round);
        chan_unref(j.c);
    }
    rn_gomaxprocs(old);
}

static void note_that_it_ran(void *p)
{
    atomic_fetch_add((_Atomic(int) *)p, 1);
}

ITEM(18, "with a free slot a send does not give way")
{
    chan(int) c = chan_make(int, 64);
    uint64_t me = rn_goid();
    for (int i = 0; i < 64; i++) {
        chan_send(c, i);
        CHECK_EQ(test_parked(RN__WAIT_CHAN_SEND, NULL), 0);
    }
    CHECK_EQ(rn_goid(), me);
    CHECK_EQ(chan_len(c), 64);
    _Atomic(int) ran = 0;
    test_go(note_that_it_ran, &ran);
    WAIT_UNTIL(atomic_load(&ran) == 1);
    chan_unref(c);
}

ITEM(19, "with no receiver and no slot a sender waits: chan send")
{
    for (int cap = 0; cap <= 1; cap++) {
        struct send_job j = {.c = chan_make(int, cap), .value = 5};
        for (int i = 0; i < cap; i++)
            chan_send(j.c, 4);
        test_go(send_job, &j);
        WAIT_PARKED(1, CHAN_SEND, j.c);
        for (int i = 0; i < 50; i++)
            rn_yield();
        CHECK_EQ(j.done, 0);
        int v = 0;
        for (int i = 0; i <= cap; i++)
            CHECK(chan_recv(j.c, &v));
        CHECK_EQ(v, 5);
        WAIT_UNTIL(atomic_load(&j.done) == 1);
        chan_unref(j.c);
    }
}

ITEM(20, "blocked senders complete in the order in which they blocked")
{
    enum { N = 40 };
    for (int cap = 0; cap <= 3; cap++) {
        chan(int) c = chan_make(int, cap);
        static struct send_job j[N];
        for (int i = 0; i < cap; i++)
            chan_send(c, -cap + i);
        for (int i = 0; i < N; i++) {
            j[i] = (struct send_job){.c = c, .value = i};
            test_go(send_job, &j[i]);
            WAIT_PARKED(i + 1, CHAN_SEND, c); /* i is in the queue before i + 1 starts */
        }
        for (int i = -cap; i < N; i++) {
            int v = -99;
            CHECK(chan_recv(c, &v));
            CHECK_EQ(v, i);
        }
        WAIT_GONE(1);
        chan_unref(c);
    }
}

ITEM(21, "close makes every blocked sender panic, and delivers none of their values")
{
    enum { N = 12 };
    for (int cap = 0; cap <= 2; cap++) {
        chan(int) c = chan_make(int, cap);
        static struct send_job j[N];
        for (int i = 0; i < cap; i++)
            chan_send(c, 100 + i);
        for (int i = 0; i < N; i++) {
            j[i] = (struct send_job){.c = c, .value = i};
            test_go(send_job, &j[i]);
        }
        WAIT_PARKED(N, CHAN_SEND, c);
        chan_close(c);
        for (int i = 0; i < N; i++) {
            WAIT_UNTIL(atomic_load(&j[i].done) != 0);
            CHECK_EQ(j[i].done, 2);
            CHECK(strcmp(j[i].panic, "send on closed channel") == 0);
        }
        for (int i = 0; i < cap; i++) { /* what was buffered stays receivable */
            int v = 0;
            CHECK(chan_recv(c, &v));
            CHECK_EQ(v, 100 + i);
        }
        CHECK(!chan_recv(c, NULL));
        chan_unref(c);
    }
}

ITEM(21, "a blocked chan_put says -EPIPE instead")
{
    chan(int) c = chan_make(int, 0);
    struct send_job j = {.c = c, .value = 1};
    test_go(send_job, &j);
    WAIT_PARKED(1, CHAN_SEND, c);
    chan_close(c);
    CHECK_EQ(chan_put(c, RN_NEVER, 2), -EPIPE);
    WAIT_UNTIL(atomic_load(&j.done) == 2);
    chan_unref(c);
}

struct rendezvous {
    chan(int) c;
    _Atomic(int) taken; /* which receive the receiver has begun */
    int sum;            /* what it got */
};

static void take_all(void *p)
{
    struct rendezvous *r = p;
    for (int i = 1; i <= 5000; i++) {
        int v = 0;
        atomic_store_explicit(&r->taken, i, memory_order_relaxed);
        CHECK(chan_recv(r->c, &v));
        r->sum += v;
    }
}

ITEM(22, "an unbuffered send finishes only after the receiver has taken the value")
{
    struct rendezvous r = {.c = chan_make(int, 0)};
    rn_gomaxprocs(2);
    test_go(take_all, &r);
    for (int i = 1; i <= 5000; i++) {
        chan_send(r.c, i);
        /* the receiver was at its i-th receive before the send returned */
        CHECK(atomic_load_explicit(&r.taken, memory_order_relaxed) >= i);
    }
    WAIT_GONE(1);
    CHECK_EQ(r.sum, 5000 * 5001 / 2);
    chan_unref(r.c);
}

static _Atomic(int) calls;

static int next_value(void)
{
    return ++calls;
}

static chan(int) the_channel;

static chan(int) next_channel(void)
{
    calls++;
    return the_channel;
}

static void send_with_effects(void *p)
{
    (void)p;
    chan_send(next_channel(), next_value());
}

ITEM(23, "channel and value are evaluated once, before the send blocks")
{
    the_channel = chan_make(int, 0);
    test_go(send_with_effects, NULL);
    WAIT_PARKED(1, CHAN_SEND, the_channel);
    CHECK_EQ(calls, 2); /* both evaluated although the send is still waiting */
    int v = 0;
    CHECK(chan_recv(the_channel, &v));
    WAIT_GONE(1);
    CHECK_EQ(calls, 2);
    CHECK(v == 1 || v == 2); /* C does not say which argument comes first */

    chan(int) b = chan_make(int, 4);
    calls = 0;
    int n = 0;
    chan_send((n++, b), next_value());
    CHECK(chan_try_send((n++, b), next_value()));
    CHECK_EQ(chan_put((n++, b), RN_NEVER, next_value()), 0);
    CHECK_EQ(chan_select(on_send((n++, b), next_value())), 0);
    CHECK_EQ(n, 4);
    CHECK_EQ(calls, 4);
    CHECK(!chan_try_send((n++, b), next_value())); /* full: evaluated all the same */
    CHECK_EQ(n, 5);
    CHECK_EQ(calls, 5);
    chan_unref(b);
    chan_unref(the_channel);
}

ITEM(24, "a try-send fails on nil, full and receiver-less, and panics on closed even when full")
{
    chan(int) nil = NULL;
    chan(int) u = chan_make(int, 0);
    chan(int) b = chan_make(int, 1);
    for (int i = 0; i < 3; i++) {
        CHECK(!chan_try_send(nil, 1));
        CHECK(!chan_try_send(u, 1));
    }
    CHECK(chan_try_send(b, 1));
    CHECK(!chan_try_send(b, 2));
    CHECK_EQ(chan_len(b), 1);
    struct recv_job r = {.c = u};
    test_go(recv_job, &r);
    WAIT_PARKED(1, CHAN_RECEIVE, u);
    CHECK(chan_try_send(u, 3)); /* a receiver waits */
    CHECK(!chan_try_send(u, 4));
    WAIT_UNTIL(atomic_load(&r.done));
    CHECK_EQ(r.value, 3);
    chan_close(b);
    chan_close(u);
    CHECK_PANIC(try_send, &((struct send_job){.c = b}), "send on closed channel");
    CHECK_PANIC(try_send, &((struct send_job){.c = u}), "send on closed channel");
    chan_unref(b);
    chan_unref(u);
}

/* ---- item 25: two threads, so that the lock-free look really races */

struct close_race {
    chan(int) c;
    _Atomic(int) closed; /* set after the close has returned */
};

static void closer(void *p)
{
    struct close_race *r = p;
    chan_close(r->c);
    atomic_store_explicit(&r->closed, 1, memory_order_release);
}

ITEM(25, "a try-send that starts after the close never reports plain failure")
{
    rn_gomaxprocs(2);
    int64_t rounds = test_scale(20000, 500);
    for (int64_t i = 0; i < rounds; i++) {
        struct close_race r = {.c = chan_make(int, (int64_t)(i & 1))};
        if (i & 1)
            chan_send(r.c, 1); /* full */
        struct send_job j = {.c = r.c, .value = 2};
        rn_panic_info info;
        test_go(closer, &r);
        for (;;) {
            bool known = atomic_load_explicit(&r.closed, memory_order_acquire) != 0;
            j.done = 0;
            if (!rn_try(try_send, &j, &info))
                break;
            CHECK_EQ(j.done, 0); /* full, or nobody receives: it can never succeed */
            CHECK(!known);       /* it was closed before we looked and we were told "not ready" */
            rn_yield();
        }
        CHECK(strcmp(info.text, "send on closed channel") == 0);
        WAIT_UNTIL(atomic_load(&r.closed));
        WAIT_GONE(1);
        chan_unref(r.c);
    }
}

TEST_MAIN
