/*
 * newcomers.c - threads that runnel has never met make their first call while a lone goroutine is at the
 * same object: the shortcuts of the lone one must end in time.
 *
 * Invariants
 *  - Both stand at a gate and leave it together; the newcomer's first call into runnel comes after it.
 *  - Every element, increment and close is counted.
 *
 * runnel-test: timeout=600
 */
#include "account.h"

enum kind { K_DRAIN, K_FILL, K_SELECT, K_RANGE, K_MUTEX, K_CLOSE, K_GROUP, K_REFS, KINDS };
enum { ELEMENTS = 24, COUNTS = 40 };

struct meeting {
    enum kind kind;
    chan(elem) c;
    rn_mutex m;
    int count; /* guarded by m */
    rn_waitgroup wg;
    _Atomic(int) gate; /* how many stand there */
    book sent, got;
    _Atomic(int) closed; /* successful closes */
};

static void drain(struct meeting *t, bool by_select)
{
    ledger l = {0, 0};
    uint32_t newest[1] = {0};
    elem e;
    bool ok = false;
    while (by_select ? chan_select(on_recv(t->c, &e, &ok), on_default()) == 0
                     : chan_try_recv(t->c, &e, &ok)) {
        CHECK(ok);
        CHECK_ELEM(e, &newest[0]);
        enter(&l, e);
    }
    merge(&t->got, &l);
}

static void fill(struct meeting *t, uint32_t me)
{
    ledger l = {0, 0};
    for (uint32_t seq = 1;; seq++) {
        elem e = make_elem(me, seq);
        if (!chan_try_send(t->c, e))
            break;
        enter(&l, e);
    }
    merge(&t->sent, &l);
}

static void range(struct meeting *t)
{
    ledger l = {0, 0};
    uint32_t newest[1] = {0};
    chan_range (e, t->c) {
        CHECK_ELEM(e, &newest[0]);
        enter(&l, e);
    }
    merge(&t->got, &l);
}

static void count_up(struct meeting *t)
{
    for (int i = 0; i < COUNTS; i++) {
        rn_mutex_lock(&t->m);
        t->count++;
        rn_mutex_unlock(&t->m);
    }
}

static void act(struct meeting *t, uint32_t me)
{
    atomic_fetch_add(&t->gate, 1);
    for (int i = 0; atomic_load(&t->gate) < 2; i++)
        if (i > 100000)
            usleep(0); /* one CPU: let the other one come */
    switch (t->kind) {
    case K_DRAIN: drain(t, false); break;
    case K_SELECT: drain(t, true); break;
    case K_FILL: fill(t, me); break;
    case K_RANGE: range(t); break;
    case K_MUTEX: count_up(t); break;
    case K_CLOSE:
        if (chan_try_close(t->c))
            atomic_fetch_add(&t->closed, 1);
        break;
    case K_GROUP: rn_waitgroup_done(&t->wg); break;
    case K_REFS:
        for (int i = 0; i < COUNTS; i++)
            chan_unref(chan_ref(t->c));
        break;
    case KINDS: break;
    }
}

static void *newcomer(void *p)
{
    act(p, 1);
    return NULL;
}

static int64_t meet(enum kind kind)
{
    struct meeting *t = calloc(1, sizeof *t);
    CHECK(t != NULL);
    t->kind = kind;
    t->c = chan_make(elem, ELEMENTS);
    if (kind == K_DRAIN || kind == K_SELECT || kind == K_RANGE)
        fill(t, 0);
    if (kind == K_RANGE)
        chan_close(t->c);
    if (kind == K_GROUP)
        rn_waitgroup_add(&t->wg, 2);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, newcomer, t) == 0);
    act(t, 0);
    if (kind == K_GROUP)
        rn_waitgroup_wait(&t->wg);
    pthread_join(thread, NULL);
    if (kind == K_FILL) {
        CHECK_EQ(chan_len(t->c), ELEMENTS);
        ledger l = {0, 0};
        uint32_t newest[2] = {0, 0};
        elem e;
        while (chan_try_recv(t->c, &e, NULL)) {
            CHECK_ELEM(e, &newest[e.sender]);
            enter(&l, e);
        }
        merge(&t->got, &l);
    }
    CHECK_BALANCE(&t->sent, &t->got);
    CHECK_EQ(chan_len(t->c), 0);
    CHECK_EQ(t->count, kind == K_MUTEX ? 2 * COUNTS : 0);
    CHECK_EQ(t->closed, kind == K_CLOSE);
    int64_t n = t->got.n + t->count;
    chan_unref(t->c);
    free(t);
    return n;
}

static void meet_often(int64_t rounds)
{
    int64_t n = 0;
    for (int64_t i = 0; i < rounds; i++)
        n += meet((enum kind)(i % KINDS));
    report_elements(n);
}

ITEM(1, "a newcomer meets the only goroutine, with one worker")
{
    rn_gomaxprocs(1);
    meet_often(test_scale(40000, 400));
}

static _Atomic(bool) stop;

static void pass_the_time(void *p)
{
    chan(int) c = p;
    while (!atomic_load(&stop)) {
        chan_send(c, 1);
        chan_recv(c, NULL);
        rn_yield();
    }
}

ITEM(2, "a newcomer meets one of several goroutines that share one worker")
{
    rn_gomaxprocs(1);
    chan(int) c = chan_make(int, 1);
    for (int i = 0; i < 3; i++)
        test_go(pass_the_time, (void *)c);
    meet_often(test_scale(10000, 200));
    atomic_store(&stop, true);
    WAIT_GONE(1);
}

/* ---- the same for a worker that wakes: goroutines are stolen from the lone worker */

struct spread {
    chan(elem) c;
    book sent, got;
    rn_waitgroup done;
};

static void spread_send(void *p)
{
    struct spread *s = p;
    fill((&(struct meeting){.c = s->c}), 0);
    rn_waitgroup_done(&s->done);
}

static void spread_drain(void *p)
{
    struct spread *s = p;
    struct meeting t = {.c = s->c};
    drain(&t, false);
    atomic_fetch_add(&s->got.n, t.got.n);
    atomic_fetch_add(&s->got.sum, t.got.sum);
    rn_waitgroup_done(&s->done);
}

ITEM(3, "workers come and go while one of them is alone with its goroutines")
{
    int64_t rounds = test_scale(3000, 100), n = 0;
    rn_gomaxprocs(4);
    for (int64_t i = 0; i < rounds; i++) {
        struct spread s = {.c = chan_make(elem, 2000)};
        rn_waitgroup_add(&s.done, 1);
        spread_send(&s);
        rn_waitgroup_add(&s.done, 4);
        for (int k = 0; k < 4; k++) /* one worker alone until the others wake up and steal */
            test_go(spread_drain, &s);
        rn_waitgroup_wait(&s.done);
        CHECK_EQ(s.got.n, 2000);
        n += s.got.n;
        chan_unref(s.c);
        if (i % 16 == 0)
            rn_sleep(100 * RN_US); /* all asleep in between */
    }
    report_elements(n);
}

TEST_MAIN
