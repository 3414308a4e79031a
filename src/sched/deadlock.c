/*
 * deadlock.c - the verdict that nothing can ever happen again.
 *
 * Sources of future events: active workers, goroutines in the global queue, timers, foreign threads
 * that are inside our world and not parked in it, goroutines that wait for the kernel. Whoever takes the last source of a kind away calls
 * the check, after a full fence: a worker that has announced itself idle, a foreign thread that parks or
 * leaves, the firing side of a timer.
 *
 * Invariants (models/deadlock checks them)
 *  - Sources are read before what they feed: foreign threads and timers before the queues.
 *  - live is read twice and must be the same, wake-ups included: nobody was active in between.
 *  - A new source is made visible before the old one is given up.
 *  - Threads that have never entered the library are sources, too, as far as one can know: the verdict
 *    waits while such threads exist, and the watcher asks again at growing intervals.
 */
#define _GNU_SOURCE
#include "runq.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECHECK_FIRST = 5000000, RECHECK_MOST = 1000000000 }; /* ns */

void (*rn__deadlock_report)(bool main_gone);

/* Put off because of threads that we do not know: when to look again, and how patiently. Several threads
 * may write; any of their values will do. */
static _Atomic(int64_t) recheck_at = RN_NEVER;
static _Atomic(int64_t) patience = RECHECK_FIRST;
static _Atomic(uint64_t) last_live;

/* The number behind `key` in a file of /proc, or 0. */
static int number_behind(const char *path, const char *key, int field)
{
    char buf[2048];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, buf, sizeof buf - 1);
    close(fd);
    if (n <= 0)
        return 0;
    buf[n] = '\0';
    char *p = strstr(buf, key);
    for (char *q = p; q != NULL; q = strstr(p + 1, key))
        p = q; /* the last: the command's name may contain anything */
    for (int i = 0; p != NULL && i < field; i++)
        p = strchr(p + 1, ' ');
    return p != NULL ? atoi(field > 0 ? p : p + strlen(key)) : 0;
}

/* Threads of the process, or 0 where /proc does not tell. qemu's user mode makes up the first file,
 * without this number, and has one thread of its own. */
static int thread_count(void)
{
    int n = number_behind("/proc/self/stat", ")", 18);
    return n > 0 ? n : number_behind("/proc/self/status", "\nThreads:", 0) - 1;
}

/* A thread that has never called us may still do so, and wake everybody: a pthread that was just
 * created and is on its way to its first send. */
static bool strangers(void)
{
    return thread_count() >
           atomic_load(&rn__sched.known_threads) + RN__TSAN; /* its helper thread */
}

static void put_off(uint64_t live)
{
    int64_t wait = atomic_load(&patience);
    wait = atomic_exchange(&last_live, live) == live ? wait * 2 : RECHECK_FIRST;
    if (wait > RECHECK_MOST)
        wait = RECHECK_MOST;
    atomic_store(&patience, wait);
    int64_t at = rn__clock() + wait;
    atomic_store(&recheck_at, at);
    rn__watch_before(at);
}

/* When the watcher shall ask again; RN_NEVER: no question is open. */
int64_t rn__deadlock_recheck(void)
{
    return atomic_load(&recheck_at);
}

void rn__deadlock_check(void)
{
    /* all loads seq_cst: this is the rare path, and the order above is the argument */
    uint64_t live = atomic_load(&rn__sched.live);
    if ((uint32_t)live != 0)
        return;
    if (atomic_load(&rn__sched.ext) != 0 || atomic_load(&rn__sched.outside) != 0)
        return;
    uint64_t fired = atomic_load(&rn__sched.fired);
    if (rn__timers_pending() || atomic_load(&rn__sched.fired) != fired)
        return; /* a callback may have moved to a heap that we had passed; its side asks afterwards */
    if (atomic_load(&rn__sched.gq_n) != 0 || atomic_load(&rn__sched.npinned) != 0)
        return;
    bool main_gone = atomic_load(&rn__sched.main_gone);
    int64_t n = rn__count_goroutines();
    if (n == 0 && !main_gone)
        return; /* nobody is blocked: foreign threads may come back */
    atomic_store(&recheck_at, RN_NEVER);
    if (strangers()) {
        put_off(live);
        return;
    }
    if (atomic_load(&rn__sched.ext) != 0 || atomic_load(&rn__sched.gq_n) != 0)
        return; /* one of them has come just now */
    if (atomic_load(&rn__sched.live) != live)
        return;
    if (atomic_exchange(&rn__sched.dead, 1) == 0 && rn__deadlock_report != NULL)
        rn__deadlock_report(main_gone && n == 0);
}
