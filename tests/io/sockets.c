/*
 * sockets.c - connections: echo with exact accounting, refusals, resets, half-closed ends, running out of
 * descriptors, datagrams, Unix sockets, descriptors passed along.
 *
 * Invariants
 *  - Loopback and Unix sockets only; ports are chosen by the kernel.
 */
#include "../test.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <runnel/io.h>
#include <sys/resource.h>
#include <sys/un.h>

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listen_on(int *port)
{
    int l = rn_socket(AF_INET, SOCK_STREAM, 0);
    CHECK(l >= 0);
    struct sockaddr_in a = loopback(0);
    socklen_t n = sizeof a;
    CHECK(bind(l, (struct sockaddr *)&a, n) == 0 && listen(l, 512) == 0);
    CHECK(getsockname(l, (struct sockaddr *)&a, &n) == 0);
    *port = ntohs(a.sin_port);
    return l;
}

static int dial(int port)
{
    int s = rn_socket(AF_INET, SOCK_STREAM, 0);
    CHECK(s >= 0);
    struct sockaddr_in a = loopback(port);
    int err = rn_connect(s, (struct sockaddr *)&a, sizeof a);
    if (err != 0) {
        rn_close(s);
        return err;
    }
    return s;
}

static void echo(int c)
{
    char buf[1024];
    ssize_t n;
    while ((n = rn_read(c, buf, sizeof buf)) > 0) {
        if (rn_write(c, buf, (size_t)n) < 0)
            break;
    }
    rn_close(c);
}
GO_FUNC(echo, int);

static _Atomic(int) accepted, server_result;
static void serve(int l)
{
    int c;
    while ((c = rn_accept(l, NULL, NULL)) >= 0) {
        atomic_fetch_add(&accepted, 1);
        go(echo, c);
    }
    atomic_store(&server_result, c);
}
GO_FUNC(serve, int);

static _Atomic(int64_t) echoed;
static void client(int port, int rounds, rn_waitgroup *wg)
{
    int s = dial(port);
    CHECK(s >= 0);
    for (int i = 0; i < rounds; i++) {
        char out[200], in[200];
        size_t n = (size_t)(i % 190) + 8;
        memset(out, 'a' + i % 26, n);
        CHECK_EQ(rn_write(s, out, n), (ssize_t)n);
        CHECK_EQ(rn_read_full(s, in, n), (ssize_t)n);
        CHECK(memcmp(in, out, n) == 0);
        atomic_fetch_add(&echoed, (int64_t)n);
    }
    CHECK_EQ(rn_close(s), 0);
    rn_waitgroup_done(wg);
}
GO_FUNC(client, int, int, rn_waitgroup *);

static void echo_with(int workers, int clients, int rounds)
{
    rn_gomaxprocs(workers);
    int port;
    int l = listen_on(&port);
    go(serve, l);
    rn_waitgroup wg = {0};
    rn_waitgroup_add(&wg, clients);
    for (int i = 0; i < clients; i++)
        go(client, port, rounds, &wg);
    rn_waitgroup_wait(&wg);
    int64_t want = 0;
    for (int i = 0; i < rounds; i++)
        want += i % 190 + 8;
    CHECK_EQ(atomic_load(&echoed), want * clients);
    CHECK_EQ(atomic_load(&accepted), clients);
    WAIT_GONE(2); /* main and the server: every echo has seen the end of its client */
    CHECK_EQ(rn_close(l), 0);
    WAIT_GONE(1);
    CHECK_EQ(atomic_load(&server_result), -ECANCELED);
}

ITEM(1, "echo over TCP, one worker")
{
    echo_with(1, 20, (int)test_scale(200, 20));
}
ITEM(2, "echo over TCP, two workers")
{
    echo_with(2, 50, (int)test_scale(200, 20));
}
ITEM(3, "echo over TCP, four workers, three hundred connections")
{
    echo_with(4, 300, (int)test_scale(30, 3));
}

ITEM(4, "nobody listens: -ECONNREFUSED, and the socket may try again elsewhere")
{
    int port;
    int l = listen_on(&port);
    CHECK_EQ(rn_close(l), 0);
    CHECK_EQ(dial(port), -ECONNREFUSED);
}

static void read_once(void *p)
{
    int *fd_and_result = p;
    char c;
    fd_and_result[1] = (int)rn_read(fd_and_result[0], &c, 1);
}

ITEM(5, "a peer that resets: -ECONNRESET for who waits; a half-closed peer still reads")
{
    int port;
    int l = listen_on(&port);
    int s = dial(port);
    int c = rn_accept(l, NULL, NULL);
    CHECK(s >= 0 && c >= 0);
    /* half-closed: s has said all, c answers */
    CHECK(shutdown(s, SHUT_WR) == 0);
    char buf[8];
    CHECK_EQ(rn_read(c, buf, sizeof buf), 0);
    CHECK_EQ(rn_write(c, "still", 5), 5);
    CHECK_EQ(rn_read_full(s, buf, 5), 5);
    rn_close(s);
    rn_close(c);
    /* reset */
    s = dial(port);
    c = rn_accept(l, NULL, NULL);
    CHECK(s >= 0 && c >= 0);
    int job[2] = {c, 1};
    test_go(read_once, job);
    WAIT_PARKED(1, IO_WAIT, NULL);
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    CHECK(setsockopt(s, SOL_SOCKET, SO_LINGER, &hard, sizeof hard) == 0);
    CHECK_EQ(rn_close(s), 0);
    WAIT_GONE(1);
    CHECK_EQ(job[1], -ECONNRESET);
    CHECK_EQ(rn_write(c, "x", 1), -EPIPE); /* and no signal */
    rn_close(c);
    rn_close(l);
}

static void flood(int fd, _Atomic(int64_t) *written)
{
    static const char block[65536];
    for (int i = 0; i < 64; i++)
        atomic_fetch_add(written, rn_write(fd, block, sizeof block));
    CHECK_EQ(shutdown(fd, SHUT_WR), 0);
}
GO_FUNC(flood, int, _Atomic(int64_t) *);

ITEM(6, "a slow reader: the writer waits, and everything comes")
{
    int port;
    int l = listen_on(&port);
    int s = dial(port);
    int c = rn_accept(l, NULL, NULL);
    _Atomic(int64_t) written = 0;
    go(flood, s, &written);
    WAIT_PARKED(1, IO_WAIT, NULL);
    int64_t got = 0;
    char buf[3000];
    ssize_t n;
    while ((n = rn_read(c, buf, sizeof buf)) > 0)
        got += n;
    CHECK_EQ(n, 0);
    CHECK_EQ(got, 64 * 65536);
    CHECK_EQ(atomic_load(&written), got);
    rn_close(s);
    rn_close(c);
    rn_close(l);
}

ITEM(7, "out of descriptors: accept says -EMFILE, loses nobody, and goes on later")
{
    int port;
    int l = listen_on(&port);
    int s = dial(port);
    CHECK(s >= 0);
    struct rlimit old, now;
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    int next = dup(l);
    now = old;
    now.rlim_cur = (rlim_t)next; /* no number below is free */
    close(next);
    CHECK(setrlimit(RLIMIT_NOFILE, &now) == 0);
    CHECK_EQ(rn_accept(l, NULL, NULL), -EMFILE);
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
    int c = rn_accept(l, NULL, NULL);
    CHECK(c >= 0);
    CHECK_EQ(rn_write(s, "x", 1), 1);
    char b;
    CHECK_EQ(rn_read(c, &b, 1), 1);
    rn_close(s);
    rn_close(c);
    rn_close(l);
}

ITEM(8, "datagrams: sent to, received from, with a deadline")
{
    int a = rn_socket(AF_INET, SOCK_DGRAM, 0), b = rn_socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = loopback(0), from;
    socklen_t n = sizeof to;
    CHECK(bind(b, (struct sockaddr *)&to, n) == 0);
    CHECK(getsockname(b, (struct sockaddr *)&to, &n) == 0);
    char buf[64];
    CHECK_EQ(rn_set_read_deadline(b, rn_now() + RN_MS), 0);
    CHECK_EQ(rn_recvfrom(b, buf, sizeof buf, 0, NULL, NULL), -ETIMEDOUT);
    CHECK_EQ(rn_set_read_deadline(b, RN_NEVER), 0);
    CHECK_EQ(rn_recvfrom(b, buf, sizeof buf, MSG_DONTWAIT, NULL, NULL), -EAGAIN);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(rn_sendto(a, &i, sizeof i, 0, (struct sockaddr *)&to, sizeof to), sizeof i);
        int got = -1;
        n = sizeof from;
        CHECK_EQ(rn_recvfrom(b, &got, sizeof got, 0, (struct sockaddr *)&from, &n), sizeof got);
        CHECK_EQ(got, i);
    }
    rn_close(a);
    rn_close(b);
}

ITEM(9, "Unix sockets: a pair, a descriptor passed along it, messages that keep their ends")
{
    int p[2];
    CHECK_EQ(rn_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p), 0);
    CHECK_EQ(rn_write(p[0], "one", 3), 3);
    CHECK_EQ(rn_write(p[0], "three", 5), 5);
    char buf[64];
    CHECK_EQ(rn_read(p[1], buf, sizeof buf), 3);
    CHECK_EQ(rn_read(p[1], buf, sizeof buf), 5);
    int pipe_end[2];
    CHECK_EQ(rn_pipe(pipe_end), 0);
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {{0}};
    struct iovec v = {"f", 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &pipe_end[1], sizeof(int));
    CHECK_EQ(rn_sendmsg(p[0], &m, 0), 1);
    char byte;
    v = (struct iovec){&byte, 1};
    memset(&control, 0, sizeof control);
    CHECK_EQ(rn_recvmsg(p[1], &m, MSG_CMSG_CLOEXEC), 1);
    int passed;
    memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof passed);
    CHECK_EQ(rn_close(pipe_end[1]), 0);
    CHECK_EQ(rn_write(passed, "through", 7), 7);
    CHECK_EQ(rn_close(passed), 0);
    CHECK_EQ(rn_read_full(pipe_end[0], buf, sizeof buf), 7);
    rn_close(pipe_end[0]);
    rn_close(p[0]);
    rn_close(p[1]);
}

static void hog(void *p)
{
    _Atomic(bool) *stop = p;
    while (!atomic_load(stop)) {}
}

ITEM(10, "goroutines that compute on every worker do not stop the others' I/O")
{
    rn_gomaxprocs(2);
    _Atomic(bool) stop = false;
    int port;
    int l = listen_on(&port);
    go(serve, l);
    test_go(hog, &stop);
    test_go(hog, &stop);
    rn_waitgroup wg = {0};
    rn_waitgroup_add(&wg, 4);
    for (int i = 0; i < 4; i++)
        go(client, port, 20, &wg);
    rn_waitgroup_wait(&wg);
    atomic_store(&stop, true);
    rn_close(l);
    WAIT_GONE(1);
}

static void *client_thread(void *p)
{
    int *port = p;
    int s = dial(*port);
    CHECK(s >= 0);
    char c;
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(rn_write(s, "q", 1), 1);
        CHECK_EQ(rn_read(s, &c, 1), 1);
    }
    rn_close(s);
    return NULL;
}

ITEM(11, "foreign threads as clients, while main waits for them outside of the library")
{
    int port;
    int l = listen_on(&port);
    go(serve, l);
    rn_yield();
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, client_thread, &port) == 0);
    rn_blocking
    {
        for (int i = 0; i < 4; i++)
            pthread_join(t[i], NULL);
    }
    CHECK_EQ(rn_close(l), 0);
    WAIT_GONE(1);
}

TEST_MAIN
