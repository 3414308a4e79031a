/*
 * o_bubbles_time.c - items 185, 189 and 191 for timers, tickers and functions that run later.
 *
 * Invariants: as in o_bubbles.c.
 */
#include "../test.h"
#include <runnel/time.h>

static void run_all_ways(void (*body)(void *), void *arg)
{
    static const int workers[] = {1, 2, 4};
    for (int w = 0; w < 3; w++) {
        rn_gomaxprocs(workers[w]);
        for (uint64_t seed = 0; seed < 4; seed++)
            CHECK_EQ(rn_test_run(body, arg, &(rn_test_opts){.seed = seed}), 0);
    }
}

static rn_timer static_timer; /* used by one bubble after the other */
static rn_ticker static_ticker;

static void timers_body(void *p)
{
    (void)p;
    int64_t t = rn_now(), v = 0;
    rn_timer_start(&static_timer, RN_HOUR);
    CHECK(chan_recv(rn_timer_chan(&static_timer), &v));
    CHECK_EQ(v, t + RN_HOUR);
    CHECK_EQ(rn_now(), t + RN_HOUR);
    CHECK(!rn_timer_reset(&static_timer, RN_HOUR));
    CHECK(rn_timer_reset(&static_timer, RN_SEC)); /* armed: brought forward */
    CHECK(rn_timer_reset(&static_timer, RN_MIN)); /* and put off: time does not stop on its way */
    CHECK_EQ(chan_select(on_recv(rn_timer_chan(&static_timer), &v), on_after(24 * RN_HOUR)), 0);
    CHECK_EQ(rn_now(), t + RN_HOUR + RN_MIN);
    rn_timer_start(&static_timer, RN_HOUR);
    rn_timer_chan(&static_timer);
    CHECK(rn_timer_stop(&static_timer));
    rn_sleep(2 * RN_HOUR);
    CHECK_EQ(rn_now(), t + 3 * RN_HOUR + RN_MIN);
    CHECK_EQ(chan_select(on_recv(rn_timer_chan(&static_timer), &v), on_default()), 1);

    t = rn_now();
    rn_ticker_start(&static_ticker, 10 * RN_SEC);
    for (int i = 1; i <= 100; i++) {
        CHECK(chan_recv(rn_ticker_chan(&static_ticker), &v));
        CHECK_EQ(v - t, i * 10 * RN_SEC);
        CHECK_EQ(rn_now(), v);
    }
    rn_ticker_stop(&static_ticker);
}

ITEM(185, "timers and tickers go by the bubble's clock, also one that served another bubble before")
{
    run_all_ways(timers_body, NULL);
}

struct later {
    rn_timer t[3];
    int64_t began;
    _Atomic(int) ran;
    rn_timer again;
};

static void later_again(void *p)
{
    struct later *l = p;
    CHECK_EQ(rn_now() - l->began, RN_HOUR + RN_MIN);
    atomic_fetch_add(&l->ran, 100);
}

/* Runs in a goroutine of the bubble. */
static void later_ran(void *p)
{
    struct later *l = p;
    CHECK_EQ(rn_now() - l->began, RN_HOUR);
    rn_sleep(RN_SEC);
    CHECK_EQ(rn_now() - l->began, RN_HOUR + RN_SEC);
    if (atomic_fetch_add(&l->ran, 1) == 0)
        rn_after_func(&l->again, RN_MIN - RN_SEC, later_again, l);
}

static void later_body(void *p)
{
    (void)p;
    struct later l = {.began = rn_now()};
    for (int i = 0; i < 3; i++)
        rn_after_func(&l.t[i], RN_HOUR, later_ran, &l);
    rn_test_sleep(RN_HOUR);
    CHECK_EQ(l.ran, 0); /* they sleep: wait is not fooled by new goroutines */
    rn_test_sleep(RN_SEC);
    CHECK_EQ(l.ran, 3);
    rn_test_sleep(RN_MIN);
    CHECK_EQ(l.ran, 103);
}

ITEM(185, "functions that run later run in the bubble")
{
    run_all_ways(later_body, NULL);
}

static void ticks_nobody_waits_for(void *p)
{
    (void)p;
    rn_ticker_start(&static_ticker, RN_SEC);
    rn_ticker_chan(&static_ticker);
}

/* The ticker is left running: the bubble ends all the same, and the ticker is the program's again. */
ITEM(185, "what is still armed at the end is forgotten")
{
    run_all_ways(ticks_nobody_waits_for, NULL);
    rn_ticker_start(&static_ticker, RN_US);
    CHECK(chan_recv(rn_ticker_chan(&static_ticker), NULL));
    rn_ticker_stop(&static_ticker);
}

static chan(int) world;
static _Atomic(int) step;

static void arm_and_stay(void *p)
{
    (void)p;
    rn_timer_start(&static_timer, RN_HOUR);
    rn_timer_chan(&static_timer);
    step = 1;
    chan_recv(world, NULL);
}

static void run_staying(void *p)
{
    rn_test_run(arm_and_stay, p, NULL);
}

static void stay(void)
{
    world = chan_make(int, 0);
    go1(run_staying, NULL);
    WAIT_UNTIL(step == 1);
}

CHILD(outside_stop)
{
    stay();
    rn_timer_stop(&static_timer);
}
CHILD(outside_reset)
{
    stay();
    rn_timer_reset(&static_timer, 1);
}
CHILD(outside_receive)
{
    stay();
    chan_recv(rn_timer_chan(&static_timer), NULL);
}

ITEM(189, "a bubble's timer may not be used from outside")
{
    static const char *const how[][2] = {
        {"outside_stop", "stop of synctest timer from outside bubble"},
        {"outside_reset", "reset of synctest timer from outside bubble"},
        {"outside_receive", "receive on synctest channel from outside bubble"},
    };
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        test_child *r = test_run_child(how[i][0], NULL);
        CHECK_HAS(r->err, how[i][1]);
        CHECK_EQ(r->status, 2);
    }
}

enum { AT_ONCE = 4 };
static _Atomic(int) first;
static rn_timer at_once[AT_ONCE];

static void come_first(void *p)
{
    int none = -1;
    atomic_compare_exchange_strong(&first, &none, (int)((rn_timer *)p - at_once));
}

static void at_once_body(void *p)
{
    (void)p;
    first = -1;
    for (int i = 0; i < AT_ONCE; i++)
        rn_after_func(&at_once[i], RN_SEC, come_first, &at_once[i]);
    rn_test_sleep(RN_SEC);
    CHECK(first >= 0);
}

ITEM(191, "functions due at the same instant come in random order")
{
    bool seen[AT_ONCE] = {false};
    int different = 0;
    for (int i = 0; i < 400; i++) {
        CHECK_EQ(rn_test_run(at_once_body, NULL, NULL), 0);
        different += !seen[first];
        seen[first] = true;
    }
    CHECK_EQ(different, AT_ONCE);
}

TEST_MAIN
