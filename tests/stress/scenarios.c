/*
 * scenarios.c - small scenes for the deterministic policy: RUNNEL_DEBUG=seed=N decides who runs at
 * every operation. seeds.sh runs each scene under many seeds and checks that a seed replays.
 *
 * Invariants
 *  - A scene is a few hundred operations on a few channels, checks its outcome exactly, and has no
 *    outcome that depends on real time.
 *  - A scene must also pass under the ordinary policy: this program runs all of them as a test.
 */
#include "account.h"

/* ---- 1: everybody sends, everybody receives, plain and by select, then close */

struct mix {
    chan(elem) c[3];
    _Atomic(uint32_t) next_sender;
    book sent, got;
    rn_waitgroup senders, receivers;
};

static void mix_send(void *p)
{
    struct mix *m = p;
    uint32_t me = atomic_fetch_add(&m->next_sender, 1);
    ledger l = {0, 0};
    for (uint32_t seq = 1; seq <= 12; seq++) {
        elem e = make_elem(me, seq);
        if (seq % 3 == 0)
            chan_send(m->c[seq / 3 % 3], e);
        else
            (void)chan_select(on_send(m->c[0], e), on_send(m->c[1], e), on_send(m->c[2], e));
        enter(&l, e);
    }
    merge(&m->sent, &l);
    rn_waitgroup_done(&m->senders);
}

static void mix_recv(void *p)
{
    struct mix *m = p;
    chan(elem) c[3] = {m->c[0], m->c[1], m->c[2]};
    uint32_t newest[3][8] = {{0}};
    ledger l = {0, 0};
    while (c[0] != NULL || c[1] != NULL || c[2] != NULL) {
        elem e = {0, 0, 0};
        bool ok = false;
        int k = chan_select(on_recv(c[0], &e, &ok), on_recv(c[1], &e, &ok), on_recv(c[2], &e, &ok));
        if (!ok) {
            c[k] = NULL;
            continue;
        }
        CHECK_ELEM(e, &newest[k][e.sender]);
        enter(&l, e);
    }
    merge(&m->got, &l);
    rn_waitgroup_done(&m->receivers);
}

ITEM(1, "senders and receivers by select over three channels, closed at the end")
{
    static struct mix m;
    for (int i = 0; i < 3; i++)
        m.c[i] = chan_make(elem, i);
    rn_waitgroup_add(&m.senders, 4);
    rn_waitgroup_add(&m.receivers, 3);
    for (int i = 0; i < 4; i++)
        test_go(mix_send, &m);
    for (int i = 0; i < 3; i++)
        test_go(mix_recv, &m);
    rn_waitgroup_wait(&m.senders);
    for (int i = 0; i < 3; i++)
        chan_close(m.c[i]);
    rn_waitgroup_wait(&m.receivers);
    CHECK_EQ(m.got.n, 48);
    CHECK_BALANCE(&m.sent, &m.got);
    for (int i = 0; i < 3; i++)
        chan_unref(m.c[i]);
}

/* ---- 2: close under the senders' feet */

struct cut {
    chan(elem) c;
    _Atomic(uint32_t) next_sender;
    book sent, got;
    _Atomic(int) panics;
    rn_waitgroup done;
};

struct cut_send {
    struct cut *k;
    elem e;
};

static void cut_attempt(void *p)
{
    struct cut_send *s = p;
    chan(elem) nil = NULL;
    if (s->e.seq % 2)
        chan_send(s->k->c, s->e);
    else
        (void)chan_select(on_send(s->k->c, s->e), on_recv(nil, NULL));
}

static void cut_sender(void *p)
{
    struct cut *k = p;
    struct cut_send s = {k, {0, 0, 0}};
    uint32_t me = atomic_fetch_add(&k->next_sender, 1);
    ledger l = {0, 0};
    for (uint32_t seq = 1;; seq++) {
        s.e = make_elem(me, seq);
        if (!rn_try(cut_attempt, &s, NULL))
            break;
        enter(&l, s.e);
    }
    atomic_fetch_add(&k->panics, 1);
    merge(&k->sent, &l);
    rn_waitgroup_done(&k->done);
}

static void cut_receiver(void *p)
{
    struct cut *k = p;
    uint32_t newest[8] = {0};
    ledger l = {0, 0};
    chan_range (e, k->c) {
        CHECK_ELEM(e, &newest[e.sender]);
        enter(&l, e);
    }
    merge(&k->got, &l);
    rn_waitgroup_done(&k->done);
}

ITEM(2, "a channel is closed while senders and receivers are at it")
{
    static struct cut k;
    k.c = chan_make(elem, 1);
    rn_waitgroup_add(&k.done, 5);
    for (int i = 0; i < 3; i++)
        test_go(cut_sender, &k);
    for (int i = 0; i < 2; i++)
        test_go(cut_receiver, &k);
    for (int i = 0; i < 10; i++)
        rn_yield();
    chan_close(k.c);
    rn_waitgroup_wait(&k.done);
    CHECK_EQ(k.panics, 3);
    CHECK_BALANCE(&k.sent, &k.got);
    chan_unref(k.c);
}

/* ---- 3: crossing selects */

struct cross {
    chan(int) a, b;
    bool forward;
    int sent, got;
    rn_waitgroup *done;
};

static void cross(void *p)
{
    struct cross *x = p;
    for (int i = 1; i <= 15; i++) {
        int v = 0, k;
        if (x->forward)
            k = chan_select(on_send(x->a, i), on_recv(x->b, &v));
        else
            k = chan_select(on_recv(x->a, &v), on_send(x->b, i));
        if ((k == 0) == x->forward)
            x->sent += i;
        else
            x->got += v;
    }
    rn_waitgroup_done(x->done);
}

ITEM(3, "selects that cross over two rendezvous channels")
{
    rn_waitgroup done = {0};
    static struct cross x[6];
    chan(int) a = chan_make(int, 0);
    chan(int) b = chan_make(int, 0);
    rn_waitgroup_add(&done, 6);
    for (int i = 0; i < 6; i++) {
        x[i] = (struct cross){a, b, i % 2 == 0, 0, 0, &done};
        test_go(cross, &x[i]);
    }
    rn_waitgroup_wait(&done);
    int sent = 0, got = 0;
    for (int i = 0; i < 6; i++) {
        sent += x[i].sent;
        got += x[i].got;
    }
    CHECK_EQ(sent, got);
    chan_unref(a);
    chan_unref(b);
}

/* ---- 4: deadlines on the virtual clock */

struct timed {
    chan(elem) c;
    _Atomic(uint32_t) next_sender;
    book sent, got;
    rn_waitgroup senders, receivers;
};

static void timed_put(void *p)
{
    struct timed *t = p;
    uint32_t me = atomic_fetch_add(&t->next_sender, 1);
    ledger l = {0, 0};
    for (uint32_t seq = 1; seq <= 10; seq++) {
        elem e = make_elem(me, seq);
        int64_t until = rn_now() + (int64_t)(seq % 4) * 100 * RN_US;
        int err = chan_put(t->c, until, e);
        CHECK(err == 0 || err == -EAGAIN || err == -ETIMEDOUT);
        if (err == -ETIMEDOUT)
            CHECK(rn_now() >= until);
        if (err == 0)
            enter(&l, e);
        else
            rn_sleep(30 * RN_US);
    }
    merge(&t->sent, &l);
    rn_waitgroup_done(&t->senders);
}

static void timed_take(void *p)
{
    struct timed *t = p;
    uint32_t newest[8] = {0};
    ledger l = {0, 0};
    for (int i = 0;; i++) {
        elem e = {0, 0, 0};
        bool ok = false;
        int k = chan_select(on_recv(t->c, &e, &ok), on_after((i % 3 + 1) * 70 * RN_US));
        if (k == 1)
            continue;
        if (!ok)
            break;
        CHECK_ELEM(e, &newest[e.sender]);
        enter(&l, e);
        if (i % 4 == 0)
            rn_sleep(200 * RN_US);
    }
    merge(&t->got, &l);
    rn_waitgroup_done(&t->receivers);
}

ITEM(4, "puts, takes and time-outs")
{
    static struct timed t;
    t.c = chan_make(elem, 1);
    rn_waitgroup_add(&t.senders, 3);
    rn_waitgroup_add(&t.receivers, 2);
    for (int i = 0; i < 3; i++)
        test_go(timed_put, &t);
    for (int i = 0; i < 2; i++)
        test_go(timed_take, &t);
    rn_waitgroup_wait(&t.senders);
    chan_close(t.c);
    rn_waitgroup_wait(&t.receivers);
    CHECK_BALANCE(&t.sent, &t.got);
    chan_unref(t.c);
}

/* ---- 5: defaults must be true at one instant */

struct smear {
    chan(int) c1, c2;
    bool missed;
    rn_waitgroup done;
};

static void smear_look(void *p)
{
    struct smear *s = p;
    s->missed = chan_select(on_recv(s->c1, NULL), on_recv(s->c2, NULL), on_default()) == 2;
    rn_waitgroup_done(&s->done);
}

ITEM(5, "no default while readiness moves from one channel to another")
{
    for (int i = 0; i < 20; i++) {
        struct smear s = {.c1 = chan_make(int, 1), .c2 = chan_make(int, 1)};
        chan_send(s.c1, 1);
        rn_waitgroup_add(&s.done, 1);
        test_go(smear_look, &s);
        if (i % 2)
            chan_close(s.c2);
        else
            chan_send(s.c2, 1);
        (void)chan_try_recv(s.c1, NULL, NULL);
        rn_waitgroup_wait(&s.done);
        CHECK(!s.missed);
        chan_unref(s.c1);
        chan_unref(s.c2);
    }
}

/* ---- 6: a semaphore, a mutex and a channel as a mutex */

struct guard {
    chan(rn_unit) slots;
    rn_mutex m;
    int inside, most, count; /* guarded by m */
    rn_waitgroup done;
};

static void guarded(void *p)
{
    struct guard *g = p;
    for (int i = 0; i < 6; i++) {
        chan_send(g->slots, (rn_unit){0});
        rn_mutex_lock(&g->m);
        if (++g->inside > g->most)
            g->most = g->inside;
        g->count++;
        rn_mutex_unlock(&g->m);
        rn_yield();
        rn_mutex_lock(&g->m);
        g->inside--;
        rn_mutex_unlock(&g->m);
        CHECK(chan_recv(g->slots, NULL));
    }
    rn_waitgroup_done(&g->done);
}

ITEM(6, "a channel as a semaphore around a mutex")
{
    static struct guard g;
    g.slots = chan_make(rn_unit, 2);
    rn_waitgroup_add(&g.done, 5);
    for (int i = 0; i < 5; i++)
        test_go(guarded, &g);
    rn_waitgroup_wait(&g.done);
    CHECK_EQ(g.inside, 0);
    CHECK_EQ(g.count, 30);
    CHECK(g.most >= 1 && g.most <= 2);
    chan_unref(g.slots);
}

/* ---- 7: FIFO of one sender through a chain of relays, cut short by a panic in the middle */

struct relay {
    chan(int) in, out;
    int fail_at; /* panics when this value passes; -1: never */
    rn_waitgroup *done;
};

static void relay_loop(void *p)
{
    struct relay *r = p;
    chan_range (v, r->in) {
        if (v == r->fail_at)
            rn_panic("relay broke at %d", v);
        if (chan_put(r->out, RN_NEVER, v) != 0)
            return;
    }
}

static void relay(void *p)
{
    struct relay *r = p;
    rn_panic_info info;
    if (!rn_try(relay_loop, r, &info))
        CHECK(strcmp(info.text, "relay broke at 7") == 0);
    (void)chan_try_close(r->in); /* up the chain: nobody sends in vain */
    (void)chan_try_close(r->out);
    rn_waitgroup_done(r->done);
}

static void relay_source(void *p)
{
    struct relay *r = p;
    for (int i = 0; i < 12; i++)
        if (chan_put(r->out, RN_NEVER, i) != 0)
            break;
    (void)chan_try_close(r->out);
    rn_waitgroup_done(r->done);
}

ITEM(7, "a chain of relays keeps the order and ends cleanly when one of them panics")
{
    enum { N = 5 };
    rn_waitgroup done = {0};
    chan(int) c[N + 1];
    static struct relay r[N + 1];
    for (int i = 0; i <= N; i++)
        c[i] = chan_make(int, i % 3);
    rn_waitgroup_add(&done, N + 1);
    for (int i = 0; i < N; i++) {
        r[i] = (struct relay){c[i], c[i + 1], i == 2 ? 7 : -1, &done};
        test_go(relay, &r[i]);
    }
    r[N] = (struct relay){NULL, c[0], -1, &done};
    test_go(relay_source, &r[N]);
    int want = 0;
    chan_range (v, c[N])
        CHECK_EQ(v, want++);
    CHECK_EQ(want, 7);
    rn_waitgroup_wait(&done);
    for (int i = 0; i <= N; i++)
        chan_unref(c[i]);
}

/* ---- 8: one select, many that rush to it */

struct rush {
    chan(int) c[4];
    chan(int) shut;
    _Atomic(int) taken;
    int got;
    rn_waitgroup done;
};

static void rush_taker(void *p)
{
    struct rush *r = p;
    for (int i = 0; i < 5; i++) {
        int v = 0;
        int k = chan_select(on_recv(r->c[0], &v), on_recv(r->c[1], &v), on_recv(r->c[2], &v),
                            on_recv(r->c[3], &v));
        CHECK_EQ(v, k + 1);
        r->got++;
    }
    chan_close(r->shut);
    rn_waitgroup_done(&r->done);
}

struct rush_giver {
    struct rush *r;
    int k;
};

static void rush_give(void *p)
{
    struct rush_giver *g = p;
    while (chan_select(on_send(g->r->c[g->k], g->k + 1), on_recv(g->r->shut, NULL)) == 0)
        atomic_fetch_add(&g->r->taken, 1);
    rn_waitgroup_done(&g->r->done);
}

ITEM(8, "four selects against one: each commits exactly once")
{
    static struct rush r;
    static struct rush_giver g[4];
    r.shut = chan_make(int, 0);
    rn_waitgroup_add(&r.done, 5);
    for (int i = 0; i < 4; i++) {
        r.c[i] = chan_make(int, 0);
        g[i] = (struct rush_giver){&r, i};
    }
    for (int i = 0; i < 4; i++)
        test_go(rush_give, &g[i]);
    test_go(rush_taker, &r);
    rn_waitgroup_wait(&r.done);
    CHECK_EQ(r.got, 5);
    CHECK_EQ(r.taken, 5);
    chan_unref(r.shut);
    for (int i = 0; i < 4; i++)
        chan_unref(r.c[i]);
}

/* ---- 9: timers, functions and a ticker, set and stopped by many on the virtual clock */

struct clockwork {
    rn_timer t[3], f[3];
    rn_ticker k;
    chan(rn_unit) quit;
    _Atomic(uint32_t) next_party;
    _Atomic(int) set, kept, received, ran, ticks;
    rn_waitgroup setters, receivers;
};

static void clockwork_ran(void *p)
{
    atomic_fetch_add(&((struct clockwork *)p)->ran, 1);
}

static void clockwork_set(void *p)
{
    struct clockwork *w = p;
    uint64_t seed = atomic_fetch_add(&w->next_party, 1);
    for (int i = 0; i < 15; i++) {
        int k = (int)(test_random(&seed) % 6);
        rn_timer *t = k < 3 ? &w->t[k] : &w->f[k - 3];
        int64_t ns = (int64_t)(test_random(&seed) % 4) * 50 * RN_US;
        if (i % 3 == 2) {
            atomic_fetch_add(&w->kept, rn_timer_stop(t));
        } else {
            atomic_fetch_add(&w->set, 1);
            atomic_fetch_add(&w->kept, rn_timer_reset(t, ns));
        }
        if (i % 4 == 0)
            rn_sleep(60 * RN_US);
        if (i % 8 == 5)
            rn_ticker_reset(&w->k, ns + 20 * RN_US);
    }
    rn_waitgroup_done(&w->setters);
}

static void clockwork_receive(void *p)
{
    struct clockwork *w = p;
    for (;;) {
        int64_t due = 0;
        int k = chan_select(on_recv(rn_timer_chan(&w->t[0]), &due),
                            on_recv(rn_timer_chan(&w->t[1]), &due),
                            on_recv(rn_timer_chan(&w->t[2]), &due),
                            on_recv(rn_ticker_chan(&w->k), &due), on_recv(w->quit, NULL));
        if (k == 4)
            break;
        CHECK(due <= rn_now());
        atomic_fetch_add(k == 3 ? &w->ticks : &w->received, 1);
    }
    rn_waitgroup_done(&w->receivers);
}

ITEM(9, "timers: each setting comes once or is kept from coming; a ticker lives through it all")
{
    static struct clockwork w;
    w.quit = chan_make(rn_unit, 0);
    for (int i = 0; i < 3; i++) {
        rn_timer_start(&w.t[i], 30 * RN_US);
        rn_after_func(&w.f[i], 30 * RN_US, clockwork_ran, &w);
        atomic_fetch_add(&w.set, 2);
    }
    rn_ticker_start(&w.k, 40 * RN_US);
    rn_waitgroup_add(&w.setters, 4);
    rn_waitgroup_add(&w.receivers, 2);
    for (int i = 0; i < 4; i++)
        test_go(clockwork_set, &w);
    for (int i = 0; i < 2; i++)
        test_go(clockwork_receive, &w);
    rn_waitgroup_wait(&w.setters);
    int before = atomic_load(&w.ticks);
    WAIT_UNTIL((rn_sleep(10 * RN_US), atomic_load(&w.ticks) > before));
    chan_close(w.quit);
    rn_waitgroup_wait(&w.receivers);
    rn_ticker_stop(&w.k);
    for (int i = 0; i < 3; i++) {
        atomic_fetch_add(&w.kept, rn_timer_stop(&w.t[i]));
        atomic_fetch_add(&w.kept, rn_timer_stop(&w.f[i]));
    }
    WAIT_UNTIL(rn_num_goroutine() == 1);
    CHECK_EQ(w.received + w.ran + w.kept, w.set);
    chan_unref(w.quit);
}

/* ---- 10: all locks, plain and with deadlines on the virtual clock */

struct locks {
    rn_mutex m;
    rn_rwmutex rw;
    rn_cond c;
    rn_sem sem;
    rn_barrier b;
    int count, entered;  /* guarded by m */
    int a, z;            /* guarded by rw; equal outside of writers */
    _Atomic(int) inside; /* units of sem */
    int turn;            /* guarded by m */
    rn_waitgroup done;
};

static void locks_round(struct locks *l, int me, int i)
{
    if (rn_mutex_lock_until(&l->m, rn_now() + (i % 3) * RN_US) == 0) {
        l->count++;
        rn_yield();
        l->entered++;
        rn_mutex_unlock(&l->m);
    }
    if ((me + i) % 3 == 0) {
        rn_rwmutex_lock(&l->rw);
        l->a++;
        rn_yield();
        l->z++;
        rn_rwmutex_unlock(&l->rw);
    } else if (rn_rwmutex_rlock_until(&l->rw, rn_now() + RN_US) == 0) {
        int a = l->a;
        rn_yield();
        CHECK_EQ(l->z, a);
        rn_rwmutex_runlock(&l->rw);
    }
    int n = 1 + (me + i) % 2;
    if (rn_sem_acquire_until(&l->sem, n, i % 2 == 0 ? RN_NEVER : rn_now() + RN_US) == 0) {
        CHECK(atomic_fetch_add(&l->inside, n) + n <= 3);
        rn_sleep(RN_US);
        atomic_fetch_sub(&l->inside, n);
        rn_sem_release(&l->sem, n);
    }
}

static struct locks locks;
static void locks_user(void *p)
{
    int me = (int)(intptr_t)p;
    for (int i = 0; i < 8; i++)
        locks_round(&locks, me, i);
    rn_barrier_wait(&locks.b);
    /* in turn, by broadcast */
    rn_mutex_lock(&locks.m);
    while (locks.turn != me)
        if (me % 2 == 0)
            rn_cond_wait(&locks.c, &locks.m);
        else
            (void)rn_cond_wait_until(&locks.c, &locks.m, rn_now() + RN_US);
    locks.turn++;
    rn_cond_broadcast(&locks.c);
    rn_mutex_unlock(&locks.m);
    rn_waitgroup_done(&locks.done);
}

ITEM(10, "all locks under contention: deadlines, hand-overs, a barrier, turns by broadcast")
{
    locks.sem = (rn_sem)RN_SEM_INIT(3);
    locks.b = (rn_barrier)RN_BARRIER_INIT(5);
    rn_waitgroup_add(&locks.done, 5);
    for (intptr_t i = 0; i < 5; i++)
        test_go(locks_user, (void *)i);
    rn_waitgroup_wait(&locks.done);
    CHECK_EQ(locks.turn, 5);
    CHECK_EQ(locks.entered, locks.count);
    CHECK(locks.a == locks.z && locks.a > 0);
    CHECK_EQ(rn_sem_available(&locks.sem), 3);
    CHECK(locks.m.rn_word == 0 && locks.rw.rn_word == 0 && locks.c.rn_queue == 0);
    WAIT_GONE(1);
}

/* ---- 20: a tree of contexts, cancelled at several places while it grows */

struct tree {
    rn_ctx *root, *limb[2];
    chan(elem) c;
    _Atomic(int) registered, stopped, ran;
    _Atomic(uint32_t) next;
    book sent, got;
    rn_waitgroup done;
};

static void tree_after(void *p)
{
    struct tree *t = p;
    atomic_fetch_add(&t->ran, 1);
}

static void tree_send(void *p)
{
    struct tree *t = p;
    uint32_t me = atomic_fetch_add(&t->next, 1);
    ledger l = {0, 0};
    for (uint32_t seq = 1; seq <= 8; seq++) {
        rn_ctx_auto twig = rn_ctx_with_timeout(t->limb[me % 2], (int64_t)seq * 20 * RN_US);
        rn_ctx_auto leaf = rn_ctx_with_cancel(twig);
        rn_ctx_after *a = rn_ctx_after_func(leaf, tree_after, t);
        atomic_fetch_add(&t->registered, 1);
        elem e = make_elem(me, seq);
        int err = chan_put_ctx(t->c, leaf, e);
        if (err == 0)
            enter(&l, e);
        else
            CHECK_EQ(err, rn_ctx_err(leaf));
        if (seq % 3 == 0) {
            rn_ctx_cancel(twig, NULL);
            CHECK(rn_ctx_err(leaf) != 0);
        }
        atomic_fetch_add(&t->stopped, rn_ctx_after_stop(a));
        rn_ctx_after_unref(a);
    }
    merge(&t->sent, &l);
    rn_waitgroup_done(&t->done);
}

static void tree_take(void *p)
{
    struct tree *t = p;
    ledger l = {0, 0};
    elem e;
    while (chan_take_ctx(t->c, t->limb[0], &e) == 0) {
        enter(&l, e);
        (void)rn_sleep_ctx(t->limb[1], 30 * RN_US);
    }
    merge(&t->got, &l);
    rn_waitgroup_done(&t->done);
}

ITEM(20, "contexts in a tree: deadlines, cancels and after functions at all ends")
{
    static struct tree t;
    t.c = chan_make(elem, 1);
    t.root = rn_ctx_with_cancel(rn_ctx_background());
    t.limb[0] = rn_ctx_with_cancel(t.root);
    t.limb[1] = rn_ctx_with_cancel(t.root);
    rn_waitgroup_add(&t.done, 5);
    for (int i = 0; i < 3; i++)
        test_go(tree_send, &t);
    for (int i = 0; i < 2; i++)
        test_go(tree_take, &t);
    rn_sleep(200 * RN_US);
    rn_ctx_cancel(t.limb[1], "limb");
    rn_sleep(100 * RN_US);
    rn_ctx_cancel(t.root, "root");
    rn_waitgroup_wait(&t.done);
    WAIT_UNTIL(rn_num_goroutine() == 1);
    CHECK_EQ(t.ran + t.stopped, t.registered);
    elem e;
    ledger rest = {0, 0};
    while (chan_try_recv(t.c, &e, NULL))
        enter(&rest, e);
    merge(&t.got, &rest);
    CHECK_BALANCE(&t.sent, &t.got);
    CHECK(t.root->scope->children == NULL && t.limb[0]->scope->children == NULL);
    rn_ctx_unref(t.limb[0]);
    rn_ctx_unref(t.limb[1]);
    rn_ctx_unref(t.root);
    chan_unref(t.c);
}

/* ---- 21: groups, one inside the other; the inner one fails or panics */

static _Atomic(int) alive;

static int group_leaf(rn_ctx *ctx, int how)
{
    atomic_fetch_add(&alive, 1);
    int err = rn_sleep_ctx(ctx, how == 0 ? RN_HOUR : how * 10 * RN_US);
    atomic_fetch_sub(&alive, 1);
    if (how == 3 && err == 0)
        rn_panic("leaf");
    return how == 2 && err == 0 ? -EIO : err;
}
GO_FUNC(group_leaf, rn_ctx *, int);

static int group_inner(rn_ctx *ctx, int how)
{
    rn_group_auto(g, ctx);
    rn_group_set_limit(&g, 3);
    rn_group_go(&g, group_leaf, rn_group_ctx(&g), 0);
    rn_group_go(&g, group_leaf, rn_group_ctx(&g), how);
    for (int i = 0; i < 3; i++)
        rn_group_go(&g, group_leaf, rn_group_ctx(&g), 1);
    return rn_group_wait(&g);
}
GO_FUNC(group_inner, rn_ctx *, int);

static void group_outer(void *p)
{
    int how = *(int *)p;
    rn_group_auto(g, rn_ctx_background());
    rn_group_go(&g, group_inner, rn_group_ctx(&g), how);
    rn_group_go(&g, group_leaf, rn_group_ctx(&g), 0);
    CHECK_EQ(rn_group_wait(&g), -EIO);
}

ITEM(21, "groups in groups: an error and a panic end all members and come out at the top")
{
    int how = 2;
    rn_panic_info info;
    CHECK(rn_try(group_outer, &how, &info));
    CHECK_EQ(alive, 0);
    how = 3;
    CHECK(!rn_try(group_outer, &how, &info));
    CHECK(strcmp(info.text, "leaf") == 0);
    CHECK_EQ(alive, 0);
    WAIT_UNTIL(rn_num_goroutine() == 1);
}

/* ---- 30: batches, an unbounded channel, priorities, a map and a pool */

struct goods {
    chan(elem) in, out;
    chan(rn_unit) stop;
    rn_map seen;
    rn_pool pool;
    _Atomic(uint32_t) next_sender;
    _Atomic(int) made, dropped;
    book sent, got;
    rn_waitgroup senders, movers;
};

static void *goods_make(void *arg)
{
    atomic_fetch_add(&((struct goods *)arg)->made, 1);
    return malloc(8 * sizeof(elem));
}

static void goods_drop(void *item, void *arg)
{
    atomic_fetch_add(&((struct goods *)arg)->dropped, 1);
    free(item);
}

static void goods_send(void *p)
{
    struct goods *s = p;
    uint32_t me = atomic_fetch_add(&s->next_sender, 1);
    ledger l = {0, 0};
    for (uint32_t seq = 1; seq <= 15; seq += 3) {
        elem e[3];
        for (uint32_t i = 0; i < 3; i++)
            enter(&l, e[i] = make_elem(me, seq + i));
        CHECK_EQ(chan_send_n(s->in, e, 3), 3);
    }
    merge(&s->sent, &l);
    rn_waitgroup_done(&s->senders);
}

static void goods_move(void *p)
{
    struct goods *s = p;
    for (size_t n = 1; n > 0;) {
        elem *e = rn_pool_get(&s->pool);
        n = chan_recv_n(s->in, e, 2, 8);
        for (size_t i = 0; i < n; i++) {
            uintptr_t key = (uintptr_t)e[i].sender << 16 | e[i].seq;
            CHECK(!rn_map_load_or_store(&s->seen, RN_MAP_KEY(key), NULL, NULL));
        }
        CHECK_EQ(chan_send_n(s->out, e, n), n);
        rn_pool_put(&s->pool, e);
    }
    rn_waitgroup_done(&s->movers);
}

ITEM(30, "batches through a pool, a map and an unbounded channel; the stop comes last")
{
    static struct goods s;
    s.in = chan_make(elem, 2);
    s.out = chan_make_with(elem, 0, .unbounded = true);
    s.stop = chan_make(rn_unit, 0);
    s.pool = (rn_pool){.make = goods_make, .drop = goods_drop, .arg = &s};
    rn_waitgroup_add(&s.senders, 4);
    rn_waitgroup_add(&s.movers, 3);
    for (int i = 0; i < 4; i++)
        test_go(goods_send, &s);
    for (int i = 0; i < 3; i++)
        test_go(goods_move, &s);
    rn_waitgroup_wait(&s.senders);
    chan_close(s.in);
    rn_waitgroup_wait(&s.movers);
    chan_close(s.stop);
    ledger l = {0, 0};
    elem e;
    while (chan_select_ordered(on_recv(s.out, &e), on_recv(s.stop, NULL)) == 0)
        enter(&l, e);
    merge(&s.got, &l);
    CHECK_EQ(s.got.n, 60);
    CHECK_BALANCE(&s.sent, &s.got);
    CHECK_EQ(rn_map_len(&s.seen), 60);
    rn_map_destroy(&s.seen);
    rn_pool_destroy(&s.pool);
    CHECK_EQ(s.made, s.dropped);
    chan_unref(s.in);
    chan_unref(s.out);
    chan_unref(s.stop);
}

/* ---- 40: two bubbles beside each other, one with a seed of its own */

struct bath {
    chan(int) c;
    rn_mutex m;
    int sum;         /* guarded by m */
    int64_t elapsed; /* of its clock */
};

static void bath_send(void *p)
{
    struct bath *b = p;
    for (int i = 1; i <= 5; i++) {
        rn_sleep(i * RN_SEC);
        chan_send(b->c, i);
    }
}

static void bath_take(void *p)
{
    struct bath *b = p;
    int v = 0;
    while (chan_take(b->c, rn_now() + RN_HOUR, &v) == 0) {
        rn_mutex_lock(&b->m);
        b->sum += v;
        rn_mutex_unlock(&b->m);
    }
}

static void bath_body(void *p)
{
    struct bath *b = p;
    b->c = chan_make(int, 0);
    for (int i = 0; i < 3; i++) {
        go1(bath_send, b);
        go1(bath_take, b);
    }
    rn_test_sleep(15 * RN_SEC);
    rn_mutex_lock(&b->m);
    CHECK_EQ(b->sum, 45);
    rn_mutex_unlock(&b->m);
    rn_test_sleep(RN_HOUR); /* the takers have given up */
    b->elapsed = rn_now() - RN_TEST_EPOCH;
    chan_unref(b->c);
}

static void bath_run(void *p)
{
    struct bath *b = p;
    rn_test_opts o = {.seed = b->elapsed == 1 ? 5 : 0};
    CHECK_EQ(rn_test_run(bath_body, b, &o), 0);
    CHECK_EQ(b->elapsed, RN_HOUR + 15 * RN_SEC);
}

ITEM(40, "bubbles: exact clocks, whoever runs when")
{
    static struct bath b[2];
    b[1].elapsed = 1;
    for (int i = 0; i < 2; i++)
        test_go(bath_run, &b[i]);
    WAIT_GONE(1);
}

TEST_MAIN
