/*
 * classics.c - the short steps of the showcase: sieve, worker pool, time-out, panic.
 *
 * Invariants
 *  - Each step ends all goroutines that it has started.
 */
#include "demo.h"
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------- sieve */

static void generate(chan(int) out, recv_chan(rn_unit) quit)
{
    defer_unref(out);
    for (int i = 2; chan_select(on_send(out, i), on_recv(quit, NULL)) == 0; i++)
        ;
    chan_close(out);
}
GO_FUNC(generate, chan(int), recv_chan(rn_unit));

static void filter(chan(int) in, chan(int) out, int prime)
{
    defer_unref(in);
    defer_unref(out);
    chan_range (i, in) {
        if (i % prime != 0)
            chan_send(out, i);
    }
    chan_close(out);
}
GO_FUNC(filter, chan(int), chan(int), int);

enum outcome demo_sieve(char note[NOTE])
{
    enum { WANTED = 500, LAST = 3571 }; /* the 500th prime */
    chan_auto(rn_unit) quit = chan_make(rn_unit, 0);
    chan(int) in = chan_make(int, 0);
    int prime = 0;

    go(generate, chan_ref(in), quit);
    for (int n = 1; n <= WANTED; n++) {
        chan_recv(in, &prime);
        if (n <= 20)
            printf("%d ", prime);
        chan(int) out = chan_make(int, 0);
        go(filter, in, chan_ref(out), prime);
        in = out;
    }
    printf("... %d\n", prime);

    /* Only the source is told; from there the close runs down the chain behind the last numbers. */
    chan_close(quit);
    while (chan_recv(in, NULL))
        ;
    chan_unref(in);
    snprintf(note, NOTE, "prime number %d is %d", WANTED, prime);
    return prime == LAST ? OK : FAILED;
}

/* ----------------------------------------------------------------------------------------- pool */

static void worker(recv_chan(int) jobs, send_chan(int64_t) results)
{
    int64_t sum = 0;
    chan_range (n, jobs) {
        int64_t x = n;
        for (int i = 0; i < 1000; i++)
            x = (x * 48271 + i) % 2147483647;
        sum += x;
    }
    chan_send(results, sum);
}
GO_FUNC(worker, recv_chan(int), send_chan(int64_t));

static int64_t run_pool(int workers, int jobs)
{
    chan_auto(int) queue = chan_make(int, 64);
    chan_auto(int64_t) results = chan_make(int64_t, workers);
    int64_t total = 0, part = 0;

    for (int i = 0; i < workers; i++)
        go(worker, queue, results);
    for (int i = 0; i < jobs; i++)
        chan_send(queue, i);
    chan_close(queue);
    for (int i = 0; i < workers; i++) {
        chan_recv(results, &part);
        total += part;
    }
    return total;
}

enum outcome demo_pool(char note[NOTE])
{
    enum { JOBS = 50000, WORKERS = 8 };
    int64_t alone = run_pool(1, JOBS), together = run_pool(WORKERS, JOBS);
    printf("one worker:    %lld\n%d workers:     %lld\n", (long long)alone, WORKERS,
           (long long)together);
    snprintf(note, NOTE, "%d jobs, the same sum by 1 and by %d workers", JOBS, WORKERS);
    return alone == together ? OK : FAILED;
}

/* ------------------------------------------------------------------------------------- time-out */

enum outcome demo_timeout(char note[NOTE])
{
    chan_auto(int) c = chan_make(int, 1);
    int64_t start = rn_now(), waited;
    int v = 0;

    int first = chan_select(on_recv(c, &v), on_after(20 * RN_MS)); /* nobody sends */
    waited = rn_now() - start;
    printf("nobody sends: case %d after %.1f ms\n", first, (double)waited / RN_MS);

    chan_send(c, 7);
    int second = chan_select(on_recv(c, &v), on_after(RN_HOUR));
    printf("a value is there: case %d, value %d\n", second, v);

    snprintf(note, NOTE, "gave up after %.1f ms (20 asked), then received at once",
             (double)waited / RN_MS);
    return first == 1 && waited >= 20 * RN_MS && second == 0 && v == 7 ? OK : FAILED;
}

/* ---------------------------------------------------------------------------------------- panic */

static void say(void *what)
{
    printf("deferred: %s\n", (const char *)what);
}

static void send_too_late(void *arg)
{
    chan_auto(int) c = chan_make(int, 1);
    (void)arg;
    defer(say, "runs before the stack is given up");
    chan_close(c);
    chan_send(c, 1);
    puts("never reached");
}

enum outcome demo_panic(char note[NOTE])
{
    rn_panic_info info;
    if (rn_try(send_too_late, NULL, &info)) {
        snprintf(note, NOTE, "no panic at all");
        return FAILED;
    }
    printf("caught:   %s (at %s)\n", info.text, info.site);
    snprintf(note, NOTE, "caught \"%.80s\"", info.text);
    return info.is_runtime_error && strcmp(info.text, "send on closed channel") == 0 ? OK : FAILED;
}
