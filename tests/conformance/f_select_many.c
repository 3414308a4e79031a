/*
 * f_select_many.c - items 71, 74 and 76: many selects at once - cheap, free of deadlocks, exact.
 *
 * Invariants
 *  - What is sent is added up and compared with what is received.
 */
#include "../test.h"

/* ---- item 71 */

struct quiet {
    chan(int) quiet; /* on which half a million cases wait */
    _Atomic(int) done;
};

enum { CROWD = 8, CROWD_CASES = 65535 };

static void crowd(void *p)
{
    struct quiet *q = p;
    rn_case *cases = calloc(CROWD_CASES, sizeof *cases);
    CHECK(cases != NULL);
    for (int i = 0; i < CROWD_CASES; i++)
        cases[i] = on_recv(q->quiet, NULL);
    (void)rn_select(cases, CROWD_CASES);
    free(cases);
    atomic_fetch_add(&q->done, 1);
}

static void feed(void *p)
{
    chan(int) busy = p;
    for (int i = 0; i < 100000; i++)
        chan_send(busy, i);
    chan_close(busy);
}

ITEM(71, "withdrawing costs the same however many wait: half a million waiters, 100,000 selects")
{
    /* A walk along the queue for each withdrawal would be some 10^10 steps over memory far larger than
     * any cache: minutes, against the time limit of this item. */
    struct quiet q = {.quiet = chan_make(int, 0)};
    chan(int) busy = chan_make(int, 0);
    for (int i = 0; i < CROWD; i++)
        test_go(crowd, &q);
    WAIT_PARKED(CROWD, SELECT, NULL);
    test_go(feed, (void *)busy);
    int v = -1, want = 0;
    bool ok = true;
    while (chan_select(on_recv(q.quiet, NULL), on_recv(busy, &v, &ok)) == 1 && ok)
        CHECK_EQ(v, want++);
    CHECK_EQ(want, 100000);
    chan_close(q.quiet);
    WAIT_UNTIL(atomic_load(&q.done) == CROWD);
    WAIT_GONE(1);
    chan_unref(q.quiet);
    chan_unref(busy);
}

/* ---- item 74 */

struct crossing {
    chan(int) a, b;
    bool forward; /* which one is listed first */
    int rounds;
    int64_t sent, got; /* sums */
};

static void cross(void *p)
{
    struct crossing *x = p;
    for (int i = 1; i <= x->rounds; i++) {
        int v = 0, k;
        if (x->forward)
            k = chan_select(on_send(x->a, i), on_recv(x->b, &v));
        else
            k = chan_select(on_recv(x->a, &v), on_send(x->b, i));
        if ((k == 0) == x->forward)
            x->sent += i;
        else
            x->got += v;
    }
}

ITEM(74, "crossing selects over the same channels neither deadlock nor lose")
{
    rn_gomaxprocs(4);
    enum { PAIRS = 4, ROUNDS = 20000 };
    static struct crossing x[2 * PAIRS];
    chan(int) a = chan_make(int, 0);
    chan(int) b = chan_make(int, 0);
    int64_t sent = 0, got = 0;
    for (int i = 0; i < 2 * PAIRS; i++) {
        x[i] = (struct crossing){a, b, i % 2 == 0, (int)test_scale(ROUNDS, 200), 0, 0};
        test_go(cross, &x[i]);
    }
    WAIT_GONE(1); /* every meeting uses up one round of a forward and one of a backward side */
    for (int i = 0; i < 2 * PAIRS; i++) {
        sent += x[i].sent;
        got += x[i].got;
    }
    CHECK(sent > 0);
    CHECK_EQ(sent, got);
    chan_unref(a);
    chan_unref(b);
}

/* ---- item 76 */

struct meeting {
    chan(int) c[3];
    _Atomic(int64_t) sent, got; /* sums of what was sent and received */
    _Atomic(int) senders;
    rn_waitgroup done;
};

static void meet_send(void *p)
{
    struct meeting *m = p;
    int n = (int)test_scale(6000, 100);
    for (int i = 1; i <= n; i++) {
        if (i % 3 == 0)
            chan_send(m->c[i / 3 % 3], i);
        else
            chan_select(on_send(m->c[0], i), on_send(m->c[1], i), on_send(m->c[2], i));
        atomic_fetch_add(&m->sent, i);
    }
    if (atomic_fetch_sub(&m->senders, 1) == 1)
        for (int i = 0; i < 3; i++)
            chan_close(m->c[i]);
    rn_waitgroup_done(&m->done);
}

static void meet_recv(void *p)
{
    struct meeting *m = p;
    chan(int) c[3] = {m->c[0], m->c[1], m->c[2]};
    while (c[0] != NULL || c[1] != NULL || c[2] != NULL) {
        int v = 0;
        bool ok = false;
        int k = chan_select(on_recv(c[0], &v, &ok), on_recv(c[1], &v, &ok), on_recv(c[2], &v, &ok));
        if (!ok)
            c[k] = NULL;
        atomic_fetch_add(&m->got, v);
    }
    rn_waitgroup_done(&m->done);
}

static void meet_range(void *p)
{
    struct meeting *m = p;
    chan_range (v, m->c[1])
        atomic_fetch_add(&m->got, v);
    rn_waitgroup_done(&m->done);
}

ITEM(76, "nothing is lost or doubled where selects and plain operations meet")
{
    rn_gomaxprocs(4);
    for (int cap = 0; cap < 3; cap++) {
        static struct meeting m;
        memset(&m, 0, sizeof m);
        for (int i = 0; i < 3; i++)
            m.c[i] = chan_make(int, i == 0 ? 0 : cap);
        m.senders = 6;
        rn_waitgroup_add(&m.done, 6 + 4 + 2);
        for (int i = 0; i < 6; i++)
            test_go(meet_send, &m);
        for (int i = 0; i < 4; i++)
            test_go(meet_recv, &m);
        for (int i = 0; i < 2; i++)
            test_go(meet_range, &m);
        rn_waitgroup_wait(&m.done);
        CHECK_EQ(m.got, m.sent);
        for (int i = 0; i < 3; i++)
            chan_unref(m.c[i]);
    }
}

TEST_MAIN
