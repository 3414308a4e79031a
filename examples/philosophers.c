/*
 * philosophers.c - five philosophers, five forks, and a butler who prevents the deadlock.
 *
 * Go idiom: a channel of capacity 1 is a fork, a channel of capacity 4 is a table with four chairs.
 * Rule: with at most four at the table one of them always gets both forks. Without the butler all
 * five could hold their left fork and wait for ever, and runnel would say so:
 *     fatal error: all goroutines are asleep - deadlock!
 * Blocked senders are served first come first served, so nobody starves.
 */
#include <runnel.h>
#include <stdio.h>

enum { PHILOSOPHERS = 5, MEALS = 1000 };

typedef chan(rn_unit) fork_on_table; /* a value in it: somebody holds the fork */

struct philosopher {
    int id;
    fork_on_table left, right;
    int eaten;
};

static int holders[PHILOSOPHERS]; /* who holds fork i (0: nobody); guarded by the fork itself */

static void pick_up(fork_on_table f, int i, int id)
{
    chan_send(f, (rn_unit){0});
    if (holders[i] != 0)
        panic("fork %d is in two hands: %d and %d", i, holders[i], id);
    holders[i] = id;
}

static void put_down(fork_on_table f, int i)
{
    holders[i] = 0;
    chan_recv(f, NULL);
}

static void live(struct philosopher *p, chan(rn_unit) chairs, rn_waitgroup *wg)
{
    int left = p->id - 1, right = p->id % PHILOSOPHERS;
    while (p->eaten < MEALS) {
        chan_send(chairs, (rn_unit){0}); /* sit down, if the butler lets us */
        pick_up(p->left, left, p->id);
        rn_yield(); /* the dangerous moment: give the others every chance */
        pick_up(p->right, right, p->id);
        p->eaten++;
        put_down(p->right, right);
        put_down(p->left, left);
        chan_recv(chairs, NULL); /* get up and think */
    }
    rn_waitgroup_done(wg);
}
GO_FUNC(live, struct philosopher *, chan(rn_unit), rn_waitgroup *);

int main(void)
{
    chan_auto(rn_unit) chairs = chan_make(rn_unit, PHILOSOPHERS - 1);
    fork_on_table forks[PHILOSOPHERS];
    struct philosopher p[PHILOSOPHERS];
    rn_waitgroup wg = {0};

    for (int i = 0; i < PHILOSOPHERS; i++)
        forks[i] = chan_make(rn_unit, 1);
    rn_waitgroup_add(&wg, PHILOSOPHERS);
    for (int i = 0; i < PHILOSOPHERS; i++) {
        p[i] = (struct philosopher){i + 1, forks[i], forks[(i + 1) % PHILOSOPHERS], 0};
        go(live, &p[i], chairs, &wg);
    }
    rn_waitgroup_wait(&wg);
    for (int i = 0; i < PHILOSOPHERS; i++) {
        printf("philosopher %d ate %d times\n", p[i].id, p[i].eaten);
        chan_unref(forks[i]);
    }
    return 0;
}
