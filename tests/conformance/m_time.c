/*
 * m_time.c - items 165 to 178: sleep, timers, tickers.
 *
 * Invariants
 *  - What is said about order and about exact times is shown on the virtual clock (seed=N), which
 *    moves only when nobody can run; what races is shown on the real one, by counting.
 */
#include "../test.h"

#include "../../src/sched/worker.h"

/* Before the first use of the runtime: one worker, virtual time. */
static void virtual_time(void)
{
    setenv("RUNNEL_DEBUG", "seed=1", 1);
    rn_goid();
}

static int64_t take(recv_chan(int64_t) c)
{
    int64_t v = -1;
    CHECK(chan_recv(c, &v));
    return v;
}

#define CHECK_EMPTY(c) CHECK(!chan_try_recv(c, NULL, NULL))

/* ---- 165 */

ITEM(165, "sleep <= 0 returns at once; sleeps and timers are never early")
{
    rn_sleep(0);
    rn_sleep(-1);
    rn_sleep(INT64_MIN);
    for (int i = 0; i < 200; i++) {
        int64_t ns = i * 7 * RN_US, begun = rn_now();
        rn_sleep(ns);
        CHECK(rn_now() - begun >= ns);
        begun = rn_now();
        recv_chan(int64_t) c = rn_after(ns);
        int64_t due = take(c);
        CHECK(rn_now() >= due && due - begun >= ns);
        chan_unref(c);
    }
}

static void *sleep_in_thread(void *p)
{
    int64_t begun = rn_now();
    rn_sleep(3 * RN_MS);
    CHECK(rn_now() - begun >= 3 * RN_MS);
    rn_timer t = {0};
    rn_timer_start(&t, 2 * RN_MS);
    int64_t due = take(rn_timer_chan(&t));
    CHECK(rn_now() >= due && due - begun >= 5 * RN_MS);
    return p;
}

ITEM(165, "the same in threads that runnel did not start")
{
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&t[i], NULL, sleep_in_thread, NULL) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

/* ---- 166 */

static rn_mutex fired_lock; /* guards both: the end of a function orders nothing */
static int64_t fired_at[64];
static int fired;

static void note(void *arg)
{
    rn_mutex_lock(&fired_lock);
    fired_at[fired++] = (int64_t)(intptr_t)arg;
    rn_mutex_unlock(&fired_lock);
}

static int count_fired(void)
{
    rn_mutex_lock(&fired_lock);
    int n = fired;
    rn_mutex_unlock(&fired_lock);
    return n;
}

ITEM(166, "timers fire in the order of their deadlines, equal ones all")
{
    virtual_time();
    static rn_timer t[60];
    for (int i = 0; i < 60; i++) {
        int64_t ms = i * 37 % 60 / 2; /* 0 0 1 1 ... 29 29, in no order */
        rn_after_func(&t[i], ms * RN_MS + 1, note, (void *)(intptr_t)ms);
    }
    rn_sleep(RN_SEC);
    CHECK_EQ(count_fired(), 60);
    for (int i = 0; i < 60; i++)
        CHECK_EQ(fired_at[i], i / 2);
}

/* ---- 167 */

ITEM(167, "a timer's channel looks unbuffered and gets one value, stamped with when it was due")
{
    virtual_time();
    rn_timer t = {0};
    int64_t begun = rn_now();
    rn_timer_start(&t, 10 * RN_MS);
    recv_chan(int64_t) c = rn_timer_chan(&t);
    CHECK(c != NULL && c == rn_timer_chan(&t));
    CHECK_EQ(chan_cap(c), 0);
    CHECK_EQ(chan_len(c), 0);
    CHECK_EMPTY(c);
    rn_sleep(50 * RN_MS); /* it fires, nobody receives */
    CHECK_EQ(chan_len(c), 0);
    CHECK_EQ(take(c) - begun, 10 * RN_MS);
    CHECK_EMPTY(c);
    rn_sleep(RN_SEC);
    CHECK_EMPTY(c);
    CHECK_EQ(rn_num_goroutine(), 1);
}

ITEM(167, "the channel may be asked for when it is due already")
{
    virtual_time();
    rn_timer t = {0};
    int64_t begun = rn_now();
    rn_timer_start(&t, 10 * RN_MS);
    rn_sleep(15 * RN_MS);
    CHECK_EQ(take(rn_timer_chan(&t)) - begun, 10 * RN_MS);
    rn_timer_start(&t, -5);
    CHECK_EQ(take(rn_timer_chan(&t)) - begun, 15 * RN_MS);
    recv_chan(int64_t) c = rn_after(0);
    CHECK_EQ(take(c) - begun, 15 * RN_MS);
    chan_unref(c);
}

ITEM(167, "timers as cases of selects")
{
    virtual_time();
    rn_timer a = {0}, b = {0};
    rn_ticker k = {0};
    int64_t begun = rn_now(), v = 0;
    rn_timer_start(&a, 30 * RN_MS);
    rn_timer_start(&b, 20 * RN_MS);
    rn_ticker_start(&k, 8 * RN_MS);
    static const int want[] = {2, 2, 1, 2, 0, 2};
    static const int64_t at[] = {8, 16, 20, 24, 30, 32};
    for (int i = 0; i < 6; i++) {
        int got = chan_select(on_recv(rn_timer_chan(&a), &v), on_recv(rn_timer_chan(&b), &v),
                              on_recv(rn_ticker_chan(&k), &v), on_after(RN_SEC));
        CHECK_EQ(got, want[i]);
        CHECK_EQ(v - begun, at[i] * RN_MS);
        CHECK_EQ(rn_now(), v);
    }
    rn_ticker_stop(&k);
}

/* ---- 168, 169 */

ITEM(168, "after stop or reset nothing of the old setting comes, pending or not")
{
    virtual_time();
    rn_timer t = {0};
    rn_timer_start(&t, 10 * RN_MS);
    recv_chan(int64_t) c = rn_timer_chan(&t);
    rn_sleep(20 * RN_MS); /* pending */
    int64_t begun = rn_now();
    CHECK(rn_timer_reset(&t, 10 * RN_MS));
    CHECK_EMPTY(c);
    CHECK_EQ(take(c) - begun, 10 * RN_MS);
    rn_timer_reset(&t, 10 * RN_MS);
    rn_sleep(20 * RN_MS);
    CHECK(rn_timer_stop(&t));
    CHECK_EMPTY(c);
    rn_sleep(RN_SEC);
    CHECK_EMPTY(c);
    rn_ticker k = {0};
    rn_ticker_start(&k, RN_MS);
    recv_chan(int64_t) d = rn_ticker_chan(&k);
    rn_sleep(5 * RN_MS);
    begun = rn_now();
    rn_ticker_reset(&k, 3 * RN_MS);
    CHECK_EMPTY(d);
    CHECK_EQ(take(d) - begun, 3 * RN_MS);
    rn_sleep(30 * RN_MS);
    rn_ticker_stop(&k);
    CHECK_EMPTY(d);
    rn_sleep(RN_SEC);
    CHECK_EMPTY(d);
}

ITEM(168, "the same while the timer fires on another thread")
{
    rn_gomaxprocs(4);
    rn_timer t = {0};
    rn_timer_start(&t, 0);
    recv_chan(int64_t) c = rn_timer_chan(&t);
    int n = (int)test_scale(3000, 200), received = 0, cancelled = 0;
    CHECK(rn_timer_stop(&t));
    for (int i = 0; i < n; i++) {
        rn_timer_reset(&t, i % 50 * RN_US / 2);
        for (int64_t until = rn_now() + i % 47 * RN_US / 2; rn_now() < until;)
            rn_yield();
        bool got = i % 3 == 0 && chan_try_recv(c, NULL, NULL);
        bool was = rn_timer_stop(&t);
        CHECK(was != got); /* exactly one of the two */
        received += got;
        cancelled += was;
        CHECK_EMPTY(c);
    }
    CHECK_EQ(received + cancelled, n);
}

ITEM(169, "stop and reset tell whether there was something to stop")
{
    virtual_time();
    rn_timer t = {0};
    for (int asked = 0; asked < 2; asked++) { /* without and with the channel in use */
        rn_timer_start(&t, RN_MS);
        CHECK(rn_timer_stop(&t));             /* running */
        CHECK(!rn_timer_stop(&t));            /* stopped */
        CHECK(!rn_timer_reset(&t, RN_MS));    /* stopped */
        CHECK(rn_timer_reset(&t, 2 * RN_MS)); /* running */
        rn_sleep(RN_SEC);
        CHECK(rn_timer_reset(&t, RN_MS)); /* fired, not received */
        rn_sleep(RN_SEC);
        CHECK(rn_timer_stop(&t)); /* fired, not received */
        CHECK(!rn_timer_reset(&t, RN_MS));
        take(rn_timer_chan(&t));
        CHECK(!rn_timer_stop(&t)); /* received */
        CHECK(!rn_timer_reset(&t, RN_MS));
        take(rn_timer_chan(&t));
        CHECK(!rn_timer_reset(&t, RN_MS)); /* received */
        rn_timer_start(&t, RN_MS);         /* in use: as a reset */
        CHECK(rn_timer_stop(&t));
    }
}

/* ---- 170, 171 */

CHILD(timer_nobody_asked_for)
{
    rn_timer t = {0};
    chan(int) c = chan_make(int, 0);
    rn_timer_start(&t, RN_HOUR);
    (void)chan_recv(c, NULL);
}

ITEM(170, "a timer whose channel nobody has asked for is in no heap: it does not even delay the "
          "deadlock report")
{
    test_child *r = test_run_child("timer_nobody_asked_for", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "all goroutines are asleep - deadlock!");
    rn_timer t = {0};
    rn_goid();
    rn_timer_start(&t, RN_HOUR);
    CHECK(!rn__timers_pending());
    (void)rn_timer_chan(&t);
    CHECK(rn__timers_pending());
    CHECK(rn_timer_stop(&t));
    CHECK(!rn__timers_pending());
}

ITEM(171, "what is let go of leaves nothing behind")
{
    rn_goid();
    for (int i = 0; i < 1000; i++) {
        recv_chan(int64_t) a = rn_after(RN_HOUR);
        recv_chan(int64_t) b = rn_tick(RN_HOUR);
        recv_chan(int64_t) c = chan_ref(a);
        CHECK(rn__timers_pending());
        chan_unref(a);
        chan_unref(b);
        CHECK(rn__timers_pending());
        chan_unref(c);
        CHECK(!rn__timers_pending());
        rn_timer t = {0};
        rn_timer_start(&t, RN_HOUR);
        CHECK(chan_name(rn_timer_chan(&t), "short-lived") == 0);
        CHECK(chan_fd(rn_timer_chan(&t)) < 20); /* closed each time */
        rn_timer_stop(&t);
        CHECK(!rn__timers_pending());
    }
}

static void unref_of_a_part(void *arg)
{
    rn_timer *t = arg;
    chan_unref(rn_timer_chan(t));
}

ITEM(171, "the channel of a timer cannot be freed by itself")
{
    rn_timer t = {0};
    rn_timer_start(&t, RN_HOUR);
    CHECK_PANIC(unref_of_a_part, &t, "channel freed more often than it was owned");
    CHECK(rn_timer_stop(&t));
}

/* ---- 172, 173 */

static rn_timer func_timer;
static chan(int) func_runs;
static chan(int) func_may_go;

static void run_and_wait(void *arg)
{
    chan_send(func_runs, (int)(intptr_t)arg);
    (void)chan_recv(func_may_go, NULL); /* a function may block: it has a goroutine */
}

ITEM(172,
     "a function runs in its own goroutine; stop is false once it has begun, and does not wait")
{
    func_runs = chan_make(int, 0);
    func_may_go = chan_make(int, 0);
    rn_after_func(&func_timer, RN_MS, run_and_wait, (void *)7);
    CHECK(rn_timer_chan(&func_timer) == NULL);
    int v = 0;
    CHECK(chan_recv(func_runs, &v));
    CHECK_EQ(v, 7);
    CHECK_EQ(rn_num_goroutine(), 2);
    CHECK(!rn_timer_stop(&func_timer));
    CHECK(!rn_timer_reset(&func_timer, 0)); /* again, while the first one runs */
    CHECK(chan_recv(func_runs, &v));
    CHECK_EQ(rn_num_goroutine(), 3);
    chan_send(func_may_go, 0);
    chan_send(func_may_go, 0);
    WAIT_UNTIL(rn_num_goroutine() == 1);
    chan_unref(func_runs);
    chan_unref(func_may_go);
}

ITEM(173, "reset runs the function again, and tells whether it was active")
{
    virtual_time();
    rn_timer t = {0};
    rn_after_func(&t, RN_MS, note, (void *)1);
    CHECK(rn_timer_reset(&t, 5 * RN_MS));
    rn_sleep(3 * RN_MS);
    CHECK_EQ(count_fired(), 0);
    rn_sleep(10 * RN_MS);
    CHECK_EQ(count_fired(), 1);
    CHECK(!rn_timer_reset(&t, RN_MS));
    CHECK(rn_timer_stop(&t));
    CHECK(!rn_timer_stop(&t));
    rn_sleep(10 * RN_MS);
    CHECK_EQ(count_fired(), 1);
    rn_timer_start(&t, RN_MS); /* a channel from now on */
    rn_sleep(10 * RN_MS);
    CHECK_EQ(count_fired(), 1);
    (void)take(rn_timer_chan(&t));
    rn_after_func(&t, RN_MS, note, (void *)2); /* and a function again */
    rn_sleep(10 * RN_MS);
    CHECK_EQ(count_fired(), 2);
    CHECK_EQ(fired_at[1], 2);
}

/* ---- 174, 176 */

static void start_ticker(void *p)
{
    rn_ticker t = {0};
    rn_ticker_start(&t, *(int64_t *)p);
}

static void reset_ticker(void *p)
{
    rn_ticker t = {0};
    rn_ticker_start(&t, RN_HOUR);
    rn_ticker_reset(&t, *(int64_t *)p);
}

static void reset_zero_ticker(void *p)
{
    rn_ticker t = {0};
    rn_ticker_reset(&t, *(int64_t *)p);
}

ITEM(174, "a ticker keeps its beat, drops what a slow reader misses, and panics without a period")
{
    virtual_time();
    rn_ticker t = {0};
    int64_t begun = rn_now();
    rn_ticker_start(&t, 10 * RN_MS);
    recv_chan(int64_t) c = rn_ticker_chan(&t);
    CHECK_EQ(chan_cap(c), 0);
    for (int i = 1; i <= 5; i++)
        CHECK_EQ(take(c) - begun, i * 10 * RN_MS);
    rn_sleep(35 * RN_MS); /* until 85: of 60, 70, 80 one waits */
    CHECK_EQ(chan_len(c), 0);
    CHECK_EQ(take(c) - begun, 60 * RN_MS);
    CHECK_EMPTY(c);
    CHECK_EQ(take(c) - begun, 90 * RN_MS);
    rn_sleep(3 * RN_MS);
    rn_ticker_reset(&t, 4 * RN_MS);
    CHECK_EQ(take(c) - begun, 97 * RN_MS);
    rn_ticker_stop(&t);
    rn_ticker_stop(&t);
    CHECK(chan_take(c, rn_now() + RN_SEC, NULL) == -ETIMEDOUT); /* stopped, not closed */
    rn_ticker_reset(&t, RN_MS);
    (void)take(c);
    rn_ticker_stop(&t);

    int64_t zero = 0, less = -1, one = 1;
    CHECK_PANIC(start_ticker, &zero, "non-positive interval for NewTicker");
    CHECK_PANIC(start_ticker, &less, "non-positive interval for NewTicker");
    CHECK_PANIC(reset_ticker, &zero, "non-positive interval for Ticker.Reset");
    CHECK_PANIC(reset_zero_ticker, &one, "time: Reset called on uninitialized Ticker");
    rn_ticker never = {0};
    rn_ticker_stop(&never); /* no panic, as in Go */
    CHECK(rn_ticker_chan(&never) == NULL);
}

ITEM(174, "a ticker that nobody has looked at for a while is on the beat")
{
    virtual_time();
    rn_ticker t = {0};
    int64_t begun = rn_now();
    rn_ticker_start(&t, 10 * RN_MS);
    rn_sleep(47 * RN_MS);
    recv_chan(int64_t) c = rn_ticker_chan(&t);
    CHECK_EQ(take(c) - begun, 10 * RN_MS);
    CHECK_EQ(take(c) - begun, 50 * RN_MS);
    rn_ticker_stop(&t);
}

ITEM(176, "tick: a channel that ticks; nil without a period")
{
    virtual_time();
    CHECK(rn_tick(0) == NULL && rn_tick(-1) == NULL);
    int64_t begun = rn_now();
    recv_chan(int64_t) c = rn_tick(2 * RN_MS);
    for (int i = 1; i <= 3; i++)
        CHECK_EQ(take(c) - begun, i * 2 * RN_MS);
    chan_unref(c);
}

CHILD(panics_in_a_function)
{
    static int64_t zero;
    rn_timer t = {0};
    rn_after_func(&t, RN_MS, start_ticker, &zero);
    rn_sleep(RN_MIN);
}

ITEM(172, "a panic in it names the place of rn_after_func")
{
    test_child *r = test_run_child("panics_in_a_function", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "created by");
    CHECK_HAS(r->err, "m_time.c:");
}

/* ---- 175 */

static void stop_zero(void *arg)
{
    (void)rn_timer_stop((rn_timer *)arg);
}

static void reset_zero(void *arg)
{
    (void)rn_timer_reset((rn_timer *)arg, 1);
}

ITEM(175, "stop and reset of a timer that was never started panic")
{
    rn_timer t = {0};
    CHECK_PANIC(stop_zero, &t, "time: Stop called on uninitialized Timer");
    CHECK_PANIC(reset_zero, &t, "time: Reset called on uninitialized Timer");
    CHECK(rn_timer_chan(&t) == NULL);
    rn_timer_start(&t, 0); /* and it can be started afterwards */
    (void)take(rn_timer_chan(&t));
}

/* ---- 177 */

/* A deadline that has passed before the wait began is -EAGAIN: slow machines get there. */
static bool nothing_in_time(int err)
{
    return err == -ETIMEDOUT || err == -EAGAIN;
}

ITEM(177, "very long durations wait for ever")
{
    rn_timer t = {0};
    rn_timer_start(&t, INT64_MAX);
    recv_chan(int64_t) c = rn_timer_chan(&t);
    CHECK(nothing_in_time(chan_take(c, rn_now() + RN_MS, NULL)));
    CHECK(rn_timer_reset(&t, INT64_MAX - 1));
    CHECK(rn_timer_reset(&t, 1));
    (void)take(c);
    CHECK(!rn_timer_reset(&t, INT64_MAX));
    CHECK(rn_timer_stop(&t));
    rn_ticker k = {0};
    rn_ticker_start(&k, INT64_MAX);
    CHECK(nothing_in_time(chan_take(rn_ticker_chan(&k), rn_now() + RN_MS, NULL)));
    rn_ticker_stop(&k);
    recv_chan(int64_t) a = rn_after(INT64_MAX);
    CHECK_EMPTY(a);
    chan_unref(a);
}

/* ---- 178 */

static _Atomic(bool) enough;

static void play(void *p)
{
    chan(int) *c = p;
    while (!atomic_load(&enough)) {
        int v = 0;
        if (!chan_recv(c[0], &v) || !chan_try_send(c[1], v))
            break;
    }
    (void)chan_try_close(c[1]);
}

ITEM(178, "timers fire while all workers play ping-pong")
{
    enum { PAIRS = 4 };
    static chan(int) c[PAIRS][2], r[PAIRS][2];
    rn_gomaxprocs(2);
    for (int i = 0; i < PAIRS; i++) {
        c[i][0] = r[i][1] = chan_make(int, 1);
        c[i][1] = r[i][0] = chan_make(int, 1);
        chan_send(c[i][0], i);
        test_go(play, c[i]);
        test_go(play, r[i]);
    }
    rn_ticker t = {0};
    rn_timer f = {0};
    rn_ticker_start(&t, RN_MS);
    for (int i = 0; i < 20; i++)
        (void)take(rn_ticker_chan(&t));
    rn_after_func(&f, RN_MS, note, NULL);
    recv_chan(int64_t) a = rn_after(5 * RN_MS);
    (void)take(a);
    chan_unref(a);
    atomic_store(&enough, true);
    rn_ticker_stop(&t);
    WAIT_GONE(1);
    CHECK(!rn_timer_stop(&f));
    for (int i = 0; i < PAIRS; i++) {
        chan_unref(c[i][0]);
        chan_unref(c[i][1]);
    }
}

TEST_MAIN
