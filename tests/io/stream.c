/*
 * stream.c - buffered reading and writing: tables, streams cut at every byte, limits, ends.
 *
 * Invariants
 *  - A stream is cut by giving the reader a part, letting it run until it times out, and then giving it the
 *    rest: what comes out must not depend on where.
 */
#include "cut.h"

/* One step of a protocol: what it read goes to `log` as text. Returns what the call did. */
typedef int step_fn(rn_reader *r, char *log, size_t n);

/* Of our own, since libraries word them differently. */
static const char *name_of(int err)
{
    return err == EMSGSIZE ? "EMSGSIZE" : err == ENODATA ? "ENODATA" : "another error";
}

static void run_steps(stream *s, step_fn *step, char *log, size_t size, int until)
{
    for (int i = 0;; i++) {
        size_t at = strlen(log);
        int e = step(&s->r, log + at, size - at);
        if (e == until)
            return;
        at = strlen(log);
        if (e <= 0) {
            snprintf(log + at, size - at, "%s;", e == 0 ? "end" : name_of(-e));
            return;
        }
        CHECK(i < 1000);
    }
}

/* What comes out of the stream must be `want`, wherever it is cut into two. */
static void at_every_cut(step_fn *step, const char *bytes, size_t n, const char *want, int line)
{
    for (size_t cut = 0; cut <= n; cut++) {
        stream s;
        char log[4096] = "";
        stream_open(&s);
        stream_give(&s, bytes, cut);
        run_steps(&s, step, log, sizeof log, -ETIMEDOUT);
        size_t so_far = strlen(log);
        bool over = so_far > 0 && strstr(log, "EMSGSIZE") != NULL;
        stream_give(&s, bytes + cut, n - cut);
        stream_end(&s);
        if (!over)
            run_steps(&s, step, log, sizeof log, 77);
        if (strcmp(log, want) != 0)
            test_fail(__FILE__, line, "cut at %zu: \"%s\", should be \"%s\"", cut, log, want);
        stream_close(&s);
    }
}
#define AT_EVERY_CUT(step, bytes, want) \
    at_every_cut((step), (bytes), sizeof(bytes) - 1, (want), __LINE__)

static int log_piece(int e, char *log, size_t n, const char *p, size_t len)
{
    if (e > 0) {
        CHECK(strlen(p) == len || memchr(p, '\0', len) != NULL);
        CHECK(p[len] == '\0');
        snprintf(log, n, "%zu:%s;", len, p);
    }
    return e;
}

/* ----------------------------------------------------------------------------------- lines */

static int line_step(rn_reader *r, char *log, size_t n)
{
    char *p;
    size_t len;
    int e = rn_reader_line(r, &p, &len);
    return log_piece(e, log, n, p, len);
}

ITEM(1, "lines: ends of both kinds, empty ones, the last without an end, at every cut")
{
    AT_EVERY_CUT(line_step, "", "end;");
    AT_EVERY_CUT(line_step, "\n", "0:;end;");
    AT_EVERY_CUT(line_step, "\r\n", "0:;end;");
    AT_EVERY_CUT(line_step, "\n\n\r\n", "0:;0:;0:;end;");
    AT_EVERY_CUT(line_step, "a\nbb\r\nccc", "1:a;2:bb;3:ccc;end;");
    AT_EVERY_CUT(line_step, "a\rb\n\rc\r\r\n", "3:a\rb;3:\rc\r;end;");
    AT_EVERY_CUT(line_step, "a\r", "2:a\r;end;");
    AT_EVERY_CUT(line_step, "one line\nand another one\nand so on\nmore than the buffer holds\n",
                 "8:one line;15:and another one;9:and so on;26:more than the buffer holds;end;");
    char *p;
    stream s; /* without a place for the length, and with NUL inside */
    stream_open(&s);
    stream_give(&s, "a\0b\n", 4);
    CHECK_EQ(rn_reader_line(&s.r, &p, NULL), 1);
    CHECK(memcmp(p, "a\0b", 4) == 0);
    stream_end(&s);
    stream_close(&s);
}

#define THIRTY "012345678901234567890123456789"

ITEM(2, "lines: up to the limit and no byte more; a line that is too long is not lost")
{
    _Static_assert(LIMIT == 32, "the texts below");
    AT_EVERY_CUT(line_step, THIRTY "ab\n" THIRTY "ab\r\n" THIRTY "ab",
                 "32:" THIRTY "ab;32:" THIRTY "ab;32:" THIRTY "ab;end;");
    AT_EVERY_CUT(line_step, "x\n" THIRTY "abc\n", "1:x;EMSGSIZE;");
    AT_EVERY_CUT(line_step, THIRTY "abc\r\n", "EMSGSIZE;");
    AT_EVERY_CUT(line_step, THIRTY "abc", "EMSGSIZE;");
    AT_EVERY_CUT(line_step, THIRTY THIRTY THIRTY, "EMSGSIZE;");
    stream s;
    stream_open(&s);
    stream_give(&s, THIRTY "abc\nnext\n", 39);
    char *p, rest[40];
    CHECK_EQ(rn_reader_line(&s.r, &p, NULL), -EMSGSIZE);
    CHECK_EQ(rn_reader_line(&s.r, &p, NULL), -EMSGSIZE);
    CHECK_EQ(rn_reader_full(&s.r, rest, 34), 1);
    CHECK(memcmp(rest, THIRTY "abc\n", 34) == 0);
    CHECK_EQ(rn_reader_line(&s.r, &p, NULL), 1);
    CHECK(strcmp(p, "next") == 0);
    stream_end(&s);
    stream_close(&s);
}

static int field_step(rn_reader *r, char *log, size_t n)
{
    char *p;
    size_t len;
    int e = rn_reader_until(r, ',', &p, &len);
    return log_piece(e, log, n, p, len);
}

ITEM(3, "pieces up to a byte: a stream must end with it")
{
    AT_EVERY_CUT(field_step, "a,,bb,", "1:a;0:;2:bb;end;");
    AT_EVERY_CUT(field_step, "a,b", "1:a;ENODATA;");
    AT_EVERY_CUT(field_step, THIRTY "ab," THIRTY "abc,", "32:" THIRTY "ab;EMSGSIZE;");
    AT_EVERY_CUT(field_step, "\xff\n,\x01,", "2:\xff\n;1:\x01;end;");
}

/* ---------------------------------------------------------------------------------- frames */

static int frame_width;
static int frame_step(rn_reader *r, char *log, size_t n)
{
    char *p;
    size_t len;
    int e = rn_reader_frame(r, frame_width, &p, &len);
    return log_piece(e, log, n, p, len);
}

ITEM(4, "frames: four widths, empty ones, the limit, at every cut")
{
    frame_width = 1;
    AT_EVERY_CUT(frame_step, "\003abc\000\001x", "3:abc;0:;1:x;end;");
    AT_EVERY_CUT(frame_step, "\040" THIRTY "ab\041", "32:" THIRTY "ab;EMSGSIZE;");
    frame_width = 2;
    AT_EVERY_CUT(frame_step, "\0\003abc\0\0\0\040" THIRTY "ab", "3:abc;0:;32:" THIRTY "ab;end;");
    AT_EVERY_CUT(frame_step, "\001\0", "EMSGSIZE;");
    frame_width = 4;
    AT_EVERY_CUT(frame_step, "\0\0\0\002ab\0\0\0\0", "2:ab;0:;end;");
    AT_EVERY_CUT(frame_step, "\377\377\377\377", "EMSGSIZE;");
    frame_width = 8;
    AT_EVERY_CUT(frame_step, "\0\0\0\0\0\0\0\002ab\0\0\0\0\0\0\0\040" THIRTY "ab",
                 "2:ab;32:" THIRTY "ab;end;");
    AT_EVERY_CUT(frame_step, "\200\0\0\0\0\0\0\001", "EMSGSIZE;");
    AT_EVERY_CUT(frame_step, "\377\377\377\377\377\377\377\377", "EMSGSIZE;");
    stream s;
    stream_open(&s);
    char *p;
    size_t n;
    CHECK_EQ(rn_reader_frame(&s.r, 3, &p, &n), -EINVAL);
    CHECK_EQ(rn_reader_frame(&s.r, 0, &p, &n), -EINVAL);
    stream_end(&s);
    stream_close(&s);
}

ITEM(5, "frames: a stream that ends inside of one says so, at every byte")
{
    static const char bytes[] = "\0\0\0\003abc";
    for (size_t n = 0; n < sizeof bytes; n++) {
        stream s;
        stream_open(&s);
        stream_give(&s, bytes, n);
        stream_end(&s);
        char *p;
        size_t len;
        int want = n == 0 ? 0 : n < sizeof bytes - 1 ? -ENODATA : 1;
        CHECK_EQ(rn_reader_frame(&s.r, 4, &p, &len), want);
        CHECK_EQ(rn_reader_buffered(&s.r), want > 0 ? 0 : n); /* a failure takes nothing */
        CHECK_EQ(rn_reader_frame(&s.r, 4, &p, &len), want > 0 ? 0 : want);
        stream_close(&s);
    }
}

/* ------------------------------------------------------------------------------- plain bytes */

ITEM(6, "peek, read, read exactly, skip: what is there, what is not, and the end")
{
    stream s;
    stream_open(&s);
    char *p, b[128];
    CHECK_EQ(rn_reader_peek(&s.r, 1, &p), -ETIMEDOUT);
    CHECK_EQ(rn_reader_read(&s.r, b, 5), -ETIMEDOUT);
    CHECK_EQ(rn_reader_read(&s.r, b, 0), 0);
    stream_give(&s, "abcdef", 6);
    CHECK_EQ(rn_reader_peek(&s.r, 3, &p), 1);
    CHECK(memcmp(p, "abc", 3) == 0);
    CHECK_EQ(rn_reader_buffered(&s.r), 6);
    CHECK_EQ(rn_reader_peek(&s.r, 7, &p), -ETIMEDOUT);
    CHECK_EQ(rn_reader_peek(&s.r, LIMIT + 1, &p), -EMSGSIZE);
    CHECK_EQ(rn_reader_full(&s.r, b, 7), -ETIMEDOUT);
    CHECK_EQ(rn_reader_skip(&s.r, 2), 1);
    CHECK_EQ(rn_reader_read(&s.r, b, sizeof b), 4); /* no more than there is */
    CHECK(memcmp(b, "cdef", 4) == 0);
    /* more than the buffer holds */
    stream_give(&s, THIRTY THIRTY THIRTY "x", 91);
    CHECK_EQ(rn_reader_full(&s.r, b, 90), 1);
    CHECK(memcmp(b, THIRTY THIRTY THIRTY, 90) == 0);
    stream_give(&s, THIRTY THIRTY THIRTY "yz", 92);
    CHECK_EQ(rn_reader_skip(&s.r, 91), 1);
    stream_end(&s);
    CHECK_EQ(rn_reader_full(&s.r, b, 3), -ENODATA);
    CHECK_EQ(rn_reader_peek(&s.r, 2, &p), 1);
    CHECK(memcmp(p, "yz", 2) == 0);
    CHECK_EQ(rn_reader_full(&s.r, b, 100), -ENODATA);
    CHECK_EQ(rn_reader_full(&s.r, b, 100), 0);
    CHECK_EQ(rn_reader_full(&s.r, b, 1), 0);
    CHECK_EQ(rn_reader_full(&s.r, b, 0), 1);
    CHECK_EQ(rn_reader_peek(&s.r, 1, &p), 0);
    CHECK_EQ(rn_reader_peek(&s.r, 0, &p), 0);
    CHECK_EQ(rn_reader_read(&s.r, b, sizeof b), 0);
    CHECK_EQ(rn_reader_read(&s.r, b, 1), 0);
    CHECK_EQ(rn_reader_skip(&s.r, 1), 0);
    CHECK_EQ(rn_reader_skip(&s.r, 0), 1);
    stream_close(&s);
    rn_reader r;
    CHECK_EQ(rn_reader_init(&r, 0, b, 31), -EINVAL);
    CHECK_EQ(rn_reader_init(&r, 0, NULL, 31), -EINVAL);
    if (!TEST_SANITIZED) /* sanitizers end the program instead */
        CHECK_EQ(rn_reader_init(&r, 0, NULL, SIZE_MAX / 2), -ENOMEM);
}

/* --------------------------------------------------------------------------------- writer */

ITEM(7, "writer: order, formatted text of any length, frames, one system call for what fits")
{
    int p[2];
    CHECK_EQ(rn_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p), 0); /* a message shows each write */
    char own[40], got[300];
    rn_writer w;
    CHECK_EQ(rn_writer_init(&w, p[0], own, sizeof own), 0);
    CHECK_EQ(rn_writer_text(&w, "a"), 0);
    CHECK_EQ(rn_writer_print(&w, "%d-%s", 12, "b"), 0);
    CHECK_EQ(rn_writer_byte(&w, 'c'), 0);
    CHECK_EQ(rn_writer_write(&w, "de", 2), 0);
    CHECK_EQ(rn_writer_write(&w, NULL, 0), 0);
    CHECK_EQ(rn_writer_flush(&w), 0);
    CHECK_EQ(rn_writer_flush(&w), 0); /* nothing to write: no message */
    CHECK_EQ(rn_read(p[1], got, sizeof got), 8);
    CHECK(memcmp(got, "a12-bcde", 8) == 0);
    for (size_t n = 0; n < 200; n++) { /* every way to meet the end of the buffer */
        for (size_t before = 0; before <= sizeof own; before += 5) {
            char text[256], want[300];
            memset(text, 'x', n);
            text[n] = '\0';
            memset(want, 'b', before);
            memcpy(want + before, text, n);
            want[before + n] = 'e';
            CHECK_EQ(rn_writer_write(&w, want, before), 0);
            CHECK_EQ(n % 2 ? rn_writer_print(&w, "%s", text) : rn_writer_text(&w, text), 0);
            CHECK_EQ(rn_writer_byte(&w, 'e'), 0);
            CHECK_EQ(rn_writer_flush(&w), 0);
            for (size_t have = 0; have < before + n + 1;) {
                ssize_t k = rn_read(p[1], got + have, sizeof got - have);
                CHECK(k > 0);
                have += (size_t)k;
                CHECK(memcmp(got, want, have) == 0);
            }
        }
    }
    CHECK_EQ(rn_writer_frame(&w, 1, got, 256), -EMSGSIZE);
    CHECK_EQ(rn_writer_frame(&w, 2, got, 65536), -EMSGSIZE);
    CHECK_EQ(rn_writer_frame(&w, 5, got, 1), -EINVAL);
    CHECK_EQ(rn_writer_frame(&w, 2, "ab", 2), 0);
    CHECK_EQ(rn_writer_frame(&w, 8, NULL, 0), 0);
    CHECK_EQ(rn_writer_flush(&w), 0);
    CHECK_EQ(rn_read(p[1], got, sizeof got), 12);
    CHECK(memcmp(got, "\0\002ab\0\0\0\0\0\0\0", 12) == 0);
    rn_writer_free(&w);
    rn_close(p[0]);
    rn_close(p[1]);
}

ITEM(8, "writer: a failure is final and is seen at the end")
{
    int p[2];
    rn_writer w;
    CHECK_EQ(rn_socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    CHECK_EQ(rn_writer_init(&w, p[0], NULL, 0), 0);
    CHECK_EQ(rn_writer_text(&w, "lost"), 0);
    rn_close(p[1]);
    CHECK_EQ(rn_writer_flush(&w), -EPIPE);
    CHECK_EQ(rn_writer_text(&w, "more"), -EPIPE);
    CHECK_EQ(rn_writer_print(&w, "more"), -EPIPE);
    CHECK_EQ(rn_writer_frame(&w, 1, "x", 1), -EPIPE);
    CHECK_EQ(rn_writer_flush(&w), -EPIPE);
    rn_writer_free(&w);
    rn_close(p[0]);

    CHECK_EQ(rn_pipe(p), 0);
    CHECK_EQ(rn_writer_init(&w, p[1], NULL, 64), 0);
    rn_writer_set_deadline(&w, 1);
    int e = 0, i = 0;
    while (e == 0 && i++ < 100000)
        e = rn_writer_text(&w, THIRTY);
    CHECK_EQ(e, -ETIMEDOUT);
    rn_writer_set_deadline(&w, RN_NEVER);
    CHECK_EQ(rn_writer_flush(&w), -ETIMEDOUT);
    rn_writer_free(&w);
    rn_close(p[0]);
    rn_close(p[1]);
}

TEST_MAIN
