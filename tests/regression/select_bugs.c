/*
 * select_bugs.c - what other libraries got wrong in selects. Each item is the bug as seen there.
 *
 * Invariants
 *  - A fair choice misses the bound of ten standard deviations less than once in 10^20 runs.
 */
#include "../test.h"

struct waiting {
    chan(int) a, b;
    int chosen, value;
    _Atomic(int) done;
};

static void select_recv(void *p)
{
    struct waiting *w = p;
    w->chosen = chan_select(on_recv(w->a, &w->value), on_recv(w->b, &w->value));
    atomic_store(&w->done, 1);
}

ITEM(1, "Plan 9: a nil channel in a blocking alt crashes when the alt is taken out of the queues")
{
    for (int nil_first = 0; nil_first < 2; nil_first++) {
        chan(int) c = chan_make(int, 0);
        struct waiting w = {.a = nil_first ? NULL : c, .b = nil_first ? c : NULL};
        test_go(select_recv, &w);
        WAIT_PARKED(1, SELECT, NULL);
        chan_send(c, 6);
        WAIT_UNTIL(atomic_load(&w.done));
        CHECK_EQ(w.chosen, nil_first);
        CHECK_EQ(w.value, 6);
        WAIT_GONE(1);
        chan_unref(c);
    }
}

ITEM(2, "libdill, neco: of two ready cases the first is always taken (1000 to 0)")
{
    enum { TRIALS = 10000 };
    chan(int) a = chan_make(int, TRIALS);
    chan(int) b = chan_make(int, TRIALS);
    int first = 0;
    for (int i = 0; i < TRIALS; i++) {
        chan_send(a, 1);
        chan_send(b, 2);
    }
    for (int i = 0; i < TRIALS; i++)
        first += chan_select(on_recv(a, NULL), on_recv(b, NULL)) == 0;
    CHECK(first > TRIALS / 2 - 500 && first < TRIALS / 2 + 500);
    chan_unref(a);
    chan_unref(b);
}

ITEM(3, "neco: two selects that are both woken before they read share one result slot")
{
    rn_gomaxprocs(1); /* both are served before either runs */
    for (int round = 0; round < 200; round++) {
        chan(int) a = chan_make(int, 0);
        chan(int) b = chan_make(int, 0);
        struct waiting w[4];
        for (int i = 0; i < 4; i++) {
            w[i] = (struct waiting){.a = a, .b = b, .value = -1};
            test_go(select_recv, &w[i]);
        }
        WAIT_PARKED(4, SELECT, NULL);
        for (int i = 0; i < 4; i++) {
            bool on_a = (round >> i & 1) != 0;
            if (on_a)
                chan_send(a, 10 + i);
            else
                chan_send(b, 20 + i);
        }
        int seen = 0;
        for (int i = 0; i < 4; i++) {
            WAIT_UNTIL(atomic_load(&w[i].done));
            int k = w[i].value % 10;
            CHECK(k < 4);
            CHECK_EQ(w[i].value / 10, w[i].chosen + 1); /* value and case belong together */
            CHECK_EQ(w[i].chosen == 0, (round >> k & 1) != 0);
            seen |= 1 << k;
        }
        CHECK_EQ(seen, 15); /* each value once */
        WAIT_GONE(1);
        chan_unref(a);
        chan_unref(b);
    }
}

struct contest {
    chan(int) shared;   /* always holds at most one value */
    chan(int) own;      /* this contestant's way out */
    _Atomic(int) *wins; /* how often the shared value was won */
    _Atomic(int) *ends;
};

static void contend(void *p)
{
    struct contest *k = p;
    for (;;) {
        int v = 0;
        bool ok = false;
        switch (chan_select(on_recv(k->shared, &v), on_recv(k->own, NULL, &ok))) {
        case 0: atomic_fetch_add(k->wins, 1); continue;
        case 1: atomic_fetch_add(k->ends, 1); return;
        }
    }
}

ITEM(4,
     "tylertreat/chan #26, #23: a select that is not atomic blocks after its look, or reads twice")
{
    /* Eight compete for each value; those who lose must stay able to take their other case. */
    rn_gomaxprocs(4);
    enum { N = 8 };
    _Atomic(int) wins = 0, ends = 0;
    static struct contest k[N];
    chan(int) shared = chan_make(int, 1);
    int n = (int)test_scale(50000, 500);
    for (int i = 0; i < N; i++) {
        k[i] = (struct contest){shared, chan_make(int, 0), &wins, &ends};
        test_go(contend, &k[i]);
    }
    for (int i = 0; i < n; i++)
        chan_send(shared, i);
    WAIT_UNTIL(atomic_load(&wins) == n);
    for (int i = 0; i < N; i++)
        chan_close(k[i].own);
    WAIT_GONE(1);
    CHECK_EQ(ends, N);
    CHECK_EQ(wins, n);
    for (int i = 0; i < N; i++)
        chan_unref(k[i].own);
    chan_unref(shared);
}

static void send_all(void *p)
{
    struct waiting *w = p;
    for (int i = 1; i <= 3000; i++)
        chan_select(on_send(w->a, i), on_send(w->b, i));
}

ITEM(5, "Photon: a select that polls burns the processor and starves whom it waits for")
{
    /* One worker and a select that waits: it must be parked, and its partner must run. */
    rn_gomaxprocs(1);
    struct waiting w = {.a = chan_make(int, 0), .b = chan_make(int, 0)};
    test_go(send_all, &w);
    int64_t sum = 0;
    for (int i = 1; i <= 3000; i++) {
        int v = 0;
        chan_select(on_recv(w.a, &v), on_recv(w.b, &v));
        sum += v;
    }
    CHECK_EQ(sum, 3000 * 3001 / 2);
    WAIT_GONE(1);
    struct waiting idle = {.a = w.a, .b = w.b};
    test_go(select_recv, &idle);
    WAIT_PARKED(1, SELECT, NULL); /* parked, not running */
    chan_send(w.b, 1);
    WAIT_GONE(1);
    chan_unref(w.a);
    chan_unref(w.b);
}

TEST_MAIN
