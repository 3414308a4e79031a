/*
 * epoll.c - the poller: one edge-triggered epoll instance for the whole process.
 *
 * Whoever is idle sleeps in it (src/sched/poller.c); one at a time, so one buffer for events is enough.
 * An eventfd in the set brings the sleeper back for other reasons.
 *
 * Invariants
 *  - Every registered descriptor reports both sides, edge-triggered; data is its number and generation,
 *    so that an event of a former owner is recognised.
 *  - The set is made at the first registration and never closed.
 */
#define _GNU_SOURCE
#include "../platform/raw.h"
#include "desc.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

enum { EVENTS = 128, EVERYTHING = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI };
#define BELL UINT64_MAX /* data of the eventfd */

static int set_fd = -1, bell_fd = -1;     /* written once, under make_lock */
static rn__lock make_lock;                /* guards the making; system calls under it */
static _Atomic(bool) made;                /* release: both descriptors are there */
static struct epoll_event events[EVENTS]; /* the poller's, see above */

/* What an event says. Errors and hang-ups concern both sides. */
static int number(const struct epoll_event *e)
{
    return (int)(uint32_t)e->data.u64;
}
static uint32_t generation(const struct epoll_event *e)
{
    return (uint32_t)(e->data.u64 >> 32);
}
static bool for_reader(const struct epoll_event *e)
{
    return (e->events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLERR | EPOLLHUP)) != 0;
}
static bool for_writer(const struct epoll_event *e)
{
    return (e->events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0;
}

/* System calls without libc: race detectors would see descriptors shared behind their back, and, worse,
 * order between goroutines that only this file brings about. */
static int wait_ms(int ms)
{
    return (int)rn__sys6(SYS_epoll_pwait, set_fd, (long)events, EVENTS, ms, 0, 0);
}

/* Waits with the precision of the clock where the kernel can, else of a millisecond. */
static int wait_until(int64_t until)
{
    int64_t left = until - rn__clock();
    left = left < 0 ? 0 : left;
#ifdef SYS_epoll_pwait2
    static _Atomic(bool) missing; /* relaxed: either value is right */
    if (!atomic_load_explicit(&missing, memory_order_relaxed)) {
        struct {
            int64_t sec, ns;
        } t = {left / RN_SEC, left % RN_SEC};
        long n = rn__sys6(SYS_epoll_pwait2, set_fd, (long)events, EVENTS, (long)&t, 0, 0);
        if (n != -ENOSYS)
            return (int)n;
        atomic_store_explicit(&missing, true, memory_order_relaxed);
    }
#endif
    int64_t ms = (left + RN_MS - 1) / RN_MS;
    return wait_ms(ms > 1000000 ? 1000000 : (int)ms);
}

static int poll_events(int64_t until)
{
    int n = until == RN_NEVER ? wait_ms(-1) : until == 0 ? wait_ms(0) : wait_until(until);
    int real =
        0; /* neither the bell nor what nobody waits for; EINTR: a look too early does no harm */
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == BELL) {
            uint64_t rings;
            (void)rn__sys3(SYS_read, bell_fd, &rings,
                           sizeof rings); /* non-blocking: may be nothing */
        } else if (!rn__desc_absorb(number(&events[i]), generation(&events[i]),
                                    for_reader(&events[i]), for_writer(&events[i]))) {
            events[real++] = events[i];
        }
    }
    return real;
}

static void dispatch(int n)
{
    for (int i = 0; i < n; i++)
        rn__desc_event(number(&events[i]), generation(&events[i]), for_reader(&events[i]),
                       for_writer(&events[i]));
}

static void ring(void)
{
    uint64_t one = 1;
    (void)rn__sys3(SYS_write, bell_fd, &one, sizeof one); /* full: it rings already */
}

static const rn__poller poller = {poll_events, dispatch, ring};

static int make(void)
{
    int err = 0;
    rn__lock_take(&make_lock);
    if (!atomic_load_explicit(&made, memory_order_relaxed)) {
        long set = rn__sys1(SYS_epoll_create1, EPOLL_CLOEXEC);
        long bell = set >= 0 ? rn__sys2(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK) : set;
        struct epoll_event e = {.events = EPOLLIN, .data.u64 = BELL};
        long r =
            bell >= 0 ? rn__sys6(SYS_epoll_ctl, set, EPOLL_CTL_ADD, bell, (long)&e, 0, 0) : bell;
        if (r < 0) {
            err = (int)r;
            if (bell >= 0)
                rn__sys1(SYS_close, bell);
            if (set >= 0)
                rn__sys1(SYS_close, set);
        } else {
            set_fd = (int)set;
            bell_fd = (int)bell;
            rn__poller_install(&poller);
            atomic_store_explicit(&made, true, memory_order_release);
        }
    }
    rn__lock_drop(&make_lock);
    return err;
}

static int control(int op, rn__desc *d)
{
    struct epoll_event e = {.events = EVERYTHING | EPOLLET,
                            .data.u64 = (uint64_t)d->gen << 32 | (uint32_t)d->fd};
    return (int)rn__sys6(SYS_epoll_ctl, set_fd, op, d->fd, (long)&e, 0, 0);
}

int rn__poller_add(rn__desc *d)
{
    if (!atomic_load_explicit(&made, memory_order_acquire)) {
        int err = make();
        if (err != 0)
            return err;
    }
    int err = control(EPOLL_CTL_ADD, d);
    return err == -EEXIST ? control(EPOLL_CTL_MOD, d) : err;
}

int rn__poller_renew(rn__desc *d)
{
    int err = control(EPOLL_CTL_MOD, d);
    return err == -ENOENT ? control(EPOLL_CTL_ADD, d) : err;
}

void rn__poller_remove(rn__desc *d)
{
    (void)control(EPOLL_CTL_DEL, d); /* gone already if it was closed elsewhere */
}
