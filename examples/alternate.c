/*
 * alternate.c - A and B take turns, although nobody knows which goroutine runs first.
 *
 * Go idiom: an unbuffered channel is a baton; receiving it means "it is your turn".
 * Rule: an unbuffered send is finished only when the receiver has taken the value, so everything
 * before the send happens before everything after the receive.
 *
 * The end is announced on a channel of its own. Were main to wait on `to_a` or `to_b`, it would
 * compete with the players for the baton and the game would hang now and then.
 */
#include <runnel.h>
#include <stdio.h>

enum { TURNS = 5 };

static void player_a(recv_chan(rn_unit) to_a, send_chan(rn_unit) to_b)
{
    for (int i = 0; i < TURNS; i++) {
        chan_recv(to_a, NULL);
        printf("A %d\n", i);
        chan_send(to_b, (rn_unit){0});
    }
}
GO_FUNC(player_a, recv_chan(rn_unit), send_chan(rn_unit));

static void player_b(recv_chan(rn_unit) to_b, send_chan(rn_unit) to_a, send_chan(rn_unit) done)
{
    for (int i = 0; i < TURNS; i++) {
        chan_recv(to_b, NULL);
        printf("B %d\n", i);
        if (i + 1 < TURNS)
            chan_send(to_a, (rn_unit){0});
    }
    chan_close(done);
}
GO_FUNC(player_b, recv_chan(rn_unit), send_chan(rn_unit), send_chan(rn_unit));

int main(void)
{
    chan_auto(rn_unit) to_a = chan_make(rn_unit, 0);
    chan_auto(rn_unit) to_b = chan_make(rn_unit, 0);
    chan_auto(rn_unit) done = chan_make(rn_unit, 0);

    go(player_a, to_a, to_b);
    go(player_b, to_b, to_a, done);
    chan_send(to_a, (rn_unit){0}); /* A begins */
    chan_recv(done, NULL);
    return 0;
}
