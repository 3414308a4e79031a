/*
 * deadline_per_step.c - a time-out for every step that leaves nothing behind.
 *
 * Go idiom: a time.Timer that is reset for each message, because time.After in a loop makes a new timer
 * each time.
 * Rule: on_after makes no object at all, and is what a time-out in a select should be. A timer is for a
 * time-out that goes over several selects: reset starts it again from now, and after it has returned the old
 * time-out cannot come any more, however close it was. rn_after gives a channel, which has an owner:
 * chan_unref lets it go before its time.
 */
#include <runnel.h>
#include <stdio.h>

static void talk(send_chan(int) c, recv_chan(rn_unit) silence)
{
    for (int i = 1; i <= 1000; i++)
        chan_send(c, i);
    chan_recv(silence, NULL); /* says nothing more, and does not close either */
}
GO_FUNC(talk, send_chan(int), recv_chan(rn_unit));

int main(void)
{
    chan_auto(int) c = chan_make(int, 0);
    chan_auto(rn_unit) silence = chan_make(rn_unit, 0);
    go(talk, c, silence);

    rn_timer idle = {0};
    rn_timer_start(&idle, 50 * RN_MS);
    int heard = 0, cut_short = 0;
    for (bool on = true; on;) {
        int v;
        switch (chan_select(on_recv(c, &v), on_recv(rn_timer_chan(&idle), NULL))) {
        case 0:
            heard++;
            cut_short += rn_timer_reset(&idle, 50 * RN_MS);
            break;
        default: on = false;
        }
    }
    printf("heard %d, the time-out was put off %d times\n", heard, cut_short);
    printf("stop: %s\n", rn_timer_stop(&idle) ? "was running" : "had been received");

    recv_chan(int64_t) soon = rn_after(1 * RN_MS);
    recv_chan(int64_t) far = rn_after(24 * RN_HOUR);
    printf("first: %d\n", chan_select(on_recv(soon, NULL), on_recv(far, NULL)));
    chan_unref(soon);
    chan_unref(far); /* a day early; its timer is gone with it */

    chan_close(silence);
    return 0;
}
