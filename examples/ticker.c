/*
 * ticker.c - a loop that works at a steady beat, and a clean end of it.
 *
 * Go idiom: t := time.NewTicker(d); defer t.Stop(); for { select { case <-t.C: ... case <-done: ... } }.
 * Rule: a ticker is a struct of the caller's. It keeps its beat however long the work takes, and
 * drops ticks that nobody has taken rather than piling them up. When rn_ticker_stop has returned nothing
 * more comes, nothing need be drained, and nothing of it is left: there is nothing to free.
 */
#include <runnel.h>
#include <stdio.h>

static void sampler(int64_t period, send_chan(int) samples, recv_chan(rn_unit) done)
{
    rn_ticker t = {0};
    rn_ticker_start(&t, period);
    for (int n = 1;; n++) {
        if (chan_select(on_recv(done, NULL), on_recv(rn_ticker_chan(&t), NULL)) == 0)
            break;
        if (chan_select(on_recv(done, NULL), on_send(samples, n)) == 0)
            break;
    }
    rn_ticker_stop(&t);
    chan_close(samples);
}
GO_FUNC(sampler, int64_t, send_chan(int), recv_chan(rn_unit));

int main(void)
{
    chan_auto(int) samples = chan_make(int, 0);
    chan_auto(rn_unit) done = chan_make(rn_unit, 0);
    int64_t begun = rn_now();
    int n = 0;
    go(sampler, 2 * RN_MS, samples, done);
    while (n < 4 && chan_recv(samples, &n))
        printf("sample %d\n", n);
    printf("too early: %s\n", rn_now() - begun < 8 * RN_MS ? "yes" : "no");

    /* A slow reader loses ticks: of the many that were due meanwhile, one has waited. */
    rn_ticker fast = {0};
    rn_ticker_start(&fast, 1 * RN_MS);
    recv_chan(int64_t) tick = rn_ticker_chan(&fast);
    rn_sleep(20 * RN_MS);
    int waited = 0;
    for (int64_t due; chan_try_recv(tick, &due, NULL) && due <= begun + 30 * RN_SEC;)
        if (++waited == 2)
            break; /* a new one, just now */
    printf("ticks that waited: %s\n", waited >= 1 && waited <= 2 ? "one" : "many");
    rn_ticker_stop(&fast);
    printf("after the stop: %s\n", chan_try_recv(tick, NULL, NULL) ? "a tick" : "nothing");

    chan_close(done);
    while (chan_recv(samples, NULL)) /* one may have been on its way; then it closes */
        ;
    puts("stopped");
    return 0;
}
