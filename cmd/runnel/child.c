/*
 * child.c - starts a program, waits for it, and lets signals through to it.
 *
 * Invariants
 *  - While a child runs, a signal that asks the command to end reaches the child exactly once: from a
 *    terminal the kernel sends it to both, so only what was sent to the command alone is passed on.
 *  - A signal that was ignored when the command started (nohup) stays ignored, here and in the child.
 *  - The child starts with the signal mask and the default actions that the command found.
 */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>

static const int ending[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
enum { N_ENDING = sizeof ending / sizeof ending[0] };

/* The running child, 0: none. Changed only while the ending signals are blocked. */
static volatile sig_atomic_t child_pid;
/* The last ending signal that came. */
static volatile sig_atomic_t pending;

static void on_ending(int sig, siginfo_t *info, void *context)
{
    (void)context;
    int saved = errno;
    pending = sig;
    bool from_terminal = info->si_code > 0;
    if (child_pid > 0 && !from_terminal)
        kill((pid_t)child_pid, sig);
    errno = saved;
}

void child_guard_signals(void)
{
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_sigaction = on_ending;
    act.sa_flags = SA_SIGINFO;
    sigemptyset(&act.sa_mask);
    for (int i = 0; i < N_ENDING; i++) {
        struct sigaction old;
        if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(ending[i], &act, NULL);
    }
}

int child_run(char **argv, char **env, int *signal)
{
    sigset_t block, before;
    sigemptyset(&block);
    for (int i = 0; i < N_ENDING; i++)
        sigaddset(&block, ending[i]);
    sigprocmask(SIG_BLOCK, &block, &before);

    *signal = 0;
    pid_t pid = 0;
    int err = 0;
    if (pending == 0) {
        posix_spawnattr_t attr;
        posix_spawnattr_init(&attr);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
        posix_spawnattr_setsigmask(&attr, &before);
        err = posix_spawn(&pid, argv[0], NULL, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
        child_pid = err == 0 ? (sig_atomic_t)pid : 0;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (err != 0) {
        cmd_say("cannot start %s: %s", argv[0], strerror(err));
        return -1;
    }
    if (pid == 0) { /* asked to end before it began */
        *signal = (int)pending;
        return 128 + *signal;
    }

    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    child_pid = 0;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    *signal = WTERMSIG(status);
    return 128 + *signal;
}
