/*
 * stuck.c - telling a worker that hogs its thread from one that only lacks a CPU, and taking away what
 * either cannot serve.
 *
 * A worker that does not tick may compute without end, may block in the kernel, or may be preempted on
 * a busy machine. In the last case more threads make things worse, so the kernel's accounting is asked:
 * how long did the thread run, how long was it runnable without running.
 *
 * Invariants
 *  - Called by the watcher only; everything in rn__life is the watcher's.
 *  - The owner's queues are emptied with the thieves' protocol: the owner may wake up at any moment.
 */
#define _GNU_SOURCE
#include "runq.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Reads /proc/self/task/TID/schedstat: "ran waited slices". */
static bool read_schedstat(int tid, uint64_t *ran, uint64_t *waited)
{
    char path[64], buf[96];
    snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, buf, sizeof buf - 1);
    close(fd);
    if (n <= 0)
        return false;
    buf[n] = '\0';
    char *end;
    *ran = strtoull(buf, &end, 10);
    *waited = strtoull(end, NULL, 10);
    return true;
}

/* What is the matter with a worker that has not ticked for a while? Needs two looks at the same tick;
 * until then it says STARVED, which has no consequence. */
enum rn__pulse rn__pulse(rn__worker *w, uint32_t ticks, int64_t now)
{
    rn__life *l = &w->life;
    uint64_t ran = 0, waited = 0;
    int tid = atomic_load(&w->tid);
    if (tid == 0 || !read_schedstat(tid, &ran, &waited))
        return RN__PULSE_HOG; /* no accounting: believe the ticks */
    rn__life before = *l;
    bool same = before.at != 0 && before.ticks == ticks;
    if (!same) {
        *l = (rn__life){ticks, now, ran, waited};
        return RN__PULSE_STARVED;
    }
    uint64_t dran = ran - before.ran, dwaited = waited - before.waited;
    uint64_t span = (uint64_t)(now - before.at);
    if (dran >= 1000000)
        return RN__PULSE_HOG; /* so much CPU, and not one pick */
    if (span < 300000 || dran + dwaited >= span / 4)
        return RN__PULSE_STARVED; /* it wants to run, or it is too early to say */
    return RN__PULSE_BLOCKED;     /* it sleeps in the kernel */
}

/* Moves all that w holds to the global queue. True if there was something. */
bool rn__rescue(rn__worker *w)
{
    bool some = false;
    rn__crowd_add(1); /* the owner must not be solo while we take from its queues */
    /* Between two queues a goroutine is in our hands only: a source for the verdict meanwhile. */
    atomic_fetch_add(&rn__sched.ext, 1);
    rn__g *g = atomic_exchange_explicit(&w->runnext, NULL, memory_order_acquire);
    if (g != NULL) {
        rn__inject(g, g, 1);
        some = true;
    }
    while ((g = rn__ring_take_shared(w)) != NULL) {
        rn__inject(g, g, 1);
        some = true;
    }
    while ((g = rn__fresh_take_oldest(w)) != NULL) {
        rn__inject(g, g, 1);
        some = true;
    }
    atomic_fetch_sub(&rn__sched.ext, 1);
    rn__crowd_add(-1);
    rn__deadlock_check(); /* the owner may have asked, and been put off by us */
    return some;
}
