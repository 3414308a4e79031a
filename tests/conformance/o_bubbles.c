/*
 * o_bubbles.c - items 185 to 192: tests on a clock of their own.
 *
 * Invariants
 *  - Durations inside a bubble are compared exactly; nothing is said of how long they take outside.
 *  - Each item runs under several numbers of workers, in parallel and one at a time (seeds).
 */
#include "../test.h"
#include <errno.h>

/* Runs a body that must end well, in all ways. */
static void run_all_ways(void (*body)(void *), void *arg)
{
    static const int workers[] = {1, 2, 4};
    for (int w = 0; w < 3; w++) {
        rn_gomaxprocs(workers[w]);
        for (uint64_t seed = 0; seed < 4; seed++) {
            rn_test_result r;
            rn_test_opts o = {.seed = seed, .result = &r};
            CHECK_EQ(rn_test_run(body, arg, &o), 0);
            CHECK_EQ(r.err, 0);
            CHECK_EQ(r.blocked, 0);
            CHECK_EQ(r.report[0], 0);
        }
    }
}

/* ---- the clock */

static void sleeper(void *p)
{
    rn_sleep(*(int64_t *)p);
}

static void clock_body(void *p)
{
    (void)p;
    CHECK_EQ(rn_now(), RN_TEST_EPOCH);
    CHECK_EQ(RN_TEST_EPOCH, INT64_C(946684800000000000));
    for (int i = 0; i < 1000; i++)
        rn_yield(); /* nobody sleeps: time stands still */
    CHECK_EQ(rn_now(), RN_TEST_EPOCH);
    rn_sleep(24 * RN_HOUR);
    CHECK_EQ(rn_now(), RN_TEST_EPOCH + 24 * RN_HOUR);
    /* one sleeps for an hour, the others work all the time: an hour */
    static int64_t hour = RN_HOUR;
    go1(sleeper, &hour);
    rn_sleep(1);
    CHECK_EQ(rn_now(), RN_TEST_EPOCH + 24 * RN_HOUR + 1);
    rn_sleep(RN_HOUR - 1);
    CHECK_EQ(rn_now(), RN_TEST_EPOCH + 25 * RN_HOUR);
    rn_test_wait();
}

static void start_body(void *p)
{
    CHECK_EQ(rn_now(), *(int64_t *)p);
    rn_sleep(7);
}

ITEM(185, "a bubble's clock begins at 2000-01-01 and goes straight to the next timer")
{
    int64_t before = rn_now();
    run_all_ways(clock_body, NULL);
    CHECK(rn_now() - before < 3600 * RN_SEC); /* and the world's clock is another one */
    int64_t start = 42;
    rn_test_result r;
    rn_test_opts o = {.start = start, .result = &r};
    CHECK_EQ(rn_test_run(start_body, &start, &o), 0);
    CHECK_EQ(r.elapsed, 7);
}

static void timeouts_body(void *p)
{
    (void)p;
    chan(int) c = chan_make(int, 0);
    int64_t t = rn_now();
    int v;
    CHECK_EQ(chan_select(on_recv(c, &v), on_after(RN_MIN)), 1);
    CHECK_EQ(rn_now() - t, RN_MIN);
    CHECK_EQ(chan_take(c, rn_now() + RN_HOUR, &v), -ETIMEDOUT);
    CHECK_EQ(rn_now() - t, RN_HOUR + RN_MIN);
    CHECK_EQ(chan_put(c, rn_now() - 1, 3), -EAGAIN);
    CHECK_EQ(chan_select(on_recv(c, &v), on_deadline(rn_now() + 5), on_after(RN_SEC)), 1);
    CHECK_EQ(rn_now() - t, RN_HOUR + RN_MIN + 5);
    chan_unref(c);
}

static void late_sender(void *p)
{
    rn_sleep(RN_SEC);
    chan_send(*(chan(int) *)p, 7);
}

/* The timer that lost does not stop the clock on its way. */
static void disarmed_body(void *p)
{
    (void)p;
    chan(int) c = chan_make(int, 0);
    int64_t t = rn_now();
    int v = 0;
    for (int i = 0; i < 20; i++) {
        go1(late_sender, &c);
        CHECK_EQ(chan_select(on_recv(c, &v), on_after(2 * RN_SEC)), 0);
        CHECK_EQ(v, 7);
    }
    CHECK_EQ(rn_now() - t, 20 * RN_SEC);
    rn_sleep(RN_HOUR);
    CHECK_EQ(rn_now() - t, 20 * RN_SEC + RN_HOUR);
    chan_unref(c);
}

ITEM(185, "time-outs of selects, puts and takes go by the bubble's clock")
{
    run_all_ways(timeouts_body, NULL);
    run_all_ways(disarmed_body, NULL);
}

/* ---- wait */

struct work {
    chan(int) in, out;
    int done; /* plain: wait makes it visible */
};

static void worker(void *p)
{
    struct work *w = p;
    int v;
    while (chan_recv(w->in, &v)) {
        for (int i = 0; i < v; i++)
            rn_yield();
        w->done += v;
    }
}

static void wait_body(void *p)
{
    (void)p;
    struct work w = {chan_make(int, 3), NULL, 0};
    go1(worker, &w);
    int64_t t = rn_now();
    rn_test_wait();
    CHECK_EQ(w.done, 0);
    for (int i = 1; i <= 50; i++) {
        chan_send(w.in, i);
        rn_test_wait();
        CHECK_EQ(w.done, i * (i + 1) / 2);
    }
    CHECK_EQ(rn_now(), t);
    chan_close(w.in);
    rn_test_wait(); /* with nobody else it returns at once */
    chan_unref(w.in);
}

ITEM(186, "wait returns when all others are blocked, sees what they did, and takes no time")
{
    run_all_ways(wait_body, NULL);
}

/* ---- what is durable */

static rn_mutex mutex;
static rn_waitgroup group;
static rn_once once;

static void hold_mutex(void *p)
{
    (void)p;
    rn_mutex_lock(&mutex);
    rn_sleep(RN_HOUR);
    rn_mutex_unlock(&mutex);
}

static void be_done(void *p)
{
    (void)p;
    rn_sleep(RN_MIN);
    rn_waitgroup_done(&group);
}

static void slow_once(void)
{
    rn_sleep(RN_SEC);
}

static void call_once(void *p)
{
    rn_once_do((rn_once *)p, slow_once);
}

static void sync_body(void *p)
{
    int64_t t = rn_now();
    go1(hold_mutex, NULL);
    rn_test_wait();
    CHECK(!rn_mutex_trylock(&mutex));
    rn_mutex_lock(&mutex); /* durable, unlike Go's: an hour passes */
    CHECK_EQ(rn_now() - t, RN_HOUR);
    rn_mutex_unlock(&mutex);

    rn_waitgroup_add(&group, 3);
    for (int i = 0; i < 3; i++)
        go1(be_done, NULL);
    rn_waitgroup_wait(&group);
    CHECK_EQ(rn_now() - t, RN_HOUR + RN_MIN);

    once = (rn_once){0};
    go1(call_once, &once);
    go1(call_once, &once);
    rn_once_do(&once, slow_once);
    CHECK_EQ(rn_now() - t, RN_HOUR + RN_MIN + RN_SEC);

    chan(int) nil = NULL, other = (chan(int))p; /* other: made outside */
    int v;
    CHECK_EQ(chan_select(on_recv(nil, &v), on_after(5)), 1);
    CHECK_EQ(rn_now() - t, RN_HOUR + RN_MIN + RN_SEC + 5);
    CHECK(!chan_try_recv(other, &v, NULL));
    CHECK_EQ(chan_take(nil, rn_now() + 5, &v), -ETIMEDOUT);
    CHECK(!chan_try_recv(other, &v, NULL));
    CHECK_EQ(chan_put(nil, rn_now() + 5, 1), -ETIMEDOUT);
    CHECK_EQ(rn_now() - t, RN_HOUR + RN_MIN + RN_SEC + 15);
}

ITEM(187, "durable: mutexes, wait groups, once, nil channels")
{
    chan(int) other = chan_make(int, 0);
    run_all_ways(sync_body, (void *)(uintptr_t)other);
    chan_unref(other);
}

struct outside {
    chan(int) c;
    rn_mutex m;
    _Atomic(int) inside; /* the body has come to its wait */
};

/* While somebody waits for the world, the bubble's clock stands still. */
static void world_body(void *p)
{
    struct outside *o = p;
    static int64_t hour = RN_HOUR;
    go1(sleeper, &hour);
    int64_t t = rn_now();
    int v = 0;
    o->inside = 1;
    CHECK(chan_recv(o->c, &v));
    CHECK_EQ(v, 5);
    CHECK_EQ(rn_now(), t);
    o->inside = 2;
    CHECK_EQ(chan_select(on_recv(o->c, &v)), 0);
    CHECK_EQ(rn_now(), t);
    o->inside = 3;
    rn_mutex_lock(&o->m);
    rn_mutex_unlock(&o->m);
    CHECK_EQ(rn_now(), t);
    o->inside = 4;
    rn_blocking
    {
        usleep(3000);
    }
    CHECK_EQ(rn_now(), t);
    rn_sleep(RN_HOUR);
    CHECK_EQ(rn_now(), t + RN_HOUR);
    rn_test_wait();
}

static void world_run(void *p)
{
    CHECK_EQ(rn_test_run(world_body, p, NULL), 0);
}

ITEM(187, "not durable: channels made outside, mutexes held outside, system calls")
{
    rn_gomaxprocs(2);
    for (int i = 0; i < 20; i++) {
        struct outside o = {.c = chan_make(int, 0)};
        rn_mutex_lock(&o.m);
        test_go(world_run, &o);
        WAIT_UNTIL(o.inside == 1);
        WAIT_PARKED(1, CHAN_RECEIVE, o.c);
        rn_sleep(i % 2 * RN_MS);
        chan_send(o.c, 5);
        WAIT_UNTIL(o.inside == 2);
        chan_send(o.c, 6);
        WAIT_UNTIL(o.inside == 3);
        WAIT_PARKED(1, MUTEX_LOCK, &o.m);
        rn_sleep(i % 2 * RN_MS);
        rn_mutex_unlock(&o.m);
        WAIT_GONE(1);
        chan_unref(o.c);
    }
}

/* A mutex changes hands while somebody in the bubble waits: from inside to outside and back. */
struct shared {
    rn_mutex m;
    chan(int) to_world; /* made outside */
    _Atomic(int) queued, got;
};

static void wait_inside(void *p)
{
    struct shared *s = p;
    rn_mutex_lock(&s->m);
    s->got++;
    rn_mutex_unlock(&s->m);
}

static void shared_body(void *p)
{
    struct shared *s = p;
    rn_mutex_lock(&s->m);
    chan_send(s->to_world, 1);
    while (s->queued == 0)
        rn_yield(); /* somebody outside is on his way into the queue */
    while (test_parked(RN__WAIT_MUTEX_LOCK, &s->m) == 0)
        rn_yield();
    go1(wait_inside, s);
    rn_test_wait();
    rn_mutex_unlock(&s->m); /* the one outside comes first, and takes its time */
    rn_mutex_lock(&s->m);
    s->got++;
    rn_mutex_unlock(&s->m);
    rn_test_wait();
}

static void hold_outside(void *p)
{
    struct shared *s = p;
    chan_recv(s->to_world, NULL);
    s->queued = 1;
    rn_mutex_lock(&s->m);
    rn_sleep(3 * RN_MS); /* real time */
    rn_mutex_unlock(&s->m);
}

ITEM(187, "a mutex shared with the world is no deadlock, whoever holds it when")
{
    static const int workers[] = {1, 2, 4};
    for (int i = 0; i < 30; i++) {
        rn_gomaxprocs(workers[i % 3]);
        struct shared s = {.to_world = chan_make(int, 0)};
        test_go(hold_outside, &s);
        CHECK_EQ(rn_test_run(shared_body, &s, NULL), 0);
        CHECK_EQ(s.got, 2);
        WAIT_GONE(1);
        chan_unref(s.to_world);
    }
}

/* ---- deadlock */

static void receive_for_ever(void *p)
{
    (void)p;
    chan(int) c = chan_make(int, 0);
    chan_name(c, "nobody sends");
    chan_recv(c, NULL);
}

static void two_locks(void *p)
{
    rn_mutex *m = p;
    rn_mutex_lock(&m[0]);
    rn_sleep(1);
    rn_mutex_lock(&m[1]);
}

static void abba(void *p)
{
    rn_mutex *m = p;
    go1(two_locks, m);
    rn_mutex_lock(&m[1]);
    rn_sleep(2);
    rn_mutex_lock(&m[0]);
}

static void leave_one(void *p)
{
    go1(receive_for_ever, p);
    rn_sleep(3);
}

static void leave_sleeper(void *p)
{
    (void)p;
    static int64_t hour = RN_HOUR;
    go1(sleeper, &hour);
}

static void lock_and_end(void *p)
{
    rn_mutex_lock((rn_mutex *)p);
}

static void lock_was_lost(void *p)
{
    go1(lock_and_end, p);
    rn_test_wait();
    rn_mutex_lock((rn_mutex *)p);
}

static void run_stuck(void *p)
{
    rn_test_run(receive_for_ever, p, NULL);
}

static void run_leaving(void *p)
{
    rn_test_run(leave_one, p, NULL);
}

static void *run_in_thread(void *p)
{
    run_stuck(p);
    return NULL;
}

ITEM(188, "a deadlock is found at once, and is a panic or a result with a report")
{
    static const char stuck[] = "deadlock: all goroutines in bubble are blocked";
    static const char left[] =
        "deadlock: main bubble goroutine has exited but blocked goroutines remain";
    static const int workers[] = {1, 2, 4};
    for (int w = 0; w < 3; w++) {
        rn_gomaxprocs(workers[w]);
        for (uint64_t seed = 0; seed < 3; seed++) {
            static rn_test_result r;
            rn_test_opts o = {.seed = seed, .result = &r};
            CHECK_EQ(rn_test_run(receive_for_ever, NULL, &o), -EDEADLK);
            CHECK_EQ(r.err, -EDEADLK);
            CHECK_EQ(r.blocked, 1);
            CHECK(strncmp(r.report, stuck, sizeof stuck - 1) == 0);
            CHECK_HAS(r.report, "[chan receive, synctest bubble ");
            CHECK_HAS(r.report, "chan_recv(chan int \"nobody sends\", len 0, cap 0, made at ");
            CHECK_HAS(r.report, "receive_for_ever(");
            CHECK_HAS(r.report, "created by test_fn_");
            CHECK_HAS(r.report, "o_bubbles.c:");

            rn_mutex *m = calloc(2, sizeof *m); /* they stay locked for ever */
            CHECK_EQ(rn_test_run(abba, m, &o), -EDEADLK);
            CHECK_EQ(r.blocked, 2);
            CHECK_EQ(r.elapsed, 2);
            CHECK_HAS(r.report, "[sync.Mutex.Lock, synctest bubble ");

            m = calloc(1, sizeof *m);
            CHECK_EQ(rn_test_run(lock_was_lost, m, &o), -EDEADLK);
            CHECK_EQ(r.blocked, 1);

            CHECK_EQ(rn_test_run(leave_one, NULL, &o), -EDEADLK);
            CHECK_EQ(r.blocked, 1);
            CHECK_EQ(r.elapsed, 3);
            CHECK(strncmp(r.report, left, sizeof left - 1) == 0);

            CHECK_EQ(rn_test_run(leave_sleeper, NULL, &o), -EDEADLK); /* time has stopped */
            CHECK_EQ(r.elapsed, 0);
            CHECK_HAS(r.report, "[sleep, synctest bubble ");
        }
    }
    CHECK_PANIC(run_stuck, NULL, stuck);
    CHECK_PANIC(run_leaving, NULL, left);
    run_all_ways(clock_body, NULL); /* and what is left disturbs nobody */
}

CHILD(deadlock_unrecovered)
{
    rn_test_run(receive_for_ever, NULL, NULL);
}

CHILD(deadlock_in_thread)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, run_in_thread, NULL) == 0);
    pthread_join(t, NULL);
}

CHILD(everybody_asleep)
{
    struct outside o = {.c = chan_make(int, 0)};
    rn_test_run(world_body, &o, NULL); /* waits for a world that waits for it */
}

ITEM(188, "unrecovered it ends the program with status 2; the program's own verdict stays exact")
{
    static const char *const how[] = {"deadlock_unrecovered", "deadlock_in_thread"};
    for (int i = 0; i < 2; i++) {
        test_child *r = test_run_child(how[i], NULL);
        CHECK_EQ(r->status, 2);
        CHECK_HAS(r->err, "panic: deadlock: all goroutines in bubble are blocked\n");
        CHECK_HAS(r->err, "[chan receive, synctest bubble 1]:");
        CHECK_HAS_NOT(r->err, "all goroutines are asleep");
    }
    test_child *r = test_run_child("everybody_asleep", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "fatal error: all goroutines are asleep - deadlock!");
    CHECK_HAS(r->err, "goroutine 1 [synctest.Run]:");
}

/* ---- from outside */

static chan(int) leaked;
static rn_waitgroup leaked_group;
static _Atomic(int) leaked_step;

static void leak_channel(void *p)
{
    (void)p;
    leaked = chan_make(int, 1);
    rn_waitgroup_add(&leaked_group, 1);
    leaked_step = 1;
    rn_waitgroup_wait(&leaked_group);
}

static void run_leaking(void *p)
{
    (void)p;
    rn_test_run(leak_channel, NULL, &(rn_test_opts){.result = &(rn_test_result){0}});
}

/* Inside of a bubble of its own that is not over: its goroutine waits for the world. */
static void leak_and_stay(void *p)
{
    leaked = chan_make(int, 1);
    leaked_step = 1;
    chan_recv(*(chan(int) *)p, NULL);
}

static chan(int) world;

static void run_staying(void *p)
{
    (void)p;
    rn_test_run(leak_and_stay, &world, NULL);
}

static void stay(void)
{
    world = chan_make(int, 0);
    go1(run_staying, NULL);
    WAIT_UNTIL(leaked_step == 1);
}

static void send_in_other_bubble(void *p)
{
    (void)p;
    chan_send(leaked, 1);
}

CHILD(outside_send)
{
    stay();
    chan_send(leaked, 1);
}
CHILD(outside_receive)
{
    stay();
    chan_recv(leaked, NULL);
}
CHILD(outside_try_receive)
{
    stay();
    chan_try_recv(leaked, NULL, NULL);
}
CHILD(outside_close)
{
    stay();
    chan_close(leaked);
}
CHILD(outside_select)
{
    stay();
    int v;
    chan_select(on_recv(leaked, &v), on_default());
}
CHILD(outside_bubble)
{
    stay();
    rn_test_run(send_in_other_bubble, NULL, NULL);
}
CHILD(outside_recovered)
{
    stay();
    rn_try(send_in_other_bubble, NULL, NULL);
}
CHILD(outside_done)
{
    rn_gomaxprocs(2);
    world = chan_make(int, 0);
    stay();
    leaked_step = 0;
    go1(run_leaking, NULL);
    WAIT_UNTIL(leaked_step == 1);
    WAIT_PARKED(1, WAITGROUP_WAIT, &leaked_group);
    rn_waitgroup_done(&leaked_group);
}

ITEM(189, "using a bubble's channel or wait group from outside is fatal")
{
    static const char *const how[][2] = {
        {"outside_send", "send on synctest channel from outside bubble"},
        {"outside_receive", "receive on synctest channel from outside bubble"},
        {"outside_try_receive", "receive on synctest channel from outside bubble"},
        {"outside_close", "close of synctest channel from outside bubble"},
        {"outside_select", "select on synctest channel from outside bubble"},
        {"outside_bubble", "send on synctest channel from outside bubble"},
        {"outside_recovered", "send on synctest channel from outside bubble"},
        {"outside_done", "sync: WaitGroup.Add called from inside and outside synctest bubble"},
    };
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        test_child *r = test_run_child(how[i][0], NULL);
        char line[128];
        snprintf(line, sizeof line, "fatal error: %s\n", how[i][1]);
        CHECK_HAS(r->err, line);
        CHECK_EQ(r->status, 2);
    }
}

static void make_one(void *p)
{
    *(chan(int) *)p = chan_make(int, 1);
    chan_send(*(chan(int) *)p, 9);
}

ITEM(189, "a channel that has outlived its bubble belongs to everybody")
{
    chan(int) c;
    int v = 0;
    CHECK_EQ(rn_test_run(make_one, &c, NULL), 0);
    stay(); /* another bubble is there */
    CHECK(chan_recv(c, &v));
    CHECK_EQ(v, 9);
    chan_unref(c);
    chan_send(world, 1);
    WAIT_UNTIL(rn_num_goroutine() == 1);
    chan_unref(leaked);
    chan_unref(world);
}

/* ---- misuse */

static void nested(void *p)
{
    rn_test_run(sleeper, p, NULL);
}

static void nested_body(void *p)
{
    static int64_t second = RN_SEC;
    (void)p;
    CHECK_PANIC(nested, &second, "synctest.Run called from within a synctest bubble");
}

static void wait_here(void *p)
{
    (void)p;
    rn_test_wait();
}

static void sleep_here(void *p)
{
    (void)p;
    rn_test_sleep(1);
}

struct two {
    chan(int) go;
    _Atomic(int) waiting;
};

static void second_wait(void *p)
{
    struct two *t = p;
    chan_recv(t->go, NULL);
    while (t->waiting == 0)
        rn_yield();
    for (int i = 0; i < 1000 && test_parked(RN__WAIT_TEST_WAIT, NULL) == 0; i++)
        rn_yield();
    CHECK_PANIC(wait_here, NULL, "wait already in progress");
}

static void two_waits(void *p)
{
    (void)p;
    struct two t = {chan_make(int, 1), 0};
    go1(second_wait, &t);
    rn_test_wait();
    chan_send(t.go, 1); /* it is on its way */
    t.waiting = 1;
    rn_test_wait();
    chan_unref(t.go);
}

ITEM(190, "nested bubbles, waits outside, and two waits at a time are refused")
{
    run_all_ways(nested_body, NULL);
    CHECK_PANIC(wait_here, NULL, "goroutine is not in a bubble");
    CHECK_PANIC(sleep_here, NULL, "goroutine is not in a bubble");
    run_all_ways(two_waits, NULL);
}

/* ---- one instant */

enum { AT_ONCE = 6 };
struct order {
    rn_mutex m;
    int n, who[AT_ONCE];
};
struct one {
    struct order *o;
    int id;
};

static void come_at_once(void *p)
{
    struct one *x = p;
    rn_sleep(RN_SEC);
    rn_mutex_lock(&x->o->m);
    x->o->who[x->o->n++] = x->id;
    rn_mutex_unlock(&x->o->m);
}

static void at_once_body(void *p)
{
    struct order *o = p;
    struct one x[AT_ONCE];
    *o = (struct order){.n = 0};
    for (int i = 0; i < AT_ONCE; i++) {
        x[i] = (struct one){o, i};
        go1(come_at_once, &x[i]);
        rn_test_wait(); /* they go to sleep in order */
    }
    rn_sleep(RN_SEC);
    rn_test_wait();
    CHECK_EQ(o->n, AT_ONCE);
}

/* The order as a number. */
static int in_order_of(const struct order *o)
{
    int x = 0;
    for (int i = 0; i < AT_ONCE; i++)
        x = x * AT_ONCE + o->who[i];
    return x;
}

ITEM(191, "what is due at the same instant comes in random order; with a seed, in the seed's")
{
    static const int workers[] = {1, 2, 4};
    for (int w = 0; w < 3; w++) {
        rn_gomaxprocs(workers[w]);
        static bool first[AT_ONCE];
        int different = 0;
        memset(first, 0, sizeof first);
        struct order o;
        /* each of six is first some time: missed by chance once in 10^14 */
        for (int i = 0; i < 200; i++) {
            CHECK_EQ(rn_test_run(at_once_body, &o, NULL), 0);
            different += !first[o.who[0]];
            first[o.who[0]] = true;
        }
        CHECK_EQ(different, AT_ONCE);
    }
    static int order_of[20];
    int different = 0;
    for (int w = 0; w < 9; w++) {
        rn_gomaxprocs(workers[w % 3]);
        for (int seed = 1; seed < 20; seed++) {
            struct order o;
            rn_test_opts opts = {.seed = (uint64_t)seed};
            CHECK_EQ(rn_test_run(at_once_body, &o, &opts), 0);
            if (w == 0)
                order_of[seed] = in_order_of(&o);
            CHECK_EQ(in_order_of(&o), order_of[seed]);
        }
    }
    for (int seed = 2; seed < 20; seed++)
        different += order_of[seed] != order_of[seed - 1];
    CHECK(different > 9);
}

/* ---- the helper */

static void tick_to(void *p)
{
    _Atomic(int) *n = p;
    for (int i = 0; i < 5; i++) {
        rn_sleep(RN_SEC);
        for (int k = 0; k < 10; k++)
            rn_yield();
        atomic_fetch_add(n, 1);
    }
}

static void sleep_body(void *p)
{
    (void)p;
    _Atomic(int) n = 0;
    go1(tick_to, &n);
    rn_test_wait();
    int64_t t = rn_now();
    for (int i = 1; i <= 5; i++) {
        rn_test_sleep(RN_SEC);
        CHECK_EQ(n, i); /* after a plain sleep it could still be i - 1 */
    }
    rn_test_sleep(0);
    CHECK_EQ(rn_now() - t, 5 * RN_SEC);
}

ITEM(192, "the sleep helper returns when all that was due has been done")
{
    run_all_ways(sleep_body, NULL);
}

TEST_MAIN
