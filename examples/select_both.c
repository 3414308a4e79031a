/*
 * select_both.c - one select that sends to and receives from the same channel.
 *
 * Go idiom: the puzzle of the Go book: for i := 0; i < 10; i++ { select { case c <- i: ...
 * case x := <-c: ... } }
 * Rule: of the ready cases one is chosen at random; with one slot exactly one is ready each time:
 * empty, only the send; full, only the receive. So it prints the even numbers. A goroutine can
 * never meet itself: without a slot neither case would ever be ready.
 */
#include <runnel.h>
#include <stdio.h>

int main(void)
{
    chan_auto(int) c = chan_make(int, 1);
    for (int i = 0; i < 10; i++) {
        int x;
        switch (chan_select(on_send(c, i), on_recv(c, &x))) {
        case 0: break;
        case 1: printf("%d\n", x); break;
        }
    }

    chan_auto(int) roomy = chan_make(int, 10); /* now mostly both are ready */
    int sent = 0, received = 0;
    for (int i = 0; i < 1000; i++) {
        if (chan_select(on_send(roomy, i), on_recv(roomy, NULL)) == 0)
            sent++;
        else
            received++;
    }
    bool all = (size_t)(sent - received) == chan_len(roomy);
    printf("with ten slots: %s\n", all ? "nothing lost" : "something lost");
    return 0;
}
