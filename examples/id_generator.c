/*
 * id_generator.c - unique numbers for everybody, without a lock or an atomic.
 *
 * Go idiom: a function that starts a goroutine and returns the channel on which it speaks.
 * Rule: one goroutine owns the counter; a channel hands each value to exactly one receiver.
 *
 * Go's textbook version never ends and is leaked. This one selects between handing out the next
 * number and being told to stop.
 */
#include <runnel.h>
#include <stdio.h>

static void count_up(chan(int) out, recv_chan(rn_unit) quit)
{
    defer_unref(out); /* our own reference, taken in ids() */
    for (int next = 0;; next++) {
        switch (chan_select(on_send(out, next), on_recv(quit, NULL))) {
        case 0: break; /* somebody took it */
        case 1: chan_close(out); return;
        }
    }
}
GO_FUNC(count_up, chan(int), recv_chan(rn_unit));

/* The caller owns the channel that it gets, and drops it with chan_unref. */
static recv_chan(int) ids(recv_chan(rn_unit) quit)
{
    chan(int) out = chan_make(int, 0);
    go(count_up, chan_ref(out), quit);
    return out;
}

static void customer(int n, recv_chan(int) id, send_chan(int) bag)
{
    for (int i = 0, x; i < n; i++) {
        chan_recv(id, &x);
        chan_send(bag, x);
    }
}
GO_FUNC(customer, int, recv_chan(int), send_chan(int));

int main(void)
{
    enum { CUSTOMERS = 4, EACH = 25, ALL = CUSTOMERS * EACH };
    chan_auto(rn_unit) quit = chan_make(rn_unit, 0);
    chan_auto(int) bag = chan_make(int, 0);
    recv_chan(int) id = ids(quit);

    for (int i = 0; i < CUSTOMERS; i++)
        go(customer, EACH, id, bag);

    int seen[ALL] = {0}, twice = 0;
    for (int i = 0, x; i < ALL; i++) {
        chan_recv(bag, &x);
        if (x < 0 || x >= ALL || seen[x]++)
            twice++;
    }
    printf("%d numbers handed out, %d wrong or given twice\n", ALL, twice);

    chan_close(quit);
    while (chan_recv(id, NULL)) /* we wait: the send case is ready too, and may still be chosen */
        ;
    puts("the generator has stopped");
    chan_unref(id);
    return 0;
}
