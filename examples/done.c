/*
 * done.c - how main learns that a goroutine has finished: a value, a close, or a wait group.
 *
 * Go idiom: done <- true; close(done); wg.Wait().
 * Rule: returning from main ends the program, whatever the others are doing, so somebody must wait.
 * What the goroutine wrote before it sent or closed is visible after the receive: no flag to poll,
 * no atomic, no lock.
 *
 * The data and the event have channels of their own. If main waited on the data channel instead, it
 * might be main that gets the data.
 */
#include <runnel.h>
#include <stdio.h>

static void by_value(int *result, send_chan(bool) done)
{
    *result = 1;
    chan_send(done, true); /* wakes exactly one receiver */
}
GO_FUNC(by_value, int *, send_chan(bool));

static void by_close(int *result, send_chan(rn_unit) done)
{
    *result = 2;
    chan_close(done); /* wakes everybody, now and later */
}
GO_FUNC(by_close, int *, send_chan(rn_unit));

static void by_count(int *result, rn_waitgroup *wg)
{
    *result = 3;
    rn_waitgroup_done(wg); /* best for many: the last one opens the door */
}
GO_FUNC(by_count, int *, rn_waitgroup *);

static void print_one(recv_chan(int) data, send_chan(rn_unit) done)
{
    int d;
    chan_recv(data, &d);
    printf("data: %d\n", d);
    chan_close(done);
}
GO_FUNC(print_one, recv_chan(int), send_chan(rn_unit));

int main(void)
{
    int a = 0, b = 0, c = 0;
    chan_auto(bool) sent = chan_make(bool, 0);
    chan_auto(rn_unit) closed = chan_make(rn_unit, 0);
    rn_waitgroup counted = {0};

    rn_waitgroup_add(&counted, 1);
    go(by_value, &a, sent);
    go(by_close, &b, closed);
    go(by_count, &c, &counted);

    chan_recv(sent, NULL);
    chan_recv(closed, NULL);
    rn_waitgroup_wait(&counted);
    printf("value %d, close %d, count %d\n", a, b, c);

    chan_auto(int) data = chan_make(int, 0);
    chan_auto(rn_unit) done = chan_make(rn_unit, 0);
    go(print_one, data, done);
    chan_send(data, 100);
    chan_recv(done, NULL); /* the data has been taken before; now it is also printed */
    return 0;
}
