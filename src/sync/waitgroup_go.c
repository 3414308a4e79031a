/*
 * waitgroup_go.c - what a goroutine of rn_waitgroup_go runs.
 *
 * Invariants
 *  - The group counts the goroutine until its function has returned or called rn_goexit. If it
 *    panics, the group counts it for ever: nobody goes on, and perhaps ends the program, before the
 *    panic has been printed.
 */
#include <runnel/sync.h>
#include "../panic/panic.h"

/* Deferred. A recovered panic is the only sign of one; it is raised again at once. */
static void job_over(void *wg)
{
    const rn_panic_info *panicked = rn_recover();
    if (panicked != NULL)
        rn_repanic(panicked);
    rn_waitgroup_done(wg);
}

void rn_waitgroup_run(void *p)
{
    rn_waitgroup_job *job = p;
    rn_recoverable();
    rn_defer(job_over, job->wg);
    job->run(job + 1);
}
