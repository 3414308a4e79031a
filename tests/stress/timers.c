/*
 * timers.c - timers set, stopped and reset from many goroutines and threads, with exact accounting:
 * every setting either comes, once, or is reported as kept from coming.
 *
 * Invariants
 *  - A setting of a one-shot timer ends in exactly one of: a value that is received, a function that
 *    runs, a stop or reset that says true.
 *
 * runnel-test: timeout=600
 */
#include "account.h"

enum { TIMERS = 24, PARTIES = 6 };

struct shared {
    rn_timer t[TIMERS];
    int rounds;
    _Atomic(uint32_t) next_party;
    _Atomic(int64_t) set, kept, came;
    rn_waitgroup done;
};

static int64_t soon(uint64_t *seed)
{
    static const int64_t most[] = {0, 1, 10, 100, 1000};
    return (int64_t)(test_random(seed) % 1000) * most[test_random(seed) % 5];
}

static void came(void *p)
{
    atomic_fetch_add(&((struct shared *)p)->came, 1);
}

/* Everybody is at all timers. Resets set again, stops do not. */
static void juggle(struct shared *s)
{
    uint64_t seed = atomic_fetch_add(&s->next_party, 1) + 1;
    int64_t set = 0, kept = 0;
    for (int i = 0; i < s->rounds; i++) {
        rn_timer *t = &s->t[test_random(&seed) % TIMERS];
        if (test_random(&seed) % 3 != 0) {
            kept += rn_timer_reset(t, soon(&seed));
            set++;
        } else {
            kept += rn_timer_stop(t);
        }
        if (i % 16 == 0)
            rn_yield();
    }
    atomic_fetch_add(&s->set, set);
    atomic_fetch_add(&s->kept, kept);
    rn_waitgroup_done(&s->done);
}

static void go_juggle(void *s)
{
    juggle(s);
}

static void *thread_juggle(void *s)
{
    juggle(s);
    return NULL;
}

static void functions(int workers)
{
    static struct shared s;
    memset(&s, 0, sizeof s);
    s.rounds = (int)test_scale(20000 / TEST_SLOW, 200);
    rn_gomaxprocs(workers);
    for (int i = 0; i < TIMERS; i++) {
        rn_after_func(&s.t[i], 0, came, &s);
        atomic_fetch_add(&s.set, 1);
    }
    rn_waitgroup_add(&s.done, PARTIES + 2);
    pthread_t th[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&th[i], NULL, thread_juggle, &s) == 0);
    for (int i = 0; i < PARTIES; i++)
        test_go(go_juggle, &s);
    rn_waitgroup_wait(&s.done);
    for (int i = 0; i < 2; i++)
        pthread_join(th[i], NULL);
    for (int i = 0; i < TIMERS; i++)
        atomic_fetch_add(&s.kept, rn_timer_stop(&s.t[i]));
    /* what was not kept has begun, or is about to */
    WAIT_UNTIL(atomic_load(&s.came) + atomic_load(&s.kept) >= atomic_load(&s.set));
    WAIT_GONE(1);
    CHECK_EQ(atomic_load(&s.came) + atomic_load(&s.kept), atomic_load(&s.set));
}

ITEM(1, "functions under 1 worker")
{
    functions(1);
}
ITEM(1, "functions under 2 workers")
{
    functions(2);
}
ITEM(1, "functions under 4 workers")
{
    functions(4);
}

/* ---- channels: some receive, some stop and reset */

struct channels {
    rn_timer t[TIMERS];
    int rounds;
    bool over;
    _Atomic(uint32_t) next_party;
    _Atomic(int64_t) set, kept, received;
    chan(rn_unit) quit;
    rn_waitgroup setters, receivers;
};

static void set_some(struct channels *s)
{
    uint64_t seed = atomic_fetch_add(&s->next_party, 1) + 1;
    int64_t set = 0, kept = 0, received = 0;
    for (int i = 0; i < s->rounds; i++) {
        rn_timer *t = &s->t[test_random(&seed) % TIMERS];
        switch (test_random(&seed) % 4) {
        case 0: kept += rn_timer_stop(t); break;
        case 1: received += chan_try_recv(rn_timer_chan(t), NULL, NULL); break;
        default: kept += rn_timer_reset(t, soon(&seed)); set++;
        }
        if (i % 16 == 0)
            rn_yield();
    }
    atomic_fetch_add(&s->set, set);
    atomic_fetch_add(&s->kept, kept);
    atomic_fetch_add(&s->received, received);
    rn_waitgroup_done(&s->setters);
}

static void receive_some(struct channels *s)
{
    uint64_t seed = atomic_fetch_add(&s->next_party, 1) + 1;
    int64_t received = 0;
    for (;;) {
        rn_timer *t = &s->t[test_random(&seed) % TIMERS];
        rn_timer *u = &s->t[test_random(&seed) % TIMERS];
        int64_t due = 0;
        int k = chan_select(on_recv(rn_timer_chan(t), &due), on_recv(rn_timer_chan(u), &due),
                            on_after(soon(&seed)), on_recv(s->quit, NULL));
        if (k == 3)
            break;
        if (k == 2)
            continue;
        received++;
        CHECK(due <= rn_now());
    }
    atomic_fetch_add(&s->received, received);
    rn_waitgroup_done(&s->receivers);
}

static void go_set(void *s)
{
    set_some(s);
}

static void go_receive(void *s)
{
    receive_some(s);
}

static void *thread_receive(void *s)
{
    receive_some(s);
    return NULL;
}

static void channels(int workers)
{
    static struct channels s;
    memset(&s, 0, sizeof s);
    s.rounds = (int)test_scale(10000 / TEST_SLOW, 200);
    s.quit = chan_make(rn_unit, 0);
    rn_gomaxprocs(workers);
    for (int i = 0; i < TIMERS; i++) {
        rn_timer_start(&s.t[i], RN_US);
        atomic_fetch_add(&s.set, 1);
    }
    rn_waitgroup_add(&s.setters, PARTIES);
    rn_waitgroup_add(&s.receivers, PARTIES + 1);
    pthread_t th;
    CHECK(pthread_create(&th, NULL, thread_receive, &s) == 0);
    for (int i = 0; i < PARTIES; i++) {
        test_go(go_set, &s);
        test_go(go_receive, &s);
    }
    rn_waitgroup_wait(&s.setters);
    chan_close(s.quit);
    rn_waitgroup_wait(&s.receivers);
    pthread_join(th, NULL);
    for (int i = 0; i < TIMERS; i++) {
        atomic_fetch_add(&s.kept, rn_timer_stop(&s.t[i]));
        CHECK(!chan_try_recv(rn_timer_chan(&s.t[i]), NULL, NULL));
    }
    CHECK_EQ(atomic_load(&s.received) + atomic_load(&s.kept), atomic_load(&s.set));
    WAIT_GONE(1);
    chan_unref(s.quit);
}

ITEM(2, "channels under 1 worker")
{
    channels(1);
}
ITEM(2, "channels under 2 workers")
{
    channels(2);
}
ITEM(2, "channels under 4 workers")
{
    channels(4);
}

/* ---- memory that goes as early as the rules allow */

static void use_and_free(void *p)
{
    uint64_t seed = (uint64_t)(uintptr_t)p;
    int n = (int)test_scale(4000 / TEST_SLOW, 100);
    for (int i = 0; i < n; i++) {
        rn_timer *t = calloc(1, sizeof *t);
        CHECK(t != NULL);
        rn_timer_start(t, soon(&seed));
        recv_chan(int64_t) c = rn_timer_chan(t);
        if (i % 2 == 0)
            (void)chan_select(on_recv(c, NULL), on_after(soon(&seed)));
        rn_timer_stop(t);
        memset(t, 0x5a, sizeof *t);
        free(t);
        recv_chan(int64_t) a = rn_after(soon(&seed) / 8);
        if (i % 3 == 0)
            CHECK(chan_recv(a, NULL));
        chan_unref(a);
        recv_chan(int64_t) k = rn_tick(soon(&seed) / 8 + 1);
        if (i % 3 == 0)
            CHECK(chan_recv(k, NULL));
        chan_unref(k);
    }
}

static void *use_in_thread(void *p)
{
    use_and_free(p);
    return NULL;
}

ITEM(3, "timers that are freed after their stop, channels after their value")
{
    for (int workers = 1; workers <= 4; workers *= 2) {
        rn_gomaxprocs(workers);
        pthread_t th;
        CHECK(pthread_create(&th, NULL, use_in_thread, (void *)77) == 0);
        for (intptr_t i = 1; i <= 6; i++)
            test_go(use_and_free, (void *)i);
        WAIT_GONE(1);
        pthread_join(th, NULL);
    }
}

static void ticked(chan(rn_unit) quit, rn_ticker *t, _Atomic(int64_t) *n)
{
    for (;;) {
        if (chan_select(on_recv(quit, NULL), on_recv(rn_ticker_chan(t), NULL)) == 0)
            return;
        atomic_fetch_add(n, 1);
    }
}

struct ticking {
    chan(rn_unit) quit;
    rn_ticker t;
    _Atomic(int64_t) n;
};

static void go_ticked(void *p)
{
    struct ticking *k = p;
    ticked(k->quit, &k->t, &k->n);
}

ITEM(4, "tickers that are reset and stopped under their receivers' feet")
{
    enum { N = 5 };
    static struct ticking k[N];
    rn_gomaxprocs(4);
    chan(rn_unit) quit = chan_make(rn_unit, 0);
    for (int i = 0; i < N; i++) {
        k[i].quit = quit;
        rn_ticker_start(&k[i].t, 20 * RN_US);
        test_go(go_ticked, &k[i]);
        test_go(go_ticked, &k[i]);
    }
    uint64_t seed = 5;
    for (int i = 0; i < (int)test_scale(3000 / TEST_SLOW, 50); i++) {
        struct ticking *x = &k[test_random(&seed) % N];
        if (i % 7 == 0)
            rn_ticker_stop(&x->t);
        else
            rn_ticker_reset(&x->t, (int64_t)(test_random(&seed) % 50 + 1) * RN_US);
        if (i % 64 == 0)
            rn_sleep(100 * RN_US);
    }
    for (int i = 0; i < N; i++) {
        rn_ticker_reset(&k[i].t, 10 * RN_US);
        int64_t before = atomic_load(&k[i].n);
        WAIT_UNTIL(atomic_load(&k[i].n) > before); /* it is alive */
        rn_ticker_stop(&k[i].t);
    }
    chan_close(quit);
    WAIT_GONE(1);
    chan_unref(quit);
}

TEST_MAIN
