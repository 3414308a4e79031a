/*
 * writer.c - buffered writing: text, formatted text and frames, in as few system calls as fit.
 *
 * Invariants
 *  - Bytes leave in the order in which they were given; after a failure none leaves any more.
 *  - What does not fit is written around the buffer only when the buffer is empty.
 */
#include "net.h"
#include <runnel/stream.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int rn_writer_init(rn_writer *w, int fd, void *buf, size_t n)
{
    *w = (rn_writer){.fd = fd, .deadline = RN_NEVER, .own = buf == NULL};
    if (buf == NULL && n == 0)
        n = RN_STREAM_DEFAULT;
    if (n < (size_t)2 * RN_STREAM_SPARE)
        return -EINVAL;
    w->buf = buf != NULL ? buf : malloc(n);
    if (w->buf == NULL)
        return -ENOMEM;
    w->size = n;
    return 0;
}

void rn_writer_free(rn_writer *w)
{
    if (w->own)
        free(w->buf);
    w->buf = NULL;
    w->size = w->used = 0;
}

void rn_writer_set_deadline(rn_writer *w, int64_t deadline)
{
    w->deadline = deadline;
}

/* Writes around the buffer. */
static int push(rn_writer *w, const void *p, size_t n)
{
    if (w->err == 0 && n > 0) {
        ssize_t r = rn_write_until(w->fd, p, n, w->deadline);
        if (r < 0)
            w->err = (int)r;
    }
    return w->err;
}

int rn_writer_flush(rn_writer *w)
{
    int err = push(w, w->buf, w->used);
    w->used = 0;
    return err;
}

int rn_writer_write(rn_writer *w, const void *p, size_t n)
{
    if (w->err != 0 || n == 0)
        return w->err;
    size_t room = w->size - w->used;
    if (w->used > 0 && n > room) { /* fill it up: fewer and larger writes */
        memcpy(w->buf + w->used, p, room);
        w->used += room;
        p = (const char *)p + room;
        n -= room;
        if (rn_writer_flush(w) != 0)
            return w->err;
    }
    if (n >= w->size)
        return push(w, p, n);
    memcpy(w->buf + w->used, p, n);
    w->used += n;
    return 0;
}

int rn_writer_text(rn_writer *w, const char *text)
{
    return rn_writer_write(w, text, strlen(text));
}

int rn_writer_byte(rn_writer *w, char c)
{
    return rn_writer_write(w, &c, 1);
}

int rn_writer_vprint(rn_writer *w, const char *fmt, va_list ap)
{
    if (w->err != 0)
        return w->err;
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(w->buf + w->used, w->size - w->used, fmt, ap);
    if (n < 0) {
        w->err = -EILSEQ; /* half of it may be missing: not to be overlooked */
    } else if ((size_t)n < w->size - w->used) {
        w->used += (size_t)n;
    } else {
        char *text = malloc((size_t)n + 1);
        if (text == NULL) {
            w->err = -ENOMEM;
        } else {
            vsnprintf(text, (size_t)n + 1, fmt, again);
            rn_writer_write(w, text, (size_t)n);
            free(text);
        }
    }
    va_end(again);
    return w->err;
}

int rn_writer_print(rn_writer *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int err = rn_writer_vprint(w, fmt, ap);
    va_end(ap);
    return err;
}

int rn_writer_frame(rn_writer *w, int width, const void *p, size_t n)
{
    unsigned char head[8];
    if (width != 1 && width != 2 && width != 4 && width != 8)
        return -EINVAL;
    if (w->err != 0)
        return w->err;
    if (width < 8 && (uint64_t)n >> (8 * width) != 0)
        return -EMSGSIZE;
    for (int i = 0; i < width; i++)
        head[i] = (unsigned char)((uint64_t)n >> (8 * (width - 1 - i)));
    rn_writer_write(w, head, (size_t)width);
    return rn_writer_write(w, p, n);
}
