/*
 * whispers.c - Chinese whispers: ten thousand goroutines in a row, each adds one.
 *
 * Go idiom: the daisy chain; goroutines are so cheap that one per number is no joke.
 * Rule: all of them wait at the same time, and one send at the far end runs through the whole row.
 *
 * (ThreadSanitizer, however, knows at most 8128 goroutines at a time.)
 * runnel-test: not=thread
 */
#include <runnel.h>
#include <stdio.h>

enum { PEOPLE = 10000 };

static void whisper(chan(int) from, chan(int) to)
{
    defer_unref(from);
    defer_unref(to);
    int secret;
    chan_recv(from, &secret);
    chan_send(to, secret + 1);
}
GO_FUNC(whisper, chan(int), chan(int));

int main(void)
{
    chan_auto(int) first = chan_make(int, 0);
    chan(int) last = chan_ref(first);

    for (int i = 0; i < PEOPLE; i++) {
        chan(int) next = chan_make(int, 0);
        go(whisper, last, chan_ref(next));
        last = next;
    }
    printf("in the row: %ld\n", (long)rn_num_goroutine() - 1);

    int secret = -1;
    chan_send(first, 0);
    chan_recv(last, &secret);
    chan_unref(last);
    printf("0 went in, %d came out\n", secret);
    return 0;
}
