/*
 * d_close.c - items 43 to 50: closing, its three panics, its atomicity, and who frees.
 *
 * Invariants
 *  - No test relies on the order in which close lets its waiters run: it is not promised (item 47).
 */
#include "../test.h"

static void close_it(void *c)
{
    chan_close((chan(int))c);
}

static void close_nil(void *p)
{
    (void)p;
    chan(int) c = NULL;
    chan_close(c);
}

static void send_it(void *c)
{
    chan_send((chan(int))c, 1);
}

ITEM(43, "close of nil panics")
{
    CHECK_PANIC(close_nil, NULL, "close of nil channel");
    chan(int) c = NULL;
    CHECK(!chan_try_close(c));
}

ITEM(44, "the second close panics; try_close says false")
{
    chan(int) c = chan_make(int, 1);
    chan_close(c);
    for (int i = 0; i < 3; i++)
        CHECK_PANIC(close_it, (void *)c, "close of closed channel");
    CHECK(!chan_try_close(c));
    chan(int) d = chan_make(int, 1);
    CHECK(chan_try_close(d));
    CHECK(!chan_try_close(d));
    CHECK_PANIC(close_it, (void *)d, "close of closed channel");
    chan_unref(c);
    chan_unref(d);
}

struct closers {
    chan(int) c;
    _Atomic(int) ready; /* how many stand at the line */
    _Atomic(int) won;   /* closes that succeeded */
    _Atomic(int) lost;  /* closes that panicked or said false */
    rn_waitgroup done;
};

static void race_to_close(void *p)
{
    struct closers *r = p;
    rn_panic_info info;
    int n = atomic_fetch_add(&r->ready, 1);
    while (atomic_load(&r->ready) < 8)
        rn_yield();
    bool ok = n % 2 == 0 ? rn_try(close_it, (void *)r->c, &info) : chan_try_close(r->c);
    if (!ok && n % 2 == 0)
        CHECK(strcmp(info.text, "close of closed channel") == 0);
    atomic_fetch_add(ok ? &r->won : &r->lost, 1);
    rn_waitgroup_done(&r->done);
}

ITEM(44, "of eight racing closers exactly one succeeds")
{
    rn_gomaxprocs(4);
    int64_t rounds = test_scale(1500, 50);
    for (int64_t i = 0; i < rounds; i++) {
        struct closers r = {.c = chan_make(int, 0)};
        rn_waitgroup_add(&r.done, 8);
        for (int k = 0; k < 8; k++)
            test_go(race_to_close, &r);
        rn_waitgroup_wait(&r.done);
        CHECK_EQ(r.won, 1);
        CHECK_EQ(r.lost, 7);
        CHECK(!chan_recv(r.c, NULL));
        chan_unref(r.c);
    }
}

CHILD(uncaught_send)
{
    chan(int) c = chan_make(int, 0);
    chan_close(c);
    chan_send(c, 1);
}

CHILD(uncaught_close)
{
    chan(int) c = chan_make(int, 0);
    chan_close(c);
    chan_close(c);
}

CHILD(uncaught_nil)
{
    close_nil(NULL);
}

ITEM(45, "the three panics are runtime errors and print bare text, exit status 2")
{
    static const struct {
        const char *child, *text;
    } all[] = {
        {"uncaught_send", "panic: send on closed channel"},
        {"uncaught_close", "panic: close of closed channel"},
        {"uncaught_nil", "panic: close of nil channel"},
    };
    for (size_t i = 0; i < 3; i++) {
        test_child *r = test_run_child(all[i].child, NULL);
        CHECK_EQ(r->status, 2);
        CHECK(strncmp(r->err, all[i].text, strlen(all[i].text)) == 0);
        CHECK_HAS(r->err, "goroutine 1 [running]:");
    }
    rn_panic_info info;
    chan(int) c = chan_make(int, 0);
    chan_close(c);
    CHECK(!rn_try(send_it, (void *)c, &info) && info.is_runtime_error);
    CHECK(!rn_try(close_it, (void *)c, &info) && info.is_runtime_error);
    CHECK(!rn_try(close_nil, NULL, &info) && info.is_runtime_error);
    chan_unref(c);
}

/* ---- item 46 */

struct observer {
    chan(int) c;
    _Atomic(int) *closed_seen; /* how many saw the end */
    _Atomic(int) *sent;        /* values that somebody sent successfully */
    _Atomic(int) *got;         /* values that somebody received */
    rn_waitgroup *done;
};

static void observe_as_receiver(void *p)
{
    struct observer *o = p;
    while (chan_recv(o->c, NULL))
        atomic_fetch_add(o->got, 1);
    CHECK(!chan_recv(o->c, NULL)); /* once closed and drained, for ever */
    atomic_fetch_add(o->closed_seen, 1);
    rn_waitgroup_done(o->done);
}

static void observe_as_sender(void *p)
{
    struct observer *o = p;
    rn_panic_info info;
    while (rn_try(send_it, (void *)o->c, &info))
        atomic_fetch_add(o->sent, 1);
    CHECK(!rn_try(send_it, (void *)o->c, &info));
    atomic_fetch_add(o->closed_seen, 1);
    rn_waitgroup_done(o->done);
}

ITEM(46, "close is one step: every value sent is received, everybody sees the end, for good")
{
    rn_gomaxprocs(4);
    int64_t rounds = test_scale(1500, 50);
    for (int64_t i = 0; i < rounds; i++) {
        _Atomic(int) seen = 0, sent = 0, got = 0;
        rn_waitgroup done = {0};
        struct observer o = {chan_make(int, (int64_t)(i % 3)), &seen, &sent, &got, &done};
        rn_waitgroup_add(&done, 8);
        for (int k = 0; k < 8; k++)
            test_go(k % 2 ? observe_as_receiver : observe_as_sender, &o);
        for (int64_t k = 0; k < i % 17; k++)
            rn_yield();
        chan_close(o.c);
        rn_waitgroup_wait(&done);
        CHECK_EQ(seen, 8);
        CHECK_EQ(sent, got);
        chan_unref(o.c);
    }
}

struct waiter {
    chan(int) c;
    _Atomic(int) *woken;
};

static void wait_for_close(void *p)
{
    struct waiter *w = p;
    CHECK(!chan_recv(w->c, NULL));
    atomic_fetch_add(w->woken, 1);
}

ITEM(47, "close lets every waiter run; in which order is not asked")
{
    enum { N = 100 };
    static struct waiter w[N];
    _Atomic(int) woken = 0;
    chan(int) c = chan_make(int, 0);
    for (int i = 0; i < N; i++) {
        w[i] = (struct waiter){c, &woken};
        test_go(wait_for_close, &w[i]);
    }
    WAIT_PARKED(N, CHAN_RECEIVE, c);
    CHECK_EQ(woken, 0);
    chan_close(c);
    WAIT_GONE(1);
    CHECK_EQ(woken, N);
    chan_unref(c);
}

ITEM(48, "a send-only view closes its channel")
{
    chan(int) c = chan_make(int, 0);
    send_chan(int) s = c;
    recv_chan(int) r = c; /* closing this one does not compile: see the compile-fail tests */
    chan_close(s);
    CHECK(!chan_recv(r, NULL));
    CHECK_PANIC(close_it, (void *)c, "close of closed channel");
    chan_unref(c);
}

/* ---- item 49 */

static int dropped;

static void count_drop(void *e)
{
    (void)e;
    dropped++;
}

ITEM(49, "close does not free: receive works for ever, the last reference frees")
{
    chan(int) c = chan_make_with(int, 3, .drop = count_drop);
    chan_send(c, 1);
    chan_send(c, 2);
    chan_send(c, 3);
    chan_close(c);
    CHECK_EQ(dropped, 0);
    int v = 0;
    CHECK(chan_recv(c, &v) && v == 1);
    CHECK(chan_ref(c) == c);
    chan_unref(c);
    CHECK_EQ(dropped, 0); /* one reference is left */
    CHECK(chan_recv(c, &v) && v == 2);
    chan_unref(c);
    CHECK_EQ(dropped, 1); /* the third value, which nobody received */
    chan(int) nil = NULL;
    CHECK(chan_ref(nil) == NULL);
    chan_unref(nil);
}

static void unref_it(void *c)
{
    chan_unref((chan(int))c);
}

ITEM(49, "freeing a channel on which somebody waits is a panic")
{
    chan(int) c = chan_make(int, 0);
    _Atomic(int) woken = 0;
    struct waiter w = {c, &woken};
    test_go(wait_for_close, &w);
    WAIT_PARKED(1, CHAN_RECEIVE, c);
    rn_panic_info info;
    CHECK(!rn_try(unref_it, (void *)c, &info));
    CHECK_HAS(info.text, "goroutine");
}

ITEM(49, "chan_auto drops its reference at the end of the scope")
{
    dropped = 0;
    for (int i = 0; i < 3; i++) {
        chan_auto(int) c = chan_make_with(int, 1, .drop = count_drop);
        chan_send(c, i);
    }
    CHECK_EQ(dropped, 3);
}

/* ---- item 50 */

struct selecting {
    chan(int) a, b; /* two channels; b never fires unless it is closed */
    bool ok;        /* what the receive case said */
    int value;
    int chosen; /* which case, -1 if it panicked */
    char panic[RN_PANIC_TEXT];
    _Atomic(int) done;
};

static void select_recv(void *p)
{
    struct selecting *s = p;
    s->value = 99;
    s->ok = true;
    s->chosen = chan_select(on_recv(s->a, &s->value, &s->ok), on_recv(s->b, NULL));
    atomic_store(&s->done, 1);
}

static void select_send_plain(void *p)
{
    struct selecting *s = p;
    s->chosen = chan_select(on_send(s->a, 1), on_recv(s->b, NULL));
}

static void select_send(void *p)
{
    struct selecting *s = p;
    rn_panic_info info;
    if (!rn_try(select_send_plain, s, &info)) {
        s->chosen = -1;
        snprintf(s->panic, sizeof s->panic, "%s", info.text);
    }
    atomic_store(&s->done, 1);
}

ITEM(50, "close wakes the receive case of a blocked select with ok = false")
{
    for (int which = 0; which < 2; which++) {
        struct selecting s = {.a = chan_make(int, 0), .b = chan_make(int, 0)};
        test_go(select_recv, &s);
        WAIT_PARKED(1, SELECT, NULL);
        chan_close(which ? s.b : s.a);
        WAIT_UNTIL(atomic_load(&s.done));
        CHECK_EQ(s.chosen, which);
        CHECK_EQ(s.ok, which != 0); /* the other case's variables are not touched */
        CHECK_EQ(s.value, which ? 99 : 0);
        WAIT_GONE(1);
        chan_unref(s.a);
        chan_unref(s.b);
    }
}

ITEM(50, "close wakes the send case of a blocked select with a panic")
{
    struct selecting s = {.a = chan_make(int, 0), .b = chan_make(int, 0)};
    test_go(select_send, &s);
    WAIT_PARKED(1, SELECT, NULL);
    chan_close(s.a);
    WAIT_UNTIL(atomic_load(&s.done));
    CHECK_EQ(s.chosen, -1);
    CHECK(strcmp(s.panic, "send on closed channel") == 0);
    CHECK(!chan_try_send(s.b, 1)); /* its receive case there has been withdrawn */
    WAIT_GONE(1);
    chan_unref(s.a);
    chan_unref(s.b);
}

TEST_MAIN
