/*
 * socket.c - sockets: making them, accepting, connecting, messages.
 *
 * Invariants
 *  - What is made here is non-blocking, closed on exec, and known to the poller from the start.
 *  - A connect is over when the peer has a name, not when an edge comes: there may be edges of earlier.
 */
#define _GNU_SOURCE
#include "transfer.h"
#include <unistd.h>

static int adopt(int fd)
{
    int err = rn__desc_adopt(fd);
    if (err != 0)
        close(fd);
    return err != 0 ? err : fd;
}

int rn_socket(int domain, int type, int protocol)
{
    int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    return fd < 0 ? -errno : adopt(fd);
}

int rn_socketpair(int domain, int type, int protocol, int fds[2])
{
    if (socketpair(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol, fds) < 0)
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
    return c < 0 ? c : adopt(c);
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
