/*
 * io.h - reading and writing without stopping a worker: any descriptor, straight-line code.
 *
 * A call tries the system call first; if that would block, the goroutine parks and its worker runs
 * others. Descriptors of sockets, pipes, eventfds and the like become non-blocking when they are first
 * used here; what cannot be waited for by epoll (regular files, and descriptors 0 to 2, which other
 * processes share) runs as a blocking section (rn_blocking), beside which a spare worker serves the
 * others.
 *
 * Invariants
 *  - Every function returns a negative errno on failure, never -1, and leaves errno alone.
 *  - -ECANCELED: the descriptor was closed by rn_close while the call waited, or is being closed.
 *    -ETIMEDOUT: the deadline of the call or of the descriptor came first.
 *  - A descriptor that has been used here is closed by rn_close only, or taken back by rn_fd_release:
 *    the library must learn that its number may come again.
 *  - An operation that was under way when rn_close was called never touches a later descriptor of the
 *    same number: the number becomes free when the last of them has returned.
 *  - Any number of goroutines and foreign threads may use one descriptor at a time. Calls that transfer
 *    at once are as atomic as the system call; rn_write's rest may be interleaved with other writers'.
 *  - Deadlines are times on rn_now(), RN_NEVER for none.
 */
#ifndef RUNNEL_IO_H
#define RUNNEL_IO_H

#include <runnel/base.h>
#include <runnel/sched.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

RN_EXTERN_C_BEGIN

/* ------------------------------------------------------------------------------ bytes */

/*
 * Reads at most n bytes into buf as soon as there are some. Returns how many; 0 at the end of the
 * stream, or if n is 0. Waits. Go: r.Read(p).
 */
RN_API ssize_t rn_read(int fd, void *buf, size_t n);
RN_API ssize_t rn_read_until(int fd, void *buf, size_t n, int64_t deadline);

/* Reads exactly n bytes: returns n, or less at the end of the stream (0: nothing came before it), or a
 * negative errno, in which case the bytes read so far are lost. Go: io.ReadFull. */
RN_API ssize_t rn_read_full(int fd, void *buf, size_t n);

/*
 * Writes all n bytes, waiting as often as needed. Returns n or a negative errno, in which case some of
 * the bytes may have been written. A closed reader is -EPIPE; no SIGPIPE is raised for sockets.
 * Go: w.Write(p).
 */
RN_API ssize_t rn_write(int fd, const void *buf, size_t n);
RN_API ssize_t rn_write_until(int fd, const void *buf, size_t n, int64_t deadline);

/* Writes what fits now, at least one byte: as write(2) would. Waits only if nothing fits. */
RN_API ssize_t rn_write_some(int fd, const void *buf, size_t n);

/* Scattered and gathered: as readv(2) and writev(2), waiting only if nothing can be transferred. */
RN_API ssize_t rn_readv(int fd, const struct iovec *v, int n);
RN_API ssize_t rn_writev(int fd, const struct iovec *v, int n);

/* At an offset, for files: as pread(2) and pwrite(2). */
RN_API ssize_t rn_pread(int fd, void *buf, size_t n, off_t at);
RN_API ssize_t rn_pwrite(int fd, const void *buf, size_t n, off_t at);

/* Copies everything from one descriptor to the other until the end of the stream: returns the bytes
 * copied or a negative errno. Go: io.Copy. */
RN_API int64_t rn_copy(int to, int from);

/* A pipe whose ends are non-blocking: end[0] reads, end[1] writes. 0 or a negative errno. */
RN_API int rn_pipe(int end[2]);

/* ---------------------------------------------------------------------------- sockets */

/* As socket(2) and socketpair(2): non-blocking, closed on exec. The descriptor (rn_socketpair: 0), or a
 * negative errno. A socket made elsewhere may be used as well, at the price of one more system call
 * whenever somebody has to wait for it. */
RN_API int rn_socket(int domain, int type, int protocol);
RN_API int rn_socketpair(int domain, int type, int protocol, int fds[2]);

/* Accepts a connection: its descriptor, non-blocking, closed on exec. addr and len as in accept(2), may
 * be NULL. Waits. Go: l.Accept(). */
RN_API int rn_accept_until(int fd, struct sockaddr *addr, socklen_t *len, int64_t deadline);
RN_API int rn_accept(int fd, struct sockaddr *addr, socklen_t *len);

/* Connects a socket: 0 or a negative errno. Waits for the outcome. */
RN_API int rn_connect_until(int fd, const struct sockaddr *addr, socklen_t len, int64_t deadline);
RN_API int rn_connect(int fd, const struct sockaddr *addr, socklen_t len);

/* As recvmsg(2), sendmsg(2), recvfrom(2) and sendto(2); they wait unless flags has MSG_DONTWAIT. */
RN_API ssize_t rn_recvmsg(int fd, struct msghdr *m, int flags);
RN_API ssize_t rn_sendmsg(int fd, const struct msghdr *m, int flags);
RN_API ssize_t rn_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from,
                           socklen_t *len);
RN_API ssize_t rn_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to,
                         socklen_t len);

/* -------------------------------------------------------------------------- descriptors */

/*
 * Waits until poll(2) would report one of `events` (POLLIN, POLLOUT, POLLPRI, POLLRDHUP), an error or a
 * hang-up: returns what is the case, or a negative errno. -EPERM: it cannot be waited for.
 */
RN_API int rn_poll_fd(int fd, int events, int64_t deadline);

/* Deadlines of the descriptor, for all reads and accepts, and all writes and connects, present ones
 * included: RN_NEVER takes it away, a past one ends every wait at once. 0 or a negative errno.
 * Go: c.SetDeadline, c.SetReadDeadline, c.SetWriteDeadline. */
RN_API int rn_set_deadline(int fd, int64_t deadline);
RN_API int rn_set_read_deadline(int fd, int64_t deadline);
RN_API int rn_set_write_deadline(int fd, int64_t deadline);

/*
 * Closes fd: whoever waits on it gets -ECANCELED. 0, or -EBADF if it is not open or is being closed
 * already. Does not wait: if calls are under way, the last of them closes the number. Go: c.Close().
 */
RN_API int rn_close(int fd);

/* Takes fd away from the library without closing it: waiters get -ECANCELED, its blocking mode becomes
 * what it was. 0; -EBUSY while calls are under way; -EBADF if it was never used here. */
RN_API int rn_fd_release(int fd);

RN_EXTERN_C_END

#endif
