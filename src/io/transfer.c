/*
 * transfer.c - reading and writing: the system call first, a wait if it would block.
 *
 * Invariants
 *  - What a call has transferred is returned, even if a deadline has passed meanwhile.
 */
#define _GNU_SOURCE
#include "transfer.h"
#include <unistd.h>

/* ------------------------------------------------------------------------------------------ reading */

ssize_t rn_read_until(int fd, void *buf, size_t n, int64_t deadline)
{
    TRANSFER(fd, RN__READ, deadline, read(fd, buf, n));
}

ssize_t rn_read(int fd, void *buf, size_t n)
{
    return rn_read_until(fd, buf, n, RN_NEVER);
}

ssize_t rn_read_full(int fd, void *buf, size_t n)
{
    size_t have = 0;
    while (have < n) {
        ssize_t r = rn_read(fd, (char *)buf + have, n - have);
        if (r < 0)
            return r;
        if (r == 0)
            break;
        have += (size_t)r;
    }
    return (ssize_t)have;
}

ssize_t rn_readv(int fd, const struct iovec *v, int n)
{
    TRANSFER(fd, RN__READ, RN_NEVER, readv(fd, v, n));
}

ssize_t rn_pread(int fd, void *buf, size_t n, off_t at)
{
    TRANSFER(fd, RN__READ, RN_NEVER, pread(fd, buf, n, at));
}

/* ------------------------------------------------------------------------------------------ writing */

/* A socket whose reader is gone must not end the program: send can be told so, write cannot. */
static ssize_t write_quietly(rn__desc *d, const void *buf, size_t n)
{
    if (!d->no_socket) {
        ssize_t r = send(d->fd, buf, n, MSG_NOSIGNAL);
        if (r >= 0 || errno != ENOTSOCK)
            return r;
        d->no_socket = true; /* any number of writers may find that out */
    }
    return write(d->fd, buf, n);
}

static ssize_t write_once(int fd, const void *buf, size_t n, int64_t deadline)
{
    TRANSFER(fd, RN__WRITE, deadline, write_quietly(d_, buf, n));
}

ssize_t rn_write_some(int fd, const void *buf, size_t n)
{
    return write_once(fd, buf, n, RN_NEVER);
}

ssize_t rn_write_until(int fd, const void *buf, size_t n, int64_t deadline)
{
    size_t done = 0;
    do {
        ssize_t r = write_once(fd, (const char *)buf + done, n - done, deadline);
        if (r < 0)
            return r;
        done += (size_t)r;
    } while (done < n);
    return (ssize_t)n;
}

ssize_t rn_write(int fd, const void *buf, size_t n)
{
    return rn_write_until(fd, buf, n, RN_NEVER);
}

ssize_t rn_writev(int fd, const struct iovec *v, int n)
{
    TRANSFER(fd, RN__WRITE, RN_NEVER, writev(fd, v, n));
}

ssize_t rn_pwrite(int fd, const void *buf, size_t n, off_t at)
{
    TRANSFER(fd, RN__WRITE, RN_NEVER, pwrite(fd, buf, n, at));
}
