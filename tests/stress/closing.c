/*
 * closing.c - channels that are closed while everybody is at them: what was sent successfully is
 * received, what panicked is not.
 *
 * Invariants
 *  - Senders go on until their channel is closed under them; they count only sends that returned.
 *  - Receivers go on until closed and drained.
 *
 * runnel-test: timeout=600
 */
#include "account.h"

struct round {
    chan(elem) c[3];
    int chans;
    uint64_t seed;                /* of this round */
    _Atomic(uint32_t) next_party; /* numbers for the parties */
    book sent, got;
    _Atomic(int) closed; /* how many closes succeeded */
    rn_waitgroup done;
};

/* One send that may panic. */
struct attempt {
    struct round *r;
    elem e;
    uint32_t way; /* how */
};

static void attempt_send(void *p)
{
    struct attempt *a = p;
    struct round *r = a->r;
    chan(elem) first = r->c[a->way % (uint32_t)r->chans];
    chan(elem) second = r->c[(a->way + 1) % (uint32_t)r->chans];
    switch (a->way % 4) {
    case 0:
    case 1: chan_send(first, a->e); break;
    case 2: chan_select(on_send(first, a->e), on_send(second, a->e)); break;
    default:
        if (chan_try_send(first, a->e))
            break;
        chan_select(on_send(second, a->e), on_send(first, a->e));
        break;
    }
}

static void sender(void *p)
{
    struct round *r = p;
    uint32_t me = atomic_fetch_add(&r->next_party, 1);
    ledger l = {0, 0};
    struct attempt a = {.r = r, .way = me};
    rn_panic_info info;
    for (uint32_t seq = 1;; seq++) {
        a.e = make_elem(me, seq);
        a.way = me + seq;
        if (me % 3 == 0) { /* the form that does not panic */
            int e = chan_put(r->c[me % (uint32_t)r->chans], RN_NEVER, a.e);
            CHECK(e == 0 || e == -EPIPE);
            if (e != 0)
                break;
        } else if (!rn_try(attempt_send, &a, &info)) {
            CHECK(strcmp(info.text, "send on closed channel") == 0);
            break;
        }
        enter(&l, a.e);
    }
    merge(&r->sent, &l);
    rn_waitgroup_done(&r->done);
}

static void receiver(void *p)
{
    struct round *r = p;
    uint32_t newest[3][16] = {{0}};
    ledger l = {0, 0};
    chan(elem) c[3] = {r->c[0], r->c[1], r->c[2]};
    while (c[0] != NULL || c[1] != NULL || c[2] != NULL) {
        elem e = {0, 0, 0};
        bool ok = false;
        int k = chan_select(on_recv(c[0], &e, &ok), on_recv(c[1], &e, &ok), on_recv(c[2], &e, &ok));
        if (!ok) {
            CHECK_EQ(e.sender | e.seq | e.check, 0);
            c[k] = NULL;
            continue;
        }
        CHECK_ELEM(e, &newest[k][e.sender]);
        enter(&l, e);
    }
    merge(&r->got, &l);
    rn_waitgroup_done(&r->done);
}

static void closer(void *p)
{
    struct round *r = p;
    uint64_t seed = r->seed + atomic_fetch_add(&r->next_party, 1);
    for (uint64_t n = test_random(&seed) % 40; n > 0; n--)
        rn_yield();
    for (int i = 0; i < r->chans; i++)
        if (chan_try_close(r->c[i]))
            atomic_fetch_add(&r->closed, 1);
    rn_waitgroup_done(&r->done);
}

static void *closer_thread(void *p)
{
    closer(p);
    return NULL;
}

static int64_t play(int64_t rounds, bool foreign)
{
    enum { SENDERS = 4, RECEIVERS = 3, CLOSERS = 2 };
    int64_t n = 0;
    for (int64_t i = 0; i < rounds; i++) {
        static struct round r;
        memset(&r, 0, sizeof r);
        r.chans = 1 + (int)(i % 3);
        r.seed = (uint64_t)i * 1000;
        for (int k = 0; k < r.chans; k++)
            r.c[k] = chan_make(elem, (i / 3 + k) % 4);
        rn_waitgroup_add(&r.done, SENDERS + RECEIVERS + CLOSERS);
        for (int k = 0; k < SENDERS; k++)
            test_go(sender, &r);
        for (int k = 0; k < RECEIVERS; k++)
            test_go(receiver, &r);
        pthread_t t;
        test_go(closer, &r);
        if (foreign)
            CHECK(pthread_create(&t, NULL, closer_thread, &r) == 0);
        else
            test_go(closer, &r);
        rn_waitgroup_wait(&r.done);
        if (foreign)
            pthread_join(t, NULL);
        CHECK_EQ(r.closed, r.chans); /* of two closers one wins each channel */
        CHECK_BALANCE(&r.sent, &r.got);
        n += r.sent.n;
        for (int k = 0; k < r.chans; k++)
            chan_unref(r.c[k]);
    }
    return n;
}

ITEM(1, "closes race with sends, selects, puts and receives")
{
    int64_t n = 0;
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        n += play(test_scale(6000, 60), false);
    }
    report_elements(n);
}

ITEM(2, "the same with a foreign thread that closes")
{
    int64_t n = 0;
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        n += play(test_scale(1500, 30), true);
    }
    report_elements(n);
}

TEST_MAIN
