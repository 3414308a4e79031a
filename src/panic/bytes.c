/*
 * bytes.c - reading tables of unknown quality.
 *
 * Invariants
 *  - No read leaves [p, end). What is missing reads as zero, and the reader is bad from then on.
 *  - Each call on a reader that is not bad moves it forward, so loops over one end.
 */
#include "dump.h"
#include <string.h>

uint64_t rn__get(rn__reader *r, unsigned bytes)
{
    uint64_t v = 0;
    if ((size_t)(r->end - r->p) < bytes) {
        r->bad = true;
        r->p = r->end;
        return 0;
    }
    for (unsigned i = 0; i < bytes && i < 8; i++)
        v |= (uint64_t)r->p[i] << (8 * i); /* all our machines are little-endian */
    r->p += bytes;
    return v;
}

void rn__skip(rn__reader *r, uint64_t n)
{
    if (n > (size_t)(r->end - r->p)) {
        r->bad = true;
        r->p = r->end;
    } else {
        r->p += n;
    }
}

uint64_t rn__uleb(rn__reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint64_t b = rn__get(r, 1);
        if (shift < 64)
            v |= (b & 127) << shift;
        if (b < 128)
            return v;
    }
}

int64_t rn__sleb(rn__reader *r)
{
    uint64_t v = 0, b;
    unsigned shift = 0;
    do {
        b = rn__get(r, 1);
        if (shift < 64)
            v |= (b & 127) << shift;
        shift += 7;
    } while (b >= 128);
    if ((b & 64) != 0 && shift < 64)
        v |= ~UINT64_C(0) << shift;
    return (int64_t)v;
}

const char *rn__string(rn__reader *r)
{
    const uint8_t *nul = memchr(r->p, 0, (size_t)(r->end - r->p));
    if (nul == NULL) {
        r->bad = true;
        r->p = r->end;
        return "";
    }
    const char *s = (const char *)r->p;
    r->p = nul + 1;
    return s;
}
