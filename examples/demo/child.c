/*
 * child.c - run another program and read what it writes.
 *
 * Invariants
 *  - The child starts with no signal blocked (runnel's workers block them) and without our other
 *    descriptors.
 *  - Reading and waiting are marked with rn_blocking: other goroutines go on meanwhile.
 */
#define _POSIX_C_SOURCE 200809L
#include "demo.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn(pid_t *pid, const char *const argv[], int fd, int to)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    int err = posix_spawn_file_actions_init(&files);
    if (err != 0)
        return err;
    err = posix_spawnattr_init(&attr);
    if (err == 0) {
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
        posix_spawn_file_actions_adddup2(&files, to, fd);
        /* The interface is older than const; it does not write to the arguments. */
        err = posix_spawn(pid, argv[0], &files, &attr, (char *const *)(uintptr_t)argv, environ);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return err;
}

/* Reads to the end of the pipe. NULL: no memory. */
static char *read_all(int fd, size_t *length)
{
    size_t room = 64 * 1024, n = 0;
    char *text = malloc(room);
    while (text != NULL) {
        ssize_t got = 0;
        char *at = text + n;
        size_t free_bytes = room - n - 1;
        rn_blocking
        {
            do
                got = read(fd, at, free_bytes);
            while (got < 0 && errno == EINTR);
        }
        if (got <= 0)
            break;
        n += (size_t)got;
        if (room - n < 2) {
            char *more = realloc(text, room *= 2);
            if (more == NULL)
                free(text);
            text = more;
        }
    }
    if (text != NULL)
        text[n] = '\0';
    *length = n;
    return text;
}

int demo_child(const char *const argv[], int fd, char **text, size_t *length)
{
    int ends[2], status = 0;
    size_t n = 0;
    pid_t pid = 0, ended = 0;

    *text = NULL;
    if (pipe(ends) != 0)
        return -errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    int err = spawn(&pid, argv, fd, ends[1]);
    close(ends[1]);
    if (err != 0) {
        close(ends[0]);
        return -err;
    }
    *text = read_all(ends[0], &n);
    close(ends[0]);
    rn_blocking
    {
        do
            ended = waitpid(pid, &status, 0);
        while (ended < 0 && errno == EINTR);
    }
    if (length != NULL)
        *length = n;
    if (*text == NULL)
        return -ENOMEM;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
