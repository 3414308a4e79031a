/*
 * once.c - what tests/conformance/j_sync.c leaves: other ways to end, threads, memory that is freed as
 * early as the rules allow.
 */
#include "../test.h"

static _Atomic(int) runs, returned;

static void leave(void)
{
    atomic_fetch_add(&runs, 1);
    rn_goexit();
}

static void call_leave(void *once)
{
    rn_once_do((rn_once *)once, leave);
    atomic_fetch_add(&returned, 1);
}

ITEM(141, "a function that calls rn_goexit counts as done")
{
    rn_once once = {0};
    test_go(call_leave, &once);
    WAIT_UNTIL(runs == 1 && rn_num_goroutine() == 1);
    CHECK_EQ(returned, 0);
    call_leave(&once);
    CHECK(runs == 1 && returned == 1);
}

/* A panic lets those go that wait for the first call, too. */
static chan(int) gate;

static void wait_and_panic(void *arg)
{
    chan_recv(gate, NULL);
    atomic_fetch_add((_Atomic(int) *)arg, 1);
    panic("first");
}

static void call_panicking(void *once)
{
    rn_once_do1((rn_once *)once, wait_and_panic, (void *)&runs);
    atomic_fetch_add(&returned, 1);
}

static void call_and_recover(void *once)
{
    rn_panic_info info;
    CHECK(!rn_try(call_panicking, once, &info));
    CHECK(strcmp(info.text, "first") == 0);
}

ITEM(141, "callers that wait go on when the first call panics, and do not panic themselves")
{
    rn_once once = {0};
    gate = chan_make(int, 0);
    test_go(call_and_recover, &once);
    WAIT_PARKED(1, CHAN_RECEIVE, gate);
    for (int i = 0; i < 5; i++)
        test_go(call_panicking, &once);
    WAIT_PARKED(5, ONCE, &once);
    chan_close(gate);
    WAIT_GONE(1);
    CHECK(runs == 1 && returned == 5);
    chan_unref(gate);
}

/* ------------------------------------------------------------------------------------ early free */

/* Everybody counts himself out after his call; the last one overwrites the once. */
struct shared {
    rn_once once;
    int value;
    _Atomic(int) users;
};

static void fill(void *p)
{
    struct shared *s = p;
    rn_yield();
    s->value = 42; /* not atomic: visible to all that return from the call */
}

static void use(void *p)
{
    struct shared *s = p;
    rn_once_do1(&s->once, fill, s);
    CHECK_EQ(s->value, 42);
    if (atomic_fetch_sub(&s->users, 1) == 1)
        memset(s, 0xDB, sizeof *s);
}

static void *use_all(void *p)
{
    struct shared **all = p;
    for (; *all != NULL; all++)
        use(*all);
    return NULL;
}

ITEM(141, "the once may be overwritten when all calls have returned; goroutines and threads")
{
    enum { BATCH = 64, GOROUTINES = 4, THREADS = 2 };
    int64_t rounds = test_scale(TEST_SANITIZED ? 40 : 400, 3);
    for (int64_t r = 0; r < rounds; r++) {
        rn_gomaxprocs(r % 3 == 0 ? 1 : r % 3 == 1 ? 2 : 4);
        struct shared *all[BATCH + 1] = {NULL};
        pthread_t t[THREADS];
        for (int i = 0; i < BATCH; i++) {
            all[i] = calloc(1, sizeof *all[i]);
            CHECK(all[i] != NULL);
            all[i]->users = GOROUTINES + THREADS;
        }
        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_create(&t[i], NULL, use_all, all) == 0);
        for (int i = 0; i < BATCH; i++)
            for (int k = 0; k < GOROUTINES; k++)
                test_go(use, all[i]);
        WAIT_GONE(1);
        for (int i = 0; i < THREADS; i++)
            pthread_join(t[i], NULL);
        for (int i = 0; i < BATCH; i++) {
            const unsigned char *p = (const unsigned char *)all[i];
            for (size_t k = 0; k < sizeof *all[i]; k++)
                CHECK_EQ(p[k], 0xDB);
            free(all[i]);
        }
    }
}

TEST_MAIN
