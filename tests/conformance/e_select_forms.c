/*
 * e_select_forms.c - items 55 to 67: the forms of a select, from no case at all to 65536.
 *
 * Invariants
 *  - What blocks for ever runs in a process of its own, and the verdict there names the reason.
 */
#include "../test.h"

CHILD(select_nothing)
{
    chan_select();
}

CHILD(select_all_nil)
{
    chan(int) a = NULL, b = NULL;
    chan_select(on_recv(a, NULL), on_send(b, 1));
}

CHILD(select_one_nil_recv)
{
    chan(int) a = NULL;
    chan_select(on_recv(a, NULL));
}

CHILD(select_one_nil_send)
{
    chan(int) a = NULL;
    chan_select(on_send(a, 1));
}

ITEM(55, "only default never blocks, no cases block for ever: select (no cases)")
{
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(chan_select(on_default()), 0);
    test_child *r = test_run_child("select_nothing", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: all goroutines are asleep - deadlock!");
    CHECK_HAS(r->err, "goroutine 1 [select (no cases)]:");
}

ITEM(56, "nil cases never fire; all nil blocks for ever: select, or the plain reason for one case")
{
    chan(int) nil = NULL;
    chan(int) c = chan_make(int, 1);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(chan_select(on_recv(nil, NULL), on_send(c, 1), on_send(nil, 1)), 1);
        CHECK_EQ(chan_select(on_recv(nil, NULL), on_send(nil, 1), on_default()), 2);
        CHECK_EQ(chan_select(on_send(nil, 1), on_recv(nil, NULL), on_recv(c, NULL)), 2);
    }
    chan_unref(c);
    CHECK_HAS(test_run_child("select_all_nil", NULL)->err, "goroutine 1 [select]:");
    CHECK_HAS(test_run_child("select_one_nil_recv", NULL)->err,
              "goroutine 1 [chan receive (nil chan)]:");
    CHECK_HAS(test_run_child("select_one_nil_send", NULL)->err,
              "goroutine 1 [chan send (nil chan)]:");
}

ITEM(57, "the receive case of a closed channel is always ready")
{
    chan(int) closed = chan_make(int, 2);
    chan(int) open = chan_make(int, 0);
    chan_send(closed, 5);
    chan_close(closed);
    int v = 9;
    bool ok = false;
    CHECK_EQ(chan_select(on_recv(open, NULL), on_recv(closed, &v, &ok)), 1);
    CHECK(ok && v == 5);
    for (int i = 0; i < 100; i++) {
        v = 9;
        CHECK_EQ(chan_select(on_recv(open, NULL), on_recv(closed, &v, &ok), on_default()), 1);
        CHECK(!ok && v == 0);
    }
    chan_unref(closed);
    chan_unref(open);
}

static void send_value(void *p)
{
    chan_send((chan(int))p, 100);
}

ITEM(59, "a receive case looks as a plain receive does: waiting sender, buffer, closed")
{
    chan(int) c = chan_make(int, 2); /* full, and a sender waits: the oldest buffered value comes */
    chan_send(c, 1);
    chan_send(c, 2);
    test_go(send_value, (void *)c);
    WAIT_PARKED(1, CHAN_SEND, c);
    int v = 0;
    CHECK_EQ(chan_select(on_recv(c, &v), on_default()), 0);
    CHECK_EQ(v, 1);
    CHECK_EQ(chan_len(c), 2);
    chan_close(c); /* the sender is in the buffer already */
    for (int want = 2; want != 0; want = want == 2 ? 100 : 0) {
        CHECK_EQ(chan_select(on_recv(c, &v), on_default()), 0);
        CHECK_EQ(v, want);
    }
    WAIT_GONE(1);
    chan_unref(c);
}

CHILD(select_self)
{
    chan(int) c = chan_make(int, 0);
    chan_select(on_send(c, 1), on_recv(c, NULL));
}

ITEM(60, "a goroutine cannot pair its own send case with its own receive case")
{
    chan(int) c = chan_make(int, 0);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(chan_select(on_send(c, 1), on_recv(c, NULL), on_default()), 2);
    chan_unref(c);
    test_child *r = test_run_child("select_self", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "goroutine 1 [select]:");
}

ITEM(61, "on a buffered channel it may put in now and take out in a later select")
{
    chan(int) c = chan_make(int, 1);
    for (int i = 0; i < 1000; i++) {
        int v = -1;
        CHECK_EQ(chan_select(on_recv(c, &v), on_send(c, i)), 1);
        CHECK_EQ(chan_select(on_recv(c, &v), on_send(c, i)), 0);
        CHECK_EQ(v, i);
    }
    chan_unref(c);
}

static void select_single(void *p)
{
    int v = 0;
    CHECK_EQ(chan_select(on_recv((chan(int))p, &v)), 0);
    CHECK_EQ(v, 3);
}

static void select_single_send(void *p)
{
    CHECK_EQ(chan_select(on_send((chan(int))p, 4)), 0);
}

ITEM(62, "one case alone is the plain operation, one case and default the try operation")
{
    chan(int) c = chan_make(int, 0);
    test_go(select_single, (void *)c);
    WAIT_PARKED(1, CHAN_RECEIVE, c); /* and says so */
    chan_send(c, 3);
    test_go(select_single_send, (void *)c);
    WAIT_PARKED(1, CHAN_SEND, c);
    int v = 0;
    CHECK(chan_recv(c, &v));
    CHECK_EQ(v, 4);
    CHECK_EQ(chan_select(on_send(c, 1), on_default()), 1);
    CHECK_EQ(chan_select(on_recv(c, &v), on_default()), 1);
    CHECK_EQ(v, 4);
    WAIT_GONE(1);
    chan_unref(c);
}

ITEM(63, "break leaves the select only; continue is the loop's")
{
    chan(int) c = chan_make(int, 1);
    int broke = 0, went_on = 0;
    for (int i = 0; i < 10; i++) {
        switch (chan_select(on_send(c, i), on_recv(c, NULL))) {
        case 0: broke++; break;
        case 1: went_on++; continue;
        }
        CHECK_EQ(i % 2, 0);
    }
    CHECK_EQ(broke, 5);
    CHECK_EQ(went_on, 5);
    chan_unref(c);
}

ITEM(64, "a channel variable set to nil switches its case off")
{
    chan(int) a = chan_make(int, 4);
    chan(int) b = chan_make(int, 4);
    chan(int) a0 = a, b0 = b;
    int got = 0, ends = 0;
    for (int i = 0; i < 4; i++) {
        chan_send(a, 1);
        chan_send(b, 10);
    }
    chan_close(a);
    chan_close(b);
    while (a != NULL || b != NULL) {
        int v = 0;
        bool ok = false;
        int k = chan_select(on_recv(a, &v, &ok), on_recv(b, &v, &ok));
        got += v;
        if (!ok) {
            ends++;
            if (k == 0)
                a = NULL;
            else
                b = NULL;
        }
    }
    CHECK_EQ(got, 44);
    CHECK_EQ(ends, 2); /* each end was seen once: a disabled case never fires again */
    chan_unref(a0);
    chan_unref(b0);
}

ITEM(65, "priority by looking twice is deterministic")
{
    chan(int) high = chan_make(int, 100);
    chan(int) low = chan_make(int, 100);
    for (int i = 0; i < 100; i++) {
        chan_send(high, i);
        chan_send(low, i);
    }
    for (int i = 0; i < 200; i++) {
        int v = -1, k = 0;
        if (chan_select(on_recv(high, &v), on_default()) == 1)
            k = 1 + chan_select(on_recv(high, &v), on_recv(low, &v));
        CHECK_EQ(k, i < 100 ? 0 : 2);
        CHECK_EQ(v, i % 100);
    }
    chan_unref(high);
    chan_unref(low);
}

static void select_too_many(void *p)
{
    rn_select(p, 65537);
}

ITEM(66, "up to 65536 cases; one more panics")
{
    enum { MOST = 65536 };
    rn_case *cases = calloc(MOST + 1, sizeof *cases);
    CHECK(cases != NULL);
    chan(int) dead = chan_make(int, 0);
    chan(int) live = chan_make(int, 1);
    for (int i = 0; i <= MOST; i++)
        cases[i] = on_recv(dead, NULL);
    cases[MOST - 1] = on_send(live, 1);
    CHECK_EQ(rn_select(cases, MOST), MOST - 1);
    rn_panic_info info;
    CHECK(!rn_try(select_too_many, cases, &info));
    CHECK_HAS(info.text, "too many cases");
    chan_unref(dead);
    chan_unref(live);
    free(cases);
}

CHILD(dynamic_nothing)
{
    rn_select(NULL, 0);
}

ITEM(67, "a table of no cases blocks for ever, one of only default returns it")
{
    test_child *r = test_run_child("dynamic_nothing", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "goroutine 1 [select (no cases)]:");
    rn_case d[3] = {on_default()};
    CHECK_EQ(rn_select(d, 1), 0);
    chan(int) c = chan_make(int, 1);
    int v = 7;
    bool ok = true;
    d[0] = on_recv(c, &v, &ok);
    d[1] = on_default();
    CHECK_EQ(rn_select(d, 2), 1);
    d[2] = on_send(c, 9);
    CHECK_EQ(rn_select(d, 3), 2);
    CHECK_EQ(rn_select(d, 2), 0);
    CHECK(ok && v == 9);
    chan_unref(c);
}

TEST_MAIN
