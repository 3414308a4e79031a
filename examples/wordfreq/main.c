/*
 * main.c - wordfreq: which words occur how often in these files and folders?
 *
 *     wordfreq [-n TOP] PATH...
 *
 * Prints what `... | tr | sort | uniq -c | sort` would print (wordfreq.sh compares the two), most
 * frequent first. Exit status: 0, or 1 if something could not be read, or 2 for wrong usage.
 */
#include "wordfreq.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char *argv[])
{
    size_t top = SIZE_MAX, n;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        top = (size_t)strtoul(argv[2], NULL, 10);
        first = 3;
    }
    if (first >= argc || argv[first][0] == '-') {
        fputs("usage: wordfreq [-n TOP] PATH...\n", stderr);
        return 2;
    }

    struct wf_table *t =
        wf_count((const char *const *)&argv[first], argc - first, rn_gomaxprocs(0));
    struct wf_entry *word = wf_sorted(t, &n);
    for (size_t i = 0; i < n && i < top; i++)
        printf("%7ld %s\n", word[i].count, word[i].word);

    int status = t->failed > 0;
    free(word);
    wf_free(t);
    return status;
}
