/*
 * timeout.c - a time-out that leaks a goroutine, and the one character that cures it.
 *
 * Go idiom: select { case r := <-c: ... case <-time.After(d): ... }.
 * Rule: an unbuffered send waits for its receiver. If the receiver has timed out and gone, the
 * sender waits for ever, and nothing ever collects it. With capacity 1 it leaves its result in the
 * buffer, and ends.
 *
 * A time-out stops the waiting, never the work: a goroutine ends only when it decides to.
 */
#include <runnel.h>
#include <stdio.h>

enum { CALLS = 3 };

static void slow_work(chan(int) result, recv_chan(rn_unit) finish)
{
    defer_unref(result);
    chan_recv(finish, NULL); /* slower than any time-out */
    chan_send(result, 42);
}
GO_FUNC(slow_work, chan(int), recv_chan(rn_unit));

static bool process(chan(int) result, recv_chan(rn_unit) finish)
{
    go(slow_work, chan_ref(result), finish);

    int v;
    switch (chan_select(on_recv(result, &v), on_after(2 * RN_MS))) {
    case 0: return true;
    default: return false;
    }
}

/* Gives goroutines that can end the time to do so. */
static long alive_after_a_while(long expected)
{
    for (int i = 0; i < 2000 && rn_num_goroutine() != expected; i++)
        rn_sleep(1 * RN_MS);
    return (long)rn_num_goroutine();
}

int main(void)
{
    for (int capacity = 0; capacity <= 1; capacity++) {
        chan(rn_unit) finish = chan_make(rn_unit, 0);
        chan(int) result[CALLS];
        int timed_out = 0;
        for (int i = 0; i < CALLS; i++) {
            result[i] = chan_make(int, capacity);
            timed_out += !process(result[i], finish);
        }
        chan_close(finish); /* all work is done now; is anybody there to take the results? */

        long leaked = alive_after_a_while(capacity == 0 ? 1 + CALLS : 1) - 1;
        printf("capacity %d: %d time-outs, %ld goroutines leaked\n", capacity, timed_out, leaked);

        for (int i = 0; i < CALLS; i++) {
            chan_recv(result[i], NULL); /* only this sets the leaked ones free */
            chan_unref(result[i]);
        }
        printf("            after all are received: %ld\n", alive_after_a_while(1) - 1);
        chan_unref(finish);
    }
    return 0;
}
