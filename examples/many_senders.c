/*
 * many_senders.c - closing rule 2: of many senders none closes; one closer waits for all of them.
 *
 * Go idiom: go func() { wg.Wait(); close(c) }(), and a `stop` channel to end the senders early.
 * Rule: close after the last send, once. Looking whether the channel (or a stop flag) is closed
 * and *then* sending leaves a gap in which it may close, and the send panics. So the stop case and
 * the send belong into one select, and the close comes only after every sender has left.
 */
#include <runnel.h>
#include <stdio.h>

enum { SENDERS = 10 };

static void sender(int id, int n, send_chan(int) out, recv_chan(rn_unit) stop, rn_waitgroup *wg)
{
    for (int i = 0; i < n; i++) {
        if (chan_select(on_send(out, id), on_recv(stop, NULL)) == 1)
            break;
    }
    rn_waitgroup_done(wg);
}
GO_FUNC(sender, int, int, send_chan(int), recv_chan(rn_unit), rn_waitgroup *);

static void closer(send_chan(int) out, rn_waitgroup *senders)
{
    rn_waitgroup_wait(senders);
    chan_close(out);
}
GO_FUNC(closer, send_chan(int), rn_waitgroup *);

static void start(int n, chan(int) out, recv_chan(rn_unit) stop, rn_waitgroup *wg)
{
    rn_waitgroup_add(wg, SENDERS);
    for (int id = 0; id < SENDERS; id++)
        go(sender, id, n, out, stop, wg);
    go(closer, out, wg);
}

int main(void)
{
    rn_waitgroup first = {0}, second = {0};
    int got = 0;

    /* All senders come to their own end. A nil stop is a stop that never comes. */
    chan_auto(int) c = chan_make(int, 10);
    start(100, c, NULL, &first);
    chan_range (id, c)
        got += id >= 0;
    printf("to the end: %d values\n", got);

    /* The receiver has enough. It may not close c, but it may close stop: it owns that one. */
    chan_auto(int) d = chan_make(int, 10);
    chan_auto(rn_unit) stop = chan_make(rn_unit, 0);
    start(1000000, d, stop, &second);
    got = 0;
    chan_range (id, d) {
        if (id >= 0 && ++got == 100)
            chan_close(stop);
    }
    printf("stopped early: %s\n", got >= 100 && got < 1000000 ? "yes, and nobody panicked" : "no");
    return 0;
}
