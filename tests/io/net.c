/*
 * net.c - listening and dialling: families, options, refusals, time-outs, happy eyeballs.
 *
 * Invariants
 *  - Loopback and Unix sockets only, and no names.
 *  - A black hole is a listener whose queue is full: the kernel drops what would connect to it.
 */
#include "peers.h"
#include <netinet/in.h>
#include <netinet/tcp.h>

typedef struct hole {
    rn_addr at;
    int l;
    int in[8]; /* what fills the queue */
    int n;
} hole;

static void hole_open(hole *h, const char *text)
{
    h->l = listen_on(text, &(rn_listen_opts){.backlog = 1}, &h->at);
    for (h->n = 0; h->n < 8; h->n++) {
        h->in[h->n] = rn_dial_addr(&h->at, rn_now() + 300 * RN_MS);
        if (h->in[h->n] < 0)
            break;
    }
    CHECK(h->n > 0 && h->n < 8);
    CHECK_EQ(h->in[h->n], -ETIMEDOUT);
}

static void hole_close(hole *h)
{
    for (int i = 0; i < h->n; i++)
        rn_close(h->in[i]);
    rn_close(h->l);
}

/* A port at which nobody listens, at least now. */
static rn_addr nobody(const char *text)
{
    rn_addr a;
    rn_close(listen_on(text, NULL, &a));
    return a;
}

/* ------------------------------------------------------------------------ listen and dial */

static void listen_and_dial(const char *text, const char *peer_begins)
{
    rn_addr at, end;
    int l = listen_on(text, NULL, &at);
    int s = rn_dial_addr(&at, test_patience());
    CHECK(s >= 0);
    int c = rn_accept(l, NULL, NULL);
    CHECK(c >= 0);
    talk(s, c);
    CHECK_EQ(rn_peer_addr(s, &end), 0);
    CHECK_HAS(text_of(&end), peer_begins);
    CHECK_EQ(rn_shutdown(s, SHUT_WR), 0);
    char b;
    CHECK_EQ(rn_read(c, &b, 1), 0);
    CHECK_EQ(rn_write(c, "z", 1), 1);
    CHECK_EQ(rn_read(s, &b, 1), 1);
    rn_close(s);
    rn_close(c);
    rn_close(l);
}

ITEM(1, "listening and dialling: IPv4, IPv6, Unix sockets in files and in the abstract")
{
    int before = open_fds("socket:");
    listen_and_dial("127.0.0.1:0", "127.0.0.1:");
    listen_and_dial("[::1]:0", "[::1]:");
    listen_and_dial("unix:@", "unix:@");
    char text[100];
    snprintf(text, sizeof text, "unix:@runnel-test-%d", (int)getpid());
    listen_and_dial(text, text);
    char dir[] = "/tmp/runnel-net-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    snprintf(text, sizeof text, "unix:%s/s", dir);
    CHECK_EQ(rn_dial(text, RN_NEVER), -ENOENT);
    listen_and_dial(text, text);
    CHECK_EQ(rn_listen(text, NULL), -EADDRINUSE); /* the file is still there */
    CHECK_EQ(rn_dial(text, RN_NEVER), -ECONNREFUSED);
    unlink(text + 5);
    rmdir(dir);
    CHECK_EQ(open_fds("socket:"), before);
    CHECK_EQ(rn_num_goroutine(), 1);
}

ITEM(2, "without a host: both families, unless v6only; ports shared only where both want it")
{
    rn_addr at, other;
    char four[32], any[32];
    int l = listen_on(":0", NULL, &at);
    snprintf(four, sizeof four, "127.0.0.1:%d", rn_addr_port(&at));
    snprintf(any, sizeof any, ":%d", rn_addr_port(&at));
    int s = rn_dial(four, test_patience());
    CHECK(s >= 0);
    int t = rn_dial(any, test_patience());
    CHECK(t >= 0);
    CHECK_EQ(rn_peer_addr(t, &other), 0);
    CHECK_HAS(text_of(&other), "[::1]:");
    CHECK_EQ(rn_listen(any, NULL), -EADDRINUSE);
    rn_close(s);
    rn_close(t);
    rn_close(l);

    l = listen_on("[::]:0", &(rn_listen_opts){.v6only = true}, &at);
    snprintf(four, sizeof four, "127.0.0.1:%d", rn_addr_port(&at));
    CHECK_EQ(rn_dial(four, test_patience()), -ECONNREFUSED);
    rn_close(l);

    static const rn_listen_opts shared = {.reuseport = true};
    l = listen_on("127.0.0.1:0", &shared, &at);
    int m = rn_listen_addr(&at, &shared);
    CHECK(m >= 0);
    CHECK_EQ(rn_listen_addr(&at, NULL), -EADDRINUSE);
    rn_close(l);
    rn_close(m);
    CHECK_EQ(rn_listen("203.0.113.1:0", NULL), -EADDRNOTAVAIL); /* nobody's address */
    CHECK_EQ(rn_listen("what", NULL), -EINVAL);
}

ITEM(3, "options: small writes go at once, also from accepted ends; keep-alive in whole seconds")
{
    rn_addr at;
    int l = listen_on("127.0.0.1:0", NULL, &at);
    int s = rn_dial_addr(&at, test_patience()), c = rn_accept(l, NULL, NULL);
    CHECK(s >= 0 && c >= 0);
    int value = 0;
    socklen_t n = sizeof value;
    CHECK(getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &value, &n) == 0 && value != 0);
    CHECK(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &value, &n) == 0 && value != 0);
    CHECK_EQ(rn_set_nodelay(s, false), 0);
    CHECK(getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &value, &n) == 0 && value == 0);
    CHECK_EQ(rn_set_keepalive(s, 2 * RN_SEC + 1), 0);
    CHECK(getsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &value, &n) == 0 && value != 0);
    CHECK(getsockopt(s, IPPROTO_TCP, TCP_KEEPIDLE, &value, &n) == 0 && value == 3);
    CHECK_EQ(rn_set_keepalive(s, RN_NEVER), 0);
    CHECK_EQ(rn_set_keepalive(s, 0), 0);
    CHECK(getsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &value, &n) == 0 && value == 0);
    int p[2];
    CHECK_EQ(rn_pipe(p), 0);
    rn_addr a;
    CHECK_EQ(rn_set_nodelay(p[0], true), -ENOTSOCK);
    CHECK_EQ(rn_set_keepalive(p[0], RN_SEC), -ENOTSOCK);
    CHECK_EQ(rn_set_keepalive(p[0], 0), -ENOTSOCK);
    CHECK_EQ(rn_shutdown(p[0], SHUT_WR), -ENOTSOCK);
    CHECK_EQ(rn_local_addr(p[0], &a), -ENOTSOCK);
    CHECK_EQ(rn_peer_addr(l, &a), -ENOTCONN);
    CHECK_EQ(rn_shutdown(-1, SHUT_WR), -EBADF);
    CHECK_EQ(rn_shutdown(s, 77), -EINVAL);
    rn_close(p[0]);
    rn_close(p[1]);
    rn_close(s);
    rn_close(c);
    rn_close(l);
}

ITEM(4, "refused, unreachable, silent: each has its error, and nothing is left open")
{
    hole h;
    hole_open(&h, "127.0.0.1:0");
    int before = open_fds("socket:");
    rn_addr a = nobody("127.0.0.1:0");
    CHECK_EQ(rn_dial_addr(&a, test_patience()), -ECONNREFUSED);
    CHECK_EQ(rn_dial("224.0.0.1:9", test_patience()), -ENETUNREACH); /* TCP to a multicast group */
    CHECK_EQ(rn_dial_addr(&h.at, rn_now() + 20 * RN_MS), -ETIMEDOUT);
    CHECK_EQ(rn_dial_addr(&h.at, rn_now() - 1), -ETIMEDOUT);
    CHECK_EQ(rn_dial_any(&a, 0, RN_NEVER), -EINVAL);
    CHECK_EQ(open_fds("socket:"), before);
    hole_close(&h);
}

/* --------------------------------------------------------------------------- happy eyeballs */

ITEM(5, "several addresses: the next one after a failure; all failed: the first one's error")
{
    rn_addr good, all[4];
    int l = listen_on("127.0.0.1:0", NULL, &good);
    int before = open_fds("socket:");
    rn_addr refused = nobody("[::1]:0"), unreachable = addr_of("224.0.0.1:9");
    all[0] = refused;
    all[1] = unreachable;
    all[2] = good;
    int s = rn_dial_any(all, 3, test_patience());
    CHECK(s >= 0);
    rn_close(s);
    rn_addr six, end;
    int m = listen_on("[::1]:0", NULL, &six);
    all[1] = six;
    CHECK((s = rn_dial_any(all, 3, test_patience())) >= 0); /* the families take turns */
    CHECK_EQ(rn_peer_addr(s, &end), 0);
    CHECK(end.len == good.len && memcmp(&end.ss, &good.ss, end.len) == 0);
    rn_close(s);
    rn_close(m);
    all[1] = all[2] = unreachable;
    CHECK_EQ(rn_dial_any(all, 3, test_patience()), -ECONNREFUSED);
    all[0] = unreachable;
    all[1] = refused;
    CHECK_EQ(rn_dial_any(all, 2, test_patience()), -ENETUNREACH);
    CHECK_EQ(open_fds("socket:"), before);
    CHECK_EQ(rn_num_goroutine(), 1);
    rn_close(l);
}

static void hole_first(void)
{
    hole h;
    hole_open(&h, "[::1]:0");
    rn_addr good, end;
    int l = listen_on("127.0.0.1:0", NULL, &good);
    int before = open_fds("socket:");
    rn_addr refused = nobody("127.0.0.1:0");
    /* two of IPv6 in front; the families take turns: hole, refused, hole, good */
    rn_addr all[4] = {h.at, h.at, refused, good};
    int64_t begin = rn_now();
    int s = rn_dial_any(all, 4, test_patience());
    CHECK(s >= 0);
    CHECK(rn_now() - begin >= 250 * RN_MS); /* the hole had its time */
    CHECK_EQ(rn_peer_addr(s, &end), 0);
    CHECK(end.len == good.len && memcmp(&end.ss, &good.ss, end.len) == 0);
    rn_close(s);
    /* all are silent: the deadline decides, in the race and before it */
    CHECK_EQ(rn_dial_any(all, 2, rn_now() + 400 * RN_MS), -ETIMEDOUT);
    CHECK_EQ(rn_dial_any(all, 2, rn_now() + 50 * RN_MS), -ETIMEDOUT);
    WAIT_UNTIL(rn_num_goroutine() == 1);
    CHECK_EQ(open_fds("socket:"), before);
    rn_close(l);
    hole_close(&h);
}

ITEM(6, "a silent first address: another one wins, the loser is closed; one worker")
{
    rn_gomaxprocs(1);
    hole_first();
}
ITEM(7, "the same, four workers")
{
    rn_gomaxprocs(4);
    hole_first();
}

/* Makes room in a listener's queue when the race is on. */
static void make_room(void *arg)
{
    rn_sleep(300 * RN_MS);
    for (int i = 0; i < 2; i++) {
        int c = rn_accept(*(int *)arg, NULL, NULL);
        CHECK(c >= 0);
        rn_close(c);
    }
}

ITEM(8, "a slow first address can still win, and the silent others are closed")
{
    hole slow, silent;
    hole_open(&slow, "127.0.0.1:0");
    hole_open(&silent, "[::1]:0");
    int before = open_fds("socket:");
    rn_addr all[2] = {slow.at, silent.at}, end;
    test_go(make_room,
            &slow.l); /* the kernel's second attempt, a second after the first, gets in */
    int s = rn_dial_any(all, 2, test_patience());
    CHECK(s >= 0);
    CHECK_EQ(rn_peer_addr(s, &end), 0);
    CHECK(memcmp(&end.ss, &slow.at.ss, end.len) == 0);
    rn_close(s);
    WAIT_GONE(1);
    CHECK_EQ(open_fds("socket:"), before);
    hole_close(&slow);
    hole_close(&silent);
}

TEST_MAIN
