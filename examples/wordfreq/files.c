/*
 * files.c - the stages that touch the file system: find the files, read them in pieces.
 *
 * Invariants
 *  - A piece never ends inside a word: an unfinished word at the end is carried into the next one.
 *  - Calls that may block in the kernel are marked with rn_blocking, so that the goroutines behind
 *    them in the queue go on meanwhile.
 *  - Folders still to visit wait in a list on the heap, not on the goroutine's stack.
 */
#define _POSIX_C_SOURCE 200809L
#include "wordfreq.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

bool wf_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void complain(const char *path, int err, send_chan(struct wf_text) news)
{
    fprintf(stderr, "wordfreq: %s: %s\n", path, strerror(err));
    chan_send(news, (struct wf_text){.failed = true});
}

static char *join(const char *folder, const char *name)
{
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path = wf_alloc(NULL, n);
    snprintf(path, n, "%s/%s", folder, name);
    return path;
}

/* A list of folders still to visit. */
struct todo {
    struct todo *next;
    char *path;
};

/* Files go out, folders onto the list, anything else (links, sockets, ...) is left alone. Takes
 * over path. */
static void sort_out(char *path, bool follow, struct todo **todo, send_chan(char *) paths,
                     send_chan(struct wf_text) news)
{
    struct stat st;
    if ((follow ? stat(path, &st) : lstat(path, &st)) != 0) {
        complain(path, errno, news);
        free(path);
    } else if (S_ISDIR(st.st_mode)) {
        struct todo *t = wf_alloc(NULL, sizeof *t);
        *t = (struct todo){*todo, path};
        *todo = t;
    } else if (S_ISREG(st.st_mode)) {
        chan_send(paths, path);
    } else {
        free(path);
    }
}

void wf_find(const char *path, send_chan(char *) paths, send_chan(struct wf_text) news)
{
    struct todo *todo = NULL;
    char *copy = wf_alloc(NULL, strlen(path) + 1);
    sort_out(strcpy(copy, path), true, &todo, paths, news);
    while (todo != NULL) {
        struct todo *here = todo;
        todo = here->next;
        DIR *dir = opendir(here->path);
        if (dir == NULL)
            complain(here->path, errno, news);
        for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
            if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                sort_out(join(here->path, e->d_name), false, &todo, paths, news);
        }
        if (dir != NULL)
            closedir(dir);
        free(here->path);
        free(here);
    }
}

void wf_read(const char *path, send_chan(struct wf_text) texts)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        complain(path, errno, texts);
        return;
    }
    char *piece = wf_alloc(NULL, PIECE);
    size_t carried = 0; /* letters at the start of piece that belong to an unfinished word */
    for (;;) {
        ssize_t got = 0;
        rn_blocking
        {
            got = read(fd, piece + carried, PIECE);
        }
        if (got <= 0) {
            if (got < 0)
                fprintf(stderr, "wordfreq: %s: cannot be read to its end\n", path);
            chan_send(texts, (struct wf_text){piece, carried, true, got < 0});
            break;
        }
        size_t n = carried + (size_t)got, cut = n;
        while (cut > 0 && wf_is_letter(piece[cut - 1]))
            cut--;
        carried = n - cut;
        char *next = wf_alloc(NULL, carried + PIECE);
        memcpy(next, piece + cut, carried);
        chan_send(texts, (struct wf_text){.bytes = piece, .n = cut}); /* no longer ours */
        piece = next;
    }
    close(fd);
}
