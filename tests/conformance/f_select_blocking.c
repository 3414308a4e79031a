/*
 * f_select_blocking.c - items 69, 70, 72, 73, 75 and 77: a select that waits: woken once, withdrawn everywhere.
 *
 * Invariants
 *  - A select is seen to be parked before its channels are touched, unless the item is a race.
 *  - Item 78 (stacks that move) is void: a goroutine's stack never moves.
 */
#include "../test.h"

enum { MAX_WAYS = 16 };

struct waiting {
    chan(int) c[MAX_WAYS]; /* the channels of the cases */
    int n;                 /* how many cases */
    unsigned sends;        /* bit i: case i sends 1000 + i; else it receives */
    int chosen;            /* result */
    int value;             /* received */
    bool ok;
    _Atomic(int) done; /* 1 chosen, 2 panicked */
};

static void wait_for_cases(void *p)
{
    struct waiting *w = p;
    rn_case cases[MAX_WAYS];
    int out[MAX_WAYS];
    for (int i = 0; i < w->n; i++) {
        out[i] = 1000 + i;
        if (w->sends >> i & 1)
            cases[i] = (rn_case){.op = RN_OP_SEND, .c = (rn_hchan *)w->c[i], .elem = &out[i]};
        else
            cases[i] = on_recv(w->c[i], &w->value, &w->ok);
    }
    w->chosen = rn_select(cases, w->n);
    atomic_store(&w->done, 1);
}

static void wait_and_recover(void *p)
{
    struct waiting *w = p;
    rn_panic_info info;
    if (!rn_try(wait_for_cases, w, &info)) {
        CHECK(strcmp(info.text, "send on closed channel") == 0);
        atomic_store(&w->done, 2);
    }
}

static void start(struct waiting *w, int n, unsigned sends)
{
    memset(w, 0, sizeof *w);
    w->n = n;
    w->sends = sends;
    w->chosen = -1;
    for (int i = 0; i < n; i++)
        w->c[i] = chan_make(int, 0);
    test_go(wait_and_recover, w);
    WAIT_PARKED(1, SELECT, NULL);
}

/* Nobody may be left in the queues of its channels. */
static void check_withdrawn(const struct waiting *w)
{
    WAIT_GONE(1);
    for (int i = 0; i < w->n; i++) {
        if (!chan_try_close(w->c[i]))
            continue; /* the test has closed it */
        CHECK(!chan_recv(w->c[i], NULL));
    }
    for (int i = 0; i < w->n; i++)
        chan_unref(w->c[i]); /* would panic if a waiter were left */
}

ITEM(69, "a blocked select waits on all its channels and is woken by any one of them")
{
    for (int n = 2; n <= MAX_WAYS; n++) {
        for (int which = 0; which < n; which++) {
            struct waiting w;
            start(&w, n, 0xAAAAAAAAu); /* receive, send, receive, ... */
            CHECK_EQ(w.done, 0);
            int v = 0;
            if (which % 2 == 0)
                CHECK(chan_try_send(w.c[which], 7));
            else
                CHECK(chan_try_recv(w.c[which], &v, NULL));
            WAIT_UNTIL(atomic_load(&w.done));
            CHECK_EQ(w.chosen, which);
            CHECK_EQ(which % 2 ? v : w.value, which % 2 ? 1000 + which : 7);
            for (int i = 0; i < n; i++)
                CHECK_EQ(chan_len(w.c[i]), 0);
            check_withdrawn(&w);
        }
    }
}

ITEM(69, "nil channels among the cases neither wake nor disturb")
{
    struct waiting w;
    memset(&w, 0, sizeof w);
    w.n = 4;
    w.sends = 2;
    w.c[2] = chan_make(int, 0);
    chan(int) c = w.c[2];
    test_go(wait_and_recover, &w);
    WAIT_PARKED(1, SELECT, NULL);
    CHECK(chan_try_send(c, 8));
    WAIT_UNTIL(atomic_load(&w.done));
    CHECK_EQ(w.chosen, 2);
    CHECK_EQ(w.value, 8);
    WAIT_GONE(1);
    chan_unref(c);
}

ITEM(70, "the losing registrations are gone: no later operation finds a stale waiter")
{
    for (int round = 0; round < 200; round++) {
        struct waiting w;
        start(&w, 4, 0xC); /* two receives, two sends */
        CHECK(chan_try_send(w.c[round % 2], 1));
        WAIT_UNTIL(atomic_load(&w.done));
        CHECK(!chan_try_send(w.c[0], 2)); /* no receiver waits there */
        CHECK(!chan_try_send(w.c[1], 2));
        CHECK(!chan_try_recv(w.c[2], NULL, NULL)); /* and no sender there */
        CHECK(!chan_try_recv(w.c[3], NULL, NULL));
        CHECK_EQ(w.value, 1);
        check_withdrawn(&w);
    }
}

ITEM(70, "a waiter that has been chosen is no longer one for the other channels, at once")
{
    /* The select has been given its value but may not have run yet. */
    rn_gomaxprocs(1);
    for (int round = 0; round < 200; round++) {
        struct waiting w;
        start(&w, 3, 0);
        CHECK(chan_try_send(w.c[0], 5));
        CHECK(!chan_try_send(w.c[1], 6));
        CHECK(!chan_try_send(w.c[2], 7));
        CHECK(!chan_try_send(w.c[0], 8));
        WAIT_UNTIL(atomic_load(&w.done));
        CHECK_EQ(w.value, 5);
        check_withdrawn(&w);
    }
}

/* ---- item 72 */

struct grab {
    chan(int) c;
    _Atomic(int) *gate;
    _Atomic(int) *taken;
};

static void grab(void *p)
{
    struct grab *g = p;
    atomic_fetch_add(g->gate, 1);
    while (atomic_load(g->gate) < 4)
        rn_yield();
    if (chan_try_send(g->c, 1))
        atomic_fetch_add(g->taken, 1);
}

ITEM(72, "of several that rush to one waiting select exactly one wins")
{
    rn_gomaxprocs(4);
    int64_t rounds = test_scale(3000, 100);
    for (int64_t i = 0; i < rounds; i++) {
        struct waiting w;
        _Atomic(int) gate = 0, taken = 0;
        struct grab g[4];
        start(&w, 4, 0);
        for (int k = 0; k < 4; k++) {
            g[k] = (struct grab){w.c[k], &gate, &taken};
            test_go(grab, &g[k]);
        }
        WAIT_GONE(1);
        CHECK_EQ(taken, 1);
        CHECK_EQ(w.done, 1);
        check_withdrawn(&w);
    }
}

ITEM(72, "a loser keeps looking: the next waiter in the queue gets the value")
{
    /* Two selects wait on a, the first of them on b as well. Once the first is taken through b, a
     * send on a must find the second. */
    for (int round = 0; round < 200; round++) {
        struct waiting first, second;
        start(&first, 2, 0);
        memset(&second, 0, sizeof second);
        second.n = 2;
        second.c[0] = first.c[0];
        second.c[1] = chan_make(int, 0);
        test_go(wait_and_recover, &second);
        WAIT_PARKED(2, SELECT, NULL);
        CHECK(chan_try_send(first.c[1], 1)); /* first is taken, may still be queued on a */
        CHECK(chan_try_send(first.c[0], 2)); /* so this must go to second */
        WAIT_UNTIL(atomic_load(&first.done) && atomic_load(&second.done));
        CHECK_EQ(first.value, 1);
        CHECK_EQ(second.value, 2);
        CHECK_EQ(second.chosen, 0);
        WAIT_GONE(1);
        chan_unref(second.c[1]);
        check_withdrawn(&first);
    }
}

/* ---- item 73 */

struct same {
    chan(int) c, d;
    int chosen, value;
    _Atomic(int) done;
};

static void select_same(void *p)
{
    struct same *s = p;
    s->chosen = chan_select(on_recv(s->c, &s->value), on_recv(s->d, &s->value),
                            on_recv(s->c, &s->value), on_recv(s->c, &s->value));
    atomic_store(&s->done, 1);
}

static void recv_same(void *p)
{
    struct same *s = p;
    CHECK(chan_recv(s->c, &s->value));
    atomic_store(&s->done, 1);
}

ITEM(73, "one channel several times in a blocked select: woken once, one value consumed")
{
    for (int by_other = 0; by_other < 2; by_other++) {
        struct same a = {.c = chan_make(int, 0), .d = chan_make(int, 0)}, b = a;
        test_go(select_same, &a);
        WAIT_PARKED(1, SELECT, NULL);
        test_go(recv_same, &b); /* queued behind the three places of a */
        WAIT_PARKED(1, CHAN_RECEIVE, a.c);
        chan_send(by_other ? a.d : a.c, 7);
        WAIT_UNTIL(atomic_load(&a.done));
        CHECK_EQ(a.value, 7);
        CHECK(by_other ? a.chosen == 1 : a.chosen != 1);
        CHECK_EQ(b.done, 0); /* nothing was given to the other one */
        chan_send(a.c, 8);   /* and the queue in front of it is sound */
        WAIT_UNTIL(atomic_load(&b.done));
        CHECK_EQ(b.value, 8);
        CHECK(!chan_try_send(a.c, 9));
        WAIT_GONE(1);
        chan_unref(a.c);
        chan_unref(a.d);
    }
}

ITEM(75, "woken by close: ok = false for a receive case, a panic for a send case")
{
    for (int which = 0; which < 6; which++) {
        struct waiting w;
        start(&w, 6, 0x38);
        w.value = 44;
        w.ok = true;
        chan_close(w.c[which]);
        WAIT_UNTIL(atomic_load(&w.done));
        if (which < 3) {
            CHECK_EQ(w.done, 1);
            CHECK_EQ(w.chosen, which);
            CHECK(!w.ok && w.value == 0);
        } else {
            CHECK_EQ(w.done, 2);
        }
        check_withdrawn(&w);
    }
}

ITEM(77, "a blocked select says: select")
{
    struct waiting w;
    start(&w, 2, 0);
    FILE *f = tmpfile();
    CHECK(f != NULL);
    rn_dump(fileno(f), true);
    char text[16384];
    size_t n = fread(text, 1, sizeof text - 1, (rewind(f), f));
    text[n] = '\0';
    fclose(f);
    CHECK_HAS(text, "[select]:");
    chan_send(w.c[1], 1);
    WAIT_UNTIL(atomic_load(&w.done));
    check_withdrawn(&w);
}

TEST_MAIN
