/*
 * e_select_choice.c - items 51 to 54, 58 and 68: which case a select takes when it need not wait.
 *
 * Invariants
 *  - Random choices are tested against a bound of ten standard deviations: a fair choice misses it
 *    less than once in 10^20 runs, a choice that is off by a tenth never meets it.
 */
#include "../test.h"
#include <math.h> /* runnel-test: link=m */

/* n of `trials` picks with probability p each: within ten sigma? */
static bool plausible(int64_t n, int64_t trials, double p)
{
    double sigma = sqrt((double)trials * p * (1 - p));
    return fabs((double)n - (double)trials * p) <= 10 * sigma;
}

static int tape[32], tape_len; /* what was evaluated, in order */

static int note(int what)
{
    tape[tape_len++] = what;
    return what;
}

static chan(int) note_channel(int what, chan(int) c)
{
    (void)note(what);
    return c;
}

ITEM(51, "channels and values of all cases are evaluated once, in source order, chosen or not")
{
    chan(int) ready = chan_make(int, 1);
    chan(int) blocked = chan_make(int, 0);
    chan(int) nil = NULL;
    int v = 0;
    bool ok = false;
    for (int round = 0; round < 20; round++) {
        tape_len = 0;
        int k = chan_select(
            on_send(note_channel(1, nil), note(2)), on_recv(note_channel(3, blocked), &v, &ok),
            on_send(note_channel(4, ready), note(5)), on_send(note_channel(6, blocked), note(7)),
            on_recv(note_channel(8, nil), &v));
        CHECK_EQ(k, 2);
        CHECK_EQ(tape_len, 8);
        /* Between the operands of one case C leaves the order open; gcc and clang keep it between
         * the elements of the list, and the select depends on that. */
        static const int cases[][2] = {{1, 2}, {3, 3}, {4, 5}, {6, 7}, {8, 8}};
        for (int i = 0, at = 0; i < 5; i++) {
            int n = cases[i][0] == cases[i][1] ? 1 : 2;
            for (int k2 = 0; k2 < n; k2++, at++)
                CHECK(tape[at] == cases[i][0] || tape[at] == cases[i][1]);
        }
        CHECK(chan_recv(ready, &v));
        CHECK_EQ(v, 5);
    }
    tape_len = 0;
    CHECK_EQ(chan_select(on_recv(note_channel(1, blocked), NULL), on_default()), 1);
    CHECK_EQ(tape_len, 1);
    chan_unref(ready);
    chan_unref(blocked);
}

ITEM(52, "one of the ready cases is chosen uniformly")
{
    enum { K = 5 };
    const int64_t trials = 50000;
    chan(int) c[K];
    int64_t picks[K] = {0};
    for (int i = 0; i < K; i++) {
        c[i] = chan_make(int, 1);
        chan_send(c[i], i);
    }
    for (int64_t t = 0; t < trials; t++) {
        int v = -1;
        int k = chan_select(on_recv(c[0], &v), on_recv(c[1], &v), on_recv(c[2], &v),
                            on_recv(c[3], &v), on_recv(c[4], &v));
        CHECK_EQ(v, k);
        picks[k]++;
        chan_send(c[k], k);
    }
    for (int i = 0; i < K; i++) {
        CHECK(plausible(picks[i], trials, 1.0 / K));
        chan_unref(c[i]);
    }
}

ITEM(52, "uniform among the ready ones also when some cases are not ready, and for sends")
{
    const int64_t trials = 40000;
    chan(int) dead = chan_make(int, 0);
    chan(int) s = chan_make(int, 1);
    chan(int) r = chan_make(int, 1);
    chan(int) nil = NULL;
    int64_t picks[6] = {0};
    chan_send(r, 1);
    for (int64_t t = 0; t < trials; t++) {
        int k = chan_select(on_recv(dead, NULL), on_send(s, 1), on_recv(nil, NULL),
                            on_recv(r, NULL), on_send(dead, 1), on_default());
        picks[k]++;
        if (k == 1)
            CHECK(chan_recv(s, NULL));
        else
            chan_send(r, 1);
    }
    CHECK_EQ(picks[1] + picks[3], trials);
    CHECK(plausible(picks[1], trials, 0.5));
    chan_unref(dead);
    chan_unref(s);
    chan_unref(r);
}

/* Gives each of n selects, which all wait, one value. */
static void feed(send_chan(int) c, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        chan_send(c, 1);
}
GO_FUNC(feed, send_chan(int), int64_t);

/* The same when the choice falls while the select waits: the sender takes one of its waiters. */
static void shares_of_a_waiting_select(void)
{
    const int64_t trials = 30000;
    chan(int) a = chan_make(int, 0);
    chan(int) b = chan_make(int, 0);
    int64_t picks[4] = {0};
    go(feed, a, trials);
    for (int64_t t = 0; t < trials; t++)
        picks[chan_select(on_recv(a, NULL), on_recv(b, NULL), on_recv(a, NULL),
                          on_recv(a, NULL))]++;
    CHECK_EQ(picks[1], 0);
    for (int i = 0; i < 4; i++)
        CHECK(i == 1 || plausible(picks[i], trials, 1.0 / 3));
    chan_unref(a);
    chan_unref(b);
}

ITEM(53, "uniform per case: a channel that is listed twice has two shares")
{
    shares_of_a_waiting_select();
    const int64_t trials = 60000;
    chan(int) a = chan_make(int, 1);
    chan(int) b = chan_make(int, 1);
    int64_t picks[3] = {0};
    chan_send(a, 1);
    chan_send(b, 2);
    for (int64_t t = 0; t < trials; t++) {
        int k = chan_select(on_recv(a, NULL), on_recv(b, NULL), on_recv(a, NULL));
        picks[k]++;
        if (k == 1)
            chan_send(b, 2);
        else
            chan_send(a, 1);
    }
    for (int i = 0; i < 3; i++)
        CHECK(plausible(picks[i], trials, 1.0 / 3));
    chan_unref(a);
    chan_unref(b);
}

ITEM(54, "default is taken exactly when nothing is ready, wherever it stands")
{
    chan(int) c = chan_make(int, 1);
    chan(int) u = chan_make(int, 0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(chan_select(on_default(), on_recv(c, NULL), on_send(u, 1)), 0);
        CHECK_EQ(chan_select(on_recv(c, NULL), on_default(), on_recv(u, NULL)), 1);
        CHECK_EQ(chan_select(on_send(u, 1), on_recv(c, NULL), on_default()), 2);
        chan_send(c, i);
        CHECK_EQ(chan_select(on_default(), on_recv(c, NULL), on_send(u, 1)), 1);
        chan_send(c, i);
        CHECK_EQ(chan_select(on_send(c, i), on_recv(c, NULL), on_default()), 1);
    }
    chan_unref(c);
    chan_unref(u);
}

/* ---- item 54: "nothing is ready" must hold at one instant, not over a smeared time */

struct smear {
    chan(int) c1, c2;
    bool sending;             /* the look is for a free slot rather than for a value */
    _Atomic(int64_t) started; /* the round that the looker may look at; -1: no more */
    _Atomic(int64_t) looked;  /* the round that it has looked at */
    int chosen;               /* its case; 2 is the default */
};

static void spin_for(_Atomic(int64_t) *word, int64_t round)
{
    for (int i = 0; atomic_load(word) != round && atomic_load(word) != -1; i++)
        if (i > 10000)
            usleep(0); /* one CPU: let the other thread come */
}

static void *look_on_and_on(void *p)
{
    struct smear *s = p;
    for (int64_t i = 1;; i++) {
        spin_for(&s->started, i);
        if (atomic_load(&s->started) == -1)
            return NULL;
        s->chosen = s->sending
                        ? chan_select(on_send(s->c1, 1), on_send(s->c2, 1), on_default())
                        : chan_select(on_recv(s->c1, NULL), on_recv(s->c2, NULL), on_default());
        atomic_store(&s->looked, i);
    }
}

ITEM(54, "no default while readiness moves from one channel to another")
{
    int64_t rounds = test_scale(60000, 1000);
    uint64_t seed = 54;
    static struct smear s;
    pthread_t looker;
    CHECK(pthread_create(&looker, NULL, look_on_and_on, &s) == 0);
    for (int64_t i = 1; i <= rounds; i++) {
        int kind = (int)(i % 3);
        s.sending = kind == 2;
        s.c1 = chan_make(int, 1);
        s.c2 = chan_make(int, 1);
        chan_send(s.sending ? s.c2 : s.c1, 1); /* c1 is ready, c2 is not */
        atomic_store(&s.started, i);
        for (volatile uint64_t spin = test_random(&seed) % 128; spin > 0; spin = spin - 1)
            ;
        if (kind == 0) /* c2 becomes ready first; only then does c1 cease to be, if it still is */
            chan_send(s.c2, 1);
        else if (kind == 1)
            chan_close(s.c2);
        else
            (void)chan_recv(s.c2, NULL);
        bool mine = s.sending ? chan_try_send(s.c1, 1) : chan_try_recv(s.c1, NULL, NULL);
        spin_for(&s.looked, i);
        CHECK(s.chosen != 2);
        /* and nobody has taken what another one took, or put it where another one put it */
        size_t left = chan_len(s.c1) + chan_len(s.c2);
        if (s.sending)
            CHECK_EQ(left, 1 + mine);
        else
            CHECK_EQ(left, (kind == 0 ? 2 : 1) - mine - (s.chosen == 0 || kind == 0));
        chan_unref(s.c1);
        chan_unref(s.c2);
    }
    atomic_store(&s.started, -1);
    pthread_join(looker, NULL);
}

struct two {
    chan(int) closed, ready;
    int k;
};

static void select_with_closed_send(void *p)
{
    struct two *t = p;
    t->k = -1;
    t->k = chan_select(on_send(t->closed, 1), on_recv(t->ready, NULL));
}

static void select_closed_send_default(void *p)
{
    struct two *t = p;
    t->k = chan_select(on_send(t->closed, 1), on_default());
}

ITEM(58, "a send case on a closed channel is ready, and panics if chosen")
{
    const int64_t trials = 20000;
    int64_t panics = 0;
    struct two t = {.closed = chan_make(int, 1), .ready = chan_make(int, 1)};
    chan_send(t.closed, 0); /* full as well: closed comes first */
    chan_close(t.closed);
    chan_send(t.ready, 1);
    for (int64_t i = 0; i < trials; i++) {
        rn_panic_info info;
        if (rn_try(select_with_closed_send, &t, &info)) {
            CHECK_EQ(t.k, 1);
            chan_send(t.ready, 1);
        } else {
            CHECK(strcmp(info.text, "send on closed channel") == 0);
            CHECK_EQ(chan_len(t.ready), 1); /* nothing else has been done */
            panics++;
        }
    }
    CHECK(plausible(panics, trials, 0.5));
    CHECK_PANIC(select_closed_send_default, &t, "send on closed channel");
    chan_unref(t.closed);
    chan_unref(t.ready);
}

ITEM(68, "10,000 picks between two channels that are always ready look like a fair coin")
{
    const int64_t trials = 10000;
    chan(int) a = chan_make(int, trials);
    chan(int) b = chan_make(int, trials);
    chan(int) never = chan_make(int, 0);
    int64_t first = 0;
    for (int64_t i = 0; i < trials; i++) {
        chan_send(a, 1);
        chan_send(b, 2);
    }
    int64_t runs = 0;
    int last = -1;
    for (int64_t i = 0; i < trials; i++) {
        int k = chan_select(on_recv(never, NULL), on_recv(a, NULL), on_recv(b, NULL));
        first += k == 1;
        runs += k != last;
        last = k;
    }
    CHECK(plausible(first, trials, 0.5));
    CHECK(plausible(runs, trials, 0.5)); /* an alternating choice is not a random one */
    chan_unref(a);
    chan_unref(b);
    chan_unref(never);
}

TEST_MAIN
