/*
 * table.c - the words and how often they occurred: a hash table that one goroutine owns.
 *
 * Invariants
 *  - Not shared: a table is filled by one counter, then handed over through a channel.
 *  - At most three quarters of the slots are taken, so that every search ends at a free one.
 */
#include "wordfreq.h"
#include <stdlib.h>
#include <string.h>

void *wf_alloc(void *old, size_t n)
{
    void *p = realloc(old, n > 0 ? n : 1);
    if (p == NULL)
        panic("wordfreq: no memory for %zu bytes", n);
    return p;
}

static struct wf_entry *new_slots(size_t n)
{
    struct wf_entry *slot = wf_alloc(NULL, n * sizeof *slot);
    memset(slot, 0, n * sizeof *slot);
    return slot;
}

struct wf_table *wf_table_make(void)
{
    struct wf_table *t = wf_alloc(NULL, sizeof *t);
    *t = (struct wf_table){.size = 1024, .slot = new_slots(1024)};
    return t;
}

void wf_free(struct wf_table *t)
{
    for (size_t i = 0; i < t->size; i++)
        free(t->slot[i].word);
    free(t->slot);
    free(t);
}

static size_t hash_of(const char *word, size_t length)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)word[i]) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 32);
}

static struct wf_entry *find(const struct wf_table *t, const char *word, size_t length, size_t hash)
{
    for (size_t i = hash;; i++) {
        struct wf_entry *e = &t->slot[i & (t->size - 1)];
        if (e->count == 0 ||
            (e->hash == hash && e->length == length && memcmp(e->word, word, length) == 0))
            return e;
    }
}

static void grow(struct wf_table *t)
{
    struct wf_table bigger = {.size = t->size * 2, .slot = new_slots(t->size * 2)};
    for (size_t i = 0; i < t->size; i++) {
        const struct wf_entry *e = &t->slot[i];
        if (e->count > 0)
            *find(&bigger, e->word, e->length, e->hash) = *e;
    }
    free(t->slot);
    t->slot = bigger.slot;
    t->size = bigger.size;
}

void wf_table_add(struct wf_table *t, const char *word, size_t length, long count)
{
    size_t hash = hash_of(word, length);
    struct wf_entry *e = find(t, word, length, hash);
    if (e->count == 0) {
        char *copy = wf_alloc(NULL, length + 1);
        memcpy(copy, word, length);
        copy[length] = '\0';
        *e = (struct wf_entry){copy, length, hash, 0};
        t->used++;
    }
    e->count += count;
    t->words += count;
    if (t->used > t->size / 4 * 3)
        grow(t);
}

void wf_table_merge(struct wf_table *into, struct wf_table *from)
{
    for (size_t i = 0; i < from->size; i++) {
        const struct wf_entry *e = &from->slot[i];
        if (e->count > 0)
            wf_table_add(into, e->word, e->length, e->count);
    }
    into->files += from->files;
    into->bytes += from->bytes;
    into->failed += from->failed;
    wf_free(from);
}

static int by_count_then_word(const void *a, const void *b)
{
    const struct wf_entry *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->word, y->word);
}

struct wf_entry *wf_sorted(const struct wf_table *t, size_t *n)
{
    struct wf_entry *all = wf_alloc(NULL, t->used * sizeof *all);
    *n = 0;
    for (size_t i = 0; i < t->size; i++)
        if (t->slot[i].count > 0)
            all[(*n)++] = t->slot[i];
    qsort(all, *n, sizeof *all, by_count_then_word);
    return all;
}
