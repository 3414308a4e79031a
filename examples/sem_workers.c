/*
 * sem_workers.c - tasks of different weight share ten units of something.
 *
 * Go idiom: sem.Acquire(ctx, weight); defer sem.Release(weight).
 * Rule: first come, first served. A task that needs nine units and waits at the head keeps later small ones
 * waiting, so that it gets its turn; without that the small ones would pass it for ever.
 */
#include <runnel.h>
#include <stdio.h>

enum { UNITS = 10, TASKS = 60 };

static rn_sem sem = RN_SEM_INIT(UNITS);
static rn_mutex mu;
static int in_use, most, done; /* guarded by mu */

static void count(int units)
{
    rn_mutex_lock(&mu);
    in_use += units;
    if (in_use > most)
        most = in_use;
    done += units < 0;
    rn_mutex_unlock(&mu);
}

static void task(int weight)
{
    rn_sem_acquire(&sem, weight);
    count(weight);
    rn_yield(); /* the work */
    count(-weight);
    rn_sem_release(&sem, weight);
}
GO_FUNC(task, int);

int main(void)
{
    rn_waitgroup wg = {0};
    for (int i = 0; i < TASKS; i++)
        rn_waitgroup_go(&wg, task, i % 6 == 0 ? 9 : i % 3 + 1);
    rn_waitgroup_wait(&wg);
    printf("%d tasks done, never more than %d units in use: %s\n", done, UNITS,
           most <= UNITS ? "true" : "false");
    printf("free: %d of %d\n", (int)rn_sem_available(&sem), (int)rn_sem_size(&sem));

    rn_sem_acquire(&sem, 8);
    printf("two more: %s\n", rn_sem_tryacquire(&sem, 2) ? "at once" : "not now");
    int err = rn_sem_acquire_until(&sem, 1, rn_now() + RN_MS);
    printf("and one: %s\n", err == -ETIMEDOUT ? "not within a millisecond" : "?");
    return 0;
}
