/*
 * leak.c - goroutines that nobody will ever wake, seen by counting, and three ways out.
 *
 * Go idiom: runtime.NumGoroutine() before and after.
 * Rule: a goroutine blocked on a channel stays until somebody does the other half. Nothing collects
 * it, and it is not a deadlock as long as anybody else can run. Pair your sends and receives.
 *
 * The ways out: receive from the senders, close under the receivers, or send with a deadline.
 */
#include <runnel.h>
#include <stdio.h>

enum { MANY = 500 };

static void send_one(send_chan(int) c, rn_waitgroup *gone)
{
    chan_send(c, 1);
    rn_waitgroup_done(gone);
}
GO_FUNC(send_one, send_chan(int), rn_waitgroup *);

static void receive_one(recv_chan(int) c, rn_waitgroup *gone)
{
    chan_recv(c, NULL);
    rn_waitgroup_done(gone);
}
GO_FUNC(receive_one, recv_chan(int), rn_waitgroup *);

static void send_or_give_up(send_chan(int) c, rn_waitgroup *gone)
{
    int err = chan_put(c, rn_now() + 2 * RN_MS, 1); /* 0, or a negative errno: never a panic */
    if (err == 0)
        puts("who took that?");
    rn_waitgroup_done(gone);
}
GO_FUNC(send_or_give_up, send_chan(int), rn_waitgroup *);

int main(void)
{
    chan_auto(int) c = chan_make(int, 0);
    rn_waitgroup gone = {0};

    rn_waitgroup_add(&gone, MANY);
    for (int i = 0; i < MANY; i++)
        go(send_one, c, &gone);
    printf("senders without a receiver: %ld\n", (long)rn_num_goroutine() - 1);
    for (int i = 0; i < MANY; i++)
        chan_recv(c, NULL);
    rn_waitgroup_wait(&gone);
    puts("  received from: all gone");

    rn_waitgroup_add(&gone, MANY);
    for (int i = 0; i < MANY; i++)
        go(send_or_give_up, c, &gone);
    rn_waitgroup_wait(&gone);
    puts("senders with a deadline:    all gone by themselves");

    rn_waitgroup_add(&gone, MANY);
    for (int i = 0; i < MANY; i++)
        go(receive_one, c, &gone);
    printf("receivers without a sender: %d\n", MANY);
    chan_close(c);
    rn_waitgroup_wait(&gone);
    puts("  channel closed: all gone");
    return 0;
}
