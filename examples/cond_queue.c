/*
 * cond_queue.c - a bounded queue out of a mutex and two conditions: what a buffered channel is inside.
 *
 * Go idiom: for len(q) == max { notFull.Wait() }, and notEmpty.Signal() after a change.
 * Rule: ask again after every wait. A signal says that something has changed, not that it is still so when
 * the mutex has been locked again. Signals are not stored: change the data under the mutex, then signal.
 * In a program of your own a channel is shorter; a condition is for what no channel can say, such as "at
 * least three of them".
 */
#include <runnel.h>
#include <stdio.h>

enum { ROOM = 3, MAKERS = 4, ITEMS = 250, BUNCH = 5 };

static struct queue {
    rn_mutex mu; /* guards the rest */
    rn_cond not_full, not_empty;
    int item[ROOM];
    int first, n;
} q;

static void put(int v)
{
    rn_mutex_lock(&q.mu);
    while (q.n == ROOM)
        rn_cond_wait(&q.not_full, &q.mu);
    q.item[(q.first + q.n++) % ROOM] = v;
    rn_mutex_unlock(&q.mu);
    rn_cond_signal(&q.not_empty);
}

static int take(void)
{
    rn_mutex_lock(&q.mu);
    while (q.n == 0)
        rn_cond_wait(&q.not_empty, &q.mu);
    int v = q.item[q.first];
    q.first = (q.first + 1) % ROOM;
    q.n--;
    rn_mutex_unlock(&q.mu);
    rn_cond_signal(&q.not_full);
    return v;
}

static void make(int from)
{
    for (int i = 0; i < ITEMS; i++)
        put(from + i);
}
GO_FUNC(make, int);

int main(void)
{
    for (int i = 0; i < MAKERS; i++)
        go(make, 1 + i * ITEMS);
    long sum = 0;
    for (int i = 0; i < MAKERS * ITEMS; i++)
        sum += take();
    printf("took %d, sum %ld\n", MAKERS * ITEMS, sum);

    /* Nobody makes anything any more: a wait with a deadline comes back. */
    rn_mutex_lock(&q.mu);
    int err = rn_cond_wait_until(&q.not_empty, &q.mu, rn_now() + RN_MS);
    printf("and then: %s\n", err == -ETIMEDOUT ? "timed out" : "?");
    rn_mutex_unlock(&q.mu);
    return 0;
}
