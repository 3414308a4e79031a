/*
 * sieve.c - the prime sieve: a chain of filters, one goroutine for each prime found.
 *
 * Go idiom: the classic of Hoare, McIlroy and Pike; every stage knows only its two neighbours.
 * Rule: close travels downstream. The generator ends, each filter drains its input, closes its
 * output and is gone: the whole chain folds up without anybody counting goroutines.
 *
 * Every goroutine owns one reference to each channel that it was given.
 */
#include <runnel.h>
#include <stdio.h>

static void generate(chan(int) out, int limit)
{
    defer_unref(out);
    for (int i = 2; i <= limit; i++)
        chan_send(out, i);
    chan_close(out);
}
GO_FUNC(generate, chan(int), int);

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

int main(void)
{
    chan(int) in = chan_make(int, 0);
    int prime, count = 0;

    go(generate, chan_ref(in), 541);
    while (chan_recv(in, &prime)) { /* what comes through all filters is prime */
        printf("%d%s", prime, ++count % 10 == 0 ? "\n" : " ");
        chan(int) out = chan_make(int, 0);
        go(filter, in, chan_ref(out), prime); /* our reference to `in` goes with it */
        in = out;
    }
    chan_unref(in);
    printf("%d primes\n", count);
    return 0;
}
