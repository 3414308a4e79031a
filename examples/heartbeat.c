/*
 * heartbeat.c - do something every now and then until told to stop.
 *
 * Go idiom: for { select { case <-quit: return; case <-time.After(d): beat() } }.
 * Rule: waiting for the clock and waiting for the order to stop are one wait. A sleep followed by a
 * look at `quit` would stop only after the sleep.
 */
#include <runnel.h>
#include <stdio.h>

static void heart(int64_t pause, send_chan(int) beat, recv_chan(rn_unit) quit)
{
    for (int n = 1;; n++) {
        if (chan_select(on_recv(quit, NULL), on_after(pause)) == 0)
            break;
        if (chan_select(on_recv(quit, NULL), on_send(beat, n)) == 0)
            break;
    }
    chan_close(beat);
}
GO_FUNC(heart, int64_t, send_chan(int), recv_chan(rn_unit));

int main(void)
{
    chan_auto(int) beat = chan_make(int, 0);
    chan_auto(rn_unit) quit = chan_make(rn_unit, 0);
    int64_t start = rn_now();
    int n = 0;

    go(heart, 3 * RN_MS, beat, quit);
    while (n < 3 && chan_recv(beat, &n))
        printf("beat %d\n", n);
    printf("too early: %s\n", rn_now() - start < 9 * RN_MS ? "yes" : "no");

    chan_close(quit);
    while (chan_recv(beat, NULL)) /* a beat may have been on its way; then it closes */
        ;
    puts("stopped");
    return 0;
}
