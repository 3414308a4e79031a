/*
 * nil_cases.c - merge three streams that end at different times.
 *
 * Go idiom: case v, ok := <-a: if !ok { a = nil }.
 * Rule: a closed channel is always ready and would be chosen over and over; a nil channel never is.
 * Setting the variable to nil takes its case out of the select. When all are nil, we are done.
 */
#include <runnel.h>
#include <stdio.h>

static void merge(recv_chan(int) a, recv_chan(int) b, recv_chan(int) c, send_chan(rn_unit) done)
{
    while (a || b || c) {
        int v;
        bool ok;
        int which = chan_select(on_recv(a, &v, &ok), on_recv(b, &v, &ok), on_recv(c, &v, &ok));
        if (ok) {
            printf("%c %d\n", "abc"[which], v);
            continue;
        }
        switch (which) {
        case 0: a = NULL; break;
        case 1: b = NULL; break;
        case 2: c = NULL; break;
        }
    }
    chan_close(done);
}
GO_FUNC(merge, recv_chan(int), recv_chan(int), recv_chan(int), send_chan(rn_unit));

int main(void)
{
    chan_auto(int) a = chan_make(int, 0);
    chan_auto(int) b = chan_make(int, 0);
    chan_auto(int) c = chan_make(int, 0);
    chan_auto(rn_unit) done = chan_make(rn_unit, 0);
    go(merge, a, b, c, done);

    chan_send(c, 9);
    chan_close(c);
    chan_send(a, 11);
    chan_send(a, 12);
    chan_close(a);
    chan_send(b, 10);
    chan_close(b);

    chan_recv(done, NULL);
    puts("end");
    return 0;
}
