/*
 * batching.c - send arrays instead of single numbers.
 *
 * Go idiom: chan [500]int: less traffic for the same data.
 * Rule: an element may be anything up to 65535 bytes, copied by value; arrays travel inside a
 * struct. Large elements are sent from memory (chan_send_from), so that no copy lands on the stack.
 * For still larger data send a pointer, and the ownership with it: the sender must forget it.
 */
#include <runnel.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBERS = 100000, BATCH = 500 };

struct batch {
    int v[BATCH];
};

static void one_by_one(send_chan(int) out)
{
    for (int i = 0; i < NUMBERS; i++)
        chan_send(out, i);
    chan_close(out);
}
GO_FUNC(one_by_one, send_chan(int));

static void in_batches(send_chan(struct batch) out)
{
    struct batch b;
    for (int i = 0; i < NUMBERS; i++) {
        b.v[i % BATCH] = i;
        if (i % BATCH == BATCH - 1)
            chan_send_from(out, &b); /* copied: we may fill it again at once */
    }
    chan_close(out);
}
GO_FUNC(in_batches, send_chan(struct batch));

static void by_pointer(send_chan(struct batch *) out)
{
    for (int i = 0; i < NUMBERS; i += BATCH) {
        struct batch *b = malloc(sizeof *b);
        if (b == NULL)
            break;
        for (int k = 0; k < BATCH; k++)
            b->v[k] = i + k;
        chan_send(out, b); /* from here on it is not ours */
    }
    chan_close(out);
}
GO_FUNC(by_pointer, send_chan(struct batch *));

static long sum_of(const struct batch *b)
{
    long sum = 0;
    for (int k = 0; k < BATCH; k++)
        sum += b->v[k];
    return sum;
}

int main(void)
{
    chan_auto(int) singles = chan_make(int, 64);
    chan_auto(struct batch) arrays = chan_make(struct batch, 4);
    chan_auto(struct batch *) pointers = chan_make(struct batch *, 4);
    long sum = 0, n = 0;

    go(one_by_one, singles);
    chan_range (v, singles)
        sum += v, n++;
    printf("singles:  sum %ld in %6ld receives\n", sum, n);

    sum = n = 0;
    go(in_batches, arrays);
    chan_range (b, arrays)
        sum += sum_of(&b), n++;
    printf("arrays:   sum %ld in %6ld receives\n", sum, n);

    sum = n = 0;
    go(by_pointer, pointers);
    chan_range (p, pointers) {
        sum += sum_of(p), n++;
        free(p); /* the last owner frees */
    }
    printf("pointers: sum %ld in %6ld receives\n", sum, n);
    return 0;
}
