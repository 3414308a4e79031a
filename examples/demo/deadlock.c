/*
 * deadlock.c - the demo starts itself as a child that deadlocks, and shows how it dies.
 *
 * Two goroutines want two forks in opposite order, main waits for both: nobody can run any more.
 */
#include "demo.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void eat(chan(rn_unit) first, chan(rn_unit) second, recv_chan(rn_unit) both_have_one,
                send_chan(rn_unit) done)
{
    chan_send(first, (rn_unit){0}); /* take a fork ... */
    chan_send(done, (rn_unit){0});
    chan_recv(both_have_one, NULL);
    chan_send(second, (rn_unit){0}); /* ... and never get the other */
    chan_send(done, (rn_unit){0});
}
GO_FUNC(eat, chan(rn_unit), chan(rn_unit), recv_chan(rn_unit), send_chan(rn_unit));

int demo_run_into_a_deadlock(void)
{
    chan(rn_unit) left = chan_make_with(rn_unit, 1, .name = "left fork");
    chan(rn_unit) right = chan_make_with(rn_unit, 1, .name = "right fork");
    chan(rn_unit) ready = chan_make(rn_unit, 0);
    chan(rn_unit) done = chan_make_with(rn_unit, 0, .name = "done");

    go_with(((rn_go_attr){.name = "Plato"}), eat, left, right, ready, done);
    go_with(((rn_go_attr){.name = "Kant"}), eat, right, left, ready, done);
    chan_recv(done, NULL);
    chan_recv(done, NULL);
    chan_close(ready);
    chan_recv(done, NULL); /* here main waits for ever */
    return 0;
}

enum outcome demo_deadlock(char note[NOTE])
{
    static const char verdict[] = "fatal error: all goroutines are asleep - deadlock!\n";
    char self[4096], *report = NULL;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) {
        snprintf(note, NOTE, "/proc/self/exe cannot be read");
        return SKIPPED;
    }
    self[n] = '\0';

    int status = demo_child((const char *const[]){self, "deadlock-child", NULL}, STDERR_FILENO,
                            &report, NULL);
    if (report == NULL) {
        snprintf(note, NOTE, "the child could not be started: error %d", -status);
        return FAILED;
    }
    for (const char *line = report; *line != '\0';) {
        size_t n_line = strcspn(line, "\n");
        printf("    | %.*s\n", (int)n_line, line);
        line += n_line + (line[n_line] == '\n');
    }
    printf("exit status %d\n", status);
    bool right = status == 2 && strncmp(report, verdict, strlen(verdict)) == 0;
    free(report);
    snprintf(note, NOTE, "the child was told so and ended with status %d", status);
    return right ? OK : FAILED;
}
