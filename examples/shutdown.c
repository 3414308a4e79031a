/*
 * shutdown.c - a server that finishes what it has begun when it is asked to stop.
 *
 * Go idiom: c := make(chan os.Signal, 1); signal.Notify(c, os.Interrupt, syscall.SIGTERM); <-c.
 * Rule: a signal is a value in a channel, handled by ordinary code, in a select with everything else.
 * Room for one is enough: it only matters that it came. After rn_signal_stop a second Ctrl-C kills as
 * usual, for those who do not want to wait.
 */
#include <runnel.h>
#include <stdio.h>
#include <unistd.h>

static void worker(recv_chan(int) jobs, rn_waitgroup *done, _Atomic(int) *finished)
{
    chan_range (job, jobs) {
        rn_sleep(1 * RN_MS); /* the work */
        (void)job;
        (*finished)++;
    }
    rn_waitgroup_done(done);
}
GO_FUNC(worker, recv_chan(int), rn_waitgroup *, _Atomic(int) *);

int main(void)
{
    chan_auto(int) signals = chan_make(int, 1);
    if (rn_signal_notify(signals, SIGINT, SIGTERM) != 0)
        return 1;

    chan_auto(int) jobs = chan_make(int, 4);
    rn_waitgroup done = {0};
    static _Atomic(int) finished;
    for (int i = 0; i < 3; i++) {
        rn_waitgroup_add(&done, 1);
        go(worker, jobs, &done, &finished);
    }

    int accepted = 0, sig = 0;
    for (int job = 0; sig == 0; job++) {
        if (job == 20)
            kill(getpid(), SIGTERM); /* somebody else would do that */
        switch (chan_select(on_recv(signals, &sig), on_send(jobs, job))) {
        case 1: accepted++; break;
        default: printf("got: %s\n", rn_signal_text(sig));
        }
    }
    rn_signal_stop(signals);

    chan_close(jobs); /* no new ones; those that were accepted are finished */
    rn_waitgroup_wait(&done);
    printf("accepted at least 20: %s, all of them finished: %s\n", accepted >= 20 ? "yes" : "no",
           accepted == finished ? "yes" : "no");
    return 0;
}
