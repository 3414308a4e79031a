/*
 * directions.c - give each function only the end of the channel that it needs.
 *
 * Go idiom: chan<- int and <-chan int in parameter lists.
 * Rule: a channel narrows to a one-way view silently, never back; the compiler checks it. Only a
 * sending view can be closed: receivers have no business closing.
 *
 * These lines do not compile, each with a message that says why:
 *     chan_send(in, 1);              in is receive-only
 *     chan_close(in);                so it cannot be closed either
 *     chan_recv(out, &v);            out is send-only
 *     chan(int) both = in;           a view does not widen
 *     chan_send(out, "forty-two");   wrong element type
 */
#include <runnel.h>
#include <stdio.h>

static void produce(send_chan(int) out)
{
    for (int i = 0; i < 3; i++)
        chan_send(out, i);
    chan_close(out);
}
GO_FUNC(produce, send_chan(int));

static void square(recv_chan(int) in, send_chan(int) out)
{
    chan_range (v, in)
        chan_send(out, v * v);
    chan_close(out);
}
GO_FUNC(square, recv_chan(int), send_chan(int));

int main(void)
{
    chan_auto(int) numbers = chan_make(int, 0);
    chan_auto(int) squares = chan_make(int, 0);

    go(produce, numbers);         /* chan(int) becomes send_chan(int) here ... */
    go(square, numbers, squares); /* ... and recv_chan(int) there */

    recv_chan(int) view = squares; /* one channel, seen from one side */
    chan_range (v, view)
        printf("%d\n", v);
    return 0;
}
