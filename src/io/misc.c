/*
 * misc.c - waiting for a descriptor without transferring, pipes, and copying from one to another.
 *
 * Invariants
 *  - rn_poll_fd asks poll(2) what is the case now; edges only say when to ask again.
 */
#define _GNU_SOURCE
#include "desc.h"
#include <fcntl.h>
#include <poll.h>
#include <runnel/errno.h>
#include <stdlib.h>
#include <unistd.h>

int rn_poll_fd(int fd, int events, int64_t deadline)
{
    int err;
    rn__desc *d = rn__desc_enter(fd, &err);
    if (d == NULL)
        return err;
    int found;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = (short)events};
        int n = poll(&p, 1, 0);
        found = n < 0 ? -errno : p.revents;
        if (found != 0 && found != -EINTR)
            break;
        if (d->kind == RN__FD_FILE) {
            found = -EPERM;
            break;
        }
        /* Both at once is rare: whoever waits to write is not hurt by a look at the reading side. */
        bool read = (events & (POLLIN | POLLPRI | POLLRDHUP)) != 0 || (events & POLLOUT) == 0;
        if (read && (events & POLLOUT) != 0) {
            /* no queue holds one waiter twice: ask again a little later, too */
            int64_t soon = rn_now() + 5 * RN_MS;
            err = rn__desc_wait(d, RN__READ, soon < deadline ? soon : deadline);
            if (err == -ETIMEDOUT && rn_now() < deadline)
                err = 0;
        } else {
            err = rn__desc_wait(d, read ? RN__READ : RN__WRITE, deadline);
        }
        if (err != 0) {
            found = err;
            break;
        }
    }
    rn__desc_leave(d);
    return found;
}

int rn_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    int err = rn__desc_adopt(fds[0]);
    if (err == 0)
        err = rn__desc_adopt(fds[1]);
    if (err != 0) {
        rn_close(fds[0]);
        rn_close(fds[1]);
    }
    return err;
}

enum { COPY_BYTES = 64 << 10 };

int64_t rn_copy(int to, int from)
{
    char *buf = malloc(COPY_BYTES); /* goroutine stacks are small */
    if (buf == NULL)
        return -ENOMEM;
    int64_t all = 0;
    for (;;) {
        ssize_t n = rn_read(from, buf, COPY_BYTES);
        if (n > 0)
            n = rn_write(to, buf, (size_t)n);
        if (n <= 0) {
            free(buf);
            return n < 0 ? n : all;
        }
        all += n;
    }
}
