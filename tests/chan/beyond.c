/*
 * beyond.c - what channels do beyond Go, against Go's rules: batches and ordered select do what a
 * row of ordinary operations would (items 5, 17, 18, 20, 21, 29, 32, 52, 54), unbounded channels are channels
 * that are never full.
 *
 * Invariants
 *  - Who waits is read from the goroutines' states; the order of everything is checked.
 */
#include "../test.h"
#include <poll.h>

struct job {
    chan(int) c;
    int *v;
    size_t n, min, max;
    int64_t deadline;
    size_t done;
};

static void send_n(void *p)
{
    struct job *j = p;
    j->done = chan_send_n(j->c, j->v, j->n);
}

static void recv_n(void *p)
{
    struct job *j = p;
    j->done = chan_recv_n(j->c, j->v, j->min, j->max, j->deadline);
}

static void recv_one(void *p)
{
    struct job *j = p;
    j->done = chan_recv(j->c, j->v);
}

ITEM(17, "send_n: waiting receivers first, in their order, then the ring")
{
    chan(int) c = chan_make(int, 2);
    int got[3] = {0}, v[5] = {1, 2, 3, 4, 5};
    struct job r[3];
    for (int i = 0; i < 3; i++) {
        r[i] = (struct job){.c = c, .v = &got[i]};
        test_go(recv_one, &r[i]);
        WAIT_PARKED(i + 1, CHAN_RECEIVE, c);
    }
    CHECK_EQ(chan_send_n(c, v, 5), 5);
    WAIT_GONE(1);
    CHECK(got[0] == 1 && got[1] == 2 && got[2] == 3);
    CHECK_EQ(chan_len(c), 2);
    int rest[4] = {0};
    CHECK_EQ(chan_recv_n(c, rest, 0, 4), 2);
    CHECK(rest[0] == 4 && rest[1] == 5);
    CHECK_EQ(chan_send_n(c, v, 0), 0);
    chan_unref(c);
}

ITEM(20, "send_n waits where a send would, and keeps its order")
{
    for (int cap = 0; cap <= 5; cap++) {
        chan_auto(int) c = chan_make(int, cap);
        int v[100];
        for (int i = 0; i < 100; i++)
            v[i] = i;
        struct job j = {.c = c, .v = v, .n = 100};
        test_go(send_n, &j);
        WAIT_PARKED(1, CHAN_SEND, c);
        CHECK_EQ(chan_len(c), cap);
        for (int i = 0; i < 100; i++) {
            int x = -1;
            CHECK(chan_recv(c, &x));
            CHECK_EQ(x, i);
        }
        WAIT_GONE(1);
        CHECK_EQ(j.done, 100);
    }
}

ITEM(21, "send_n ends at close: it says how many were sent, and does not panic")
{
    chan(int) c = chan_make(int, 3);
    int v[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct job j = {.c = c, .v = v, .n = 10};
    test_go(send_n, &j);
    WAIT_PARKED(1, CHAN_SEND, c);
    int x;
    CHECK(chan_recv(c, &x) && x == 0);
    WAIT_PARKED(1, CHAN_SEND, c);
    chan_close(c);
    WAIT_GONE(1);
    CHECK_EQ(j.done, 4);
    int got[8];
    CHECK_EQ(chan_recv_n(c, got, 8, 8), 3);
    CHECK(got[0] == 1 && got[1] == 2 && got[2] == 3);
    CHECK_EQ(chan_recv_n(c, got, 1, 8), 0);
    CHECK_EQ(chan_send_n(c, v, 1), 0);
    chan_unref(c);
}

ITEM(32, "recv_n: the ring, and the waiting senders behind it, in order")
{
    chan(int) c = chan_make(int, 3);
    int v[3][4] = {{0, 1, 2, 3}, {4}, {5}};
    struct job j[3];
    for (int i = 0; i < 3; i++) {
        j[i] = (struct job){.c = c, .v = v[i], .n = i == 0 ? 4 : 1};
        test_go(send_n, &j[i]);
        WAIT_PARKED(i + 1, CHAN_SEND, c);
    }
    int got[10];
    CHECK_EQ(chan_recv_n(c, got, 1, 5), 5); /* one of them is in the ring now */
    CHECK_EQ(chan_len(c), 1);
    CHECK_EQ(chan_recv_n(c, got + 5, 1, 5), 1);
    for (int i = 0; i < 6; i++)
        CHECK_EQ(got[i], i);
    WAIT_GONE(1);
    chan_unref(c);
}

ITEM(29, "recv_n waits until it has min, takes up to max, and gives up at its deadline")
{
    chan(int) c = chan_make(int, 8);
    int got[8] = {0}, v[4] = {1, 2, 3, 4};
    struct job j = {.c = c, .v = got, .min = 3, .max = 8, .deadline = RN_NEVER};
    test_go(recv_n, &j);
    WAIT_PARKED(1, CHAN_RECEIVE, c);
    CHECK_EQ(chan_send_n(c, v, 2), 2);
    WAIT_PARKED(1, CHAN_RECEIVE, c); /* two are not enough */
    CHECK_EQ(chan_send_n(c, v + 2, 2), 2);
    WAIT_GONE(1);
    CHECK_EQ(j.done + chan_len(c), 4);
    CHECK(j.done >= 3 && got[0] == 1 && got[1] == 2 && got[2] == 3);
    CHECK_EQ(chan_recv_n(c, (int *)NULL, 0, 8), 4 - j.done); /* discards */
    chan_send(c, 7);
    CHECK_EQ(chan_recv_n(c, got, 2, 8, rn_now() + RN_MS), 1);
    CHECK_EQ(got[0], 7);
    CHECK_EQ(chan_recv_n(c, got, 2, 8, 0), 0);
    chan(int) nil = NULL;
    CHECK_EQ(chan_recv_n(nil, got, 0, 8), 0);
    CHECK_EQ(chan_recv_n(nil, got, 1, 8, rn_now() + RN_MS), 0);
    chan_unref(c);
}

struct sel {
    chan(int) a, b;
    int got, k;
};

static void select_both(void *p)
{
    struct sel *s = p;
    s->k = chan_select(on_recv(s->a, &s->got), on_recv(s->b, &s->got));
}

ITEM(17, "send_n serves selects that wait, once each")
{
    chan(int) a = chan_make(int, 0);
    chan(int) b = chan_make(int, 4);
    struct sel s[3];
    for (int i = 0; i < 3; i++) {
        s[i] = (struct sel){a, b, -1, -1};
        test_go(select_both, &s[i]);
        WAIT_PARKED(i + 1, SELECT, NULL);
    }
    int v[5] = {10, 11, 12, 13, 14};
    CHECK_EQ(chan_send_n(b, v, 5), 5);
    WAIT_GONE(1);
    for (int i = 0; i < 3; i++)
        CHECK(s[i].k == 1 && s[i].got == 10 + i);
    CHECK_EQ(chan_len(b), 2);
    CHECK(!chan_try_send(a, 1)); /* nobody is left there */
    chan_unref(a);
    chan_unref(b);
}

ITEM(5, "batches of elements of size zero are counted")
{
    chan(rn_unit) c = chan_make(rn_unit, 5000);
    rn_unit u[5000];
    CHECK_EQ(chan_send_n(c, u, 5000), 5000);
    CHECK_EQ(chan_len(c), 5000);
    CHECK_EQ(chan_recv_n(c, u, 3000, 3000), 3000);
    CHECK_EQ(chan_len(c), 2000);
    chan_unref(c);
}

/* -------------------------------------------------------------------------------- ordered select */

ITEM(52, "ordered select: of the ready cases the first, always")
{
    chan(int) c[4];
    for (int i = 0; i < 4; i++)
        c[i] = chan_make(int, 1);
    for (int set = 1; set < 16; set++) {
        for (int i = 0; i < 4; i++)
            if (set >> i & 1)
                chan_send(c[i], i);
        for (int i = 0; i < 4; i++) {
            if (!(set >> i & 1))
                continue;
            int v = -1;
            CHECK_EQ(chan_select_ordered(on_recv(c[0], &v), on_recv(c[1], &v), on_recv(c[2], &v),
                                         on_recv(c[3], &v)),
                     i);
            CHECK_EQ(v, i);
        }
        CHECK_EQ(chan_select_ordered(on_default(), on_recv(c[0], NULL), on_recv(c[1], NULL)), 0);
    }
    /* a default that comes first does not win over a ready case */
    chan_send(c[2], 5);
    int v = 0;
    CHECK_EQ(chan_select_ordered(on_default(), on_recv(c[1], &v), on_recv(c[2], &v)), 2);
    CHECK_EQ(v, 5);
    CHECK_EQ(chan_select_ordered(on_send(c[1], 8), on_send(c[0], 9)), 0);
    CHECK_EQ(chan_select_ordered(on_send(c[1], 8), on_send(c[0], 9)), 1);
    CHECK_EQ(chan_select_ordered(on_recv(c[2], &v), on_after(RN_MS)), 1);
    rn_case table[2] = {on_recv(c[0], &v), on_recv(c[1], &v)};
    CHECK_EQ(rn_select_ordered(table, 2), 0);
    CHECK_EQ(v, 9);
    for (int i = 0; i < 4; i++)
        chan_unref(c[i]);
}

static void select_ordered(void *p)
{
    struct sel *s = p;
    s->k = chan_select_ordered(on_recv(s->a, &s->got), on_recv(s->b, &s->got));
}

ITEM(54, "ordered select: waits like any other, also for a later case")
{
    struct sel s = {chan_make(int, 0), chan_make(int, 0), 0, -1};
    test_go(select_ordered, &s);
    WAIT_PARKED(1, SELECT, NULL);
    chan_send(s.b, 6);
    WAIT_GONE(1);
    CHECK(s.k == 1 && s.got == 6);
    chan_close(s.b);
    CHECK_EQ(chan_select_ordered(on_recv(s.a, NULL), on_recv(s.b, NULL)), 1);
    chan_unref(s.a);
    chan_unref(s.b);
}

/* ------------------------------------------------------------------------------------- unbounded */

ITEM(18, "an unbounded channel: no send waits, everything comes out in order, len counts")
{
    enum { N = 100000 };
    chan(int) c = chan_make_with(int, 0, .unbounded = true);
    CHECK(chan_cap(c) == SIZE_MAX);
    int in = 0, out = 0;
    for (int round = 0; round < 4; round++) {
        while (in - out < N >> 2 * round) {
            switch (in % 5) {
            case 0: CHECK(chan_try_send(c, in)); break;
            case 1: CHECK_EQ(chan_put(c, 0, in), 0); break;
            case 2: CHECK_EQ(chan_select(on_send(c, in), on_default()), 0); break;
            default: chan_send(c, in);
            }
            in++;
        }
        CHECK_EQ(chan_len(c), in - out);
        for (int i = round; i < in - out; i++) {
            int v = -1;
            CHECK(chan_recv(c, &v));
            CHECK_EQ(v, out);
            out++;
        }
    }
    chan_close(c);
    for (int v; chan_recv(c, &v);)
        CHECK_EQ(v, out++);
    CHECK_EQ(in, out);
    chan_unref(c);
}

struct big {
    char bytes[300];
    int n;
};

ITEM(18, "an unbounded channel of large elements, of none, with a descriptor, in batches")
{
    chan(struct big) c = chan_make_with(struct big, 1, .unbounded = true, .name = "big");
    struct pollfd ready = {.fd = chan_fd(c), .events = POLLIN};
    CHECK(ready.fd >= 0 && poll(&ready, 1, 0) == 0);
    for (int i = 0; i < 1000; i++)
        chan_send(c, (struct big){{0}, i});
    CHECK_EQ(poll(&ready, 1, 0), 1);
    struct big *b = calloc(600, sizeof *b);
    CHECK(b != NULL);
    CHECK_EQ(chan_recv_n(c, b, 600, 600), 600);
    for (int i = 0; i < 600; i++)
        CHECK_EQ(b[i].n, i);
    CHECK_EQ(chan_send_n(c, b, 600), 600);
    CHECK_EQ(chan_len(c), 1000);
    CHECK_EQ(chan_recv_n(c, b, 400, 400), 400);
    CHECK(b[0].n == 600 && b[399].n == 999);
    CHECK_EQ(chan_recv_n(c, b, 1, 600), 600);
    CHECK(b[0].n == 0 && b[599].n == 599);
    CHECK_EQ(poll(&ready, 1, 0), 0);
    free(b);
    chan_unref(c);
    chan(rn_unit) u = chan_make_with(rn_unit, 0, .unbounded = true);
    for (int i = 0; i < 100000; i++)
        chan_send(u, (rn_unit){0});
    CHECK_EQ(chan_len(u), 100000);
    chan_unref(u);
}

static void recv_two(void *p)
{
    struct job *j = p;
    CHECK(chan_recv(j->c, &j->v[0]) && chan_recv(j->c, &j->v[1]));
}

ITEM(17, "an unbounded channel hands values to waiting receivers, and close ends it")
{
    chan(int) c = chan_make_with(int, 0, .unbounded = true);
    int v[2] = {0};
    struct job j = {.c = c, .v = v};
    test_go(recv_two, &j);
    WAIT_PARKED(1, CHAN_RECEIVE, c);
    CHECK_EQ(chan_select(on_send(c, 1)), 0);
    WAIT_PARKED(1, CHAN_RECEIVE, c);
    chan_send(c, 2);
    WAIT_GONE(1);
    CHECK(v[0] == 1 && v[1] == 2);
    chan_send(c, 3);
    chan_close(c);
    CHECK_EQ(chan_put(c, 0, 4), -EPIPE);
    int x;
    CHECK(chan_recv(c, &x) && x == 3);
    CHECK(!chan_recv(c, &x));
    chan_unref(c);
}

struct marks {
    size_t len[8];
    int n;
};

static void mark(size_t len, void *arg)
{
    struct marks *m = arg;
    CHECK(m->n < 8);
    m->len[m->n++] = len;
}

static int dropped;
static void drop_int(void *elem)
{
    dropped += *(int *)elem;
}

ITEM(18, "the soft limit is told once, and again after the channel has been half empty")
{
    struct marks m = {{0}, 0};
    chan(int) c = chan_make_with(int, 0, .unbounded = true, .soft_limit = 10, .on_high_water = mark,
                                 .arg = &m, .drop = drop_int);
    for (int i = 0; i < 30; i++)
        chan_send(c, 1);
    CHECK(m.n == 1 && m.len[0] == 10);
    CHECK_EQ(chan_recv_n(c, (int *)NULL, 24, 24), 24);
    chan_send(c, 1);
    CHECK_EQ(m.n, 1);
    CHECK_EQ(chan_recv_n(c, (int *)NULL, 2, 2), 2); /* five are left */
    int v[20];
    for (int i = 0; i < 20; i++)
        v[i] = 1;
    CHECK_EQ(chan_send_n(c, v, 20), 20);
    CHECK(m.n == 2 && m.len[1] == 25);
    chan_unref(c);
    CHECK_EQ(dropped, 25);
}

TEST_MAIN
