/*
 * reader.c - buffered reading: lines, pieces and frames out of a stream that comes in any portions.
 *
 * Invariants
 *  - begin <= end <= size - 1: behind the last byte there is room for a NUL.
 *  - Bytes are taken (begin moves) only when a call succeeds.
 *  - The bytes that one call needs never exceed size - 1, so moving them to the front makes the room.
 */
#include "net.h"
#include <runnel/stream.h>
#include <stdlib.h>
#include <string.h>

int rn_reader_init(rn_reader *r, int fd, void *buf, size_t n)
{
    *r = (rn_reader){.fd = fd, .deadline = RN_NEVER, .own = buf == NULL};
    if (buf == NULL && n == 0)
        n = RN_STREAM_DEFAULT;
    if (n < (size_t)2 * RN_STREAM_SPARE)
        return -EINVAL;
    r->buf = buf != NULL ? buf : malloc(n);
    if (r->buf == NULL)
        return -ENOMEM;
    r->size = n;
    return 0;
}

void rn_reader_free(rn_reader *r)
{
    if (r->own)
        free(r->buf);
    r->buf = NULL;
    r->size = r->begin = r->end = 0;
}

void rn_reader_set_deadline(rn_reader *r, int64_t deadline)
{
    r->deadline = deadline;
}

size_t rn_reader_buffered(const rn_reader *r)
{
    return r->end - r->begin;
}

static size_t limit_of(const rn_reader *r)
{
    return r->size > RN_STREAM_SPARE ? r->size - RN_STREAM_SPARE : 0;
}

/* Reads once behind what is there. 1: there is more now; 0: the end; a negative errno. */
static int more(rn_reader *r)
{
    if (r->eof)
        return 0;
    if (r->begin == r->end) {
        r->begin = r->end = 0;
    } else if (r->end >= r->size - 1) {
        memmove(r->buf, r->buf + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
    }
    ssize_t n = rn_read_until(r->fd, r->buf + r->end, r->size - 1 - r->end, r->deadline);
    if (n < 0)
        return (int)n;
    r->end += (size_t)n;
    r->eof = n == 0; /* an end is an end, even where more could be written behind it later */
    return n > 0;
}

/* Makes at least n bytes available, n <= size - 1. 1; 0: the end, and nothing there; -ENODATA: less. */
static int need(rn_reader *r, size_t n)
{
    while (r->end - r->begin < n) {
        int got = more(r);
        if (got < 0)
            return got;
        if (got == 0)
            return r->end == r->begin ? 0 : -ENODATA;
    }
    return 1;
}

static char *hand_out(rn_reader *r, size_t skip, size_t n, size_t take, char **p, size_t *len)
{
    *p = r->buf + r->begin + skip;
    if (len != NULL)
        *len = n;
    r->begin += take;
    return *p;
}

/* ------------------------------------------------------------------------ lines and pieces */

/* Looks for `stop`. 1: *n bytes stand before it; 0: the stream ended, *n bytes are left. */
static int find(rn_reader *r, char stop, size_t extra, size_t *n)
{
    size_t seen = 0;
    for (;;) {
        size_t have = r->end - r->begin;
        const char *from = r->buf + r->begin;
        const char *at = have > seen ? memchr(from + seen, stop, have - seen) : NULL;
        if (at != NULL) {
            *n = (size_t)(at - from);
            return *n > limit_of(r) + extra ? -EMSGSIZE : 1;
        }
        if (have > limit_of(r) + extra)
            return -EMSGSIZE;
        seen = have;
        int got = more(r);
        if (got < 0)
            return got;
        if (got == 0) {
            *n = have;
            return 0;
        }
    }
}

int rn_reader_line(rn_reader *r, char **line, size_t *len)
{
    size_t n;
    int found = find(r, '\n', 1, &n); /* a \r does not count */
    if (found < 0 || (found == 0 && n == 0))
        return found;
    size_t take = n + (found > 0);
    if (found > 0 && n > 0 && r->buf[r->begin + n - 1] == '\r')
        n--;
    if (n > limit_of(r))
        return -EMSGSIZE;
    hand_out(r, 0, n, take, line, len)[n] = '\0';
    return 1;
}

int rn_reader_until(rn_reader *r, char stop, char **piece, size_t *len)
{
    size_t n;
    int found = find(r, stop, 0, &n);
    if (found <= 0)
        return found == 0 && n > 0 ? -ENODATA : found;
    hand_out(r, 0, n, n + 1, piece, len)[n] = '\0';
    return 1;
}

/* ---------------------------------------------------------------------------------- frames */

int rn_reader_peek(rn_reader *r, size_t n, char **bytes)
{
    if (n > limit_of(r))
        return -EMSGSIZE;
    int got = need(r, n > 0 ? n : 1);
    if (got > 0)
        hand_out(r, 0, n, 0, bytes, NULL);
    return got;
}

int rn_reader_frame(rn_reader *r, int width, char **frame, size_t *len)
{
    if (width != 1 && width != 2 && width != 4 && width != 8)
        return -EINVAL;
    size_t w = (size_t)width;
    int got = need(r, w);
    if (got <= 0)
        return got;
    uint64_t n = 0;
    for (size_t i = 0; i < w; i++)
        n = n << 8 | (unsigned char)r->buf[r->begin + i];
    if (n > limit_of(r))
        return -EMSGSIZE;
    got = need(r, w + (size_t)n);
    if (got <= 0)
        return got;
    /* The byte behind it may be the next frame's first: everything moves down over the length. */
    char *at = r->buf + r->begin;
    memmove(at, at + w, (size_t)n);
    hand_out(r, 0, (size_t)n, w + (size_t)n, frame, len)[n] = '\0';
    return 1;
}

/* ------------------------------------------------------------------------------- plain bytes */

ssize_t rn_reader_read(rn_reader *r, void *buf, size_t n)
{
    size_t have = r->end - r->begin;
    if (n == 0)
        return 0;
    if (have == 0) {
        if (n >= r->size && !r->eof) { /* no need for two copies */
            ssize_t direct = rn_read_until(r->fd, buf, n, r->deadline);
            r->eof = direct == 0;
            return direct;
        }
        int got = more(r);
        if (got <= 0)
            return got;
        have = r->end - r->begin;
    }
    if (n > have)
        n = have;
    memcpy(buf, r->buf + r->begin, n);
    r->begin += n;
    return (ssize_t)n;
}

int rn_reader_full(rn_reader *r, void *buf, size_t n)
{
    if (n <= limit_of(r)) {
        int got = n > 0 ? need(r, n) : 1;
        if (got > 0) {
            memcpy(buf, r->buf + r->begin, n);
            r->begin += n;
        }
        return got;
    }
    for (size_t have = 0; have < n;) {
        ssize_t got = rn_reader_read(r, (char *)buf + have, n - have);
        if (got <= 0)
            return got < 0 ? (int)got : have > 0 ? -ENODATA : 0;
        have += (size_t)got;
    }
    return 1;
}

int rn_reader_skip(rn_reader *r, size_t n)
{
    for (size_t gone = 0; gone < n;) {
        size_t have = r->end - r->begin;
        if (have == 0) {
            int got = more(r);
            if (got <= 0)
                return got < 0 ? got : gone > 0 ? -ENODATA : 0;
            continue;
        }
        size_t some = n - gone < have ? n - gone : have;
        r->begin += some;
        gone += some;
    }
    return 1;
}
