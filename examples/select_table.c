/*
 * select_table.c - select over as many channels as there happen to be.
 *
 * Go idiom: reflect.Select.
 * Rule: a select is only a table of cases. rn_select takes one that was made at run time; the typed
 * on_recv and on_send make its rows. A row whose channel is NULL never fires, so a finished input
 * is crossed out and the others keep their places.
 */
#include <runnel.h>
#include <stdio.h>

enum { INPUTS = 8 };

static void count_to(int n, send_chan(int) out)
{
    for (int i = 1; i <= n; i++)
        chan_send(out, i);
    chan_close(out);
}
GO_FUNC(count_to, int, send_chan(int));

int main(void)
{
    chan(int) input[INPUTS];
    rn_case table[INPUTS];
    int v, sum[INPUTS] = {0};
    bool ok;

    for (int i = 0; i < INPUTS; i++) {
        input[i] = chan_make(int, i % 3);
        table[i] = on_recv(input[i], &v, &ok);
        go(count_to, i * 10, input[i]);
    }
    for (int open = INPUTS; open > 0;) {
        int i = rn_select(table, INPUTS);
        if (ok) {
            sum[i] += v;
        } else {
            table[i].c = NULL;
            open--;
        }
    }
    for (int i = 0; i < INPUTS; i++) {
        printf("input %d: %d\n", i, sum[i]);
        chan_unref(input[i]);
    }
    return 0;
}
