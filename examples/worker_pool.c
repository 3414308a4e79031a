/*
 * worker_pool.c - many jobs, few workers, results as they come.
 *
 * Go idiom: for j := range jobs in every worker; close(jobs) sends them all home.
 * Rule: any number of goroutines may receive from one channel; each value goes to exactly one.
 * Who is free takes the next job, so nobody has to plan who does what.
 */
#include <runnel.h>
#include <stdio.h>

enum { WORKERS = 3, JOBS = 20 };

struct job {
    int id;
    unsigned n;
};

struct result {
    int id;
    unsigned steps;
};

static unsigned collatz(unsigned n)
{
    unsigned steps = 0;
    for (; n != 1; steps++)
        n = n % 2 ? 3 * n + 1 : n / 2;
    return steps;
}

static void worker(recv_chan(struct job) jobs, send_chan(struct result) results, rn_waitgroup *wg)
{
    chan_range (j, jobs)
        chan_send(results, (struct result){j.id, collatz(j.n)});
    rn_waitgroup_done(wg);
}
GO_FUNC(worker, recv_chan(struct job), send_chan(struct result), rn_waitgroup *);

static void hand_out(send_chan(struct job) jobs)
{
    for (int i = 0; i < JOBS; i++)
        chan_send(jobs, (struct job){i, (unsigned)i + 20});
    chan_close(jobs);
}
GO_FUNC(hand_out, send_chan(struct job));

static void close_when_done(send_chan(struct result) results, rn_waitgroup *wg)
{
    rn_waitgroup_wait(wg);
    chan_close(results);
}
GO_FUNC(close_when_done, send_chan(struct result), rn_waitgroup *);

int main(void)
{
    chan_auto(struct job) jobs = chan_make(struct job, 4);
    chan_auto(struct result) results = chan_make(struct result, 4);
    rn_waitgroup wg = {0};
    unsigned steps[JOBS];

    rn_waitgroup_add(&wg, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        go(worker, jobs, results, &wg);
    go(hand_out, jobs);
    go(close_when_done, results, &wg);

    chan_range (r, results) /* in any order ... */
        steps[r.id] = r.steps;
    for (int i = 0; i < JOBS; i++) /* ... shown in ours */
        printf("%2d needs %3u steps to reach 1\n", i + 20, steps[i]);
    return 0;
}
