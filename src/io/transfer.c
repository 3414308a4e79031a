/*
 * transfer.c - reading and writing: the system call first, a wait if it would block.
 *
 * Invariants
 *  - errno is read anew after each call: the goroutine may have changed its thread before.
 *  - Numbers that the kernel has no readiness for are used inside a blocking section.
 */
#define _GNU_SOURCE
#include "desc.h"
#include <fcntl.h>
#include <runnel/errno.h>
#include <unistd.h>

/* What one try gives: its result, or a negative errno. */
static inline ssize_t result(ssize_t n)
{
    return RN_LIKELY(n >= 0) ? n : -(ssize_t)errno;
}

/* Runs TRY (an expression with a ssize_t value, -1 for errno) on fd until it does not say EAGAIN. */
#define TRANSFER(fd, side, deadline, TRY)                   \
    do {                                                    \
        int err_ = 0;                                       \
        rn__desc *d_ = rn__desc_enter(fd, &err_);           \
        if (d_ == NULL)                                     \
            return err_;                                    \
        ssize_t n_;                                         \
        if (RN_UNLIKELY(d_->kind == RN__FD_FILE)) {         \
            do {                                            \
                rn_blocking n_ = result(TRY);               \
            } while (n_ == -EINTR);                         \
        } else {                                            \
            for (;;) {                                      \
                n_ = result(TRY);                           \
                if (RN_LIKELY(n_ >= 0))                     \
                    break;                                  \
                if (n_ == -EINTR)                           \
                    continue;                               \
                if (n_ != -EAGAIN && n_ != -EWOULDBLOCK)    \
                    break;                                  \
                int w_ = rn__desc_wait(d_, side, deadline); \
                if (w_ != 0) {                              \
                    n_ = w_;                                \
                    break;                                  \
                }                                           \
            }                                               \
        }                                                   \
        rn__desc_leave(d_);                                 \
        return n_;                                          \
    } while (0)

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

/* ------------------------------------------------------------------------------------------ sockets */

int rn_accept_until(int fd, struct sockaddr *addr, socklen_t *len, int64_t deadline)
{
    int err;
    rn__desc *d = rn__desc_enter(fd, &err);
    if (d == NULL)
        return err;
    socklen_t room = len != NULL ? *len : 0;
    int c;
    for (;;) {
        if (len != NULL)
            *len = room;
        c = (int)result(accept4(fd, addr, len, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (c >= 0 || (c != -EAGAIN && c != -EWOULDBLOCK && c != -EINTR && c != -ECONNABORTED))
            break;
        if (c == -EINTR || c == -ECONNABORTED)
            continue; /* the next one in the queue */
        if ((err = rn__desc_wait(d, RN__READ, deadline)) != 0) {
            c = err;
            break;
        }
    }
    rn__desc_leave(d);
    if (c >= 0 && (err = rn__desc_adopt(c)) != 0) {
        close(c);
        return err;
    }
    return c;
}

int rn_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    return rn_accept_until(fd, addr, len, RN_NEVER);
}

int rn_connect_until(int fd, const struct sockaddr *addr, socklen_t len, int64_t deadline)
{
    int err;
    rn__desc *d = rn__desc_enter(fd, &err);
    if (d == NULL)
        return err;
    err = (int)result(connect(fd, addr, len));
    while (err == -EINPROGRESS || err == -EINTR || err == -EALREADY || err == -EAGAIN) {
        bool full =
            err == -EAGAIN; /* a Unix socket whose listener's queue is full: no edge comes */
        if (full) {
            if (rn_now() >= deadline) {
                err = -ETIMEDOUT;
                break;
            }
            rn_sleep(RN_MS);
            err = (int)result(connect(fd, addr, len));
            continue;
        }
        if ((err = rn__desc_wait(d, RN__WRITE, deadline)) != 0)
            break;
        int outcome = 0;
        socklen_t n = sizeof outcome;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &outcome, &n) < 0)
            outcome = errno;
        err = -outcome;
        if (err == 0) {
            /* An edge may be a leftover of the time before the connect: ask who is at the other end. */
            struct sockaddr_storage peer;
            n = sizeof peer;
            err = (int)result(getpeername(fd, (struct sockaddr *)&peer, &n));
            if (err == -ENOTCONN)
                err = -EINPROGRESS;
        }
    }
    rn__desc_leave(d);
    return err;
}

int rn_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return rn_connect_until(fd, addr, len, RN_NEVER);
}

ssize_t rn_recvmsg(int fd, struct msghdr *m, int flags)
{
    if (flags & MSG_DONTWAIT)
        return result(recvmsg(fd, m, flags));
    TRANSFER(fd, RN__READ, RN_NEVER, recvmsg(fd, m, flags));
}

ssize_t rn_sendmsg(int fd, const struct msghdr *m, int flags)
{
    if (flags & MSG_DONTWAIT)
        return result(sendmsg(fd, m, flags | MSG_NOSIGNAL));
    TRANSFER(fd, RN__WRITE, RN_NEVER, sendmsg(fd, m, flags | MSG_NOSIGNAL));
}

ssize_t rn_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *len)
{
    if (flags & MSG_DONTWAIT)
        return result(recvfrom(fd, buf, n, flags, from, len));
    TRANSFER(fd, RN__READ, RN_NEVER, recvfrom(fd, buf, n, flags, from, len));
}

ssize_t rn_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to,
                  socklen_t len)
{
    if (flags & MSG_DONTWAIT)
        return result(sendto(fd, buf, n, flags | MSG_NOSIGNAL, to, len));
    TRANSFER(fd, RN__WRITE, RN_NEVER, sendto(fd, buf, n, flags | MSG_NOSIGNAL, to, len));
}
