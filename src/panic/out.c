/*
 * out.c - buffered output without stdio.
 *
 * Invariants
 *  - Only write(2) is called, and only when the buffer is full or on request.
 *  - errno is put back: the interrupted code may be looking at it.
 */
#include "dump.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

void rn__out_flush(rn__out *o)
{
    int saved = errno;
    unsigned done = 0;
    while (done < o->n) {
        ssize_t k = write(o->fd, o->buf + done, o->n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            break; /* nobody to tell */
        done += (unsigned)k;
    }
    o->n = 0;
    errno = saved;
}

void rn__out_bytes(rn__out *o, const char *s, size_t n)
{
    while (n > 0) {
        if (o->n == RN__OUT_BYTES)
            rn__out_flush(o);
        size_t k = RN__OUT_BYTES - o->n;
        if (k > n)
            k = n;
        memcpy(o->buf + o->n, s, k);
        o->n += (unsigned)k;
        s += k;
        n -= k;
    }
}

void rn__out_str(rn__out *o, const char *s)
{
    rn__out_bytes(o, s, strlen(s));
}

void rn__out_u64(rn__out *o, uint64_t v)
{
    char buf[20];
    size_t i = sizeof buf;
    do
        buf[--i] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    rn__out_bytes(o, buf + i, sizeof buf - i);
}

void rn__format_hex(char *buf, uint64_t v)
{
    unsigned digits = 1;
    while (digits < 16 && v >> (4 * digits) != 0)
        digits++;
    *buf++ = '0';
    *buf++ = 'x';
    while (digits-- > 0)
        *buf++ = "0123456789abcdef"[v >> (4 * digits) & 15];
    *buf = '\0';
}

void rn__out_hex(rn__out *o, uint64_t v)
{
    char buf[20];
    rn__format_hex(buf, v);
    rn__out_str(o, buf);
}

void rn__out_indented(rn__out *o, const char *s)
{
    for (const char *nl; (nl = strchr(s, '\n')) != NULL; s = nl + 1) {
        rn__out_bytes(o, s, (size_t)(nl - s) + 1);
        rn__out_str(o, "\t");
    }
    rn__out_str(o, s);
}
