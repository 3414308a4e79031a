/*
 * slots.c - what a buffer changes, and what it does not.
 *
 * Go idiom: make(chan T, n).
 * Rule: with a free slot a send does not wait, so even one goroutine alone can send to itself. When
 * the slots are full, a buffered channel waits exactly like an unbuffered one. A waiting receiver
 * gets the value directly, past the buffer. See deadlock.c for the same without a slot.
 */
#include <runnel.h>
#include <stdio.h>

static void take(int n, recv_chan(int) c, send_chan(rn_unit) done)
{
    printf("taken:");
    for (int i = 0, v; i < n; i++) {
        chan_recv(c, &v);
        printf(" %d", v);
    }
    puts("");
    chan_close(done);
}
GO_FUNC(take, int, recv_chan(int), send_chan(rn_unit));

int main(void)
{
    chan_auto(int) c = chan_make(int, 3);
    int x = 0;

    chan_send(c, 100); /* into a slot */
    chan_recv(c, &x);  /* and out again */
    printf("to myself: %d\n", x);

    for (int i = 1; chan_try_send(c, i); i++)
        printf("slot %d of %zu is taken\n", i, chan_cap(c));

    chan_auto(rn_unit) done = chan_make(rn_unit, 0);
    go(take, 6, c, done);
    for (int i = 4; i <= 6; i++)
        chan_send(c, i); /* waits whenever all slots are full */
    chan_recv(done, NULL);
    printf("left: %zu\n", chan_len(c));
    return 0;
}
