/*
 * net.h - addresses as text, listening, dialling by name: descriptors for io.h.
 *
 * An address is written in one of these forms:
 *
 *     host:port             127.0.0.1:80, example.org:https; the host may be left out, as in :8080
 *     [address]:port        an IPv6 address, [::1]:80 or with a zone [fe80::1%eth0]:80
 *     unix:/path            a Unix socket in the file system; also unix:./path and unix:../path
 *     unix:@name            one in Linux's abstract name space; unix:@ lets the kernel choose a name
 *
 * A port is a number or the name of a service. Without a host, listening means all addresses of the
 * machine, and dialling the machine itself.
 *
 * Invariants
 *  - Every function returns a negative errno on failure and leaves errno alone; rn_net_error has a text.
 *  - Names are looked up by threads of the library with stacks of their own: neither the worker nor
 *    the goroutine's small stack is needed for it, and a deadline ends the wait, if not the lookup.
 *  - What rn_listen and rn_dial return is a descriptor like any other: rn_accept, rn_read, rn_write,
 *    rn_close. TCP connections send small writes at once, as Go's do (rn_set_nodelay), accepted ones too.
 *  - Deadlines are times on rn_now(), RN_NEVER for none.
 */
#ifndef RUNNEL_NET_H
#define RUNNEL_NET_H

#include <runnel/io.h>

RN_EXTERN_C_BEGIN

/* -------------------------------------------------------------------------- addresses */

/* The address of a socket. A plain value: it may be copied and kept. */
typedef struct rn_addr {
    struct sockaddr_storage ss; /* for bind(2), sendto(2) and the like */
    socklen_t len;              /* bytes of ss in use */
} rn_addr;

/* Room that is enough for every address as text. */
enum { RN_ADDR_TEXT = 128 };

/*
 * Reads an address without looking up anything: the host is a number or missing, the port a number or
 * one of a few well-known names (http, https, ssh, domain and the like). 0; -EINVAL: not in one of the
 * forms; -ENAMETOOLONG: a path that does not fit; -ENODEV: there is no such zone; -ENOENT: a name, for
 * rn_lookup to find. Never blocks.
 */
RN_API RN_NONNULL int rn_addr_parse(rn_addr *a, const char *text);

/*
 * Writes a in the form that rn_addr_parse reads, cut off after n - 1 bytes, and returns the length of the
 * whole text, as snprintf. Bytes that no text can have (NUL in abstract names) are shown as @. A socket
 * without an address is "unix:", a family that is unknown here "?". Go: a.String().
 */
RN_API __attribute__((nonnull(1))) size_t rn_addr_text(const rn_addr *a, char *buf, size_t n);

/* The port of an address; -EAFNOSUPPORT if its family has none. */
RN_API RN_NONNULL int rn_addr_port(const rn_addr *a);

/* The addresses of the two ends of fd. 0 or a negative errno. Go: c.LocalAddr(), c.RemoteAddr(). */
RN_API RN_NONNULL int rn_local_addr(int fd, rn_addr *a);
RN_API RN_NONNULL int rn_peer_addr(int fd, rn_addr *a);

/*
 * Finds the addresses behind a text in one of the forms above: returns how many, at least one, in the
 * order in which the system prefers them, and sets *all to an array that the caller frees with free(3).
 * Waits, if there is a name in it.
 *
 * -ENOENT: there is no such host; -EAGAIN: the name server does not answer, try again later; -EIO: it
 * failed; -ESRCH: no such service; -ETIMEDOUT: the deadline came first; others as rn_addr_parse.
 * Go: net.Resolver.LookupHost.
 */
RN_API RN_NONNULL int rn_lookup(const char *text, int64_t deadline, rn_addr **all);

/* What a negative errno of this header means, in English; a literal, or as strerror(3). */
RN_API const char *rn_net_error(int err);

/* -------------------------------------------------------------------------- listening */

/* How to listen. All members may be left zero, and NULL stands for that. */
typedef struct rn_listen_opts {
    int backlog RN_OPTIONAL; /* connections that may wait to be accepted; 0: as many as allowed */
    bool reuseport RN_OPTIONAL; /* several sockets share the port, the kernel spreads connections */
    bool v6only RN_OPTIONAL;    /* an IPv6 socket does not take IPv4 connections */
} rn_listen_opts;

/*
 * Listens for stream connections: the descriptor, for rn_accept. Port 0 lets the kernel choose one, which
 * rn_local_addr then tells. Without a host it takes IPv4 and IPv6 alike. Of several addresses of a name
 * the first one is taken on which it works. The file of a Unix socket is removed neither before nor
 * afterwards. Waits only for names. Errors: as rn_lookup, socket(2), bind(2), listen(2).
 * Go: net.Listen.
 */
RN_API __attribute__((nonnull(1))) int rn_listen(const char *text, const rn_listen_opts *opts);
RN_API __attribute__((nonnull(1))) int rn_listen_addr(const rn_addr *a, const rn_listen_opts *opts);

/* -------------------------------------------------------------------------- dialling */

/*
 * Connects to one of the addresses behind the text: the descriptor. A host with addresses of both families
 * is tried alternately, the next one 250 ms after the last or as soon as that has failed, and the first
 * connection wins (RFC 8305, "happy eyeballs"). Waits.
 *
 * If all fail: the error of the one that failed first, as -ECONNREFUSED. -ETIMEDOUT: the deadline came
 * first. Others as rn_lookup. Go: net.Dialer{Deadline: d}.Dial.
 */
RN_API RN_NONNULL int rn_dial(const char *text, int64_t deadline);

/* The same with addresses that are known: one, or n of them in the order of preference. -EINVAL if n is
 * not positive. */
RN_API RN_NONNULL int rn_dial_addr(const rn_addr *a, int64_t deadline);
RN_API RN_NONNULL int rn_dial_any(const rn_addr *all, int n, int64_t deadline);

/* ------------------------------------------------------------------------ connections */

/* Ends one direction or both, as shutdown(2): how is SHUT_RD, SHUT_WR or SHUT_RDWR. The peer reads the
 * end of the stream. 0 or a negative errno. Go: c.CloseWrite(). */
RN_API int rn_shutdown(int fd, int how);

/* Whether TCP sends small writes at once (as it does unless changed here) or waits a little for more.
 * 0 or a negative errno. Go: c.SetNoDelay(on). */
RN_API int rn_set_nodelay(int fd, bool on);

/* Whether the kernel asks a silent peer every `period` nanoseconds, rounded up to seconds, whether it is
 * still there; 0 or less: no. 0 or a negative errno. Go: c.SetKeepAlivePeriod(d). */
RN_API int rn_set_keepalive(int fd, int64_t period);

RN_EXTERN_C_END

#endif
