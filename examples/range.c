/*
 * range.c - receive until the sender says that there is no more.
 *
 * Go idiom: for v := range c.
 * Rule: the loop ends when the channel is closed *and* drained. Who forgets to close leaves the
 * receiver waiting for ever. break and continue mean what they always mean; leaving early loses
 * nothing that is still in the buffer.
 */
#include <runnel.h>
#include <stdio.h>

static void count(int n, send_chan(int) out)
{
    for (int i = 0; i < n; i++)
        chan_send(out, i);
    chan_close(out); /* the sender closes: only it knows that nothing will follow */
}
GO_FUNC(count, int, send_chan(int));

int main(void)
{
    chan_auto(int) rendezvous = chan_make(int, 0);
    go(count, 5, rendezvous);
    printf("unbuffered:");
    chan_range (v, rendezvous)
        printf(" %d", v);
    puts("");

    chan_auto(int) queue = chan_make(int, 8);
    go(count, 10, queue); /* runs ahead of us by up to eight values */
    printf("odd ones:");
    chan_range (v, queue) {
        if (v % 2 == 0)
            continue;
        printf(" %d", v);
    }
    puts("");

    chan_auto(int) letters = chan_make(int, 3);
    for (int l = 'a'; l <= 'c'; l++)
        chan_send(letters, l);
    chan_close(letters);
    chan_range (l, letters) {
        printf("first: %c\n", l);
        break;
    }
    printf("still there: %zu\n", chan_len(letters));
    return 0;
}
