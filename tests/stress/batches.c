/*
 * batches.c - batches, ordered selects and unbounded channels among ordinary operations.
 *
 * Invariants
 *  - Exact accounting (account.h): the same multiset out as in, and each sender's elements in order.
 */
#include "account.h"

/* runnel-test: timeout=240 */

enum { MOST = 48 };

struct run {
    chan(elem) c;
    int64_t per_sender;
    _Atomic(uint32_t) next_sender, next_receiver;
    book sent, got;
    rn_waitgroup senders, receivers;
    _Atomic(int) told;
};

static void send_all(struct run *r)
{
    uint32_t me = atomic_fetch_add(&r->next_sender, 1);
    uint64_t rng = me + 3;
    ledger l = {0, 0};
    elem e[MOST];
    uint32_t seq = 1;
    while (seq <= r->per_sender) {
        uint64_t x = test_random(&rng);
        size_t n = 1 + (size_t)(x >> 8) % MOST;
        if ((int64_t)(seq + n - 1) > r->per_sender)
            n = (size_t)(r->per_sender - seq + 1);
        if (x % 3 != 0)
            n = x % 3 == 1 ? n : 1;
        for (size_t i = 0; i < n; i++) {
            e[i] = make_elem(me, seq++);
            enter(&l, e[i]);
        }
        if (x % 3 == 2)
            CHECK_EQ(chan_select_ordered(on_send(r->c, e[0]), on_after(RN_HOUR)), 0);
        else if (n == 1 && x % 2 != 0)
            chan_send_from(r->c, &e[0]);
        else
            CHECK_EQ(chan_send_n(r->c, e, n), n);
        if (x % 64 == 1)
            rn_yield();
    }
    merge(&r->sent, &l);
}

static void sender(void *p)
{
    send_all(p);
    rn_waitgroup_done(&((struct run *)p)->senders);
}

static void receive_all(struct run *r)
{
    uint64_t rng = atomic_fetch_add(&r->next_receiver, 1) + 99;
    uint32_t newest[16] = {0};
    ledger l = {0, 0};
    elem e[MOST];
    for (;;) {
        uint64_t x = test_random(&rng);
        size_t max = 1 + (size_t)(x >> 8) % MOST, min = 1 + (size_t)(x >> 16) % max, n = 0;
        bool ok = true;
        switch (x % 4) {
        case 0:
            ok = chan_recv(r->c, &e[0]);
            n = ok;
            break;
        case 1:
            if (chan_select_ordered(on_recv(r->c, &e[0], &ok), on_after(RN_MS)) == 0)
                n = ok;
            break;
        case 2: n = chan_recv_n(r->c, e, min, max, rn_now() + RN_MS); break;
        default: n = chan_recv_n(r->c, e, min, max); ok = n >= min;
        }
        for (size_t i = 0; i < n; i++) {
            CHECK_ELEM(e[i], &newest[e[i].sender]);
            enter(&l, e[i]);
        }
        if (!ok)
            break;
    }
    merge(&r->got, &l);
}

static void receiver(void *p)
{
    receive_all(p);
    rn_waitgroup_done(&((struct run *)p)->receivers);
}

static void *sender_thread(void *p)
{
    sender(p);
    return NULL;
}

static void *receiver_thread(void *p)
{
    receiver(p);
    return NULL;
}

static void told(size_t len, void *arg)
{
    CHECK(len >= 1000);
    atomic_fetch_add(&((struct run *)arg)->told, 1);
}

static int64_t run(int64_t cap, int64_t per_sender, int senders, int receivers)
{
    struct run r = {.per_sender = per_sender};
    if (cap < 0)
        r.c = chan_make_with(elem, 0, .unbounded = true, .soft_limit = 1000, .on_high_water = told,
                             .arg = &r);
    else
        r.c = chan_make(elem, cap);
    pthread_t t[2];
    rn_waitgroup_add(&r.senders, senders + 1);
    rn_waitgroup_add(&r.receivers, receivers + 1);
    CHECK(pthread_create(&t[0], NULL, sender_thread, &r) == 0);
    CHECK(pthread_create(&t[1], NULL, receiver_thread, &r) == 0);
    for (int i = 0; i < senders; i++)
        test_go(sender, &r);
    for (int i = 0; i < receivers; i++)
        test_go(receiver, &r);
    rn_waitgroup_wait(&r.senders);
    chan_close(r.c);
    rn_waitgroup_wait(&r.receivers);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    WAIT_GONE(1);
    CHECK_EQ(r.got.n, per_sender * (senders + 1));
    CHECK_BALANCE(&r.sent, &r.got);
    chan_unref(r.c);
    return r.got.n;
}

ITEM(1, "batches against single operations, every capacity, 1 to 8 workers, threads included")
{
    static const int64_t caps[] = {0, 1, 7, 128, 2000, -1};
    int64_t n = 0, each = test_scale(6000 / TEST_SLOW, 100);
    for (int k = 0; k < WORKER_COUNTS; k++) {
        rn_gomaxprocs(worker_counts[k]);
        for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
            n += run(caps[i], each, 4, 3);
    }
    report_elements(n);
}

/* ---- an ordered select never takes the low case while the high one is ready */

struct prio {
    chan(int) high, low;
    int64_t rounds;
    rn_waitgroup done;
};

/* A token is in high, or in neither channel, but never in low alone: it goes into high first. */
static void prio_feeder(void *p)
{
    struct prio *s = p;
    for (int64_t i = 0; i < s->rounds; i++) {
        chan_send(s->high, 1);
        chan_send(s->low, 2);
        if (i % 16 == 0)
            rn_yield();
    }
    rn_waitgroup_done(&s->done);
}

static void *prio_thread(void *p)
{
    prio_feeder(p);
    return NULL;
}

ITEM(2, "priority holds at one instant: with one receiver, the low case means that high was empty")
{
    for (int k = 0; k < 3; k++) {
        rn_gomaxprocs(worker_counts[k]);
        struct prio s = {.high = chan_make(int, 1), .low = chan_make(int, 1)};
        s.rounds = test_scale(20000 / TEST_SLOW, 100);
        pthread_t t;
        rn_waitgroup_add(&s.done, 1);
        CHECK(pthread_create(&t, NULL, prio_thread, &s) == 0);
        int64_t high = 0, low = 0;
        while (high + low < 2 * s.rounds) {
            int v;
            int taken = chan_select_ordered(on_recv(s.high, &v), on_recv(s.low, &v));
            CHECK_EQ(v, taken + 1);
            high += taken == 0;
            low += taken == 1;
            /* the feeder is one ahead at most, and whatever is in low came after one in high */
            CHECK(low <= high);
        }
        CHECK(high == s.rounds && low == s.rounds);
        rn_waitgroup_wait(&s.done);
        pthread_join(t, NULL);
        chan_unref(s.high);
        chan_unref(s.low);
    }
}

TEST_MAIN
