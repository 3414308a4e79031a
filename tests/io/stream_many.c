/*
 * stream_many.c - buffered streams: random calls on random bytes against a model, and a line protocol with
 * many clients.
 *
 * Invariants
 *  - The model sees the whole stream at once; the reader gets it in portions. Both must say the same.
 */
#include "cut.h"
#include <runnel/net.h>

/* ----------------------------------------------------------------------- random calls, a model */

typedef struct model {
    const char *all; /* the stream */
    size_t n, at;    /* its length, what has been taken */
} model;

/* What a call must do: its result, and the bytes [*from, *from + *len). Nothing else is remembered. */
static int model_delimited(model *m, char stop, bool line, size_t *from, size_t *len)
{
    size_t left = m->n - m->at;
    const char *p = m->all + m->at, *at = left > 0 ? memchr(p, stop, left) : NULL;
    if (at == NULL && left == 0)
        return 0;
    size_t n = at != NULL ? (size_t)(at - p) : left;
    size_t strip = line && at != NULL && n > 0 && p[n - 1] == '\r';
    if (n - strip > LIMIT)
        return -EMSGSIZE;
    if (at == NULL && !line)
        return -ENODATA;
    *from = m->at;
    *len = n - strip;
    m->at += n + (at != NULL);
    return 1;
}

static int model_bytes(model *m, size_t n, bool take, size_t *from)
{
    size_t left = m->n - m->at;
    if (left < n)
        return left == 0 ? 0 : -ENODATA;
    *from = m->at;
    m->at += take ? n : 0;
    return 1;
}

static int model_frame(model *m, size_t width, size_t *from, size_t *len)
{
    size_t left = m->n - m->at;
    if (left < width)
        return left == 0 ? 0 : -ENODATA;
    uint64_t n = 0;
    for (size_t i = 0; i < width; i++)
        n = n << 8 | (unsigned char)m->all[m->at + i];
    if (n > LIMIT)
        return -EMSGSIZE;
    if (left - width < n)
        return -ENODATA;
    *from = m->at + width;
    *len = (size_t)n;
    m->at += width + (size_t)n;
    return 1;
}

static void one_stream(uint64_t *seed)
{
    char all[600];
    model m = {.all = all, .n = test_random(seed) % sizeof all};
    for (size_t i = 0; i < m.n; i++) {
        uint64_t q = test_random(seed);
        all[i] = q % 3 == 0 ? "\n\r,\0\1\2\5\11\40\0"[(q >> 8) % 10] : (char)(q >> 16);
    }
    stream s;
    stream_open(&s);
    size_t given = 0;
    for (int calls = 0; calls < 400; calls++) {
        uint64_t q = test_random(seed);
        model before = m;
        size_t from = 0, len = 0, n = (q >> 16) % (LIMIT + 2);
        char *p = NULL, into[LIMIT + 2];
        int want, got, width = 1 << ((q >> 8) % 4);
        for (;;) {
            switch (q % 6) {
            case 0:
                want = model_delimited(&m, '\n', true, &from, &len);
                got = rn_reader_line(&s.r, &p, &n);
                break;
            case 1:
                want = model_delimited(&m, ',', false, &from, &len);
                got = rn_reader_until(&s.r, ',', &p, &n);
                break;
            case 2:
                want = model_frame(&m, (size_t)width, &from, &len);
                got = rn_reader_frame(&s.r, width, &p, &n);
                break;
            case 3:
                want = n > LIMIT ? -EMSGSIZE : model_bytes(&m, n > 0 ? n : 1, false, &from);
                got = rn_reader_peek(&s.r, n, &p);
                len = n;
                break;
            case 4:
                n = len = n > LIMIT ? LIMIT : n;
                want = n > 0 ? model_bytes(&m, n, true, &from) : 1;
                got = rn_reader_full(&s.r, into, n);
                p = into;
                break;
            default:
                n = len = 1;
                want = model_bytes(&m, 1, true, &from);
                got = (int)rn_reader_read(&s.r, into, 1);
                p = into;
            }
            if (got != -ETIMEDOUT)
                break;
            m = before; /* nothing has been taken: more bytes, or the end, and again */
            if (given < m.n) {
                size_t more = 1 + (test_random(seed) % (m.n - given)) % 50;
                stream_give(&s, all + given, more);
                given += more;
            } else {
                stream_end(&s);
                s.end[1] = -1;
            }
            q = test_random(seed) % 5 != 0 ? q : test_random(seed); /* or another call */
            width = 1 << ((q >> 8) % 4);
            n = (q >> 16) % (LIMIT + 2);
        }
        CHECK_EQ(got, want);
        if (got > 0) {
            CHECK_EQ(n, len);
            CHECK(memcmp(p, all + from, len) == 0);
        } else if (m.at < m.n) { /* stuck: one byte is taken by force, if it is there */
            size_t there = rn_reader_buffered(&s.r) > 0;
            CHECK_EQ(rn_reader_skip(&s.r, there), 1);
            m.at += there;
        } else {
            break;
        }
    }
    if (s.end[1] >= 0)
        stream_end(&s);
    stream_close(&s);
}

ITEM(1, "random bytes in random portions through random calls: what a model says")
{
    uint64_t seed = 1;
    for (int64_t i = test_scale(3000, 500) / TEST_SLOW; i > 0; i--)
        one_stream(&seed);
}

/* -------------------------------------------------------------------------- many connections */

static void serve(int fd)
{
    rn_reader r;
    rn_writer w;
    CHECK(rn_reader_init(&r, fd, NULL, 256) == 0 && rn_writer_init(&w, fd, NULL, 256) == 0);
    char *line;
    int e;
    while ((e = rn_reader_line(&r, &line, NULL)) > 0) {
        char *end;
        long a = strtol(line, &end, 10), b = strtol(end, NULL, 10);
        CHECK_EQ(rn_writer_print(&w, "%ld\n", a + b), 0);
        if (rn_reader_buffered(&r) == 0)
            CHECK_EQ(rn_writer_flush(&w), 0);
    }
    CHECK_EQ(e, 0);
    CHECK_EQ(rn_writer_flush(&w), 0);
    rn_reader_free(&r);
    rn_writer_free(&w);
    rn_close(fd);
}
GO_FUNC(serve, int);

static void accept_all(int l)
{
    int c;
    while ((c = rn_accept(l, NULL, NULL)) >= 0)
        go(serve, c);
    CHECK_EQ(c, -ECANCELED);
}
GO_FUNC(accept_all, int);

static _Atomic(int64_t) sum;
static void ask(const rn_addr *at, int from, int n, rn_waitgroup *wg)
{
    int fd = rn_dial_addr(at, test_patience());
    CHECK(fd >= 0);
    rn_reader r;
    rn_writer w;
    CHECK(rn_reader_init(&r, fd, NULL, 64) == 0 && rn_writer_init(&w, fd, NULL, 128) == 0);
    for (int i = 0; i < n; i += 10) { /* ten questions at a time */
        for (int k = 0; k < 10; k++)
            CHECK_EQ(rn_writer_print(&w, "%d %d\r\n", from, i + k), 0);
        CHECK_EQ(rn_writer_flush(&w), 0);
        for (int k = 0; k < 10; k++) {
            char *line;
            CHECK_EQ(rn_reader_line(&r, &line, NULL), 1);
            CHECK_EQ(atoi(line), from + i + k);
            atomic_fetch_add(&sum, 1);
        }
    }
    CHECK_EQ(rn_shutdown(fd, SHUT_WR), 0);
    char *line;
    CHECK_EQ(rn_reader_line(&r, &line, NULL), 0);
    rn_reader_free(&r);
    rn_writer_free(&w);
    rn_close(fd);
    rn_waitgroup_done(wg);
}
GO_FUNC(ask, const rn_addr *, int, int, rn_waitgroup *);

static void adders(int workers, const char *where)
{
    rn_gomaxprocs(workers);
    rn_addr at;
    int l = rn_listen(where, NULL);
    CHECK(l >= 0);
    CHECK_EQ(rn_local_addr(l, &at), 0);
    go(accept_all, l);
    rn_waitgroup wg = {0};
    int n = (int)test_scale(200, 20) / 10 * 10;
    for (int i = 0; i < 40; i++) {
        rn_waitgroup_add(&wg, 1);
        go(ask, &at, i * 1000, n, &wg);
    }
    rn_waitgroup_wait(&wg);
    CHECK_EQ(atomic_load(&sum), 40 * n);
    rn_close(l);
    WAIT_GONE(1);
}

ITEM(2, "a line protocol with forty clients, TCP, one worker")
{
    adders(1, "127.0.0.1:0");
}
ITEM(3, "the same, two workers, Unix sockets")
{
    adders(2, "unix:@");
}
ITEM(4, "the same, four workers, IPv6")
{
    adders(4, "[::1]:0");
}

TEST_MAIN
