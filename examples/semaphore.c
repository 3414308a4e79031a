/*
 * semaphore.c - at most three at a time: a buffered channel counts.
 *
 * Go idiom: sem <- struct{}{}; work; <-sem.
 * Rule: on a channel of capacity C, the k-th receive happens before the (k+C)-th send completes.
 * So C senders may be "inside", the next one waits until somebody has received, that is, left.
 *
 * An element of size 0 (rn_unit) needs no buffer: the semaphore is only a counter and two queues.
 */
#include <runnel.h>
#include <stdio.h>

enum { TASKS = 7, LIMIT = 3 };

static void task(chan(rn_unit) sem, send_chan(rn_unit) entered, recv_chan(rn_unit) leave,
                 rn_waitgroup *wg)
{
    chan_send(sem, (rn_unit){0}); /* acquire */
    chan_send(entered, (rn_unit){0});
    chan_recv(leave, NULL);
    chan_recv(sem, NULL); /* release */
    rn_waitgroup_done(wg);
}
GO_FUNC(task, chan(rn_unit), send_chan(rn_unit), recv_chan(rn_unit), rn_waitgroup *);

int main(void)
{
    chan_auto(rn_unit) sem = chan_make(rn_unit, LIMIT);
    chan_auto(rn_unit) entered = chan_make(rn_unit, 0);
    chan_auto(rn_unit) leave = chan_make(rn_unit, 0);
    rn_waitgroup wg = {0};

    rn_waitgroup_add(&wg, TASKS);
    for (int i = 0; i < TASKS; i++)
        go(task, sem, entered, leave, &wg);

    for (int i = 0; i < LIMIT; i++)
        chan_recv(entered, NULL);
    printf("inside: %zu of %zu\n", chan_len(sem), chan_cap(sem));
    printf("a fourth one enters: %s\n", chan_try_recv(entered, NULL, NULL) ? "yes" : "no");

    for (int in = LIMIT; in < TASKS; in++) {
        chan_send(leave, (rn_unit){0}); /* one goes ... */
        chan_recv(entered, NULL);       /* ... and lets exactly one in */
        printf("one out, one in: inside %zu\n", chan_len(sem));
    }
    chan_close(leave);
    rn_waitgroup_wait(&wg);
    printf("inside: %zu\n", chan_len(sem));
    return 0;
}
