/*
 * p_partners.c - items 199 and 200: a select against a partner in every form of the same operation.
 *
 * Invariants
 *  - The partner is seen to be parked first, then the select runs; and the other way round.
 */
#include "../test.h"

/* ---- item 199 */

enum { WAYS = 4 };

struct demux {
    chan(int) c[WAYS];
    chan(int) all; /* from the four to the end */
    int n;
    rn_waitgroup done;
};

static void send_over_four(void *p)
{
    struct demux *d = p;
    for (int i = 0; i < d->n; i++)
        chan_select(on_send(d->c[0], i), on_send(d->c[1], i), on_send(d->c[2], i),
                    on_send(d->c[3], i));
    for (int i = 0; i < WAYS; i++)
        chan_close(d->c[i]);
}

struct demux_way {
    struct demux *d;
    int k;
};

static void hand_on(void *p)
{
    struct demux_way *w = p;
    int last = -1;
    chan_range (v, w->d->c[w->k]) {
        CHECK(v > last); /* one sender: in order on each channel */
        last = v;
        chan_send(w->d->all, v);
    }
    rn_waitgroup_done(&w->d->done);
}

static void close_all(void *p)
{
    struct demux *d = p;
    rn_waitgroup_wait(&d->done);
    chan_close(d->all);
}

ITEM(199, "one sender selects over four: each value arrives exactly once")
{
    rn_gomaxprocs(4);
    int n = (int)test_scale(100000, 2000);
    unsigned char *seen = calloc((size_t)n, 1);
    CHECK(seen != NULL);
    for (int cap = 0; cap < 2; cap++) {
        struct demux d = {.all = chan_make(int, 0), .n = n};
        struct demux_way w[WAYS];
        memset(seen, 0, (size_t)n);
        rn_waitgroup_add(&d.done, WAYS);
        for (int i = 0; i < WAYS; i++) {
            d.c[i] = chan_make(int, cap);
            w[i] = (struct demux_way){&d, i};
        }
        for (int i = 0; i < WAYS; i++)
            test_go(hand_on, &w[i]);
        test_go(send_over_four, &d);
        test_go(close_all, &d);
        int count = 0;
        chan_range (v, d.all) {
            CHECK_EQ(seen[v], 0);
            seen[v] = 1;
            count++;
        }
        CHECK_EQ(count, n);
        WAIT_GONE(1);
        for (int i = 0; i < WAYS; i++)
            chan_unref(d.c[i]);
        chan_unref(d.all);
    }
    free(seen);
}

/* ---- item 200 */

enum form { PLAIN, SELECT_1, SELECT_2, SELECT_DEFAULT, TIMED, FORMS };

struct party {
    chan(int) c;     /* where both meet */
    chan(int) other; /* never ready */
    enum form form;
    bool sends;
    int value; /* sent, or received */
    _Atomic(int) done;
};

static void do_send(struct party *p)
{
    switch (p->form) {
    case PLAIN: chan_send(p->c, p->value); break;
    case SELECT_1: CHECK_EQ(chan_select(on_send(p->c, p->value)), 0); break;
    case SELECT_2:
        CHECK_EQ(chan_select(on_recv(p->other, NULL), on_send(p->c, p->value)), 1);
        break;
    case TIMED: CHECK_EQ(chan_put(p->c, RN_NEVER, p->value), 0); break;
    case SELECT_DEFAULT:
        while (chan_select(on_send(p->c, p->value), on_default()) == 1)
            rn_yield();
        break;
    case FORMS: break;
    }
}

static void do_recv(struct party *p)
{
    bool ok = true;
    switch (p->form) {
    case PLAIN: ok = chan_recv(p->c, &p->value); break;
    case SELECT_1: CHECK_EQ(chan_select(on_recv(p->c, &p->value, &ok)), 0); break;
    case SELECT_2:
        CHECK_EQ(chan_select(on_send(p->other, 1), on_recv(p->c, &p->value, &ok)), 1);
        break;
    case TIMED: CHECK_EQ(chan_take(p->c, RN_NEVER, &p->value), 0); break;
    case SELECT_DEFAULT:
        while (chan_select(on_recv(p->c, &p->value, &ok), on_default()) == 1)
            rn_yield();
        break;
    case FORMS: break;
    }
    CHECK(ok);
}

static void play(void *arg)
{
    struct party *p = arg;
    if (p->sends)
        do_send(p);
    else
        do_recv(p);
    atomic_store(&p->done, 1);
}

static void *play_foreign(void *arg)
{
    play(arg);
    return NULL;
}

/* Waits until the party is parked in its own form. */
static void wait_for_party(const struct party *p)
{
    bool selects = p->form == SELECT_2;
    if (selects)
        WAIT_PARKED(1, SELECT, NULL);
    else if (p->sends)
        WAIT_PARKED(1, CHAN_SEND, NULL);
    else
        WAIT_PARKED(1, CHAN_RECEIVE, NULL);
}

static void meet(enum form first, enum form second, bool first_sends, int foreign)
{
    chan(int) c = chan_make(int, 0);
    chan(int) other[2] = {chan_make(int, 0), chan_make(int, 0)};
    struct party a = {c, other[0], first, first_sends, first_sends ? 42 : -1, 0};
    struct party b = {c, other[1], second, !first_sends, first_sends ? -1 : 42, 0};
    pthread_t t;
    if (foreign & 1)
        CHECK(pthread_create(&t, NULL, play_foreign, &a) == 0);
    else
        test_go(play, &a);
    wait_for_party(&a);
    if (foreign & 2) {
        pthread_t u;
        CHECK(pthread_create(&u, NULL, play_foreign, &b) == 0);
        pthread_join(u, NULL);
    } else {
        play(&b);
    }
    WAIT_UNTIL(atomic_load(&a.done));
    CHECK_EQ(a.value, 42);
    CHECK_EQ(b.value, 42);
    if (foreign & 1)
        pthread_join(t, NULL);
    WAIT_GONE(1);
    for (int i = 0; i < 2; i++) {
        CHECK(!chan_try_send(other[i], 1));
        CHECK(!chan_try_recv(other[i], NULL, NULL));
        chan_unref(other[i]);
    }
    chan_unref(c);
}

ITEM(200, "every form of send meets every form of receive, whoever waits first")
{
    for (enum form a = PLAIN; a < FORMS; a++) {
        if (a == SELECT_DEFAULT)
            continue; /* never parks */
        for (enum form b = PLAIN; b < FORMS; b++) {
            for (int round = 0; round < 10; round++) {
                meet(a, b, true, 0);
                meet(a, b, false, 0);
            }
        }
    }
}

ITEM(200, "the same with foreign threads on either side or both")
{
    for (int foreign = 1; foreign <= 3; foreign++) {
        for (enum form a = PLAIN; a < FORMS; a++) {
            if (a == SELECT_DEFAULT)
                continue;
            for (enum form b = PLAIN; b < FORMS; b++) {
                meet(a, b, true, foreign);
                meet(a, b, false, foreign);
            }
        }
    }
}

TEST_MAIN
