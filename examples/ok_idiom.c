/*
 * ok_idiom.c - is it a zero that somebody sent, or the zero of a closed channel?
 *
 * Go idiom: v, ok := <-c.
 * Rule: closing throws nothing away. Buffered values come first, in order, with ok = true; then
 * every receive returns at once with a zero value and ok = false, any number of times.
 */
#include <runnel.h>
#include <stdio.h>

int main(void)
{
    chan_auto(int) c = chan_make(int, 3);
    chan_send(c, 10);
    chan_send(c, 0); /* a real zero */
    printf("len %zu, cap %zu\n", chan_len(c), chan_cap(c));
    chan_close(c);

    for (size_t i = 0; i < chan_cap(c) + 1; i++) {
        int x = -1; /* overwritten in every case */
        bool ok = chan_recv(c, &x);
        printf("%zu: %-5s %d\n", i, ok ? "true" : "false", x);
    }
    printf("len %zu, cap %zu\n", chan_len(c), chan_cap(c));
    return 0;
}
