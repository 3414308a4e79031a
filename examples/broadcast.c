/*
 * broadcast.c - each value to every subscriber.
 *
 * Go idiom: a goroutine that keeps a list of channels; closing a channel can tell everybody once only.
 * Rule: whoever has joined gets every value after that, in the same order as all others. A slow
 * subscriber holds the sender back, or asks to lose the oldest instead and can tell how much it missed.
 */
#include <runnel.h>
#include <stdio.h>

typedef rn_broadcast(int) prices;

static void adder(prices *p, recv_chan(int) mine, send_chan(int) result)
{
    int sum = 0;
    chan_range (v, mine)
        sum += v;
    rn_broadcast_leave(p, mine);
    chan_send(result, sum);
}
GO_FUNC(adder, prices *, recv_chan(int), send_chan(int));

int main(void)
{
    prices p = {0};
    chan_auto(int) result = chan_make(int, 0);

    rn_broadcast_send(&p, 1000); /* nobody is there: nobody gets it */
    for (int i = 0; i < 3; i++)
        go(adder, &p, rn_broadcast_join(&p, 4, RN_BROADCAST_BLOCK), result);
    recv_chan(int) latest = rn_broadcast_join(&p, 1, RN_BROADCAST_DROP_OLDEST);

    for (int v = 1; v <= 100; v++)
        rn_broadcast_send(&p, v);
    int v = 0;
    chan_recv(latest, &v);
    printf("the latest is %d, %d were missed\n", v, (int)rn_broadcast_missed(&p, latest));
    rn_broadcast_leave(&p, latest);

    rn_broadcast_close(&p);
    for (int i = 0; i < 3; i++) {
        int sum = 0;
        chan_recv(result, &sum);
        printf("sum %d\n", sum);
    }
    return 0;
}
