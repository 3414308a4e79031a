/*
 * barrier_phases.c - four workers compute one row of Pascal's triangle after the other, all in step.
 *
 * Go idiom: none in the standard library; a wait group per phase, or a mutex with a condition.
 * Rule: nobody may write a row before all have read the one above it. One barrier stands between reading and
 * writing, one between writing and the next row; it is used again phase by phase.
 */
#include <runnel.h>
#include <stdio.h>

enum { WORKERS = 4, ROWS = 8 };

static rn_barrier barrier = RN_BARRIER_INIT(WORKERS);
static int row[ROWS + 1] = {1};

static void print_row(int n)
{
    for (int i = 0; i <= n; i++)
        printf(i < n ? "%d " : "%d\n", row[i]);
}

static void work(int me)
{
    for (int n = 1; n < ROWS; n++) {
        int next[ROWS + 1] = {0};
        for (int i = me; i <= n; i += WORKERS)
            next[i] = row[i] + (i > 0 ? row[i - 1] : 0);
        rn_barrier_wait(&barrier); /* all have read */
        for (int i = me; i <= n; i += WORKERS)
            row[i] = next[i];
        if (rn_barrier_wait(&barrier)) /* all have written; one of them is told so */
            print_row(n);
        rn_barrier_wait(&barrier); /* and printed */
    }
}
GO_FUNC(work, int);

int main(void)
{
    rn_waitgroup wg = {0};
    print_row(0);
    for (int i = 0; i < WORKERS; i++)
        rn_waitgroup_go(&wg, work, i);
    rn_waitgroup_wait(&wg);
    return 0;
}
