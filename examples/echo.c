/*
 * echo.c - a server with a goroutine for each connection, and a hundred clients that test it.
 *
 * Go idiom: for { c, err := l.Accept(); go serve(c) }
 * Rule: straight-line code that blocks, once per connection. Waiting for a peer parks a goroutine and
 * costs no thread. rn_close of the listener ends the loop that accepts; a client's rn_shutdown ends its
 * server's loop that reads.
 */
#include <runnel.h>
#include <stdio.h>
#include <string.h>

static void serve(int conn)
{
    char buf[512];
    ssize_t n;
    while ((n = rn_read(conn, buf, sizeof buf)) > 0)
        if (rn_write(conn, buf, (size_t)n) < 0)
            break;
    rn_close(conn);
}
GO_FUNC(serve, int);

static void accept_all(int listener, send_chan(int) ended)
{
    int conn;
    while ((conn = rn_accept(listener, NULL, NULL)) >= 0)
        go(serve, conn);
    chan_send(ended, conn);
}
GO_FUNC(accept_all, int, send_chan(int));

static void client(rn_addr at, int number, send_chan(int) good)
{
    int ok = 0;
    int conn = rn_dial_addr(&at, rn_now() + 10 * RN_SEC);
    if (conn >= 0) {
        for (int i = 0; i < 20; i++) {
            char out[64] = "", in[64];
            int n = snprintf(out, sizeof out, "client %d, message %d", number, i);
            ok += rn_write(conn, out, (size_t)n) == n && rn_read_full(conn, in, (size_t)n) == n &&
                  memcmp(in, out, (size_t)n) == 0;
        }
        rn_shutdown(conn, SHUT_WR); /* nothing more from here: the server sees the end */
        char rest;
        ok += rn_read(conn, &rest, 1) == 0;
        rn_close(conn);
    }
    chan_send(good, ok);
}
GO_FUNC(client, rn_addr, int, send_chan(int));

int main(void)
{
    int listener = rn_listen("127.0.0.1:0", NULL);
    rn_addr at;
    if (listener < 0 || rn_local_addr(listener, &at) != 0) {
        fprintf(stderr, "cannot listen: %s\n", rn_net_error(listener));
        return 1;
    }
    chan_auto(int) ended = chan_make(int, 0);
    chan_auto(int) good = chan_make(int, 0);
    go(accept_all, listener, ended);
    for (int i = 0; i < 100; i++)
        go(client, at, i, good);

    int all = 0, ok = 0, why = 0;
    for (int i = 0; i < 100; i++) {
        chan_recv(good, &ok);
        all += ok;
    }
    printf("%d of 2100 steps went well\n", all);
    rn_close(listener);
    chan_recv(ended, &why);
    printf("the listener: %s\n", rn_net_error(why));
    printf("a dial now: %s\n", rn_net_error(rn_dial_addr(&at, RN_NEVER)));
    return 0;
}
