/*
 * skynet.c - a tree of goroutines: ten children each, a hundred thousand leaves, one sum.
 *
 *     skynet [leaves]      a power of ten; 1000000 is the size of the well-known benchmark
 *
 * Go idiom: fork and join by a channel per parent.
 * Rule: `go` does not wait; its arguments are copied at once. The parent's channel has room for all
 * its children, so that no child ever waits for its parent.
 */
#include <runnel.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHILDREN = 10 };

static void skynet(long first, long leaves, send_chan(long) parent);
GO_FUNC(skynet, long, long, send_chan(long));

static void skynet(long first, long leaves, send_chan(long) parent)
{
    if (leaves == 1) {
        chan_send(parent, first);
        return;
    }
    chan_auto(long) sums = chan_make(long, CHILDREN);
    long part = leaves / CHILDREN, total = 0, sum;

    for (long i = 0; i < CHILDREN; i++)
        go(skynet, first + i * part, part, sums);
    for (int i = 0; i < CHILDREN; i++) {
        chan_recv(sums, &sum);
        total += sum;
    }
    chan_send(parent, total);
}

int main(int argc, char *argv[])
{
    long leaves = argc > 1 ? strtol(argv[1], NULL, 10) : 100000, total = 0, n = leaves;
    while (n > 1 && n % CHILDREN == 0)
        n /= CHILDREN;
    if (n != 1) {
        fputs("usage: skynet [leaves, a power of ten]\n", stderr);
        return 2;
    }
    chan_auto(long) result = chan_make(long, 1);
    go(skynet, 0, leaves, result);
    chan_recv(result, &total);
    printf("0 + 1 + ... + %ld = %ld\n", leaves - 1, total);
    return total == leaves * (leaves - 1) / 2 ? 0 : 1;
}
