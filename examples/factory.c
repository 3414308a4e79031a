/*
 * factory.c - start something and get back the channel that tells when it is done.
 *
 * Go idiom: func start() <-chan struct{}: the goroutine and its event, wrapped up in one function.
 * Rule: the maker closes, the caller can only receive. Waiting once, many times, from many places
 * or not at all are all fine, because a closed channel answers everybody for ever.
 *
 * Ownership, which Go leaves to its collector: both sides hold a reference, so the caller may even
 * drop the channel before the work is done.
 */
#include <runnel.h>
#include <stdio.h>

static void greet(const char *whom, chan(rn_unit) done)
{
    defer_unref(done);
    printf("hello, %s\n", whom);
    chan_close(done);
}
GO_FUNC(greet, const char *, chan(rn_unit));

static recv_chan(rn_unit) start_greeting(const char *whom)
{
    chan(rn_unit) done = chan_make(rn_unit, 0);
    go(greet, whom, chan_ref(done));
    return done;
}

int main(void)
{
    recv_chan(rn_unit) done = start_greeting("world");
    /* ... do something else here ... */
    chan_recv(done, NULL);
    chan_recv(done, NULL); /* asking again is free */
    chan_unref(done);

    recv_chan(rn_unit) again = start_greeting("again");
    chan_recv(again, NULL);
    chan_unref(again);
    puts("both done");
    return 0;
}
