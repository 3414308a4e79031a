/*
 * lifetime.c - the last reference is dropped by whoever returns last from a matched operation: the
 * other side must not touch the channel any more.
 *
 * Invariants
 *  - Freed memory is overwritten by malloc (M_PERTURB), so a late access finds rubbish; with
 *    AddressSanitizer it is reported.
 *  - Each side owns one reference and drops it as its next step after the operation.
 *
 * runnel-test: timeout=600
 */
#include "account.h"
#include <malloc.h>
#ifndef M_PERTURB /* musl does not overwrite freed memory: a late access may go unseen there */
#define mallopt(what, value) ((void)0)
#endif

/* How the two sides meet. */
enum way { W_PLAIN, W_SELECT_RECV, W_SELECT_SEND, W_SELECT_BOTH, W_TIMED, W_CLOSE, W_TRY, WAYS };

struct meeting {
    chan(int) c, d; /* each side owns a reference of both */
    enum way way;
    _Atomic(int) left; /* sides that have not finished with this record */
    rn_waitgroup *done;
};

static void leave(struct meeting *m)
{
    rn_waitgroup *done = m->done;
    chan(int) c = m->c, d = m->d;
    chan_unref(c); /* at once, as the very next thing */
    chan_unref(d);
    if (atomic_fetch_sub(&m->left, 1) == 1)
        free(m);
    rn_waitgroup_done(done);
}

static void give(void *p)
{
    struct meeting *m = p;
    switch (m->way) {
    case W_SELECT_SEND:
    case W_SELECT_BOTH: (void)chan_select(on_send(m->c, 1), on_recv(m->d, NULL)); break;
    case W_TIMED: CHECK_EQ(chan_put(m->c, rn_now() + RN_HOUR, 1), 0); break;
    case W_CLOSE: chan_close(m->c); break;
    case W_TRY:
        while (!chan_try_send(m->c, 1))
            rn_yield();
        break;
    default: chan_send(m->c, 1); break;
    }
    leave(m);
}

static void take(void *p)
{
    struct meeting *m = p;
    int v = 0;
    switch (m->way) {
    case W_SELECT_RECV:
    case W_SELECT_BOTH: (void)chan_select(on_send(m->d, 1), on_recv(m->c, &v)); break;
    case W_TIMED: CHECK_EQ(chan_take(m->c, rn_now() + RN_HOUR, &v), 0); break;
    case W_CLOSE: CHECK(!chan_recv(m->c, NULL)); break;
    default: CHECK(chan_recv(m->c, &v)); break;
    }
    leave(m);
}

static void *give_thread(void *p)
{
    give(p);
    return NULL;
}

static void *take_thread(void *p)
{
    take(p);
    return NULL;
}

static struct meeting *arrange(int64_t i, rn_waitgroup *done)
{
    struct meeting *m = malloc(sizeof *m);
    CHECK(m != NULL);
    m->c = chan_make(int, i / WAYS % 3);
    m->d = chan_make(int, 0);
    (void)chan_ref(m->c);
    (void)chan_ref(m->d);
    m->way = (enum way)(i % WAYS);
    m->left = 2;
    m->done = done;
    rn_waitgroup_add(done, 2);
    return m;
}

ITEM(1, "the last reference right after a matched operation, between goroutines")
{
    mallopt(M_PERTURB, 0xA5);
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        int64_t n = test_scale(250000, 1000);
        rn_waitgroup done = {0};
        for (int64_t i = 0; i < n; i++) {
            struct meeting *m = arrange(i, &done);
            bool give_first = (i / 7) % 2 != 0;
            test_go(give_first ? give : take, m);
            test_go(give_first ? take : give, m);
            if (i % 64 == 63)
                rn_waitgroup_wait(&done);
        }
        rn_waitgroup_wait(&done);
        report_elements(n);
    }
}

ITEM(2, "the same with a foreign thread on one side")
{
    mallopt(M_PERTURB, 0xA5);
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        int64_t n = test_scale(4000, 100);
        for (int64_t i = 0; i < n; i++) {
            rn_waitgroup done = {0};
            struct meeting *m = arrange(i, &done);
            pthread_t t;
            bool giver = (i / 7) % 2 != 0;
            CHECK(pthread_create(&t, NULL, giver ? give_thread : take_thread, m) == 0);
            test_go(giver ? take : give, m);
            rn_waitgroup_wait(&done);
            pthread_join(t, NULL);
        }
        report_elements(n);
    }
}

/* ---- wait groups: freed by the waiter as soon as wait has returned */

struct group {
    rn_waitgroup wg;
    rn_mutex m;
    int n;
};

static void finish(void *p)
{
    struct group *g = p;
    rn_mutex_lock(&g->m);
    g->n++;
    rn_mutex_unlock(&g->m);
    rn_waitgroup_done(&g->wg);
}

ITEM(3, "a wait group and a mutex freed as soon as the wait has returned")
{
    mallopt(M_PERTURB, 0xA5);
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        int64_t n = test_scale(100000, 500);
        for (int64_t i = 0; i < n; i++) {
            struct group *g = calloc(1, sizeof *g);
            CHECK(g != NULL);
            rn_waitgroup_add(&g->wg, 3);
            for (int k = 0; k < 3; k++)
                test_go(finish, g);
            rn_waitgroup_wait(&g->wg);
            CHECK_EQ(g->n, 3);
            free(g);
        }
        report_elements(n * 3);
    }
}

/* ---- elements that nobody received go to drop, once */

static _Atomic(int64_t) dropped, made;

static void drop_pointer(void *e)
{
    free(*(int **)e);
    atomic_fetch_add(&dropped, 1);
}

struct pour {
    chan(int *) c;
    rn_waitgroup done;
    _Atomic(int64_t) *got;
};

static void pour_send(void *p)
{
    struct pour *k = p;
    for (int i = 0; i < 20; i++) {
        int *x = malloc(sizeof *x);
        CHECK(x != NULL);
        *x = i;
        if (chan_put(k->c, RN_NEVER, x) != 0)
            free(x);
        else
            atomic_fetch_add(&made, 1);
    }
    rn_waitgroup_done(&k->done);
}

static void pour_recv(void *p)
{
    struct pour *k = p;
    for (int i = 0; i < 13; i++) {
        int *x = NULL;
        if (chan_take(k->c, RN_NEVER, &x) != 0)
            break;
        CHECK(*x < 20);
        free(x);
        atomic_fetch_add(k->got, 1);
    }
    chan_try_close(k->c);
    rn_waitgroup_done(&k->done);
}

ITEM(4, "every element is either received or dropped, never both")
{
    _Atomic(int64_t) got = 0;
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        int64_t n = test_scale(20000, 100);
        for (int64_t i = 0; i < n; i++) {
            struct pour k = {.c = chan_make_with(int *, i % 9, .drop = drop_pointer), .got = &got};
            rn_waitgroup_add(&k.done, 4);
            for (int j = 0; j < 2; j++) {
                test_go(pour_send, &k);
                test_go(pour_recv, &k);
            }
            rn_waitgroup_wait(&k.done);
            chan_unref(k.c);
        }
    }
    CHECK_EQ(made, got + dropped);
    report_elements(made);
}

TEST_MAIN
