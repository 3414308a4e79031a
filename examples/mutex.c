/*
 * mutex.c - a lock made of a channel with one slot.
 *
 * Go idiom: a channel of capacity 1 as a mutex that can also be tried, timed and selected on.
 * Rule: what was done before the receive (unlock) happens before the next send completes (lock),
 * so the counter below needs no atomic. Where nothing but locking is wanted, rn_mutex is faster.
 */
#include <runnel.h>
#include <stdio.h>

typedef chan(rn_unit) lock;

static void lock_take(lock l)
{
    chan_send(l, (rn_unit){0});
}

static bool lock_try(lock l)
{
    return chan_try_send(l, (rn_unit){0});
}

static int lock_take_until(lock l, int64_t deadline) /* 0 or a negative errno */
{
    return chan_put(l, deadline, (rn_unit){0});
}

static void lock_drop(lock l)
{
    chan_recv(l, NULL);
}

enum { WORKERS = 4, EACH = 5000 };

static void worker(lock l, long *counter, rn_waitgroup *wg)
{
    for (int i = 0; i < EACH; i++) {
        lock_take(l);
        ++*counter;
        lock_drop(l);
    }
    rn_waitgroup_done(wg);
}
GO_FUNC(worker, lock, long *, rn_waitgroup *);

int main(void)
{
    chan_auto(rn_unit) l = chan_make(rn_unit, 1);
    rn_waitgroup wg = {0};
    long counter = 0;

    rn_waitgroup_add(&wg, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        go(worker, l, &counter, &wg);
    rn_waitgroup_wait(&wg);
    printf("%d workers counted to %ld\n", WORKERS, counter);

    lock_take(l);
    printf("try while taken: %s\n", lock_try(l) ? "got it" : "busy");
    int err = lock_take_until(l, rn_now() + 2 * RN_MS);
    printf("for 2 ms:        %s\n", err == 0 ? "got it" : "time-out");
    lock_drop(l);
    printf("try when free:   %s\n", lock_try(l) ? "got it" : "busy");
    lock_drop(l);
    return 0;
}
