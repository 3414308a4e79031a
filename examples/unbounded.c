/*
 * unbounded.c - a channel that is never full, and one who watches it.
 *
 * Go idiom: two channels and a goroutine with a slice between them.
 * Rule: a send never waits, so a producer that must not wait (a callback, a signal's thread) can use it. The
 * price is memory: the soft limit tells when the consumer falls behind, and the ring shrinks when it has
 * caught up.
 */
#include <runnel.h>
#include <stdio.h>

static void too_long(size_t len, void *arg)
{
    (void)arg;
    printf("the consumer is %zu behind\n", len);
}

int main(void)
{
    chan_auto(int) c =
        chan_make_with(int, 0, .unbounded = true, .soft_limit = 1000, .on_high_water = too_long);
    for (int i = 0; i < 5000; i++)
        chan_send(c, i); /* nobody receives: any other channel would block here */
    printf("%zu waiting, no limit: %s\n", chan_len(c), chan_cap(c) == SIZE_MAX ? "yes" : "no");

    long sum = 0;
    for (int v; chan_try_recv(c, &v, NULL);)
        sum += v;
    printf("all in order, sum %ld; %zu left\n", sum, chan_len(c));

    for (int i = 0; i < 1000; i++)
        chan_send(c, i); /* a new crowd: it is told again */
    chan_close(c);
    int n = 0;
    chan_range (v, c)
        n += v >= 0;
    printf("%d more, then closed\n", n);
    return 0;
}
