/*
 * proxy.c - a TCP proxy: bytes both ways, a limit on silence, and a graceful end.
 *
 * Go idiom: two goroutines per connection, io.Copy in each; SetDeadline moved along with the traffic;
 * listener.Close() and a sync.WaitGroup at the end.
 * Rule: an end of the stream is passed on with rn_shutdown, so that a client that has said all still gets
 * its answer. Deadlines belong to the descriptor and hold for every goroutine that uses it.
 */
#include <runnel.h>
#include <stdio.h>
#include <string.h>

typedef struct proxy {
    int listener;
    rn_addr server;
    rn_waitgroup busy;        /* connections that are being served */
    _Atomic(int64_t) silence; /* after so long a connection is given up */
    _Atomic(int) given_up;
} proxy;

/* Traffic in either direction puts the end of both sides off. */
static void pump(proxy *p, int from, int to, rn_waitgroup *both)
{
    char buf[4096];
    ssize_t n;
    while ((n = rn_read(from, buf, sizeof buf)) > 0) {
        rn_set_deadline(from, rn_now() + p->silence);
        rn_set_deadline(to, rn_now() + p->silence);
        if ((n = rn_write(to, buf, (size_t)n)) < 0)
            break;
    }
    if (n == 0) {
        rn_shutdown(to, SHUT_WR); /* the other direction goes on */
    } else {
        rn_shutdown(from, SHUT_RDWR);
        rn_shutdown(to, SHUT_RDWR);
    }
    if (n == -ETIMEDOUT)
        p->given_up++;
    rn_waitgroup_done(both);
}
GO_FUNC(pump, proxy *, int, int, rn_waitgroup *);

static void serve(proxy *p, int client)
{
    int server = rn_dial_addr(&p->server, rn_now() + RN_SEC);
    if (server >= 0) {
        rn_waitgroup both = {0};
        rn_waitgroup_add(&both, 2);
        rn_set_deadline(client, rn_now() + p->silence);
        rn_set_deadline(server, rn_now() + p->silence);
        go(pump, p, client, server, &both);
        go(pump, p, server, client, &both);
        rn_waitgroup_wait(&both);
        rn_close(server);
    }
    rn_close(client);
    rn_waitgroup_done(&p->busy);
}
GO_FUNC(serve, proxy *, int);

static void run_proxy(proxy *p, send_chan(rn_unit) ended)
{
    int conn;
    while ((conn = rn_accept(p->listener, NULL, NULL)) >= 0) {
        rn_waitgroup_add(&p->busy, 1);
        go(serve, p, conn);
    }
    rn_waitgroup_wait(&p->busy); /* nobody new; those who are there may finish */
    chan_close(ended);
}
GO_FUNC(run_proxy, proxy *, send_chan(rn_unit));

/* ------------------------------------------------------------------------- a server behind it */

/* Adds up all bytes until the client has said everything, and answers then. */
static void add_up(int conn)
{
    unsigned char buf[1000];
    ssize_t n;
    long sum = 0;
    while ((n = rn_read(conn, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < n; i++)
            sum += buf[i];
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", sum);
    if (n == 0)
        rn_write(conn, text, (size_t)len);
    rn_close(conn);
}
GO_FUNC(add_up, int);

static void run_server(int listener)
{
    int conn;
    while ((conn = rn_accept(listener, NULL, NULL)) >= 0)
        go(add_up, conn);
}
GO_FUNC(run_server, int);

static void client(rn_addr at, int blocks, send_chan(bool) right)
{
    char block[1000], *line = NULL;
    memset(block, 3, sizeof block);
    int conn = rn_dial_addr(&at, RN_NEVER);
    for (int i = 0; i < blocks; i++)
        rn_write(conn, block, sizeof block);
    rn_shutdown(conn, SHUT_WR);
    rn_reader r;
    rn_reader_init(&r, conn, NULL, 0);
    long sum = 0;
    bool ok = rn_reader_line(&r, &line, NULL) > 0 && sscanf(line, "%ld", &sum) == 1;
    rn_reader_free(&r);
    rn_close(conn);
    chan_send(right, ok && sum == 3000L * blocks);
}
GO_FUNC(client, rn_addr, int, send_chan(bool));

int main(void)
{
    static proxy p;
    rn_addr at;
    int server = rn_listen("127.0.0.1:0", NULL);
    p.listener = rn_listen("127.0.0.1:0", NULL);
    if (server < 0 || p.listener < 0)
        return 1;
    rn_local_addr(server, &p.server);
    rn_local_addr(p.listener, &at);
    chan_auto(rn_unit) ended = chan_make(rn_unit, 0);
    chan_auto(bool) right = chan_make(bool, 0);
    go(run_server, server);
    go(run_proxy, &p, ended);

    p.silence = 20 * RN_SEC;
    for (int i = 0; i < 50; i++)
        go(client, at, i, right);
    int good = 0;
    for (int i = 0; i < 50; i++) {
        bool ok;
        chan_recv(right, &ok);
        good += ok;
    }
    printf("%d of 50 got the right answer\n", good);

    p.silence = 50 * RN_MS;
    int mute = rn_dial_addr(&at, RN_NEVER); /* says nothing */
    char c;
    printf("a silent client is hung up on: %s\n", rn_read(mute, &c, 1) == 0 ? "yes" : "no");
    rn_close(mute);

    p.silence = 20 * RN_SEC;
    go(client, at, 7, right);
    rn_close(p.listener); /* no new ones */
    bool ok = false;
    chan_recv(right, &ok);
    chan_recv(ended, NULL);
    printf("the last client was served or refused, and the proxy has ended\n");
    rn_close(server);
    printf("connections given up: %s\n", p.given_up > 0 ? "one" : "none");
    return 0;
}
