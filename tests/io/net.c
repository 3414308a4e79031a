/*
 * net.c - addresses as text, lookups, listening and dialling: tables, refusals, time-outs, happy eyeballs.
 *
 * Invariants
 *  - Loopback and Unix sockets only. Names are answered by this file's own getaddrinfo, so that no name
 *    server is needed and a silent one can be had.
 *  - A black hole is a listener whose queue is full: the kernel drops what would connect to it.
 */
#include "../test.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <runnel/net.h>
#include <sys/un.h>

/* --------------------------------------------------------------------------- a name server */

static _Atomic(int) hanging;   /* lookups that do not come back */
static _Atomic(bool) released; /* until this is set */

static struct addrinfo *answer(int family, int port, struct addrinfo *next)
{
    struct addrinfo *a = calloc(1, sizeof *a);
    CHECK(a != NULL);
    rn_addr parsed;
    char text[64];
    snprintf(text, sizeof text, family == AF_INET ? "127.0.0.1:%d" : "[::1]:%d", port);
    CHECK_EQ(rn_addr_parse(&parsed, text), 0);
    a->ai_family = family;
    a->ai_addrlen = parsed.len;
    a->ai_addr = malloc(parsed.len);
    CHECK(a->ai_addr != NULL);
    memcpy(a->ai_addr, &parsed.ss, parsed.len);
    a->ai_next = next;
    return a;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    (void)hints;
    char large[100 * 1024]; /* more than a goroutine's stack */
    memset(large, 1, sizeof large);
    __asm__ volatile("" : : "r"(large) : "memory");
    int port = strcmp(service, "gopher") == 0 ? 70 : atoi(service);
    if (port == 0 && strcmp(service, "0") != 0)
        return EAI_SERVICE;
    if (host == NULL || strcmp(host, "both.test") == 0)
        *found = answer(AF_INET6, port, answer(AF_INET, port, NULL));
    else if (strcmp(host, "four.test") == 0 || strcmp(host, "127.0.0.1") == 0)
        *found = answer(AF_INET, port, NULL);
    else if (strcmp(host, "again.test") == 0)
        return EAI_AGAIN;
    else if (strcmp(host, "broken.test") == 0)
        return EAI_FAIL;
    else if (strcmp(host, "silent.test") == 0) {
        atomic_fetch_add(&hanging, 1);
        while (!atomic_load(&released))
            usleep(500);
        atomic_fetch_sub(&hanging, 1);
        *found = answer(AF_INET, port, NULL);
    } else
        return EAI_NONAME;
    return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
    while (a != NULL) {
        struct addrinfo *next = a->ai_next;
        free(a->ai_addr);
        free(a);
        a = next;
    }
}

/* ----------------------------------------------------------------------------- addresses */

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
    const char *text;
    int err;
    const char *shown; /* NULL: as it was */
    int port;
} table[] = {
    {"127.0.0.1:80", 0, NULL, 80},
    {"0.0.0.0:0", 0, NULL, 0},
    {"255.255.255.255:65535", 0, NULL, 65535},
    {"127.0.0.1:00080", 0, "127.0.0.1:80", 80},
    {"127.0.0.1:https", 0, "127.0.0.1:443", 443},
    {":8080", 0, "[::]:8080", 8080},
    {":ssh", 0, "[::]:22", 22},
    {"[::1]:1", 0, NULL, 1},
    {"[0:0:0:0:0:0:0:1]:1", 0, "[::1]:1", 1},
    {"[2001:DB8::A]:443", 0, "[2001:db8::a]:443", 443},
    {"[::ffff:1.2.3.4]:5", 0, NULL, 5},
    {"[fe80::1%lo]:7", 0, NULL, 7},
    {"[fe80::1%4000000000]:7", 0, NULL, 7},
    {"unix:/run/x.sock", 0, NULL, -EAFNOSUPPORT},
    {"unix:./x", 0, NULL, -EAFNOSUPPORT},
    {"unix:../x", 0, NULL, -EAFNOSUPPORT},
    {"unix:/a b:c[d]@e", 0, NULL, -EAFNOSUPPORT},
    {"unix:@abstract", 0, NULL, -EAFNOSUPPORT},
    {"unix:@", 0, "unix:", -EAFNOSUPPORT},
    {"unix:/" HUNDRED "123456", 0, NULL, -EAFNOSUPPORT},  /* 107 bytes and NUL */
    {"unix:@" HUNDRED "1234567", 0, NULL, -EAFNOSUPPORT}, /* 108 */
    /* names */
    {"localhost:80", -ENOENT, NULL, 0},
    {"unix:80", -ENOENT, NULL, 0}, /* a host of that name */
    {"127.0.0.1:no-such-service", -ENOENT, NULL, 0},
    {"1.2.3:80", -ENOENT, NULL, 0},
    {"1.2.3.4.5:80", -ENOENT, NULL, 0},
    {"256.0.0.1:80", -ENOENT, NULL, 0},
    {"127.0.0.01:80", -ENOENT, NULL, 0},
    {"m\xc3\xbcnchen:80", -ENOENT, NULL, 0},
    /* bad ones */
    {"", -EINVAL, NULL, 0},
    {":", -EINVAL, NULL, 0},
    {"80", -EINVAL, NULL, 0},
    {"127.0.0.1", -EINVAL, NULL, 0},
    {"127.0.0.1:", -EINVAL, NULL, 0},
    {"127.0.0.1:65536", -EINVAL, NULL, 0},
    {"127.0.0.1:4294967376", -EINVAL, NULL, 0},
    {"127.0.0.1:99999999999999999999", -EINVAL, NULL, 0},
    {"127.0.0.1:-1", -EINVAL, NULL, 0},
    {"127.0.0.1:+1", -EINVAL, NULL, 0},
    {"127.0.0.1:8o", -EINVAL, NULL, 0},
    {"127.0.0.1:80 ", -EINVAL, NULL, 0},
    {"127.0.0.1: 80", -EINVAL, NULL, 0},
    {" 127.0.0.1:80", -EINVAL, NULL, 0},
    {"127.0.0.1:80:80", -EINVAL, NULL, 0},
    {"::1:80", -EINVAL, NULL, 0},
    {"::1", -EINVAL, NULL, 0},
    {"[::1]", -EINVAL, NULL, 0},
    {"[::1]80", -EINVAL, NULL, 0},
    {"[::1:80", -EINVAL, NULL, 0},
    {"::1]:80", -EINVAL, NULL, 0},
    {"[[::1]]:80", -EINVAL, NULL, 0},
    {"[]:80", -EINVAL, NULL, 0},
    {"[127.0.0.1]:80", -EINVAL, NULL, 0},
    {"[localhost]:80", -EINVAL, NULL, 0},
    {"[1::2::3]:80", -EINVAL, NULL, 0},
    {"[fe80::1%]:80", -EINVAL, NULL, 0},
    {"[fe80::1%no-such-zone]:80", -ENODEV, NULL, 0},
    {"[fe80::1%0]:80", -ENODEV, NULL, 0},
    {"[fe80::1%4294967296]:80", -ENODEV, NULL, 0},
    {"http://x:80", -EINVAL, NULL, 0},
    {"a/b:80", -EINVAL, NULL, 0},
    {"a\n:80", -EINVAL, NULL, 0},
    {"x:" HUNDRED, -EINVAL, NULL, 0},
    {HUNDRED HUNDRED HUNDRED ":80", -EINVAL, NULL, 0},
    {"unix:", -EINVAL, NULL, 0},
    {"unix:/" HUNDRED "1234567", -ENAMETOOLONG, NULL, 0},
    {"unix:@" HUNDRED "12345678", -ENAMETOOLONG, NULL, 0},
};
enum { ROWS = sizeof table / sizeof *table };

ITEM(1, "addresses: what is one, what is not, and how it is shown")
{
    for (int i = 0; i < ROWS; i++) {
        rn_addr a;
        char text[RN_ADDR_TEXT];
        int err = rn_addr_parse(&a, table[i].text);
        if (err != table[i].err)
            test_fail(__FILE__, __LINE__, "\"%s\" gives %d, should give %d", table[i].text, err,
                      table[i].err);
        if (err != 0)
            continue;
        const char *shown = table[i].shown != NULL ? table[i].shown : table[i].text;
        size_t n = rn_addr_text(&a, text, sizeof text);
        if (strcmp(text, shown) != 0 || n != strlen(shown))
            test_fail(__FILE__, __LINE__, "\"%s\" is shown as \"%s\"", table[i].text, text);
        CHECK_EQ(rn_addr_port(&a), table[i].port);
        char cut[10];
        CHECK_EQ(rn_addr_text(&a, cut, sizeof cut), n);
        CHECK(strncmp(cut, text, 9) == 0 && strlen(cut) == (n < 9 ? n : 9));
        CHECK_EQ(rn_addr_text(&a, NULL, 0), n);
    }
    rn_addr unknown = {.ss = {.ss_family = AF_PACKET}, .len = sizeof unknown.ss};
    char text[RN_ADDR_TEXT];
    rn_addr_text(&unknown, text, sizeof text);
    CHECK(strcmp(text, "?") == 0);
}

ITEM(2,
     "addresses: random bytes and damaged ones never do harm, and what is read is shown the same")
{
    uint64_t seed = 1;
    int64_t good = 0;
    for (int64_t round = test_scale(200000, 20000); round > 0; round--) {
        char raw[400];
        size_t n;
        uint64_t r = test_random(&seed);
        if (r % 4 == 0) {
            static const char alphabet[] = "[]:%.@/0123456789abcdefunix:-";
            n = (r >> 8) % 40;
            for (size_t i = 0; i < n; i++)
                raw[i] = r % 8 != 0 ? alphabet[test_random(&seed) % (sizeof alphabet - 1)]
                                    : (char)(test_random(&seed) | 1);
        } else {
            const char *from = table[(r >> 8) % ROWS].text;
            n = strlen(from);
            memcpy(raw, from, n);
            for (uint64_t k = (r >> 32) % 3; k > 0 && n > 0; k--) {
                uint64_t q = test_random(&seed);
                size_t at = (q >> 8) % n;
                if (q % 3 == 0)
                    raw[at] = (char)((q >> 32) | 1);
                else if (q % 3 == 1)
                    memmove(raw + at, raw + at + 1, --n - at);
                else {
                    memmove(raw + at + 1, raw + at, n - at);
                    n++;
                }
            }
        }
        /* exactly as large as it is: AddressSanitizer sees one byte too many */
        char *text = malloc(n + 1);
        CHECK(text != NULL);
        memcpy(text, raw, n);
        text[n] = '\0';
        rn_addr a, b;
        int err = rn_addr_parse(&a, text);
        free(text);
        CHECK(err == 0 || err == -EINVAL || err == -ENOENT || err == -ENODEV ||
              err == -ENAMETOOLONG);
        if (err != 0)
            continue;
        char shown[RN_ADDR_TEXT];
        CHECK(rn_addr_text(&a, shown, sizeof shown) < sizeof shown);
        if (strcmp(shown, "unix:") == 0)
            continue;
        good++;
        CHECK_EQ(rn_addr_parse(&b, shown), 0);
        CHECK(a.len == b.len && memcmp(&a.ss, &b.ss, sizeof a.ss) == 0);
    }
    CHECK(good > 1000);
}

/* ------------------------------------------------------------------------------- helpers */

static int open_fds(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    CHECK(d != NULL);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static rn_addr addr_of(const char *text)
{
    rn_addr a;
    CHECK_EQ(rn_addr_parse(&a, text), 0);
    return a;
}

/* Listens, and tells where. */
static int listen_on(const char *text, const rn_listen_opts *opts, rn_addr *at)
{
    int l = rn_listen(text, opts);
    if (l < 0)
        test_fail(__FILE__, __LINE__, "listening on %s: %s", text, rn_net_error(l));
    CHECK_EQ(rn_local_addr(l, at), 0);
    return l;
}

static const char *text_of(const rn_addr *a)
{
    static __thread char text[RN_ADDR_TEXT];
    rn_addr_text(a, text, sizeof text);
    return text;
}

/* A byte goes each way. */
static void talk(int a, int b)
{
    char c = 0;
    CHECK_EQ(rn_write(a, "x", 1), 1);
    CHECK_EQ(rn_read(b, &c, 1), 1);
    CHECK_EQ(c, 'x');
    CHECK_EQ(rn_write(b, "y", 1), 1);
    CHECK_EQ(rn_read(a, &c, 1), 1);
    CHECK_EQ(c, 'y');
}

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

ITEM(3, "listening and dialling: IPv4, IPv6, Unix sockets in files and in the abstract")
{
    int before = open_fds();
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
    CHECK_EQ(open_fds() - before, 2); /* the poller's own, since the first use */
    CHECK_EQ(rn_num_goroutine(), 1);
}

ITEM(4, "without a host: both families, unless v6only; ports shared only where both want it")
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

ITEM(5, "options: small writes go at once, also from accepted ends; keep-alive in whole seconds")
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

ITEM(6, "refused, unreachable, silent: each has its error, and nothing is left open")
{
    hole h;
    hole_open(&h, "127.0.0.1:0");
    int before = open_fds();
    rn_addr a = nobody("127.0.0.1:0");
    CHECK_EQ(rn_dial_addr(&a, test_patience()), -ECONNREFUSED);
    CHECK_EQ(rn_dial("224.0.0.1:9", test_patience()), -ENETUNREACH); /* TCP to a multicast group */
    CHECK_EQ(rn_dial_addr(&h.at, rn_now() + 20 * RN_MS), -ETIMEDOUT);
    CHECK_EQ(rn_dial_addr(&h.at, rn_now() - 1), -ETIMEDOUT);
    CHECK_EQ(rn_dial_any(&a, 0, RN_NEVER), -EINVAL);
    CHECK_EQ(open_fds(), before);
    hole_close(&h);
}

/* --------------------------------------------------------------------------- happy eyeballs */

ITEM(7, "several addresses: the next one after a failure; all failed: the first one's error")
{
    rn_addr good, all[4];
    int l = listen_on("127.0.0.1:0", NULL, &good);
    int before = open_fds();
    rn_addr refused = nobody("[::1]:0"), unreachable = addr_of("224.0.0.1:9");
    all[0] = refused;
    all[1] = unreachable;
    all[2] = good;
    int s = rn_dial_any(all, 3, test_patience());
    CHECK(s >= 0);
    rn_close(s);
    all[2] = unreachable;
    CHECK_EQ(rn_dial_any(all, 3, test_patience()), -ECONNREFUSED);
    all[0] = unreachable;
    all[1] = refused;
    CHECK_EQ(rn_dial_any(all, 2, test_patience()), -ENETUNREACH);
    CHECK_EQ(open_fds(), before);
    CHECK_EQ(rn_num_goroutine(), 1);
    rn_close(l);
}

static void hole_first(void)
{
    hole h;
    hole_open(&h, "[::1]:0");
    rn_addr good, end;
    int l = listen_on("127.0.0.1:0", NULL, &good);
    int before = open_fds();
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
    CHECK_EQ(open_fds(), before);
    rn_close(l);
    hole_close(&h);
}

ITEM(8, "a silent first address: another one wins, the loser is closed; one worker")
{
    rn_gomaxprocs(1);
    hole_first();
}
ITEM(9, "the same, four workers")
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

ITEM(10, "a slow first address can still win, and the silent others are closed")
{
    hole slow, silent;
    hole_open(&slow, "127.0.0.1:0");
    hole_open(&silent, "[::1]:0");
    int before = open_fds();
    rn_addr all[2] = {slow.at, silent.at}, end;
    test_go(make_room,
            &slow.l); /* the kernel's second attempt, a second after the first, gets in */
    int s = rn_dial_any(all, 2, test_patience());
    CHECK(s >= 0);
    CHECK_EQ(rn_peer_addr(s, &end), 0);
    CHECK(memcmp(&end.ss, &slow.at.ss, end.len) == 0);
    rn_close(s);
    WAIT_GONE(1);
    CHECK_EQ(open_fds(), before);
    hole_close(&slow);
    hole_close(&silent);
}

/* ---------------------------------------------------------------------------------- names */

ITEM(11, "names: both families in order, errors by their numbers, numbers without asking")
{
    rn_addr *all;
    CHECK_EQ(rn_lookup("both.test:80", test_patience(), &all), 2);
    CHECK(strcmp(text_of(&all[0]), "[::1]:80") == 0);
    CHECK(strcmp(text_of(&all[1]), "127.0.0.1:80") == 0);
    free(all);
    CHECK_EQ(rn_lookup("four.test:gopher", test_patience(), &all), 1);
    CHECK_EQ(rn_addr_port(&all[0]), 70);
    free(all);
    CHECK_EQ(rn_lookup(":gopher", test_patience(), &all), 2);
    CHECK(strcmp(text_of(&all[0]), "[::1]:70") == 0);
    free(all);
    CHECK_EQ(rn_lookup("127.0.0.1:gopher", test_patience(), &all), 1);
    free(all);
    CHECK_EQ(rn_lookup("[::1]:5", 0, &all), 1); /* nothing to wait for */
    free(all);
    CHECK_EQ(rn_lookup("unix:@x", 0, &all), 1);
    free(all);
    CHECK_EQ(rn_lookup("none.test:80", test_patience(), &all), -ENOENT);
    CHECK_EQ(rn_lookup("again.test:80", test_patience(), &all), -EAGAIN);
    CHECK_EQ(rn_lookup("broken.test:80", test_patience(), &all), -EIO);
    CHECK_EQ(rn_lookup("both.test:what", test_patience(), &all), -ESRCH);
    CHECK_EQ(rn_lookup("both.test", test_patience(), &all), -EINVAL);
    CHECK_EQ(rn_lookup("both.test:80", rn_now() - 1, &all), -ETIMEDOUT);
    CHECK_EQ(rn_dial("none.test:80", test_patience()), -ENOENT);
    CHECK_EQ(rn_listen("none.test:80", NULL), -ENOENT);
    CHECK_HAS(rn_net_error(-ENOENT), "no such host");
    CHECK_HAS(rn_net_error(-ECONNREFUSED), "refused");
    CHECK_HAS(rn_net_error(-EINVAL), "host:port");
}

ITEM(12, "a listener of one family only is found by name")
{
    rn_addr at;
    char text[64];
    int l = listen_on("four.test:0", NULL, &at);
    snprintf(text, sizeof text, "both.test:%d", rn_addr_port(&at));
    int s = rn_dial(text, test_patience()); /* [::1] refuses */
    CHECK(s >= 0);
    rn_close(s);
    rn_close(l);
    l = listen_on("[::1]:0", NULL, &at);
    snprintf(text, sizeof text, "both.test:%d", rn_addr_port(&at));
    CHECK((s = rn_dial(text, test_patience())) >= 0);
    rn_close(s);
    rn_close(l);
}

static _Atomic(int) answered;
static void ask_silent(void *arg)
{
    (void)arg;
    rn_addr *all;
    CHECK_EQ(rn_lookup("silent.test:80", RN_NEVER, &all), 1);
    free(all);
    atomic_fetch_add(&answered, 1);
}

ITEM(13, "silent name servers: no worker waits for them, deadlines hold, and later all is well")
{
    rn_gomaxprocs(1);
    int before = open_fds();
    rn_addr *all;
    while (atomic_load(&hanging) == 0) /* until one is left alone with its thread */
        CHECK_EQ(rn_lookup("silent.test:80", rn_now() + 20 * RN_MS, &all), -ETIMEDOUT);
    for (int i = 0; i < 50; i++)
        test_go(ask_silent, NULL);  /* more than there are threads */
    WAIT_PARKED(50, IO_WAIT, NULL); /* the only worker goes on */
    WAIT_UNTIL(atomic_load(&hanging) == 32);
    /* no thread is free: it is taken out of the queue again */
    CHECK_EQ(rn_lookup("both.test:80", rn_now() + 20 * RN_MS, &all), -ETIMEDOUT);
    CHECK_EQ(atomic_load(&answered), 0);
    atomic_store(&released, true);
    CHECK_EQ(rn_lookup("both.test:80", test_patience(), &all), 2);
    free(all);
    WAIT_GONE(1);
    CHECK_EQ(atomic_load(&answered), 50);
    WAIT_UNTIL(atomic_load(&hanging) == 0);
    CHECK_EQ(open_fds() - before, 2);
}

static _Atomic(int64_t) answers;
static void ask_often(void *arg)
{
    for (int i = 0; i < *(int *)arg; i++) {
        rn_addr *all;
        int n = rn_lookup(i % 3 == 0 ? "none.test:1" : "both.test:1", test_patience(), &all);
        CHECK_EQ(n, i % 3 == 0 ? -ENOENT : 2);
        if (n > 0)
            free(all);
        atomic_fetch_add(&answers, 1);
    }
}
static void *ask_thread(void *arg)
{
    ask_often(arg);
    return NULL;
}

static void lookups(int workers)
{
    rn_gomaxprocs(workers);
    int each = (int)test_scale(50, 10);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, ask_thread, &each) == 0);
    for (int i = 0; i < 40; i++)
        test_go(ask_often, &each);
    WAIT_GONE(1);
    rn_blocking pthread_join(t, NULL);
    CHECK_EQ(atomic_load(&answers), 41 * each);
}
ITEM(14, "many lookups at a time, one worker and a foreign thread")
{
    lookups(1);
}
ITEM(15, "many lookups at a time, four workers and a foreign thread")
{
    lookups(4);
}

CHILD(seeded)
{
    rn_addr *all, at;
    CHECK_EQ(rn_lookup("both.test:80", rn_now() + RN_SEC, &all), 2);
    free(all);
    int l = listen_on("127.0.0.1:0", NULL, &at);
    int s = rn_dial_addr(&at, RN_NEVER);
    CHECK(s >= 0);
    int c = rn_accept(l, NULL, NULL);
    CHECK(c >= 0);
    talk(s, c);
    printf("talked\n");
}

ITEM(16, "with a seed: a lookup does not let the virtual clock run")
{
    test_child *c = test_run_child("seeded", "RUNNEL_DEBUG=seed=7", NULL);
    if (c->status != 0)
        test_fail(__FILE__, __LINE__, "status %d: %s", c->status, c->err);
    CHECK_HAS(c->out, "talked");
}

CHILD(stuck)
{
    rn_addr *all;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(rn_lookup("both.test:80", RN_NEVER, &all), 2);
        free(all);
    }
    chan(int) c = chan_make(int, 0);
    chan_recv(c, NULL);
}

ITEM(17, "the threads that look up names keep no deadlock alive")
{
    test_child *c = test_run_child("stuck", NULL);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, "all goroutines are asleep - deadlock!");
}

TEST_MAIN
