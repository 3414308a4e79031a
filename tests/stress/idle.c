/*
 * idle.c - wake-ups around the moment at which workers go to sleep: one that is lost hangs into the time
 * limit, and a false verdict of deadlock ends the program.
 *
 * Invariants
 *  - Pauses are random and of the length of a worker's search before it sleeps (some 50 us), so that
 *    wake-ups meet workers that search, that are about to sleep, and that sleep. What is checked does
 *    not depend on how long they really are.
 *
 * runnel-test: timeout=600
 */
#include "account.h"

/* Computes for up to about 120 us, often not at all. */
static void pause_a_little(uint64_t *seed)
{
    if (test_random(seed) % 4 == 0)
        return;
    int64_t until = rn_now() + (int64_t)(test_random(seed) % 120) * RN_US;
    while (rn_now() < until)
        ;
}

struct link {
    chan(elem) there, back;
    uint32_t n;
    uint64_t seed;
    int how; /* 0 pauses by computing, 1 by rn_sleep, 2 inside rn_blocking */
};

static void rest(struct link *k, uint64_t *seed)
{
    if (k->how == 0) {
        pause_a_little(seed);
    } else if (k->how == 1) {
        rn_sleep((int64_t)(test_random(seed) % 120) * RN_US);
    } else {
        rn_blocking
        {
            pause_a_little(seed);
        }
    }
}

static void ask(struct link *k)
{
    uint64_t seed = k->seed;
    for (uint32_t i = 1; i <= k->n; i++) {
        elem e;
        chan_send(k->there, make_elem(1, i));
        rest(k, &seed);
        CHECK(chan_recv(k->back, &e));
        CHECK_EQ(e.seq, i);
        rest(k, &seed);
    }
    chan_close(k->there);
}

static void answer(struct link *k)
{
    uint64_t seed = k->seed + 1;
    chan_range (e, k->there) {
        rest(k, &seed);
        chan_send(k->back, e);
    }
}

static void go_ask(void *k)
{
    ask(k);
}

static void go_answer(void *k)
{
    answer(k);
}

static void locked_answer(void *k)
{
    rn_lock_os_thread();
    answer(k);
}

static void *thread_answer(void *k)
{
    answer(k);
    return NULL;
}

enum partner { GOROUTINE, LOCKED, FOREIGN };

static void links(int pairs, enum partner partner, int how, int64_t n)
{
    static struct link k[8];
    pthread_t t[8];
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        for (int i = 0; i < pairs; i++) {
            k[i] = (struct link){chan_make(elem, i % 2), chan_make(elem, 0), (uint32_t)n,
                                 (uint64_t)(w * 100 + i * 10), how};
            if (partner == FOREIGN)
                CHECK(pthread_create(&t[i], NULL, thread_answer, &k[i]) == 0);
            else
                test_go(partner == LOCKED ? locked_answer : go_answer, &k[i]);
            test_go(go_ask, &k[i]);
        }
        WAIT_GONE(1);
        for (int i = 0; i < pairs; i++) {
            if (partner == FOREIGN)
                pthread_join(t[i], NULL);
            chan_unref(k[i].there);
            chan_unref(k[i].back);
        }
        report_elements(2 * n * pairs);
    }
}

ITEM(1, "goroutines that compute between their meetings")
{
    links(2, GOROUTINE, 0, test_scale(2000, 50));
}

ITEM(2, "goroutines that sleep between their meetings")
{
    links(8, GOROUTINE, 1, test_scale(1000, 50));
}

ITEM(3, "goroutines that block in the kernel between their meetings")
{
    links(2, GOROUTINE, 2, test_scale(1500, 50));
}

ITEM(4, "a goroutine and one that holds its thread")
{
    links(2, LOCKED, 0, test_scale(1500, 50));
}

ITEM(5, "a goroutine and a foreign thread")
{
    links(2, FOREIGN, 0, test_scale(1500, 50));
}

ITEM(6, "sleeping goroutines and foreign threads")
{
    links(4, FOREIGN, 1, test_scale(800, 50));
}

/* ---- main itself parks, so that nobody at all runs between two wake-ups */

static void main_links(enum partner partner, int how, int64_t n)
{
    for (int w = 0; w < WORKER_COUNTS; w++) {
        rn_gomaxprocs(worker_counts[w]);
        struct link k = {chan_make(elem, 0), chan_make(elem, 0), (uint32_t)n, (uint64_t)w, how};
        pthread_t t;
        if (partner == FOREIGN)
            CHECK(pthread_create(&t, NULL, thread_answer, &k) == 0);
        else
            test_go(partner == LOCKED ? locked_answer : go_answer, &k);
        ask(&k);
        if (partner == FOREIGN)
            pthread_join(t, NULL);
        WAIT_GONE(1);
        chan_unref(k.there);
        chan_unref(k.back);
        report_elements(2 * n);
    }
}

ITEM(7, "main and one goroutine, sleeping")
{
    main_links(GOROUTINE, 1, test_scale(2000, 50));
}

ITEM(8, "main and a goroutine that holds its thread")
{
    main_links(LOCKED, 0, test_scale(2000, 50));
}

ITEM(9, "main and a foreign thread")
{
    main_links(FOREIGN, 0, test_scale(2000, 50));
}

ITEM(10, "main and a foreign thread, sleeping")
{
    main_links(FOREIGN, 1, test_scale(1000, 50));
}

TEST_MAIN
