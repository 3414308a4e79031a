/*
 * recover.c - a worker that survives bad jobs.
 *
 * Go idiom: defer func() { if r := recover(); r != nil { ... } }() around each job.
 * Rule: deferred calls run newest first, also while panicking. recover works in the deferred
 * function itself, and the function that deferred it then returns, here with what rn_recoverable
 * says. Each goroutine recovers its own panics; one that nobody recovers ends the whole program.
 *
 * rn_try does the same without any set-up, and hands over what happened.
 */
#include <runnel.h>
#include <stdio.h>

static void clean_up(void *what)
{
    printf("  put back the %s\n", (const char *)what);
}

static void report(void *job)
{
    const rn_panic_info *p = recover();
    if (p != NULL)
        printf("  job %d failed: %s%s\n", *(int *)job, p->text,
               p->is_runtime_error ? " (runtime error)" : "");
}

static bool run(int job, chan(int) c)
{
    rn_recoverable(false); /* this is returned after a recovered panic */
    defer(report, &job);
    defer(clean_up, "tools"); /* newest first: before the report */

    if (job % 3 == 0)
        panic("I do not work on multiples of %d", 3);
    if (job == 4)
        chan_close(c); /* a mistake: it was closed long ago */
    return true;
}

static void worker(recv_chan(int) jobs, chan(int) closed, send_chan(int) done)
{
    int well = 0;
    chan_range (job, jobs) {
        printf("job %d\n", job);
        well += run(job, closed);
    }
    chan_send(done, well);
}
GO_FUNC(worker, recv_chan(int), chan(int), send_chan(int));

static void send_anyway(void *c)
{
    chan_send(*(chan(int) *)c, 1);
}

int main(void)
{
    chan_auto(int) jobs = chan_make(int, 5);
    chan_auto(int) closed = chan_make(int, 1);
    chan_auto(int) done = chan_make(int, 0);
    int well = 0;

    chan_close(closed);
    for (int i = 1; i <= 5; i++)
        chan_send(jobs, i);
    chan_close(jobs);
    go(worker, jobs, closed, done);
    chan_recv(done, &well);
    printf("%d of 5 jobs done\n", well);

    rn_panic_info info;
    if (!rn_try(send_anyway, &closed, &info))
        printf("rn_try: %s\n", info.text);
    return 0;
}
