/*
 * p_selects.c - items 194, 196 and 198: the shapes in which Go's own tests stress a select.
 *
 * Invariants
 *  - Every shape accounts for all its elements; random choices have a bound of ten sigma or more.
 */
#include "../test.h"

struct simple {
    chan(int) c;
    _Atomic(int) state; /* sum of what was received */
    int n;              /* how many values */
    rn_waitgroup done;
};

/* ---- item 194 */

enum { WAYS = 4 };

struct mixed {
    chan(int) c[WAYS];
    int n;       /* values per channel and party */
    int k;       /* which channel, for the plain ones */
    int64_t sum; /* what this party received */
    rn_waitgroup *done;
};

static void mixed_send(void *p)
{
    struct mixed *m = p;
    for (int i = 1; i <= m->n; i++)
        chan_send(m->c[m->k], i);
    rn_waitgroup_done(m->done);
}

static void mixed_recv(void *p)
{
    struct mixed *m = p;
    for (int i = 0; i < m->n; i++) {
        int v = 0;
        CHECK(chan_recv(m->c[m->k], &v));
        m->sum += v;
    }
    rn_waitgroup_done(m->done);
}

static void mixed_select_send(void *p)
{
    struct mixed *m = p;
    int sent[WAYS] = {0};
    chan(int) c[WAYS] = {m->c[0], m->c[1], m->c[2], m->c[3]};
    for (int i = 0; i < WAYS * m->n; i++) {
        int k = chan_select(on_send(c[3], sent[3] + 1), on_send(c[2], sent[2] + 1),
                            on_send(c[0], sent[0] + 1), on_send(c[1], sent[1] + 1));
        k = (int[]){3, 2, 0, 1}[k];
        if (++sent[k] == m->n)
            c[k] = NULL;
    }
    rn_waitgroup_done(m->done);
}

static void mixed_select_recv(void *p)
{
    struct mixed *m = p;
    int got[WAYS] = {0};
    chan(int) c[WAYS] = {m->c[0], m->c[1], m->c[2], m->c[3]};
    for (int i = 0; i < WAYS * m->n; i++) {
        int v = 0;
        int k =
            chan_select(on_recv(c[0], &v), on_recv(c[1], &v), on_recv(c[2], &v), on_recv(c[3], &v));
        m->sum += v;
        if (++got[k] == m->n)
            c[k] = NULL;
    }
    rn_waitgroup_done(m->done);
}

ITEM(194, "four channels, plain and selecting senders and receivers, two of them over all four")
{
    rn_gomaxprocs(8);
    static struct mixed m[2 * WAYS + 2];
    rn_waitgroup done = {0};
    struct mixed all = {.n = (int)test_scale(20000, 300), .done = &done};
    static const int caps[WAYS] = {0, 0, 2, 3};
    for (int i = 0; i < WAYS; i++)
        all.c[i] = chan_make(int, caps[i]);
    rn_waitgroup_add(&done, 2 * WAYS + 2);
    for (int i = 0; i < 2 * WAYS + 2; i++)
        m[i] = all;
    for (int i = 0; i < WAYS; i++) {
        m[i].k = m[WAYS + i].k = i;
        test_go(mixed_send, &m[i]);
        test_go(mixed_recv, &m[WAYS + i]);
    }
    test_go(mixed_select_send, &m[2 * WAYS]);
    test_go(mixed_select_recv, &m[2 * WAYS + 1]);
    rn_waitgroup_wait(&done);
    int64_t sum = 0;
    for (int i = 0; i < 2 * WAYS + 2; i++)
        sum += m[i].sum;
    CHECK_EQ(sum, (int64_t)all.n * (all.n + 1) / 2 * WAYS * 2);
    for (int i = 0; i < WAYS; i++) {
        CHECK_EQ(chan_len(all.c[i]), 0);
        chan_unref(all.c[i]);
    }
}

/* ---- item 196 */

static void recv_bits(void *p)
{
    struct simple *s = p;
    for (int i = 0; i < s->n; i++) {
        int v = -1;
        if (i % 3 == 0)
            rn_yield();
        CHECK(chan_recv(s->c, &v));
        atomic_fetch_add(&s->state, v);
    }
    rn_waitgroup_done(&s->done);
}

ITEM(196, "a select that sends 0 or 1 on one channel: both appear, neither dominates")
{
    enum { N = 2000 };
    static const int caps[] = {0, 1, N};
    for (int k = 0; k < 3; k++) {
        struct simple s = {.c = chan_make(int, caps[k]), .n = N};
        rn_waitgroup_add(&s.done, 1);
        test_go(recv_bits, &s);
        for (int i = 0; i < N; i++)
            (void)chan_select(on_send(s.c, 1), on_send(s.c, 0));
        rn_waitgroup_wait(&s.done);
        CHECK(s.state > N / 4 && s.state < N * 3 / 4);
        WAIT_GONE(1);
        chan_unref(s.c);
    }
}

/* ---- item 198 */

struct fairness {
    chan(int) a, b; /* always ready */
    chan(int) never[2];
    chan(int) out;
    chan(rn_unit) done;
};

static void forward_fairly(void *p)
{
    struct fairness *f = p;
    for (;;) {
        int v = 0;
        chan_select(on_recv(f->never[0], &v), on_recv(f->never[1], &v), on_recv(f->a, &v),
                    on_recv(f->b, &v));
        if (chan_select(on_send(f->out, v), on_recv(f->done, NULL)) == 1)
            return;
    }
}

ITEM(198, "two sources that are always ready, two that never are, and a done: fair")
{
    enum { TRIALS = 10000 };
    struct fairness f = {chan_make(int, TRIALS + 1),
                         chan_make(int, TRIALS + 1),
                         {chan_make(int, 0), chan_make(int, 0)},
                         chan_make(int, 0),
                         chan_make(rn_unit, 0)};
    int count[3] = {0};
    for (int i = 0; i <= TRIALS; i++) {
        chan_send(f.a, 1);
        chan_send(f.b, 2);
    }
    test_go(forward_fairly, &f);
    for (int i = 0; i < TRIALS; i++) {
        int v = 0;
        CHECK(chan_recv(f.out, &v));
        count[v]++;
    }
    CHECK_EQ(count[0], 0);
    /* ten sigma of a fair coin: 10 * sqrt(10000 / 4) = 500 */
    CHECK(count[1] > TRIALS / 2 - 500 && count[1] < TRIALS / 2 + 500);
    chan_close(f.done);
    WAIT_GONE(1);
    chan_unref(f.a);
    chan_unref(f.b);
    chan_unref(f.never[0]);
    chan_unref(f.never[1]);
    chan_unref(f.out);
    chan_unref(f.done);
}

TEST_MAIN
