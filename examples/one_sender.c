/*
 * one_sender.c - closing rule 1: a single sender closes, when it has sent its last value.
 *
 * Go idiom: close(c) in the sender, for v := range c in every receiver, a wait group around them.
 * Rule: receivers never close; they cannot know whether the sender is about to send. Buffered
 * values survive the close, so the sender may close at once and leave.
 */
#include <runnel.h>
#include <stdio.h>

enum { RECEIVERS = 10, LAST = 1000 };

static void sender(send_chan(int) c)
{
    for (int i = 1; i <= LAST; i++)
        chan_send(c, i);
    chan_close(c);
}
GO_FUNC(sender, send_chan(int));

static void receiver(recv_chan(int) c, long *sum, rn_waitgroup *wg)
{
    chan_range (v, c)
        *sum += v; /* our own sum: nothing is shared */
    rn_waitgroup_done(wg);
}
GO_FUNC(receiver, recv_chan(int), long *, rn_waitgroup *);

int main(void)
{
    chan_auto(int) c = chan_make(int, 10);
    rn_waitgroup wg = {0};
    long sum[RECEIVERS] = {0}, total = 0;

    rn_waitgroup_add(&wg, RECEIVERS);
    for (int i = 0; i < RECEIVERS; i++)
        go(receiver, c, &sum[i], &wg);
    go(sender, c);
    rn_waitgroup_wait(&wg);

    for (int i = 0; i < RECEIVERS; i++)
        total += sum[i];
    printf("%d receivers, 1 + ... + %d = %ld\n", RECEIVERS, LAST, total);
    return 0;
}
