/*
 * bubbles.c - many bubbles at the same time, each with exact accounts of its own clock, among goroutines
 * and threads that live in real time.
 *
 * Invariants
 *  - Each bubble computes beforehand what its clock must say, to the nanosecond.
 *  - Bubbles are run by goroutines and by foreign threads, in parallel and one goroutine at a time.
 *
 * runnel-test: timeout=600
 */
#include "account.h"
#include <errno.h>

/* ---- sleepers */

enum { SLEEPERS = 20, NAPS = 50 };

struct nap_job {
    uint64_t seed;
    int64_t total; /* what it has slept */
};

static int64_t nap_of(uint64_t *seed)
{
    return (int64_t)(test_random(seed) % (uint64_t)RN_HOUR);
}

static void take_naps(void *p)
{
    struct nap_job *j = p;
    int64_t began = rn_now();
    for (int i = 0; i < NAPS; i++) {
        int64_t t = rn_now(), ns = nap_of(&j->seed);
        rn_sleep(ns);
        CHECK_EQ(rn_now() - t, ns); /* not early, not late */
        j->total += ns;
    }
    CHECK_EQ(rn_now() - began, j->total);
}

/* ---- a pipeline with time-outs */

struct pipe {
    chan(elem) c;
    uint64_t seed;
    uint32_t n;
    ledger sent, got;
    int timeouts, want;
};

static void produce(void *p)
{
    struct pipe *q = p;
    for (uint32_t i = 1; i <= q->n; i++) {
        rn_sleep((int64_t)(test_random(&q->seed) % 20) * RN_MS + RN_MS / 2);
        elem e = make_elem(0, i);
        chan_send(q->c, e);
        enter(&q->sent, e);
    }
    chan_close(q->c);
}

/* Counts the full intervals of 5 ms in which nothing came: the producer's naps say how many. */
static void consume(struct pipe *q)
{
    uint32_t newest = 0;
    for (;;) {
        elem e = {0, 0, 0};
        bool ok = false;
        if (chan_select(on_recv(q->c, &e, &ok), on_after(5 * RN_MS)) == 1) {
            q->timeouts++;
            continue;
        }
        if (!ok)
            return;
        CHECK_ELEM(e, &newest);
        enter(&q->got, e);
    }
}

static void run_pipe(uint64_t seed)
{
    struct pipe q = {.c = chan_make(elem, 0), .seed = seed, .n = 30};
    uint64_t s = seed;
    for (uint32_t i = 0; i < q.n; i++)
        q.want += (int)(((int64_t)(test_random(&s) % 20) * RN_MS + RN_MS / 2) / (5 * RN_MS));
    go1(produce, &q);
    consume(&q);
    CHECK_EQ(q.timeouts, q.want);
    CHECK_EQ(q.got.n, q.n);
    CHECK(q.got.sum == q.sent.sum);
    chan_unref(q.c);
}

/* ---- locks that are shared by hundreds, and a crowd that comes and goes */

struct crowd {
    rn_mutex m;
    rn_waitgroup wg;
    int64_t held; /* guarded by m */
    int in;       /* guarded by m */
};

static void hold_a_while(void *p)
{
    struct crowd *c = p;
    rn_mutex_lock(&c->m);
    CHECK_EQ(c->in++, 0);
    rn_sleep(RN_MIN);
    c->held++;
    c->in--;
    rn_mutex_unlock(&c->m);
    rn_waitgroup_done(&c->wg);
}

static void run_crowd(void)
{
    struct crowd c = {.held = 0};
    int64_t t = rn_now();
    rn_waitgroup_add(&c.wg, 60);
    for (int i = 0; i < 60; i++)
        go1(hold_a_while, &c);
    rn_waitgroup_wait(&c.wg);
    CHECK_EQ(c.held, 60);
    CHECK_EQ(rn_now() - t, RN_HOUR); /* one after the other */
}

/* ---- a bubble */

struct bubble {
    uint64_t seed;
    int64_t slept, elapsed; /* results */
};

static void body(void *p)
{
    struct bubble *b = p;
    struct nap_job job[SLEEPERS];
    int64_t longest = 0, began = rn_now();
    uint64_t s = b->seed;
    for (int i = 0; i < SLEEPERS; i++) {
        job[i] = (struct nap_job){test_random(&s), 0};
        go1(take_naps, &job[i]);
        uint64_t copy = job[i].seed;
        int64_t sum = 0;
        for (int k = 0; k < NAPS; k++)
            sum += nap_of(&copy);
        longest = sum > longest ? sum : longest;
    }
    rn_test_sleep(longest);
    for (int i = 0; i < SLEEPERS; i++)
        b->slept += job[i].total;
    CHECK_EQ(rn_now() - began, longest);
    run_pipe(b->seed);
    run_crowd();
    rn_test_wait();
    b->elapsed = rn_now() - began;
}

struct play {
    _Atomic(int64_t) next, slept, elapsed;
    int64_t bubbles;
    rn_waitgroup runners;
};

static void run_bubbles(struct play *q)
{
    int64_t i;
    while ((i = atomic_fetch_add(&q->next, 1)) < q->bubbles) {
        struct bubble b = {.seed = (uint64_t)i + 1};
        rn_test_result r;
        rn_test_opts o = {.seed = i % 3 == 0 ? (uint64_t)i + 1 : 0, .result = &r};
        CHECK_EQ(rn_test_run(body, &b, &o), 0);
        CHECK_EQ(r.elapsed, b.elapsed);
        atomic_fetch_add(&q->slept, b.slept);
        atomic_fetch_add(&q->elapsed, b.elapsed);
    }
    rn_waitgroup_done(&q->runners);
}

static void go_run(void *q)
{
    run_bubbles(q);
}

static void *thread_run(void *q)
{
    run_bubbles(q);
    return NULL;
}

/* ---- the world around them */

struct world {
    chan(elem) c;
    _Atomic(bool) stop;
    ledger sent, got;
    rn_waitgroup done;
};

static void world_send(void *p)
{
    struct world *w = p;
    for (uint32_t i = 1; !w->stop; i++) {
        elem e = make_elem(0, i);
        chan_send(w->c, e);
        enter(&w->sent, e);
        if (i % 64 == 0)
            rn_sleep(10 * RN_US);
    }
    chan_close(w->c);
    rn_waitgroup_done(&w->done);
}

static void world_receive(void *p)
{
    struct world *w = p;
    uint32_t newest = 0;
    elem e;
    int64_t last = rn_now();
    while (chan_recv(w->c, &e)) {
        CHECK_ELEM(e, &newest);
        enter(&w->got, e);
        int64_t now = rn_now();
        CHECK(now >= last && now - last < RN_HOUR); /* real time */
        last = now;
    }
    rn_waitgroup_done(&w->done);
}

static void world_begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->c = chan_make(elem, 4);
    rn_waitgroup_add(&w->done, 2);
    test_go(world_send, w);
    test_go(world_receive, w);
}

static void world_end(struct world *w)
{
    w->stop = true;
    rn_waitgroup_wait(&w->done); /* also under the virtual clock, which moves while we wait */
    CHECK_EQ(w->got.n, w->sent.n);
    CHECK(w->got.sum == w->sent.sum);
    chan_unref(w->c);
}

static void play(int64_t bubbles, int runners, int threads, bool crowded)
{
    static struct play q;
    static struct world w;
    pthread_t t[4];
    memset(&q, 0, sizeof q);
    q.bubbles = bubbles;
    rn_waitgroup_add(&q.runners, runners + threads);
    if (crowded)
        world_begin(&w);
    for (int i = 0; i < threads; i++)
        CHECK(pthread_create(&t[i], NULL, thread_run, &q) == 0);
    for (int i = 0; i < runners; i++)
        test_go(go_run, &q);
    rn_waitgroup_wait(&q.runners);
    for (int i = 0; i < threads; i++)
        pthread_join(t[i], NULL);
    if (crowded)
        world_end(&w);
    WAIT_GONE(1);
    printf("%lld bubbles: %lld hours on their clocks, %lld slept\n", (long long)bubbles,
           (long long)(q.elapsed / RN_HOUR), (long long)(q.slept / RN_HOUR));
    /* 20 sleepers with 50 naps of half an hour each */
    CHECK(q.slept / RN_HOUR > bubbles * 400);
    CHECK(q.elapsed / RN_HOUR > bubbles * 20);
}

ITEM(1, "bubbles in parallel: ten thousand hours and more, exact to the nanosecond")
{
    for (int i = 0; i < WORKER_COUNTS; i++) {
        rn_gomaxprocs(worker_counts[i]);
        play(test_scale(300, 12), 8, 0, false);
    }
}

ITEM(2, "bubbles of goroutines and of foreign threads, in a busy world")
{
    for (int i = 0; i < WORKER_COUNTS; i++) {
        rn_gomaxprocs(worker_counts[i]);
        play(test_scale(100, 8), 3, 2, true);
    }
}

/* ---- the same again */

struct log {
    _Atomic(uint64_t) hash; /* one writes at a time, but no lock says so */
    chan(int) c;
    rn_mutex m;
};

static void note(struct log *l, int what)
{
    uint64_t h = atomic_load_explicit(&l->hash, memory_order_relaxed);
    h = (h ^ (uint64_t)what) * UINT64_C(0x100000001b3);
    atomic_store_explicit(&l->hash, h, memory_order_relaxed);
}

struct party {
    struct log *l;
    int id;
};

static void take_part(void *p)
{
    struct party *me = p;
    for (int i = 0; i < 30; i++) {
        int v = 0;
        note(me->l, me->id);
        switch (
            chan_select(on_send(me->l->c, me->id), on_recv(me->l->c, &v), on_after(me->id % 3))) {
        case 0: note(me->l, 100); break;
        case 1: note(me->l, 200 + v); break;
        default: note(me->l, 300); break;
        }
        rn_mutex_lock(&me->l->m);
        note(me->l, 400 + me->id);
        if (i % 4 == 0)
            rn_sleep(2);
        rn_mutex_unlock(&me->l->m);
        if (i % 5 == 0)
            rn_yield();
    }
}

static void party_body(void *p)
{
    struct log *l = p;
    struct party who[8];
    l->hash = UINT64_C(0xcbf29ce484222325);
    l->c = chan_make(int, 2);
    for (int i = 0; i < 8; i++) {
        who[i] = (struct party){l, i};
        go1(take_part, &who[i]);
    }
    rn_test_sleep(RN_HOUR);
    note(l, (int)chan_len(l->c));
    chan_unref(l->c);
}

ITEM(3, "a seed replays, whatever the workers are and whatever runs beside it")
{
    enum { SEEDS = 12 };
    static uint64_t want[SEEDS];
    static struct world w;
    for (int round = 0; round < 8; round++) {
        rn_gomaxprocs(worker_counts[round % WORKER_COUNTS]);
        if (round >= WORKER_COUNTS)
            world_begin(&w);
        for (int seed = 0; seed < SEEDS; seed++) {
            struct log l = {0};
            rn_test_opts o = {.seed = (uint64_t)seed + 1};
            CHECK_EQ(rn_test_run(party_body, &l, &o), 0);
            if (round == 0)
                want[seed] = l.hash;
            CHECK(l.hash == want[seed]);
            for (int k = 0; k < seed; k++)
                CHECK(want[k] != want[seed]);
        }
        if (round >= WORKER_COUNTS)
            world_end(&w);
        WAIT_GONE(1);
    }
}

TEST_MAIN
