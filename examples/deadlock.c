/*
 * deadlock.c - sends on an unbuffered channel, with nobody there to receive.
 *
 * Go idiom: the first mistake that everybody makes.
 * Rule: when no goroutine can ever run again, no timer is pending and nothing waits in the kernel,
 * the program ends with status 2 and says who waits for what, and where. Nothing of main's deferred
 * calls runs, and recover cannot catch it.
 *
 * runnel-test: status=2
 */
#include <runnel.h>
#include <stdio.h>

static void never(void *what)
{
    printf("deferred: %s\n", (const char *)what);
}

static void wait_for_main(recv_chan(int) never_sent)
{
    chan_recv(never_sent, NULL);
}
GO_FUNC(wait_for_main, recv_chan(int));

int main(void)
{
    chan(int) data = chan_make(int, 0);
    chan(int) other = chan_make(int, 0);
    int x = 0;

    defer(never, "must not be seen");
    puts("before");
    fflush(stdout);
    go(wait_for_main, other);
    chan_send(data, 100); /* waits here for ever: the next line would have received it */
    chan_recv(data, &x);
    printf("received %d\n", x);
    return 0;
}
