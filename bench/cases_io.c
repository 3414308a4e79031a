/*
 * cases_io.c - sockets and pipes: echo over TCP and Unix sockets, one byte to and fro between two pipes.
 *
 * Invariants
 *  - A server goroutine and a client goroutine per connection; the connections are made, and used once,
 *    before the timed part.
 *  - Go's file for the Unix socket is a name in the abstract space here: the bytes take the same way.
 */
#include "bench.h"

#include <string.h>

enum { ECHO_BYTES = 64 };

static void serve_echo(int conn)
{
    char buf[ECHO_BYTES];
    while (rn_read_full(conn, buf, sizeof buf) == ECHO_BYTES) {
        if (rn_write(conn, buf, sizeof buf) < 0)
            break;
    }
    rn_close(conn);
}
GO_FUNC(serve_echo, int);

static void accept_all(int listener)
{
    int conn;
    while ((conn = rn_accept(listener, NULL, NULL)) >= 0)
        go(serve_echo, conn);
}
GO_FUNC(accept_all, int);

static void roundtrip(int conn, char *buf)
{
    if (rn_write(conn, buf, ECHO_BYTES) != ECHO_BYTES ||
        rn_read_full(conn, buf, ECHO_BYTES) != ECHO_BYTES)
        bench_wrong("an echo did not come");
}

static void many_roundtrips(int conn, int64_t n, rn_waitgroup *wg)
{
    char buf[ECHO_BYTES] = "";
    for (int64_t i = 0; i < n; i++)
        roundtrip(conn, buf);
    rn_waitgroup_done(wg);
}
GO_FUNC(many_roundtrips, int, int64_t, rn_waitgroup *);

/* a: connections; b: 1 for Unix sockets. */
static double echo(const bench_case *self, int64_t n)
{
    int listener = rn_listen(self->b ? "unix:@" : "127.0.0.1:0", NULL);
    rn_addr at;
    int *conns = calloc((size_t)self->a, sizeof *conns);
    if (listener < 0 || rn_local_addr(listener, &at) != 0 || conns == NULL)
        bench_wrong("cannot listen");
    go(accept_all, listener);
    for (int i = 0; i < self->a; i++) {
        char buf[ECHO_BYTES] = "";
        conns[i] = rn_dial_addr(&at, RN_NEVER);
        if (conns[i] < 0)
            bench_wrong("cannot connect");
        roundtrip(conns[i], buf);
    }
    int64_t per = bench_share(n, self->a);
    int64_t begin = bench_now();
    rn_waitgroup wg = {0};
    rn_waitgroup_add(&wg, self->a);
    for (int i = 0; i < self->a; i++)
        go(many_roundtrips, conns[i], per, &wg);
    rn_waitgroup_wait(&wg);
    double v = bench_per_op(begin, per * self->a);
    for (int i = 0; i < self->a; i++)
        rn_close(conns[i]);
    rn_close(listener);
    bench_await_goroutines(1);
    free(conns);
    return v;
}

static void answer(int from, int to)
{
    char b;
    while (rn_read(from, &b, 1) == 1) {
        if (rn_write(to, &b, 1) != 1)
            break;
    }
    rn_close(to);
    rn_close(from);
}
GO_FUNC(answer, int, int);

static double pipe_pingpong(const bench_case *self, int64_t n)
{
    (void)self;
    int there[2], back[2];
    if (rn_pipe(there) != 0 || rn_pipe(back) != 0)
        bench_wrong("no pipes");
    go(answer, there[0], back[1]);
    char b = 0;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        if (rn_write(there[1], &b, 1) != 1 || rn_read(back[0], &b, 1) != 1)
            bench_wrong("pipe_pingpong: no answer");
    }
    double v = bench_per_op(begin, n);
    rn_close(there[1]);
    if (rn_read(back[0], &b, 1) != 0)
        bench_wrong("pipe_pingpong: no end");
    rn_close(back[0]);
    bench_await_goroutines(1);
    return v;
}

const bench_case bench_io_cases[] = {
    {"tcp_echo_1conn", "ns/roundtrip", 20000, 0, echo, 1, 0, 0},
    {"tcp_echo_64conn", "ns/roundtrip", 64000, 0, echo, 64, 0, 0},
    {"tcp_echo_1000conn", "ns/roundtrip", 100000, 0, echo, 1000, 0, 0},
    {"unix_echo_1conn", "ns/roundtrip", 30000, 0, echo, 1, 1, 0},
    {"unix_echo_64conn", "ns/roundtrip", 64000, 0, echo, 64, 1, 0},
    {"pipe_pingpong", "ns/roundtrip", 30000, 0, pipe_pingpong, 0, 0, 0},
    {0},
};
