/*
 * demo.c - the showcase: runs every step, times it, and ends with a table of what happened.
 *
 *     runnel-demo                  everything
 *     runnel-demo deadlock-child   the program whose death the deadlock step shows
 *
 * Exit status 0 only if no step failed.
 */
#include "demo.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *title;
    step *run;
} steps[] = {
    {"sieve", "a chain of filters, one goroutine for each prime", demo_sieve},
    {"worker pool", "many jobs, few workers, results in any order", demo_pool},
    {"time-out", "select waits for a value, but not for ever", demo_timeout},
    {"panic", "a send on a closed channel, caught", demo_panic},
    {"deadlock", "a child program that waits for nobody, and what runnel says about it",
     demo_deadlock},
    {"crowd", "goroutines by the hundred thousand, all parked, all woken by one close", demo_crowd},
    {"wordfreq", "this project's words, counted by a pipeline and by coreutils", demo_words},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

int main(int argc, char *argv[])
{
    if (argc > 1 && strcmp(argv[1], "deadlock-child") == 0)
        return demo_run_into_a_deadlock();

    static char note[STEPS][NOTE];
    enum outcome how[STEPS];
    double seconds[STEPS];
    static const char *const word[] = {[FAILED] = "FAILED", [OK] = "ok", [SKIPPED] = "skipped"};
    int bad = 0, skipped = 0;

    printf("runnel %s, %d worker%s\n", RN_VERSION, rn_gomaxprocs(0),
           rn_gomaxprocs(0) == 1 ? "" : "s");
    for (int i = 0; i < STEPS; i++) {
        printf("\n--- %s: %s\n", steps[i].name, steps[i].title);
        fflush(stdout);
        int64_t start = rn_now();
        how[i] = steps[i].run(note[i]);
        seconds[i] = (double)(rn_now() - start) / RN_SEC;
        bad += how[i] == FAILED;
        skipped += how[i] == SKIPPED;
    }

    printf("\n%-12s %-8s %9s   %s\n", "step", "result", "seconds", "what");
    for (int i = 0; i < STEPS; i++)
        printf("%-12s %-8s %9.3f   %s\n", steps[i].name, word[how[i]], seconds[i], note[i]);
    printf("\n%s\n", bad > 0       ? "Something FAILED, see above."
                     : skipped > 0 ? "All that could run is well."
                                   : "All is well.");
    return bad == 0 ? 0 : 1;
}
