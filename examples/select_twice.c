/*
 * select_twice.c - the same channel in two cases of one select.
 *
 * Go idiom: select { case x := <-c1: ... case x := <-c2: ... case x := <-c2: ... }.
 * Rule: the choice is uniform among the ready *cases*, so a channel that is listed twice gets two
 * shares. One value is received all the same, and each value once.
 */
#include <runnel.h>
#include <stdio.h>

static void feed(send_chan(int) c, int n)
{
    for (int i = 0; i < n; i++)
        chan_send(c, i);
}
GO_FUNC(feed, send_chan(int), int);

int main(void)
{
    enum { N = 10000 };
    chan_auto(int) c1 = chan_make(int, 0);
    chan_auto(int) c2 = chan_make(int, 0);
    long share[3] = {0}, sum = 0;

    go(feed, c2, N);
    for (int i = 0; i < N; i++) {
        int x;
        share[chan_select(on_recv(c1, &x), on_recv(c2, &x), on_recv(c2, &x))]++;
        sum += x;
    }
    printf("c1 chosen: %ld\n", share[0]);
    printf("c2 chosen: %ld, every value once: %s\n", share[1] + share[2],
           sum == (long)N * (N - 1) / 2 ? "yes" : "no");
    printf("both of its cases got a fair share: %s\n",
           share[1] > N / 4 && share[2] > N / 4 ? "yes" : "no");
    return 0;
}
