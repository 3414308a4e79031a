/*
 * p_shapes.c - items 193, 195 and 197: the shapes in which Go's own channel tests stress a channel.
 *
 * Invariants
 *  - Every shape accounts for all its elements; none relies on an order that is not promised.
 */
#include "../test.h"

/* ---- item 193: every capacity from 0 to N */

struct simple {
    chan(int) c;
    chan(int) out; /* what four receivers got; large enough for all */
    _Atomic(int) state;
    int n; /* how many each of them handles */
    rn_waitgroup done;
};

static void recv_and_mark(void *p)
{
    struct simple *s = p;
    CHECK(chan_recv(s->c, NULL));
    atomic_fetch_add(&s->state, 1);
}

static void send_and_mark(void *p)
{
    struct simple *s = p;
    chan_send(s->c, 0);
    atomic_fetch_add(&s->state, 1);
}

static void recv_until_closed(void *p)
{
    struct simple *s = p;
    int v = 1;
    CHECK(!chan_recv(s->c, &v));
    CHECK_EQ(v, 0);
    atomic_fetch_add(&s->state, 1);
}

static void send_counting(void *p)
{
    struct simple *s = p;
    for (int i = 0; i < s->n; i++)
        chan_send(s->c, i);
}

static void recv_to_out(void *p)
{
    struct simple *s = p;
    for (int i = 0; i < s->n; i++) {
        int v = -1;
        CHECK(chan_recv(s->c, &v));
        CHECK(v >= 0);
        chan_send(s->out, v);
    }
    rn_waitgroup_done(&s->done);
}

static void blocks_and_closes(int cap)
{
    struct simple s = {.c = chan_make(int, cap)};
    test_go(recv_and_mark, &s); /* receive from an empty channel waits */
    test_go(recv_and_mark, &s);
    WAIT_PARKED(2, CHAN_RECEIVE, s.c);
    CHECK_EQ(s.state, 0);
    CHECK(!chan_try_recv(s.c, NULL, NULL));
    chan_send(s.c, 0);
    chan_send(s.c, 0);
    WAIT_UNTIL(atomic_load(&s.state) == 2);
    for (int i = 0; i < cap; i++)
        chan_send(s.c, i);
    CHECK_EQ(chan_len(s.c), cap);
    CHECK_EQ(chan_cap(s.c), cap);
    test_go(send_and_mark, &s); /* send to a full channel waits */
    WAIT_PARKED(1, CHAN_SEND, s.c);
    CHECK(!chan_try_send(s.c, 0));
    CHECK_EQ(s.state, 2);
    CHECK(chan_recv(s.c, NULL));
    WAIT_UNTIL(atomic_load(&s.state) == 3);
    for (int i = 0; i < cap; i++)
        CHECK(chan_recv(s.c, NULL));
    test_go(recv_until_closed, &s); /* close lets a receiver go */
    WAIT_PARKED(1, CHAN_RECEIVE, s.c);
    chan_close(s.c);
    WAIT_UNTIL(atomic_load(&s.state) == 4);
    WAIT_GONE(1);
    chan_unref(s.c);
}

static void fifo(int cap)
{
    struct simple s = {.c = chan_make(int, cap), .n = 100};
    for (int form = 0; form < 2; form++) {
        test_go(send_counting, &s);
        for (int i = 0; i < 100; i++) {
            int v = -1;
            if (form == 0)
                CHECK(chan_recv(s.c, &v));
            else
                CHECK_EQ(chan_select(on_recv(s.c, &v)), 0);
            CHECK_EQ(v, i);
        }
    }
    WAIT_GONE(1);
    chan_unref(s.c);
}

static void four_by_four(int cap, int n)
{
    struct simple s = {.c = chan_make(int, cap), .out = chan_make(int, 4 * n), .n = n};
    int *seen = calloc((size_t)n, sizeof *seen);
    CHECK(seen != NULL);
    rn_waitgroup_add(&s.done, 4);
    for (int i = 0; i < 4; i++) {
        test_go(send_counting, &s);
        test_go(recv_to_out, &s);
    }
    rn_waitgroup_wait(&s.done);
    chan_close(s.out);
    chan_range (v, s.out)
        seen[v]++;
    for (int i = 0; i < n; i++)
        CHECK_EQ(seen[i], 4);
    WAIT_GONE(1);
    free(seen);
    chan_unref(s.out);
    chan_unref(s.c);
}

ITEM(193, "for each capacity: blocking, closing, order, 4 by 4 goroutines, len and cap")
{
    rn_gomaxprocs(4);
    int most = (int)test_scale(100, 10);
    for (int cap = 0; cap < (most > 200 ? 200 : most); cap++) {
        blocks_and_closes(cap);
        fifo(cap);
        four_by_four(cap, 500);
    }
}

/* ---- item 195 */

struct fat {
    const void *type; /* both words belong together */
    uintptr_t value;
    uintptr_t check; /* type ^ value */
};

static struct fat make_fat(uint64_t *seed)
{
    struct fat f = {(const void *)(uintptr_t)test_random(seed), (uintptr_t)test_random(seed), 0};
    f.check = (uintptr_t)f.type ^ f.value;
    return f;
}

struct fat_job {
    chan(struct fat) c;
    int rounds;
    uint64_t seed;
    _Atomic(int) *sent;
    _Atomic(int) *got;
};

static void try_fat(void *p)
{
    struct fat_job *j = p;
    for (int i = 0; i < j->rounds; i++) {
        struct fat f = make_fat(&j->seed), g;
        if (chan_try_send(j->c, f))
            atomic_fetch_add(j->sent, 1);
        int k = chan_select(on_send(j->c, f), on_send(j->c, make_fat(&j->seed)), on_default());
        if (k < 2)
            atomic_fetch_add(j->sent, 1);
        if (chan_try_recv(j->c, &g, NULL)) {
            CHECK(((uintptr_t)g.type ^ g.value) == g.check); /* never a mixture of two */
            atomic_fetch_add(j->got, 1);
        }
    }
}

ITEM(195, "values of several words under concurrent try-sends arrive whole")
{
    rn_gomaxprocs(4);
    for (int cap = 0; cap <= 3; cap++) {
        _Atomic(int) sent = 0, got = 0;
        struct fat_job j[6];
        chan(struct fat) c = chan_make(struct fat, cap);
        for (int i = 0; i < 6; i++) {
            j[i] = (struct fat_job){c, (int)test_scale(20000, 300), (uint64_t)i, &sent, &got};
            test_go(try_fat, &j[i]);
        }
        WAIT_GONE(1);
        CHECK_EQ(sent, got + (int)chan_len(c));
        if (cap > 0)
            CHECK(sent > 0);
        chan_unref(c);
    }
}

/* ---- item 197 */

struct hop {
    int value; /* what the feeder sent */
    int hops;  /* how often it is still to be handed on */
};

struct consumers {
    chan(struct hop) q; /* work; hops go back in here */
    chan(int) r;        /* results */
    _Atomic(int) left;  /* values that have not become results */
    rn_waitgroup done;
};

static void consume(void *p)
{
    struct consumers *k = p;
    chan_range (h, k->q) {
        if (h.value % 7 == 0)
            rn_yield();
        if (h.hops > 0) {
            h.hops--;
            /* A full queue must not lock up those who empty it. */
            if (chan_try_send(k->q, h))
                continue;
        }
        chan_send(k->r, h.value);
        if (atomic_fetch_sub(&k->left, 1) == 1)
            chan_close(k->q);
    }
    rn_waitgroup_done(&k->done);
}

static void close_results(void *p)
{
    struct consumers *k = p;
    rn_waitgroup_wait(&k->done);
    chan_close(k->r);
}

static void feed(void *p)
{
    struct consumers *k = p;
    uint64_t seed = 197;
    int n = atomic_load(&k->left);
    for (int i = 1; i <= n; i++)
        chan_send(k->q, (struct hop){i, (int)(test_random(&seed) % 5)});
}

ITEM(197, "many consumers, values handed on a random number of times: the sum is right")
{
    enum { WORKERS = 23 };
    rn_gomaxprocs(4);
    int n = (int)test_scale(100000, 2000), count = 0;
    int64_t sum = 0;
    struct consumers k = {
        .q = chan_make(struct hop, WORKERS * 3), .r = chan_make(int, WORKERS * 3), .left = n};
    rn_waitgroup_add(&k.done, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        test_go(consume, &k);
    test_go(feed, &k);
    test_go(close_results, &k);
    chan_range (v, k.r) {
        sum += v;
        count++;
    }
    CHECK_EQ(count, n);
    CHECK_EQ(sum, (int64_t)n * (n + 1) / 2);
    WAIT_GONE(1);
    chan_unref(k.q);
    chan_unref(k.r);
}

TEST_MAIN
