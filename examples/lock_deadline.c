/*
 * lock_deadline.c - two accounts, two locks, and transfers in both directions at once.
 *
 * Go idiom: none; sync.Mutex cannot time out, so Go programs order their locks or build one from a channel.
 * Rule: who holds one lock and does not get the other one in time gives the first one back and starts again.
 * That cures the deadlock of crossed locks without any agreement on their order. A failed
 * rn_mutex_lock_until has left the queue: nothing has to be undone.
 */
#include <runnel.h>
#include <stdio.h>

enum { TRANSFERS = 500 };

static struct account {
    rn_mutex mu;
    int money; /* guarded by mu */
} a = {.money = 1000}, b = {.money = 1000};

static void transfer(struct account *from, struct account *to, int sum)
{
    for (;;) {
        rn_mutex_lock(&from->mu);
        rn_yield(); /* here the other direction takes its first lock */
        if (rn_mutex_lock_until(&to->mu, rn_now() + 20 * RN_US) == 0)
            break;
        rn_mutex_unlock(&from->mu);
        rn_sleep((int64_t)(rn_goid() % 7) * 10 * RN_US); /* not in step with the other one */
    }
    from->money -= sum;
    to->money += sum;
    rn_mutex_unlock(&to->mu);
    rn_mutex_unlock(&from->mu);
}

static void transfers(struct account *from, struct account *to, int sum)
{
    for (int i = 0; i < TRANSFERS; i++)
        transfer(from, to, sum);
}
GO_FUNC(transfers, struct account *, struct account *, int);

int main(void)
{
    rn_waitgroup wg = {0};
    rn_waitgroup_go(&wg, transfers, &a, &b, 2);
    rn_waitgroup_go(&wg, transfers, &b, &a, 1);
    rn_waitgroup_wait(&wg);
    printf("a %d, b %d, together %d\n", a.money, b.money, a.money + b.money);

    rn_mutex_lock(&a.mu);
    printf("a past deadline tries: %s\n", rn_mutex_lock_until(&a.mu, 0) == 0 ? "locked" : "busy");
    rn_mutex_unlock(&a.mu);
    printf("and again: %s\n", rn_mutex_lock_until(&a.mu, 0) == 0 ? "locked" : "busy");
    return 0;
}
