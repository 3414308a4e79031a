/*
 * ring.c - 503 goroutines in a circle; a token goes round a thousand times, and then some.
 *
 * Go idiom: the thread-ring benchmark; each node owns one receiving and one sending end.
 * Rule: a goroutine parked on its channel costs nothing but its stack, and is woken directly by the
 * send of its neighbour. To end it all, whoever holds the last token closes his right-hand channel;
 * the close runs round the ring like the token did, and every channel is closed by its one sender.
 */
#include <runnel.h>
#include <stdio.h>

enum { NODES = 503, HOPS = 503 * 1000 + 497 };

static void node(int id, recv_chan(int) left, send_chan(int) right, rn_waitgroup *wg)
{
    chan_range (hops, left) {
        if (hops == 0) {
            printf("after %d hops node %d has the token\n", HOPS, id);
            break;
        }
        chan_send(right, hops - 1);
    }
    chan_close(right);
    rn_waitgroup_done(wg);
}
GO_FUNC(node, int, recv_chan(int), send_chan(int), rn_waitgroup *);

int main(void)
{
    chan(int) link[NODES];
    rn_waitgroup wg = {0};

    for (int i = 0; i < NODES; i++)
        link[i] = chan_make(int, 0);
    rn_waitgroup_add(&wg, NODES);
    for (int i = 0; i < NODES; i++)
        go(node, i + 1, link[i], link[(i + 1) % NODES], &wg);

    chan_send(link[0], HOPS);
    rn_waitgroup_wait(&wg);
    for (int i = 0; i < NODES; i++)
        chan_unref(link[i]);
    return 0;
}
