/*
 * flow.c - millions of elements through every shape of senders, receivers and channels, with every
 * element accounted for.
 *
 * Invariants
 *  - Senders send a fixed number; when all are done the channels are closed, and the receivers end
 *    when they have drained them. Nothing is timed.
 *
 * runnel-test: timeout=600
 */
#include "account.h"

enum { MOST_CHANS = 8 };

/* What flows. */
struct shape {
    int senders, receivers; /* goroutines */
    int foreign_senders;    /* threads that runnel did not start */
    int foreign_receivers;
    int chans;                     /* channels; each plain party uses one of them */
    bool select_send, select_recv; /* parties use all of them */
    bool locked; /* every second goroutine holds its thread, so that most meetings cross threads */
    int64_t cap;
    int64_t total; /* elements in all, before scaling */
};

struct flow {
    struct shape s;
    chan(elem) c[MOST_CHANS];
    uint32_t per_sender;
    _Atomic(uint32_t) next_sender; /* numbers for the senders */
    _Atomic(uint32_t) next_receiver;
    book sent, got;
    rn_waitgroup senders, receivers;
};

/* Computes for some microseconds, so that others are stolen and the flow spreads over the workers. */
static void burn(uint32_t seq)
{
    if (seq % 2048 == 0)
        for (volatile int i = 0; i < 20000; i = i + 1)
            ;
}

static void run_sender(struct flow *f)
{
    uint32_t me = atomic_fetch_add(&f->next_sender, 1);
    ledger l = {0, 0};
    rn_case cases[MOST_CHANS];
    elem e;
    for (int i = 0; i < f->s.chans; i++)
        cases[i] = (rn_case){.op = RN_OP_SEND, .c = (rn_hchan *)f->c[i], .elem = &e};
    for (uint32_t seq = 1; seq <= f->per_sender; seq++) {
        e = make_elem(me, seq);
        if (f->s.select_send && seq % 16 != 0)
            (void)rn_select(cases, f->s.chans);
        else
            chan_send(f->c[me % (uint32_t)f->s.chans], e);
        enter(&l, e);
        burn(seq);
    }
    merge(&f->sent, &l);
    rn_waitgroup_done(&f->senders);
}

static void receive_plain(struct flow *f, uint32_t me, uint32_t *newest, ledger *l)
{
    chan(elem) c = f->c[me % (uint32_t)f->s.chans];
    chan_range (e, c) {
        CHECK_ELEM(e, &newest[e.sender]);
        enter(l, e);
        burn(e.seq + 1024);
    }
}

static void receive_select(struct flow *f, uint32_t *newest, ledger *l)
{
    rn_case cases[MOST_CHANS];
    elem e = {0, 0, 0};
    bool ok = false;
    int open = f->s.chans;
    size_t senders = (size_t)(f->s.senders + f->s.foreign_senders);
    for (int i = 0; i < open; i++)
        cases[i] = (rn_case){.op = RN_OP_RECV, .c = (rn_hchan *)f->c[i], .elem = &e, .ok = &ok};
    while (open > 0) {
        int k = rn_select(cases, f->s.chans);
        if (!ok) {
            cases[k].c = NULL;
            open--;
            continue;
        }
        CHECK_ELEM(e, &newest[(size_t)k * senders + e.sender]);
        enter(l, e);
    }
}

static void run_receiver(struct flow *f)
{
    uint32_t me = atomic_fetch_add(&f->next_receiver, 1);
    ledger l = {0, 0};
    size_t senders = (size_t)(f->s.senders + f->s.foreign_senders);
    uint32_t *newest = calloc(senders * (size_t)f->s.chans, sizeof *newest);
    CHECK(newest != NULL);
    if (f->s.select_recv)
        receive_select(f, newest, &l);
    else
        receive_plain(f, me, newest, &l);
    free(newest);
    merge(&f->got, &l);
    rn_waitgroup_done(&f->receivers);
}

static void go_sender(void *f)
{
    run_sender(f);
}

static void go_receiver(void *f)
{
    run_receiver(f);
}

static void locked_sender(void *f)
{
    rn_lock_os_thread();
    run_sender(f);
    rn_unlock_os_thread();
}

static void locked_receiver(void *f)
{
    rn_lock_os_thread();
    run_receiver(f); /* and ends while it is locked */
}

static void *thread_sender(void *f)
{
    run_sender(f);
    return NULL;
}

static void *thread_receiver(void *f)
{
    run_receiver(f);
    return NULL;
}

static int64_t flow(struct shape s)
{
    static struct flow f;
    pthread_t thread[16];
    int threads = 0, senders = s.senders + s.foreign_senders;
    memset(&f, 0, sizeof f);
    f.s = s;
    f.per_sender = (uint32_t)test_scale(s.total / senders, 20);
    for (int i = 0; i < s.chans; i++)
        f.c[i] = chan_make(elem, s.cap);
    rn_waitgroup_add(&f.senders, senders);
    rn_waitgroup_add(&f.receivers, s.receivers + s.foreign_receivers);
    for (int i = 0; i < s.receivers; i++)
        test_go(s.locked && i % 2 == 0 ? locked_receiver : go_receiver, &f);
    for (int i = 0; i < s.senders; i++)
        test_go(s.locked && i % 2 == 0 ? locked_sender : go_sender, &f);
    for (int i = 0; i < s.foreign_receivers; i++)
        CHECK(pthread_create(&thread[threads++], NULL, thread_receiver, &f) == 0);
    for (int i = 0; i < s.foreign_senders; i++)
        CHECK(pthread_create(&thread[threads++], NULL, thread_sender, &f) == 0);
    rn_waitgroup_wait(&f.senders);
    for (int i = 0; i < s.chans; i++)
        chan_close(f.c[i]);
    rn_waitgroup_wait(&f.receivers);
    while (threads > 0)
        pthread_join(thread[--threads], NULL);
    CHECK_EQ(f.sent.n, (int64_t)f.per_sender * senders);
    CHECK_BALANCE(&f.sent, &f.got);
    for (int i = 0; i < s.chans; i++)
        chan_unref(f.c[i]);
    return f.sent.n;
}

static const int64_t all_caps[] = {0, 1, 7, 64, 1024};
enum { ALL_CAPS = 5 };

/* Every capacity with every number of workers. */
static void flow_all(struct shape s)
{
    int64_t n = 0;
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        for (int k = 0; k < ALL_CAPS; k++) {
            s.cap = all_caps[k];
            n += flow(s);
        }
    }
    report_elements(n);
}

#define TOTAL 400000 /* per capacity and number of workers; 8,000,000 per shape of goroutines */

ITEM(1, "one to one")
{
    flow_all((struct shape){.senders = 1, .receivers = 1, .chans = 1, .total = TOTAL});
}

ITEM(2, "many to one")
{
    flow_all((struct shape){.senders = 16, .receivers = 1, .chans = 1, .total = TOTAL});
}

ITEM(3, "one to many")
{
    flow_all((struct shape){.senders = 1, .receivers = 16, .chans = 1, .total = TOTAL});
}

ITEM(4, "many to many")
{
    flow_all((struct shape){.senders = 12, .receivers = 9, .chans = 1, .total = TOTAL});
}

ITEM(5, "many to many over several channels, plain")
{
    flow_all((struct shape){.senders = 12, .receivers = 8, .chans = 4, .total = TOTAL});
}

ITEM(6, "senders that select")
{
    flow_all((struct shape){
        .senders = 6, .receivers = 6, .chans = 3, .select_send = true, .total = TOTAL});
}

ITEM(7, "receivers that select")
{
    flow_all((struct shape){
        .senders = 8, .receivers = 5, .chans = 4, .select_recv = true, .total = TOTAL});
}

ITEM(8, "selects on both sides")
{
    flow_all((struct shape){.senders = 6,
                            .receivers = 6,
                            .chans = 4,
                            .select_send = true,
                            .select_recv = true,
                            .total = TOTAL});
}

ITEM(9, "selects on both sides, one to one over eight channels")
{
    flow_all((struct shape){.senders = 1,
                            .receivers = 1,
                            .chans = 8,
                            .select_send = true,
                            .select_recv = true,
                            .total = TOTAL});
}

ITEM(10, "foreign threads and goroutines mixed on both sides")
{
    flow_all((struct shape){.senders = 3,
                            .receivers = 3,
                            .foreign_senders = 2,
                            .foreign_receivers = 2,
                            .chans = 1,
                            .total = TOTAL / 10});
}

ITEM(11, "foreign threads and goroutines mixed, all of them selecting")
{
    flow_all((struct shape){.senders = 2,
                            .receivers = 2,
                            .foreign_senders = 2,
                            .foreign_receivers = 2,
                            .chans = 3,
                            .select_send = true,
                            .select_recv = true,
                            .total = TOTAL / 10});
}

ITEM(12, "foreign threads among themselves")
{
    flow_all((struct shape){.foreign_senders = 3,
                            .foreign_receivers = 3,
                            .chans = 2,
                            .select_recv = true,
                            .total = TOTAL / 20});
}

ITEM(13, "goroutines that hold their thread, one to one")
{
    flow_all((struct shape){
        .senders = 1, .receivers = 1, .chans = 1, .locked = true, .total = TOTAL / 10});
}

ITEM(14, "goroutines that hold their thread among others, selecting")
{
    flow_all((struct shape){.senders = 4,
                            .receivers = 4,
                            .chans = 3,
                            .select_send = true,
                            .select_recv = true,
                            .locked = true,
                            .total = TOTAL / 10});
}

TEST_MAIN
