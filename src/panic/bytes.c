/*
 * bytes.c - reading tables of unknown quality, and sorting without memory.
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

/* -------------------------------------------------------------------------------------- sorting */

typedef struct heap {
    char *base;
    size_t size; /* of a record */
} heap;

static uint64_t key(const heap *h, size_t i)
{
    uint64_t k;
    memcpy(&k, h->base + i * h->size, sizeof k);
    return k;
}

static void swap(const heap *h, size_t i, size_t j)
{
    for (size_t b = 0; b < h->size; b++) {
        char c = h->base[i * h->size + b];
        h->base[i * h->size + b] = h->base[j * h->size + b];
        h->base[j * h->size + b] = c;
    }
}

static void sift(const heap *h, size_t i, size_t n)
{
    for (size_t kid; (kid = 2 * i + 1) < n; i = kid) {
        if (kid + 1 < n && key(h, kid + 1) > key(h, kid))
            kid++;
        if (key(h, i) >= key(h, kid))
            return;
        swap(h, i, kid);
    }
}

/* Heap sort: no memory, no recursion, no bad case. */
void rn__sort(void *records, size_t n, size_t size)
{
    heap h = {records, size};
    for (size_t i = n / 2; i-- > 0;)
        sift(&h, i, n);
    while (n > 1) {
        swap(&h, 0, --n);
        sift(&h, 0, n);
    }
}
