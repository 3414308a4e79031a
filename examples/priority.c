/*
 * priority.c - the stop signal and the urgent queue first.
 *
 * Go idiom: select { case <-stop: return; default: } before the real select, and again after it.
 * Rule: select is fair: among ready cases each has the same chance, so a stop may have to wait its turn
 * any number of times. chan_select_ordered does the first ready case in source order, decided at one
 * instant: when a lower case runs, no higher one was ready.
 */
#include <runnel.h>
#include <stdio.h>

int main(void)
{
    chan_auto(rn_unit) stop = chan_make(rn_unit, 0);
    chan_auto(int) urgent = chan_make(int, 8);
    chan_auto(int) normal = chan_make(int, 8);

    for (int i = 1; i <= 3; i++) {
        chan_send(normal, i);
        chan_send(urgent, 10 * i);
    }
    for (bool on = true; on;) {
        int v;
        switch (
            chan_select_ordered(on_recv(stop, NULL), on_recv(urgent, &v), on_recv(normal, &v))) {
        case 0: on = false; break;
        case 1: printf("urgent %d\n", v); break;
        case 2:
            printf("normal %d\n", v);
            if (v == 1)
                chan_send(urgent, 99); /* overtakes what is waiting */
            if (v == 2)
                chan_close(stop); /* comes before 3 */
        }
    }
    printf("stopped; %zu not done\n", chan_len(normal));
    return 0;
}
