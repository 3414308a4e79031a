/*
 * deadlines.c - time-outs that race with the operations they limit: a put that reports success was
 * received, one that reports a time-out was not; the same for takes and for on_after.
 *
 * Invariants
 *  - Deadlines are a few microseconds to both sides of what a hand-over takes, so that both outcomes
 *    happen; how often does not matter.
 *
 * runnel-test: timeout=600
 */
#include "account.h"

enum { SENDERS = 4, RECEIVERS = 4 };

struct race {
    chan(elem) c, d;
    uint32_t attempts; /* per sender */
    _Atomic(uint32_t) next_party;
    _Atomic(int64_t) late; /* time-outs on either side */
    book sent, got;
    rn_waitgroup senders, receivers;
};

static int64_t soon(uint64_t *seed)
{
    static const int64_t most[] = {0, 1, 5, 20, 100, 1000};
    return (int64_t)(test_random(seed) % 1000) * most[test_random(seed) % 6];
}

static void put_some(struct race *r)
{
    uint32_t me = atomic_fetch_add(&r->next_party, 1);
    uint64_t seed = me;
    ledger l = {0, 0};
    int64_t late = 0;
    for (uint32_t seq = 1; seq <= r->attempts; seq++) {
        elem e = make_elem(me, seq);
        bool sent;
        if (seq % 2 == 0) {
            int64_t deadline = rn_now() + soon(&seed);
            int err = chan_put(r->c, deadline, e);
            CHECK(err == 0 || err == -EAGAIN || err == -ETIMEDOUT);
            if (err == -ETIMEDOUT)
                CHECK(rn_now() >= deadline); /* never early */
            sent = err == 0;
        } else {
            sent = chan_select(on_send(r->c, e), on_after(soon(&seed)), on_send(r->d, e)) != 1;
        }
        if (sent)
            enter(&l, e);
        else
            late++;
    }
    merge(&r->sent, &l);
    atomic_fetch_add(&r->late, late);
    rn_waitgroup_done(&r->senders);
}

static void take_all(struct race *r)
{
    uint64_t seed = 1000 + atomic_fetch_add(&r->next_party, 1);
    uint32_t newest[2][SENDERS + RECEIVERS] = {{0}};
    ledger l = {0, 0};
    int64_t late = 0;
    bool c_open = true, d_open = true;
    for (uint32_t i = 0; c_open || d_open; i++) {
        elem e = {0, 0, 0};
        bool ok = false;
        int k;
        if (i % 2 == 0 && c_open) {
            int64_t deadline = rn_now() + soon(&seed);
            int err = chan_take(r->c, deadline, &e);
            CHECK(err == 0 || err == -EAGAIN || err == -ETIMEDOUT || err == -EPIPE);
            if (err == -ETIMEDOUT)
                CHECK(rn_now() >= deadline);
            if (err == -EPIPE)
                c_open = false;
            k = 0;
            ok = err == 0;
            late += err == -EAGAIN || err == -ETIMEDOUT;
        } else {
            chan(elem) c = c_open ? r->c : NULL;
            chan(elem) d = d_open ? r->d : NULL;
            k = chan_select(on_recv(c, &e, &ok), on_recv(d, &e, &ok), on_after(soon(&seed)));
            if (k == 2) {
                ok = false;
                late++;
            } else if (!ok) {
                *(k ? &d_open : &c_open) = false;
            }
        }
        if (!ok) {
            CHECK_EQ(e.sender | e.seq | e.check, 0); /* nothing came, nothing was written */
            continue;
        }
        CHECK_ELEM(e, &newest[k][e.sender]);
        enter(&l, e);
    }
    merge(&r->got, &l);
    atomic_fetch_add(&r->late, late);
    rn_waitgroup_done(&r->receivers);
}

static void go_put(void *r)
{
    put_some(r);
}

static void go_take(void *r)
{
    take_all(r);
}

static void *thread_put(void *r)
{
    put_some(r);
    return NULL;
}

static void *thread_take(void *r)
{
    take_all(r);
    return NULL;
}

static int64_t play(int64_t cap, int64_t attempts, bool foreign)
{
    static struct race r;
    pthread_t t[2];
    memset(&r, 0, sizeof r);
    r.attempts = (uint32_t)attempts;
    r.c = chan_make(elem, cap);
    r.d = chan_make(elem, 0);
    rn_waitgroup_add(&r.senders, SENDERS);
    rn_waitgroup_add(&r.receivers, RECEIVERS);
    /* The first numbers must be the senders'. */
    for (int i = foreign; i < SENDERS; i++)
        test_go(go_put, &r);
    if (foreign)
        CHECK(pthread_create(&t[0], NULL, thread_put, &r) == 0);
    WAIT_UNTIL(atomic_load(&r.next_party) == SENDERS);
    for (int i = foreign; i < RECEIVERS; i++)
        test_go(go_take, &r);
    if (foreign)
        CHECK(pthread_create(&t[1], NULL, thread_take, &r) == 0);
    rn_waitgroup_wait(&r.senders);
    chan_close(r.c);
    chan_close(r.d);
    rn_waitgroup_wait(&r.receivers);
    for (int i = 0; foreign && i < 2; i++)
        pthread_join(t[i], NULL);
    CHECK_BALANCE(&r.sent, &r.got);
    CHECK_EQ(chan_len(r.c), 0);
    WAIT_GONE(1);
    chan_unref(r.c);
    chan_unref(r.d);
    return r.sent.n;
}

ITEM(1, "put, take and on_after between goroutines")
{
    int64_t n = 0;
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        for (int64_t cap = 0; cap < 3; cap++)
            n += play(cap, test_scale(15000, 100), false);
    }
    report_elements(n);
}

ITEM(2, "the same with a foreign thread on each side")
{
    int64_t n = 0;
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        for (int64_t cap = 0; cap < 3; cap++)
            n += play(cap, test_scale(4000, 50), true);
    }
    report_elements(n);
}

TEST_MAIN
