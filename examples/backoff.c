/*
 * backoff.c - a function that retries with growing pauses, tested in no time at all.
 *
 * Go idiom: testing/synctest.
 * Rule: in rn_test_run the clock stands still while anybody works and jumps when all wait. So the pauses
 * of a retry can be checked to the nanosecond, a five-minute limit is reached at once, and the code under
 * test has no clock to be mocked.
 */
#include <errno.h>
#include <runnel.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the code under test: calls fn until it succeeds, with pauses of 1, 2, 4, ... seconds, at most 60,
 * and gives up after the deadline. It returns what fn said last. */
static int retry(int (*fn)(void *), void *arg, int64_t deadline)
{
    int64_t pause = RN_SEC;
    int err;
    while ((err = fn(arg)) != 0 && rn_now() + pause <= deadline) {
        rn_sleep(pause);
        pause = pause * 2 < RN_MIN ? pause * 2 : RN_MIN;
    }
    return err;
}

/* ---- the tests */

struct service {
    int fails; /* so many times before it works */
    int calls;
    int64_t began;
};

static int call_service(void *p)
{
    struct service *s = p;
    s->calls++;
    printf("  call %d after %lld s\n", s->calls, (long long)((rn_now() - s->began) / RN_SEC));
    return s->calls > s->fails ? 0 : -ECONNREFUSED;
}

static void expect(bool ok, const char *what)
{
    if (!ok) {
        printf("FAILED: %s\n", what);
        exit(1);
    }
}

static void works_at_last(void *arg)
{
    (void)arg;
    struct service s = {.fails = 4, .began = rn_now()};
    expect(retry(call_service, &s, s.began + RN_HOUR) == 0, "it works in the end");
    expect(rn_now() - s.began == (1 + 2 + 4 + 8) * RN_SEC, "the pauses double");
}

static void gives_up(void *arg)
{
    (void)arg;
    struct service s = {.fails = 1000, .began = rn_now()};
    expect(retry(call_service, &s, s.began + 5 * RN_MIN) == -ECONNREFUSED, "it gives up");
    expect(rn_now() - s.began <= 5 * RN_MIN, "in time");
    expect(s.calls == 10, "after ten calls");
}

/* And a test that cannot go on fails at once, with a reason. */
static void waits_for_nobody(void *arg)
{
    (void)arg;
    chan(int) c = chan_make(int, 0);
    chan_name(c, "answers");
    chan_recv(c, NULL);
}

int main(void)
{
    int64_t began = rn_now();
    printf("works at last\n");
    rn_test_run(works_at_last, NULL, NULL);
    printf("gives up\n");
    rn_test_run(gives_up, NULL, NULL);
    expect(rn_now() - began < RN_MIN, "more than five minutes have passed in seconds");

    printf("waits for nobody\n");
    rn_test_result r;
    int err = rn_test_run(waits_for_nobody, NULL, &((rn_test_opts){.result = &r}));
    expect(err == -EDEADLK && r.blocked == 1, "the deadlock is seen");
    printf("  %.46s\n", r.report);
    return 0;
}
