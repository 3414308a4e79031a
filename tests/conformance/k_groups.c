/*
 * k_groups.c - item 149, as far as errgroup goes, and item 150: groups and shared calls.
 *
 * Invariants
 *  - What must wait is seen to be parked; what must end at once would otherwise wait for ever.
 */
#include "../test.h"

static int give(int err)
{
    return err;
}
GO_FUNC(give, int);

static int until_cancelled(rn_ctx *ctx, int err, _Atomic(int) *ended)
{
    chan_recv(rn_ctx_done(ctx), NULL);
    atomic_fetch_add(ended, 1);
    return err;
}
GO_FUNC(until_cancelled, rn_ctx *, int, _Atomic(int) *);

static void note(_Atomic(int) *n)
{
    atomic_fetch_add(n, 1);
}
GO_FUNC(note, _Atomic(int) *);

static int answer(void)
{
    return -ENOENT;
}
GO_FUNC(answer);

ITEM(149,
     "errgroup: the first error wins, cancels the context and is what wait returns after all ended")
{
    rn_gomaxprocs(4);
    for (int round = 0; round < 50; round++) {
        _Atomic(int) ended = 0;
        rn_ctx_auto parent = rn_ctx_with_cancel(rn_ctx_background());
        rn_group g;
        rn_group_init(&g, parent);
        for (int i = 0; i < 5; i++)
            rn_group_go(&g, until_cancelled, rn_group_ctx(&g), -EIO, &ended);
        rn_group_go(&g, give, 0);
        if (round % 2)
            rn_group_go(&g, give, -ENOSPC);
        else
            rn_group_go(&g, answer);
        CHECK_EQ(rn_group_wait(&g), round % 2 ? -ENOSPC : -ENOENT);
        CHECK_EQ(ended, 5);
        CHECK_EQ(rn_ctx_err(parent), 0);
    }
    /* the end of the group cancels its context, and the cause is the error */
    rn_errgroup g;
    rn_group_init(&g, rn_ctx_background());
    rn_ctx_auto ctx = rn_ctx_ref(rn_group_ctx(&g));
    CHECK_EQ(rn_group_wait(&g), 0);
    CHECK_EQ(rn_ctx_err(ctx), -ECANCELED);
}

ITEM(149, "errgroup: zero value, functions without a result, no context: errors cancel nothing")
{
    rn_group g = {0};
    _Atomic(int) n = 0;
    CHECK(rn_group_ctx(&g) == NULL);
    for (int i = 0; i < 10; i++)
        rn_group_go(&g, note, &n);
    rn_group_go(&g, give, 5);
    CHECK_EQ(rn_group_wait(&g), 5);
    CHECK_EQ(n, 10);
    CHECK_EQ(rn_group_wait(&g), 0); /* and it can be used again */
    rn_group_go(&g, note, &n);
    CHECK_EQ(rn_group_wait(&g), 0);
    CHECK_EQ(n, 11);
}

struct limited {
    rn_group g;
    chan(int) gate;
    _Atomic(int) inside, most, started;
};

static void pass_gate(struct limited *l)
{
    int now = atomic_fetch_add(&l->inside, 1) + 1;
    int most = atomic_load(&l->most);
    while (now > most && !atomic_compare_exchange_weak(&l->most, &most, now))
        ;
    chan_recv(l->gate, NULL);
    atomic_fetch_sub(&l->inside, 1);
}
GO_FUNC(pass_gate, struct limited *);

static void start_ten(void *p)
{
    struct limited *l = p;
    for (int i = 0; i < 10; i++) {
        rn_group_go(&l->g, pass_gate, l);
        atomic_fetch_add(&l->started, 1);
    }
}

static void change_limit(void *p)
{
    rn_group_set_limit((rn_group *)p, 5);
}

ITEM(149,
     "errgroup: go blocks at the limit, try_go says no, and the limit is fixed while members run")
{
    static struct limited l;
    l.gate = chan_make(int, 0);
    rn_group_set_limit(&l.g, 3);
    test_go(start_ten, &l);
    WAIT_PARKED(3, CHAN_RECEIVE, l.gate);
    WAIT_PARKED(1, CHAN_SEND, NULL);
    CHECK_EQ(l.started, 3);
    CHECK(!rn_group_try_go(&l.g, pass_gate, &l));
    CHECK_PANIC(change_limit, &l.g,
                "errgroup: modify limit while 3 goroutines in the group are still active");
    for (int i = 0; i < 7; i++)
        chan_send(l.gate, i);
    WAIT_UNTIL(l.started == 10);
    WAIT_PARKED(3, CHAN_RECEIVE, l.gate);
    chan_close(l.gate);
    CHECK_EQ(rn_group_wait(&l.g), 0);
    CHECK_EQ(l.most, 3);
    WAIT_GONE(1);
    rn_group_set_limit(&l.g, 1);
    CHECK(rn_group_try_go(&l.g, give, 0));
    rn_group_wait(&l.g);
    rn_group_set_limit(&l.g, 0);
    CHECK(!rn_group_try_go(&l.g, give, 0));
    rn_group_set_limit(&l.g, -1);
    CHECK(rn_group_try_go(&l.g, give, 0));
    rn_group_wait(&l.g);
    chan_unref(l.gate);
}

static int payload;

static void explode(void)
{
    rn_panic_value(&payload, "boom");
}
GO_FUNC(explode);

static void leave_goroutine(void)
{
    rn_goexit();
}
GO_FUNC(leave_goroutine);

static _Atomic(int) ended_in_scope;

static void panic_in_member(void *p)
{
    (void)p;
    rn_group_auto(g, rn_ctx_background());
    for (int i = 0; i < 3; i++)
        rn_group_go(&g, until_cancelled, rn_group_ctx(&g), 0, &ended_in_scope);
    rn_group_go(&g, leave_goroutine);
    rn_group_go(&g, explode);
    rn_group_go(&g, give, -EIO);
}

static void panic_in_scope(void *p)
{
    rn_group_auto(g, rn_ctx_background());
    for (int i = 0; i < 3; i++)
        rn_group_go(&g, until_cancelled, rn_group_ctx(&g), 0, &ended_in_scope);
    if (p == NULL)
        rn_panic("mine");
    rn_group_cancel(&g, "enough");
}

static int return_from_scope(void)
{
    rn_group_auto(g, rn_ctx_background());
    rn_group_go(&g, note, &ended_in_scope);
    for (;;) {
        rn_group_go(&g, note, &ended_in_scope);
        return 5; /* out of two blocks */
    }
}

ITEM(149,
     "a group's scope ends with its members, whatever way leads out; panics go on in the parent")
{
    rn_gomaxprocs(2);
    rn_panic_info info;
    CHECK(!rn_try(panic_in_member, NULL, &info));
    CHECK(strcmp(info.text, "boom") == 0 && info.value == &payload);
    CHECK(info.goid != rn_goid());
    CHECK_EQ(ended_in_scope, 3);
    CHECK_PANIC(panic_in_scope, NULL, "mine");
    CHECK_EQ(ended_in_scope, 6);
    panic_in_scope(&payload);
    CHECK_EQ(ended_in_scope, 9);
    CHECK_EQ(return_from_scope(), 5);
    CHECK_EQ(ended_in_scope, 11);
    WAIT_UNTIL(rn_num_goroutine() == 1);
}

CHILD(unrecovered)
{
    panic_in_member(NULL);
}

ITEM(149, "a member's panic that nobody recovers ends the program with its text")
{
    test_child *r = test_run_child("unrecovered", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "panic: boom");
}

/* ------------------------------------------------------------------------------- parallel loops */

struct loop {
    _Atomic(int) done[1000];
    _Atomic(int) inside, most, calls;
    int fail_at;
};

static int one_round(rn_ctx *ctx, size_t i, void *p)
{
    struct loop *l = p;
    int now = atomic_fetch_add(&l->inside, 1) + 1;
    int most = atomic_load(&l->most);
    while (now > most && !atomic_compare_exchange_weak(&l->most, &most, now))
        ;
    rn_yield();
    atomic_fetch_add(&l->done[i], 1);
    atomic_fetch_add(&l->calls, 1);
    atomic_fetch_sub(&l->inside, 1);
    if (l->fail_at == -2)
        rn_panic("round %zu", i);
    if ((int)i == l->fail_at)
        return -EDOM;
    if (l->fail_at >= 0 && (int)i > l->fail_at) {
        chan_recv(rn_ctx_done(ctx), NULL);
        return -ECANCELED;
    }
    return 0;
}

static void loop_panics(void *p)
{
    (void)rn_parallel(rn_ctx_background(), 1, 4, one_round, p);
}

ITEM(149, "a parallel loop makes every round once, within its limit; a failure ends it")
{
    rn_gomaxprocs(4);
    static struct loop l;
    l.fail_at = -1;
    CHECK_EQ(rn_parallel(rn_ctx_background(), 1000, 7, one_round, &l), 0);
    CHECK(l.most <= 7);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(l.done[i], 1);
    CHECK_EQ(rn_parallel(rn_ctx_background(), 0, 7, one_round, &l), 0);
    CHECK_EQ(rn_parallel(rn_ctx_background(), 3, 0, one_round, &l), 0);
    l.calls = 0;
    l.fail_at = 10;
    CHECK_EQ(rn_parallel(rn_ctx_background(), 1000, 5, one_round, &l), -EDOM);
    CHECK(l.calls >= 11 && l.calls < 11 + 5);
    rn_ctx_auto over = rn_ctx_with_timeout(rn_ctx_background(), 0);
    l.calls = 0;
    CHECK_EQ(rn_parallel(over, 1000, 5, one_round, &l), -ETIMEDOUT);
    CHECK_EQ(l.calls, 0);
    l.fail_at = -2;
    CHECK_PANIC(loop_panics, &l, "round 0");
}

/* --------------------------------------------------------------------------------- singleflight */

static rn_singleflight flights;
static chan(int) runway;
static _Atomic(int) runs, results, shared_results, panics;
enum { RETURN, PANIC, GOEXIT };

static int slow_call(void *arg, void **value)
{
    atomic_fetch_add(&runs, 1);
    chan_recv(runway, NULL);
    if (*(int *)arg == PANIC)
        rn_panic_value(&payload, "engine failure");
    if (*(int *)arg == GOEXIT)
        rn_goexit();
    *value = arg;
    return -EXDEV;
}

static void ask(void *how)
{
    rn_flight_result r = rn_singleflight_do(&flights, "key", slow_call, how);
    CHECK(r.value == how && r.err == -EXDEV);
    atomic_fetch_add(&results, 1);
    atomic_fetch_add(&shared_results, r.shared);
}

static void ask_bravely(void *how)
{
    rn_panic_info info;
    if (!rn_try(ask, how, &info)) {
        CHECK(strcmp(info.text, "engine failure") == 0 && info.value == &payload);
        atomic_fetch_add(&panics, 1);
    }
}

static void ask_together(int *how)
{
    runway = chan_make(int, 0);
    runs = results = shared_results = panics = 0;
    for (int i = 0; i < 8; i++)
        test_go(ask_bravely, how);
    WAIT_PARKED(1, CHAN_RECEIVE, runway);
    WAIT_PARKED(7, WAITGROUP_WAIT, NULL);
    CHECK_EQ(runs, 1);
    chan_close(runway);
}

ITEM(150, "calls of one key share one run and one result; others do not; forget starts a new one")
{
    rn_gomaxprocs(2);
    int how = RETURN;
    ask_together(&how);
    WAIT_GONE(1);
    CHECK_EQ(results, 8);
    CHECK_EQ(shared_results, 8);
    rn_flight_result r =
        rn_singleflight_do(&flights, "key", slow_call, &how); /* nobody is under way */
    CHECK(r.value == &how && !r.shared);
    CHECK_EQ(runs, 2);
    chan_unref(runway);

    runway = chan_make(int, 0);
    runs = results = shared_results = 0;
    test_go(ask, &how);
    WAIT_PARKED(1, CHAN_RECEIVE, runway);
    rn_singleflight_forget(&flights, "other");
    rn_singleflight_forget(&flights, "key");
    test_go(ask, &how);
    WAIT_PARKED(2, CHAN_RECEIVE, runway);
    CHECK_EQ(runs, 2);
    chan_close(runway);
    WAIT_GONE(1);
    CHECK_EQ(results, 2);
    CHECK_EQ(shared_results, 0);
    chan_unref(runway);
}

ITEM(150, "a panic reaches all callers, and goexit ends all")
{
    rn_gomaxprocs(2);
    static int explode_in_it = PANIC, leave_it = GOEXIT, come_back = RETURN;
    ask_together(&explode_in_it);
    WAIT_GONE(1);
    CHECK_EQ(panics, 8);
    CHECK_EQ(results, 0);
    chan_unref(runway);
    ask_together(&leave_it);
    WAIT_UNTIL(rn_num_goroutine() == 1);
    CHECK_EQ(results + panics, 0);
    chan_unref(runway);
    ask_together(&come_back); /* the key is free again */
    WAIT_UNTIL(rn_num_goroutine() == 1);
    CHECK_EQ(results, 8);
    chan_unref(runway);
}

TEST_MAIN
