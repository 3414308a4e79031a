/*
 * free_list.c - a channel as a pool of buffers.
 *
 * Go idiom: the leaky buffer: select { case b = <-free: default: b = new(Buffer) }.
 * Rule: a buffered channel is a queue that any number of goroutines may use. Take one if there is
 * one, else make one; give it back if there is room, else let it go. A buffer has one owner at a
 * time: whoever has sent it away must not touch it any more.
 */
#include <runnel.h>
#include <stdio.h>
#include <stdlib.h>

enum { SPARE = 4, MESSAGES = 1000 };

struct buffer {
    int used;
    int data[16];
};

static struct buffer *get(recv_chan(struct buffer *) spare, int *made)
{
    struct buffer *b;
    if (!chan_try_recv(spare, &b, NULL)) {
        b = malloc(sizeof *b);
        if (b == NULL)
            panic("no memory");
        ++*made;
    }
    b->used = 0;
    return b;
}

static void put(struct buffer *b, send_chan(struct buffer *) spare)
{
    if (!chan_try_send(spare, b))
        free(b);
}

static void reader(recv_chan(struct buffer *) full, send_chan(struct buffer *) spare,
                   send_chan(long) sum)
{
    long total = 0;
    chan_range (b, full) {
        for (int i = 0; i < b->used; i++)
            total += b->data[i];
        put(b, spare);
    }
    chan_send(sum, total);
}
GO_FUNC(reader, recv_chan(struct buffer *), send_chan(struct buffer *), send_chan(long));

int main(void)
{
    chan_auto(struct buffer *) spare = chan_make(struct buffer *, SPARE);
    chan_auto(struct buffer *) full = chan_make(struct buffer *, 0);
    chan_auto(long) sum = chan_make(long, 0);
    long total = 0;
    int made = 0;

    go(reader, full, spare, sum);
    for (int m = 0; m < MESSAGES; m++) {
        struct buffer *b = get(spare, &made);
        while (b->used < 16)
            b->data[b->used++] = m;
        chan_send(full, b);
    }
    chan_close(full);
    chan_recv(sum, &total);
    printf("%d messages, sum %ld, few buffers for them: %s\n", MESSAGES, total,
           made <= 3 ? "yes" : "no");

    struct buffer *b;
    while (chan_try_recv(spare, &b, NULL))
        free(b);
    return 0;
}
