/*
 * batches.c - move many elements with one operation.
 *
 * Go idiom: none; there one packs elements into slices and sends these.
 * Rule: chan_send_n and chan_recv_n do what a loop of sends and receives would, and take the lock once for
 * all that needs no waiting. min says how long to wait, max how much to take: min 1 is "whatever is there".
 */
#include <runnel.h>
#include <stdio.h>

enum { N = 10000, MOST = 256 };

static void producer(send_chan(int) out)
{
    int batch[MOST], n = 0;
    for (int i = 1; i <= N; i++) {
        batch[n++] = i;
        if (n == MOST || i == N) {
            chan_send_n(out, batch, n);
            n = 0;
        }
    }
    chan_close(out);
}
GO_FUNC(producer, send_chan(int));

int main(void)
{
    chan_auto(int) c = chan_make(int, 1024);
    go(producer, c);

    int batch[MOST];
    size_t n, operations = 0, elements = 0;
    long sum = 0;
    while ((n = chan_recv_n(c, batch, 1, MOST)) > 0) {
        for (size_t i = 0; i < n; i++)
            sum += batch[i];
        elements += n;
        operations++;
    }
    printf("%zu elements, sum %ld\n", elements, sum);
    printf("in far fewer operations: %s\n", operations < elements / 8 ? "yes" : "no");

    /* exactly so many: wait for all of them, or for the end */
    chan_auto(int) pairs = chan_make(int, 4);
    chan_send_n(pairs, ((int[]){1, 2, 3}), 3);
    chan_close(pairs);
    for (int p[2]; (n = chan_recv_n(pairs, p, 2, 2)) > 0;)
        printf(n == 2 ? "pair %d %d\n" : "left over: %d\n", p[0], p[n - 1]);
    return 0;
}
