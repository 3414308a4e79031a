/*
 * self.c - names, labels, own values, checkpoints.
 *
 * Invariants
 *  - Every value that a test makes is counted when it is dropped.
 */
#include "../test.h"

/* ------------------------------------------------------------------------------- names and labels */

static void wait_for_close(void *p)
{
    chan(int) c = p;
    chan_recv(c, NULL);
}

static void child_of_labelled(void *p)
{
    CHECK(strcmp(rn_label("request"), "17") == 0);
    CHECK(rn_name() == NULL); /* names are not inherited */
    CHECK_EQ(rn_set_label("request", "18"), 0);
    CHECK_EQ(rn_set_name("second worker"), 0);
    wait_for_close(p);
}

CHILD(labelled)
{
    chan(int) c = chan_make(int, 0);
    CHECK_EQ(rn_set_name("boss"), 0);
    CHECK_EQ(rn_set_label("request", "17"), 0);
    CHECK_EQ(rn_set_label("user", "Jo \"x\""), 0);
    test_go(child_of_labelled, c);
    WAIT_PARKED(1, CHAN_RECEIVE, c);
    CHECK_EQ(rn_set_label("user", NULL), 0);
    go1_with(((rn_go_attr){.name = "third"}), wait_for_close, c);
    WAIT_PARKED(2, CHAN_RECEIVE, c);
    rn_set_name(NULL);
    rn_dump(2, true);
}

ITEM(1, "dumps show names and labels; children inherit labels, and change their own only")
{
    test_child *r = test_run_child("labelled", NULL);
    CHECK_EQ(r->status, 0);
    CHECK_HAS(r->err, "goroutine 1 [running] {request: 17}:");
    CHECK_HAS(r->err,
              "[chan receive] {name: \"second worker\", request: 18, user: \"Jo \\\"x\\\"\"}:");
    CHECK_HAS(r->err, "[chan receive] {name: third, request: 17}:");
}

static void *label_in_thread(void *p)
{
    (void)p;
    CHECK(rn_label("k") == NULL && rn_name() == NULL);
    CHECK_EQ(rn_set_label("k", "thread"), 0);
    CHECK_EQ(rn_set_name("t"), 0);
    CHECK(strcmp(rn_label("k"), "thread") == 0 && strcmp(rn_name(), "t") == 0);
    return NULL;
}

ITEM(2, "labels are set, replaced, removed; keys must be there; threads have their own")
{
    CHECK(rn_label("k") == NULL);
    CHECK_EQ(rn_set_label(NULL, "x"), -EINVAL);
    CHECK_EQ(rn_set_label("", "x"), -EINVAL);
    CHECK_EQ(rn_set_label("k", NULL), 0);
    char key[16], value[16];
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "k%d", i % 10);
        snprintf(value, sizeof value, "v%d", i);
        CHECK_EQ(rn_set_label(key, value), 0);
        CHECK(strcmp(rn_label(key), value) == 0);
    }
    CHECK_EQ(rn_set_label("k3", NULL), 0);
    CHECK(rn_label("k3") == NULL && strcmp(rn_label("k4"), "v94") == 0);
    char longer[100];
    memset(longer, 'n', 99);
    longer[99] = '\0';
    CHECK_EQ(rn_set_name(longer), 0);
    CHECK_EQ(strlen(rn_name()), 63);
    for (int i = 0; i < 3;
         i++) { /* the record goes from thread to thread, what is on it does not */
        pthread_t t;
        CHECK(pthread_create(&t, NULL, label_in_thread, NULL) == 0);
        pthread_join(t, NULL);
    }
}

/* ------------------------------------------------------------------------------------ own values */

static _Atomic(int) dropped, order_bad;
static _Atomic(int64_t) dropped_sum;

struct mine {
    uint64_t id;
    int64_t n;
};

static void drop_mine(void *value)
{
    struct mine *m = value;
    rn_yield(); /* it may give way */
    if (m->id != rn_goid())
        atomic_fetch_add(&order_bad, 1);
    atomic_fetch_add(&dropped_sum, m->n);
    atomic_fetch_add(&dropped, 1);
}

static rn_local(struct mine) mine = RN_LOCAL_INIT(drop_mine);
static rn_local(int) plain;

static void count_own(void *p)
{
    intptr_t end = (intptr_t)p;
    struct mine *m = rn_local_ptr(&mine);
    CHECK(m->n == 0 && m->id == 0);
    m->id = rn_goid();
    for (int i = 0; i < 50; i++) {
        CHECK(rn_local_ptr(&mine) == m);
        m->n++;
        CHECK_EQ((*rn_local_ptr(&plain))++, i);
        rn_yield(); /* perhaps to another thread */
    }
    atomic_fetch_add_explicit(&test_ended, 1, memory_order_release);
    if (end == 1)
        rn_goexit();
}

static void fail(void *p)
{
    rn_local_ptr(&mine)->id = rn_goid();
    rn_panic("%s", (const char *)p);
}

static void recovers(void *p)
{
    CHECK(!rn_try(fail, p, NULL));
    rn_local_ptr(&mine)->n = 50;
    atomic_fetch_add_explicit(&test_ended, 1, memory_order_release);
}

static void *count_in_thread(void *p)
{
    rn_local_ptr(&mine)->n = 50;
    rn_local_ptr(&mine)->id = rn_goid();
    (void)p;
    return NULL;
}

ITEM(3, "own values begin at zero, stay in place, and are dropped however the goroutine ends")
{
    for (int workers = 1; workers <= 4; workers *= 2) {
        rn_gomaxprocs(workers);
        int n = (int)test_scale(400 / TEST_SLOW, 20);
        dropped = 0;
        dropped_sum = 0;
        for (int i = 0; i < n; i++) {
            atomic_fetch_add(&test_started, 1);
            if (i % 3 == 2)
                go1(recovers, (void *)"x");
            else
                go1(count_own, (void *)(intptr_t)(i % 3));
        }
        pthread_t t;
        CHECK(pthread_create(&t, NULL, count_in_thread, NULL) == 0);
        pthread_join(t, NULL);
        WAIT_GONE(1);
        CHECK_EQ(dropped, n + 1);
        CHECK_EQ(dropped_sum, 50 * (n + 1));
        CHECK_EQ(order_bad, 0);
    }
}

static int trail[8], steps;
static chan(int) all_dropped;
static void drop_a(void *v)
{
    trail[steps++] = *(int *)v;
    if (*(int *)v == 1)
        chan_close(all_dropped);
}
static rn_local(int) first = RN_LOCAL_INIT(drop_a);
static rn_local(int) late = RN_LOCAL_INIT(drop_a);
static void drop_b(void *v)
{
    trail[steps++] = *(int *)v;
    *rn_local_ptr(&late) = 3; /* made while others are dropped */
    if (*(int *)v == 2)
        rn_goexit(); /* the rest is dropped nevertheless */
}
static rn_local(int) second = RN_LOCAL_INIT(drop_b);

static void in_order(void *p)
{
    (void)p;
    *rn_local_ptr(&first) = 1;
    *rn_local_ptr(&second) = 2;
}

ITEM(4,
     "values are dropped newest first, new ones too, also when a drop function ends the goroutine")
{
    all_dropped = chan_make(int, 0);
    go1(in_order, NULL);
    chan_recv(all_dropped, NULL);
    WAIT_UNTIL(rn_num_goroutine() == 1);
    chan_unref(all_dropped);
    CHECK(steps == 3 && trail[0] == 2 && trail[1] == 3 && trail[2] == 1);
}

static void nothing(void *p)
{
    (void)p;
}

ITEM(5, "small stacks and arguments that do not fit go the same ways")
{
    for (int i = 0; i < 100; i++)
        go1_with(((rn_go_attr){.stack = RN_STACK_SMALL, .name = "s"}), nothing, NULL);
    struct {
        char big[200];
    } args = {{0}};
    rn_set_label("a", "b");
    rn_go_start(nothing, &args, sizeof args, NULL, NULL);
    WAIT_UNTIL(rn_num_goroutine() == 1);
}

/* ------------------------------------------------------------------------------------ checkpoints */

static _Atomic(bool) other_ran;
static void other(void *p)
{
    (void)p;
    other_ran = true;
}

ITEM(6, "a checkpoint lets others run; replayed runs switch at it, too")
{
    setenv("RUNNEL_DEBUG", "seed=7", 1);
    test_go(other, NULL);
    for (int i = 0; i < 1000 && !other_ran; i++)
        rn_checkpoint();
    CHECK(other_ran);
    WAIT_GONE(1);
}

ITEM(6, "on one worker, a loop that never waits gives way at its checkpoints")
{
    rn_gomaxprocs(1);
    test_go(other, NULL);
    int64_t limit = test_patience();
    while (!other_ran) {
        rn_checkpoint();
        CHECK(rn_now() < limit);
    }
    WAIT_GONE(1);
    for (int i = 0; i < 1000000; i++)
        rn_checkpoint(); /* nobody waits */
}

static void *check_in_thread(void *p)
{
    (void)p;
    rn_checkpoint();
    rn_checkpoint_slow();
    return NULL;
}

ITEM(6, "on a foreign thread a checkpoint does nothing")
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, check_in_thread, NULL) == 0);
    pthread_join(t, NULL);
}

TEST_MAIN
