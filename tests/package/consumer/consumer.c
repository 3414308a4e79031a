/*
 * consumer.c - a user's program: a goroutine doubles what it receives.
 */
#include <runnel.h>
#include <stdio.h>

static void twice(recv_chan(int) in, send_chan(int) out)
{
    chan_range (v, in)
        chan_send(out, 2 * v);
    chan_close(out);
}
GO_FUNC(twice, recv_chan(int), send_chan(int));

int main(void)
{
    chan(int) in = chan_make(int, 0), out = chan_make(int, 0);
    go(twice, in, out);
    chan_send(in, 21);
    chan_close(in);
    int v = 0;
    chan_recv(out, &v);
    printf("%d\n", v);
    return 0;
}
