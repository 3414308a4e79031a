/*
 * unit.h - checks for tests of the parts below the scheduler, which need no runtime.
 *
 * Invariants
 *  - A failed check prints file:line and ends the process with status 1 at once.
 */
#ifndef RN_UNIT_H
#define RN_UNIT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/platform.h"

#define CHECK(cond)                                                                  \
    do {                                                                             \
        if (!(cond)) {                                                               \
            fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #cond); \
            _exit(1);                                                                \
        }                                                                            \
    } while (0)

#define CHECK_EQ(got, want) \
    unit_check_eq((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
__attribute__((unused)) static void unit_check_eq(long long got, long long want, const char *what,
                                                  const char *file, int line)
{
    if (got != want) {
        fprintf(stderr, "%s:%d: %s is %lld, should be %lld\n", file, line, what, got, want);
        _exit(1);
    }
}

/* Runs fn(arg) in a process of its own: its exit status, or 128 + signal. */
__attribute__((unused)) static int unit_in_child(void (*fn)(void *), void *arg)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(60);
        fn(arg);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Whether the page of p can be read, found out without a fault: the kernel reads it for us. */
__attribute__((unused)) static bool unit_readable(const void *p)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    ssize_t n = write(fds[1], p, 1);
    CHECK(n == 1 || errno == EFAULT);
    close(fds[0]);
    close(fds[1]);
    return n == 1;
}

/* A number in kB from /proc/self/status, like "VmRSS:". */
__attribute__((unused)) static long unit_status_kb(const char *name)
{
    char line[256];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0)
            kb = atol(line + strlen(name));
    }
    fclose(f);
    return kb;
}

__attribute__((unused)) static long unit_count_maps(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    CHECK(f != NULL);
    long n = 0;
    for (int c; (c = getc(f)) != EOF;)
        n += c == '\n';
    fclose(f);
    return n;
}

#endif
