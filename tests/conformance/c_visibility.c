/*
 * c_visibility.c - items 38 to 42: what a receive may not miss, and what it makes visible.
 *
 * Invariants
 *  - Plain (non-atomic) variables are shared only where the item says that the channel orders them;
 *    a sanitizer build checks the same claim.
 */
#include "../test.h"

struct recv_job {
    chan(int) c;
    int value;         /* what came; -1 before */
    bool ok;           /* whether it was sent */
    _Atomic(int) done; /* 1 once the receive has returned */
};

static void recv_job(void *p)
{
    struct recv_job *j = p;
    j->ok = chan_recv(j->c, &j->value);
    atomic_store(&j->done, 1);
}

/* ---- item 38: the look without a lock */

struct try_race {
    chan(int) c;
    int failed; /* "not ready" although it was never open and empty */
    _Atomic(int) done;
};

static void try_once(void *p)
{
    struct try_race *r = p;
    r->failed = !chan_try_recv(r->c, NULL, NULL);
    atomic_store(&r->done, 1);
}

ITEM(38, "a channel that is closed before it is emptied is never reported open and empty")
{
    rn_gomaxprocs(2);
    int64_t rounds = test_scale(40000, 1000);
    for (int64_t i = 0; i < rounds; i++) {
        struct try_race r = {.c = chan_make(int, 1)};
        chan_send(r.c, 1);
        test_go(try_once, &r);
        chan_close(r.c);                       /* from full to closed, */
        CHECK(chan_try_recv(r.c, NULL, NULL)); /* and only then perhaps empty */
        WAIT_UNTIL(atomic_load(&r.done));
        CHECK_EQ(r.failed, 0);
        chan_unref(r.c);
    }
}

struct crossing {
    chan(int) mine, yours;
    _Atomic(int) *gate; /* both threads leave it together */
    bool got;
};

static void *send_then_try(void *p)
{
    struct crossing *x = p;
    atomic_fetch_add(x->gate, 1);
    while (atomic_load(x->gate) % 2 != 0)
        ;
    chan_send(x->mine, 1);
    x->got = chan_try_recv(x->yours, NULL, NULL);
    return NULL;
}

ITEM(38, "send A, try B against send B, try A: they cannot both miss")
{
    int64_t rounds = test_scale(2000, 200);
    for (int64_t i = 0; i < rounds; i++) {
        chan(int) a = chan_make(int, 1);
        chan(int) b = chan_make(int, 1);
        _Atomic(int) gate = 0;
        struct crossing x = {a, b, &gate, false}, y = {b, a, &gate, false};
        pthread_t t;
        CHECK(pthread_create(&t, NULL, send_then_try, &x) == 0);
        (void)send_then_try(&y);
        pthread_join(t, NULL);
        CHECK(x.got || y.got);
        chan_unref(a);
        chan_unref(b);
    }
}

ITEM(39, "a parked receiver that was given a value does not see a later close first")
{
    rn_gomaxprocs(2);
    int64_t rounds = test_scale(1000, 50);
    for (int64_t i = 0; i < rounds; i++) {
        struct recv_job j = {.c = chan_make(int, (int64_t)(i & 1)), .value = -1};
        test_go(recv_job, &j);
        WAIT_PARKED(1, CHAN_RECEIVE, j.c);
        chan_send(j.c, 3);
        chan_close(j.c);
        WAIT_UNTIL(atomic_load(&j.done));
        CHECK(j.ok);
        CHECK_EQ(j.value, 3);
        chan_unref(j.c);
    }
}

/* ---- items 40 to 42: what is visible. Plain memory on purpose. */

struct letter {
    chan(int *) c;
    int page[16]; /* plain */
};

static void write_and_send(void *p)
{
    struct letter *l = p;
    for (int i = 0; i < 16; i++)
        l->page[i] = i + 1;
    chan_send(l->c, l->page);
}

static void write_and_close(void *p)
{
    struct letter *l = p;
    for (int i = 0; i < 16; i++)
        l->page[i] = i + 1;
    chan_close(l->c);
}

ITEM(40, "what was written before a send, or before the close, is visible after the receive")
{
    rn_gomaxprocs(2);
    int64_t rounds = test_scale(20000, 500);
    for (int64_t i = 0; i < rounds; i++) {
        struct letter *l = calloc(1, sizeof *l);
        CHECK(l != NULL);
        l->c = chan_make(int *, (int64_t)(i & 1));
        int *page = l->page;
        test_go((i & 2) ? write_and_send : write_and_close, l);
        CHECK_EQ(chan_recv(l->c, &page), (i & 2) != 0);
        for (int k = 0; k < 16; k++)
            CHECK_EQ(l->page[k], k + 1);
        WAIT_GONE(1);
        chan_unref(l->c);
        free(l);
    }
}

struct semaphore {
    chan(rn_unit) slots; /* a place is taken by a send, given back by a receive */
    _Atomic(int) inside; /* how many hold one */
    _Atomic(int) most;   /* the greatest number seen */
    rn_waitgroup done;
};

static void enter_and_leave(void *p)
{
    struct semaphore *s = p;
    for (int i = 0; i < 300; i++) {
        chan_send(s->slots, (rn_unit){0});
        int now = atomic_fetch_add(&s->inside, 1) + 1;
        int most = atomic_load(&s->most);
        while (now > most && !atomic_compare_exchange_weak(&s->most, &most, now))
            ;
        if (i % 3 == 0)
            rn_yield();
        atomic_fetch_sub(&s->inside, 1);
        CHECK(chan_recv(s->slots, NULL));
    }
    rn_waitgroup_done(&s->done);
}

ITEM(41, "a channel of capacity C is a semaphore: never more than C inside")
{
    rn_gomaxprocs(4);
    for (int cap = 1; cap <= 5; cap++) {
        struct semaphore s = {.slots = chan_make(rn_unit, cap)};
        rn_waitgroup_add(&s.done, 16);
        for (int i = 0; i < 16; i++)
            test_go(enter_and_leave, &s);
        rn_waitgroup_wait(&s.done);
        CHECK_EQ(s.inside, 0);
        CHECK(s.most >= 1 && s.most <= cap);
        WAIT_GONE(1);
        chan_unref(s.slots);
    }
}

struct mutual {
    chan(rn_unit) lock; /* capacity 1: a mutex */
    int count;          /* plain: the channel alone protects it */
    rn_waitgroup done;
};

static void count_up(void *p)
{
    struct mutual *m = p;
    for (int i = 0; i < 2000; i++) {
        chan_send(m->lock, (rn_unit){0});
        m->count++;
        CHECK(chan_recv(m->lock, NULL));
    }
    rn_waitgroup_done(&m->done);
}

ITEM(41, "capacity 1 is a mutex: the k-th receive comes before the (k+1)-th send completes")
{
    rn_gomaxprocs(4);
    struct mutual m = {.lock = chan_make(rn_unit, 1)};
    rn_waitgroup_add(&m.done, 8);
    for (int i = 0; i < 8; i++)
        test_go(count_up, &m);
    rn_waitgroup_wait(&m.done);
    CHECK_EQ(m.count, 8 * 2000);
    chan_unref(m.lock);
}

struct reply {
    chan(int) c;
    int slot; /* plain: written before the receive */
};

static void write_and_receive(void *p)
{
    struct reply *r = p;
    for (int i = 1; i <= 10000; i++) {
        r->slot = i;
        CHECK(chan_recv(r->c, NULL));
        CHECK(chan_recv(r->c, NULL)); /* the reader has looked */
    }
}

ITEM(42, "unbuffered: what was written before the receive is visible when the send returns")
{
    rn_gomaxprocs(2);
    struct reply r = {.c = chan_make(int, 0)};
    test_go(write_and_receive, &r);
    for (int i = 1; i <= 10000; i++) {
        chan_send(r.c, 0);
        CHECK_EQ(r.slot, i);
        chan_send(r.c, 0);
    }
    WAIT_GONE(1);
    chan_unref(r.c);
}

TEST_MAIN
