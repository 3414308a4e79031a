/*
 * listen.c - listening, and what can be set and asked of a connection.
 *
 * Invariants
 *  - An option of a listening TCP socket is inherited by what it accepts: so TCP_NODELAY is set there once.
 *  - Each call counts as one on its descriptor, so that the number cannot change its meaning meanwhile.
 */
#define _GNU_SOURCE
#include "../io/transfer.h"
#include "net.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

int rn_listen_addr(const rn_addr *a, const rn_listen_opts *opts)
{
    static const rn_listen_opts none = {0};
    opts = opts != NULL ? opts : &none;
    int fd = rn_socket(a->ss.ss_family, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    int on = 1, v6only = opts->v6only, err = 0;
    bool inet6 = a->ss.ss_family == AF_INET6;
    if (inet6 || a->ss.ss_family == AF_INET) {
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
            (inet6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only) < 0))
            err = -errno;
    }
    if (err == 0 && opts->reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        err = -errno;
    int backlog = opts->backlog > 0 ? opts->backlog : INT32_MAX; /* the kernel has its own limit */
    if (err == 0 &&
        (bind(fd, (const struct sockaddr *)&a->ss, a->len) < 0 || listen(fd, backlog) < 0))
        err = -errno;
    if (err == 0)
        return fd;
    rn_close(fd);
    return err;
}

int rn_listen(const char *text, const rn_listen_opts *opts)
{
    rn_addr *all;
    int n = rn__lookup(text, true, RN_NEVER, &all);
    if (n < 0)
        return n;
    int fd = -EINVAL;
    for (int i = 0; i < n && fd < 0; i++) {
        int now = rn_listen_addr(&all[i], opts);
        /* the first address is the one that was meant, unless there is no such family here */
        if (now >= 0 || i == 0 || fd == -EAFNOSUPPORT)
            fd = now;
        if (fd < 0 && fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
            break;
    }
    free(all);
    return fd;
}

/* ---------------------------------------------------------------------------- connections */

/* Runs CALL, with the value -1 for errno, as a call on fd. */
#define ON(fd, CALL)                              \
    do {                                          \
        int err_ = 0;                             \
        rn__desc *d_ = rn__desc_enter(fd, &err_); \
        if (d_ == NULL)                           \
            return err_;                          \
        err_ = (int)result(CALL);                 \
        rn__desc_leave(d_);                       \
        return err_;                              \
    } while (0)

int rn_shutdown(int fd, int how)
{
    ON(fd, shutdown(fd, how));
}

int rn_local_addr(int fd, rn_addr *a)
{
    *a = (rn_addr){.len = sizeof a->ss};
    ON(fd, getsockname(fd, (struct sockaddr *)&a->ss, &a->len));
}

int rn_peer_addr(int fd, rn_addr *a)
{
    *a = (rn_addr){.len = sizeof a->ss};
    ON(fd, getpeername(fd, (struct sockaddr *)&a->ss, &a->len));
}

int rn_set_nodelay(int fd, bool on)
{
    int value = on;
    ON(fd, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value));
}

/* 0, or -1 and errno. */
static int keep_alive(int fd, int64_t period)
{
    int on = period > 0;
    if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0)
        return -1;
    if (!on)
        return 0;
    int64_t seconds = (period - 1) / RN_SEC + 1;
    int s = seconds > 32767 ? 32767 : (int)seconds; /* the kernel takes no more */
    if (setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &s, sizeof s) < 0)
        return -1;
    return setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &s, sizeof s);
}

int rn_set_keepalive(int fd, int64_t period)
{
    ON(fd, keep_alive(fd, period));
}
