/*
 * names.c - signals in words: Go's, for Linux.
 *
 * Invariants
 *  - Numbers are those of the architectures that runnel runs on, which agree.
 */
#include <runnel/signal.h>

static const char *const texts[] = {
    "signal 0",
    "hangup",
    "interrupt",
    "quit",
    "illegal instruction",
    "trace/breakpoint trap",
    "aborted",
    "bus error",
    "floating point exception",
    "killed",
    "user defined signal 1",
    "segmentation fault",
    "user defined signal 2",
    "broken pipe",
    "alarm clock",
    "terminated",
    "stack fault",
    "child exited",
    "continued",
    "stopped (signal)",
    "stopped",
    "stopped (tty input)",
    "stopped (tty output)",
    "urgent I/O condition",
    "CPU time limit exceeded",
    "file size limit exceeded",
    "virtual timer expired",
    "profiling timer expired",
    "window changed",
    "I/O possible",
    "power failure",
    "bad system call",
    "signal 32",
    "signal 33",
    "signal 34",
    "signal 35",
    "signal 36",
    "signal 37",
    "signal 38",
    "signal 39",
    "signal 40",
    "signal 41",
    "signal 42",
    "signal 43",
    "signal 44",
    "signal 45",
    "signal 46",
    "signal 47",
    "signal 48",
    "signal 49",
    "signal 50",
    "signal 51",
    "signal 52",
    "signal 53",
    "signal 54",
    "signal 55",
    "signal 56",
    "signal 57",
    "signal 58",
    "signal 59",
    "signal 60",
    "signal 61",
    "signal 62",
    "signal 63",
    "signal 64",
};

const char *rn_signal_text(int sig)
{
    if (sig < 0 || (size_t)sig >= sizeof texts / sizeof *texts)
        return "signal ?";
    return texts[sig];
}
