/*
 * wordfreq.h - count the words of files in parallel: a pipeline of goroutines and channels.
 *
 *     finder --paths--> readers --texts--> counters --tables--> merge
 *
 * Invariants
 *  - A word is a longest run of the letters A-Z and a-z, counted in lower case; every other byte
 *    separates, and so does the end of a file. The result does not depend on the schedule.
 *  - Everything that travels through a channel belongs to its receiver, who frees it. No lock and
 *    no shared counter: also the number of files and failures travels.
 *  - Each stage closes its output when its inputs are drained, so the pipeline empties itself.
 */
#ifndef WORDFREQ_H
#define WORDFREQ_H

#include <runnel.h>
#include <stddef.h>

struct wf_entry {
    char *word;    /* lower case, NUL-terminated, owned by the table */
    size_t length; /* of word */
    size_t hash;   /* of word */
    long count;    /* how often it occurred; 0 marks a free slot */
};

struct wf_table {
    struct wf_entry *slot; /* open addressing; size is a power of two */
    size_t size, used;     /* slots there are, slots taken */
    long words;            /* sum of all counts */
    long files, bytes;     /* read completely or in part */
    long failed;           /* files and folders that could not be read */
};

/* A piece of a file, ending between two words; or, with bytes == NULL, only news about a file. */
struct wf_text {
    char *bytes;
    size_t n;
    bool last;   /* the file ends here */
    bool failed; /* ... because something could not be read */
};

/* Counts the words of the files, and of all files below the folders, at paths[0..n). Symbolic links
 * below a folder are not followed. Complains on stderr about what it cannot read. Never NULL. */
struct wf_table *wf_count(const char *const *paths, int n, int counters);
void wf_free(struct wf_table *t);

/* The entries, most frequent first, then by alphabet; free() the array before the table. */
struct wf_entry *wf_sorted(const struct wf_table *t, size_t *n);

/* Between the files of this example. */
struct wf_table *wf_table_make(void);
void wf_table_add(struct wf_table *t, const char *word, size_t length, long count);
void wf_table_merge(struct wf_table *into, struct wf_table *from); /* frees from */
void wf_find(const char *path, send_chan(char *) paths, send_chan(struct wf_text) news);
void wf_read(const char *path, send_chan(struct wf_text) texts);
void *wf_alloc(void *old, size_t n); /* realloc that panics when there is no memory */
bool wf_is_letter(char c);

#endif
