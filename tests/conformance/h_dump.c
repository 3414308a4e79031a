/*
 * h_dump.c - items 104 to 110: what a dump says of each goroutine.
 *
 * Invariants
 *  - The text is compared piece by piece; addresses and line numbers of the library are left open.
 */
#include "../test.h"

#define ASLEEP "fatal error: all goroutines are asleep - deadlock!\n\n"

static bool starts_with(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* Something to do after the wait, so that the call is no tail call and has a frame of its own. */
static volatile int after;

static void just_recv(void *p)
{
    chan_recv((chan(int))p, NULL);
    after = 1;
}

CHILD(everybody)
{
    chan(int) c = chan_make(int, 0);
    chan(int) d = chan_make(int, 1);
    for (int i = 0; i < 20; i++)
        test_go(just_recv, (void *)(i % 2 ? c : d));
    chan_select(on_recv(c, NULL), on_recv(d, NULL));
}

static void sleep_long(void *p)
{
    (void)p;
    rn_sleep(RN_HOUR);
    after = 1;
}

/* ---- items 104, 105, 107, 109 */

static void wait_send(void *p)
{
    chan_send((chan(int))p, 1);
}

static void wait_select(void *p)
{
    chan_select(on_recv((chan(int))p, NULL), on_send((chan(int))p, 1));
}

static void wait_nothing(void *p)
{
    (void)p;
    chan_select();
}

static void wait_nil_send(void *p)
{
    (void)p;
    chan(int) nil = NULL;
    chan_send(nil, 1);
}

static void wait_nil_recv(void *p)
{
    (void)p;
    chan(int) nil = NULL;
    chan_recv(nil, NULL);
}

static void wait_group(void *p)
{
    rn_waitgroup_wait((rn_waitgroup *)p);
}

static void wait_mutex(void *p)
{
    rn_mutex_lock((rn_mutex *)p);
}

CHILD(all_reasons)
{
    static rn_waitgroup wg;
    static rn_mutex m;
    chan(int) c = chan_make(int, 0);
    chan(int) d = chan_make(int, 0);
    rn_gomaxprocs(1);
    rn_mutex_lock(&m);
    rn_waitgroup_add(&wg, 1);
    test_go(just_recv, (void *)c);
    test_go(wait_send, (void *)d);
    test_go(wait_select, (void *)chan_make(int, 0));
    test_go(wait_nothing, NULL);
    test_go(wait_nil_send, NULL);
    test_go(wait_nil_recv, NULL);
    test_go(wait_group, &wg);
    test_go(wait_mutex, &m);
    chan_recv(chan_make(int, 0), NULL);
}

/* The text behind "goroutine N [", or NULL. */
static const char *header_of(const char *dump, int n, const char *reason)
{
    char head[64];
    snprintf(head, sizeof head, "\ngoroutine %d [%s]:\n", n, reason);
    return strstr(dump, head);
}

ITEM(107, "the reasons of waiting, spelled as Go spells them")
{
    static const char *const reasons[] = {
        "chan receive",
        "chan receive",
        "chan send",
        "select",
        "select (no cases)",
        "chan send (nil chan)",
        "chan receive (nil chan)",
        "sync.WaitGroup.Wait",
        "sync.Mutex.Lock",
    };
    test_child *r = test_run_child("all_reasons", NULL);
    CHECK_EQ(r->status, 2);
    for (int i = 1; i < 9; i++) { /* ids are not promised, but each reason must be there */
        bool found = false;
        for (int id = 1; id < 200 && !found; id++)
            found = header_of(r->err, id, reasons[i]) != NULL;
        if (!found)
            test_fail(__FILE__, __LINE__, "no goroutine waits in [%s]:\n%s", reasons[i], r->err);
    }
}

CHILD(sleeping)
{
    test_go(sleep_long, NULL);
    WAIT_PARKED(1, SLEEP, NULL);
    rn_dump(2, true);
}

ITEM(107, "a sleeper says sleep, and who runs says running")
{
    test_child *r = test_run_child("sleeping", NULL);
    CHECK_EQ(r->status, 0);
    CHECK_HAS(r->err, " [sleep]:");
    CHECK_HAS(r->err, "goroutine 1 [running]:");
}

ITEM(104, "header, frames, and who created it; main is goroutine 1")
{
    test_child *r = test_run_child("everybody", NULL);
    CHECK(starts_with(r->err, ASLEEP "goroutine 1 [select]:\n"));
    int others = 0;
    for (const char *p = r->err; (p = strstr(p, " [chan receive]:\n")) != NULL; p++) {
        const char *end = strstr(p, "\n\n"); /* one block per goroutine */
        size_t n = end != NULL ? (size_t)(end - p) : strlen(p);
        char block[4096];
        CHECK(n < sizeof block);
        memcpy(block, p, n);
        block[n] = '\0';
        CHECK_HAS(block, "just_recv");
        CHECK_HAS(block, "created by ");
        CHECK_HAS(block, " in goroutine 1");
        CHECK_HAS(block, "h_dump.c:");
        others++;
    }
    CHECK_EQ(others, 20);
}

ITEM(109, "the others follow in the order of their creation")
{
    test_child *r = test_run_child("everybody", NULL);
    long long last = 1;
    int seen = 0;
    for (const char *p = r->err; (p = strstr(p, "\ngoroutine ")) != NULL; p++) {
        long long id = atoll(p + 11);
        if (seen++ > 0)
            CHECK(id > last);
        last = id;
    }
    CHECK_EQ(seen, 21);
}

static void lock_and_wait(void *p)
{
    rn_lock_os_thread();
    chan_recv((chan(int))p, NULL);
}

CHILD(locked_waits)
{
    chan(int) c = chan_make(int, 0);
    test_go(lock_and_wait, (void *)c);
    WAIT_PARKED(1, CHAN_RECEIVE, c);
    chan(int) mine = chan_make(int, 0);
    chan_send(mine, 1);
}

CHILD(two_minutes)
{
    chan(int) c = chan_make(int, 0);
    test_go(just_recv, (void *)c);
    rn_sleep(150 * RN_SEC); /* virtual time */
    chan_recv(chan_make(int, 0), NULL);
}

ITEM(105, "in brackets, after the reason: minutes waited, locked to thread")
{
    test_child *r = test_run_child("locked_waits", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "[chan receive, locked to thread]:");
    r = test_run_child("two_minutes", "RUNNEL_DEBUG=seed=1", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "goroutine 1 [chan receive]:");
    CHECK_HAS(r->err, "[chan receive, 2 minutes]:");
}

/* ---- item 110 */

CHILD(quit)
{
    chan(int) c = chan_make(int, 0);
    for (int i = 0; i < 3; i++)
        test_go(just_recv, (void *)c);
    WAIT_PARKED(3, CHAN_RECEIVE, c);
    raise(SIGQUIT);
    for (;;)
        pause();
}

ITEM(110, "all stacks on request: rn_dump, and SIGQUIT, which exits with status 2")
{
    test_child *r = test_run_child("quit", NULL);
    CHECK_EQ(r->status, 2);
    CHECK_HAS(r->err, "SIGQUIT");
    CHECK_HAS(r->err, "goroutine 1 [");
    CHECK_HAS(r->err, "just_recv");

    chan(int) c = chan_make(int, 0);
    test_go(wait_send, (void *)c);
    WAIT_PARKED(1, CHAN_SEND, c);
    char text[16384];
    for (int all = 0; all < 2; all++) {
        FILE *f = tmpfile();
        CHECK(f != NULL);
        rn_dump(fileno(f), all != 0);
        rewind(f);
        text[fread(text, 1, sizeof text - 1, f)] = '\0';
        fclose(f);
        CHECK(starts_with(text, "goroutine 1 [running]:"));
        CHECK_EQ(strstr(text, "[chan send]:") != NULL, all);
    }
    CHECK(chan_recv(c, NULL));
    WAIT_GONE(1);
    chan_unref(c);
}

TEST_MAIN
