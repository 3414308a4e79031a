/*
 * words.c - count the words of this project's own sources, and ask coreutils for a second opinion.
 *
 * Invariants
 *  - The two results are compared byte by byte, not by their totals.
 *  - RUNNEL_SOURCE_DIR is the project's folder, given by the build. Only folders of sources are
 *    counted: a build folder may change while we look at it.
 */
#include "demo.h"
#include "../wordfreq/wordfreq.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef RUNNEL_SOURCE_DIR
#error "define RUNNEL_SOURCE_DIR as the project's folder, a string"
#endif

static const char *const folders[] = {
    RUNNEL_SOURCE_DIR "/include", RUNNEL_SOURCE_DIR "/src",   RUNNEL_SOURCE_DIR "/examples",
    RUNNEL_SOURCE_DIR "/tests",   RUNNEL_SOURCE_DIR "/bench", RUNNEL_SOURCE_DIR "/cmd",
    RUNNEL_SOURCE_DIR "/docs",    RUNNEL_SOURCE_DIR "/cmake",
};
enum { FOLDERS = sizeof folders / sizeof folders[0] };

/* Status 77: a tool is missing. The echo separates the last word of a file from the next file. */
static const char by_coreutils[] =
    "for tool in find cat tr sed sort uniq; do\n"
    "    command -v $tool >/dev/null || { echo $tool; exit 77; }\n"
    "done\n"
    "LC_ALL=C; export LC_ALL\n"
    "find \"$@\" -type f -exec sh -c 'for f do cat -- \"$f\"; echo; done' sh {} + |\n"
    "    tr -cs A-Za-z '\\n' | tr A-Z a-z | sed '/^$/d' |\n"
    "    sort | uniq -c | sed 's/^ *//' | sort -k1,1nr -k2\n";

/* The table as the shell would print it; the caller frees. */
static char *as_text(const struct wf_entry *word, size_t n, size_t *length)
{
    size_t room = 1, at = 0;
    for (size_t i = 0; i < n; i++)
        room += word[i].length + 24;
    char *text = wf_alloc(NULL, room);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, room - at, "%ld %s\n", word[i].count, word[i].word);
    *length = at;
    return text;
}

enum outcome demo_words(char note[NOTE])
{
    const char *argv[4 + FOLDERS + 1] = {"/bin/sh", "-c", by_coreutils, "count"};
    int here = 0;
    for (int i = 0; i < FOLDERS; i++)
        if (access(folders[i], R_OK) == 0)
            argv[4 + here++] = folders[i];
    if (here == 0) {
        snprintf(note, NOTE, "no sources at %s", RUNNEL_SOURCE_DIR);
        return SKIPPED;
    }

    int64_t start = rn_now();
    struct wf_table *t = wf_count(argv + 4, here, rn_gomaxprocs(0));
    int64_t counted = rn_now();
    size_t n, ours_length, theirs_length = 0;
    struct wf_entry *word = wf_sorted(t, &n);
    char *ours = as_text(word, n, &ours_length), *theirs = NULL;
    int status = demo_child(argv, STDOUT_FILENO, &theirs, &theirs_length);

    printf("%ld files, %ld KB, %ld words, %zu different ones; the most frequent:", t->files,
           t->bytes / 1024, t->words, n);
    for (size_t i = 0; i < n && i < 6; i++)
        printf(" %s (%ld)", word[i].word, word[i].count);
    puts("");

    bool same = theirs != NULL && ours_length == theirs_length &&
                memcmp(ours, theirs, ours_length) == 0 && t->failed == 0 && n > 0;
    enum outcome how = status == 77 ? SKIPPED : status == 0 && same ? OK : FAILED;
    if (how == SKIPPED)
        snprintf(note, NOTE, "nothing to compare with, this program is missing: %.*s",
                 theirs == NULL ? 0 : (int)strcspn(theirs, "\n"), theirs == NULL ? "" : theirs);
    else
        snprintf(note, NOTE, "%ld words in %.0f ms, %s what coreutils count in %.0f ms", t->words,
                 (double)(counted - start) / RN_MS, how == OK ? "exactly" : "NOT",
                 (double)(rn_now() - counted) / RN_MS);
    free(theirs);
    free(ours);
    free(word);
    wf_free(t);
    return how;
}
