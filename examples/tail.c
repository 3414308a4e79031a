/*
 * tail.c - follow many files that grow, and see every line once and whole.
 *
 * Go idiom: a goroutine per file that reads until io.EOF, waits a little, and reads on.
 * Rule: regular files are read like everything else; there the call runs beside the workers instead of
 * parking. Nobody tells us that a file has grown, so the end is only the end for now: what came of a
 * line is kept until the rest has been written.
 */
#include <runnel.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 20, LINES = 50 };

typedef struct line {
    int file;
    char text[40];
} line;

static void follow(int file, int fd, recv_chan(rn_unit) stop, send_chan(line) out)
{
    char buf[256];
    size_t have = 0;
    for (;;) {
        ssize_t n = rn_read(fd, buf + have, sizeof buf - have);
        if (n < 0)
            break;
        have += (size_t)n;
        char *end;
        while ((end = memchr(buf, '\n', have)) != NULL) {
            size_t len = (size_t)(end - buf);
            line l = {.file = file};
            memcpy(l.text, buf, len < sizeof l.text ? len : sizeof l.text - 1);
            chan_send(out, l);
            have -= len + 1;
            memmove(buf, end + 1, have);
        }
        if (n == 0 && chan_select(on_recv(stop, NULL), on_after(2 * RN_MS)) == 0)
            break;
    }
    rn_close(fd);
}
GO_FUNC(follow, int, int, recv_chan(rn_unit), send_chan(line));

/* Lines come in pieces, as a program's buffers happen to be full. */
static void grow(int file, int fd)
{
    char all[LINES * 40];
    int n = 0;
    for (int i = 0; i < LINES; i++)
        n += snprintf(all + n, sizeof all - (size_t)n, "file %d, line %d\n", file, i);
    for (int at = 0; at < n;) {
        int piece = 7 + (at + file) % 61;
        piece = piece < n - at ? piece : n - at;
        rn_write(fd, all + at, (size_t)piece);
        at += piece;
        if (at % 5 == 0)
            rn_sleep(RN_MS);
    }
    rn_close(fd);
}
GO_FUNC(grow, int, int);

int main(void)
{
    char folder[] = "/tmp/runnel-tail-XXXXXX";
    if (mkdtemp(folder) == NULL)
        return 1;
    chan_auto(rn_unit) stop = chan_make(rn_unit, 0);
    chan_auto(line) out = chan_make(line, 16);
    for (int i = 0; i < FILES; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%d", folder, i);
        int w = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        int r = open(path, O_RDONLY | O_CLOEXEC);
        unlink(path); /* open, but without a name */
        if (w < 0 || r < 0)
            return 1;
        go(follow, i, r, stop, out);
        go(grow, i, w);
    }
    rmdir(folder);

    int next[FILES] = {0}, whole = 0;
    for (int i = 0; i < FILES * LINES; i++) {
        line l;
        int file, number;
        chan_recv(out, &l);
        if (sscanf(l.text, "file %d, line %d", &file, &number) == 2 && file == l.file &&
            number == next[file]++)
            whole++;
    }
    printf("%d of %d lines, whole and in order\n", whole, FILES * LINES);
    chan_close(stop);
    return 0;
}
