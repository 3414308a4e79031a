/*
 * log_batcher.c - collect log lines; write four at a time, or fewer when it has been quiet.
 *
 * Go idiom: one select over the data and a time-out; batching, because one operation on a channel
 * for four lines is cheaper than four.
 * Rule: the first event wins; ready data is never overtaken by a time-out that is not yet due. A
 * closed channel gives its last values first, so nothing is lost at the end.
 */
#include <runnel.h>
#include <stdio.h>

enum { FULL = 4 };

struct line {
    char text[16]; /* copied by value: the sender may reuse its own at once */
};

struct batch {
    const char *why;
    int n;
    struct line line[FULL]; /* arrays travel inside a struct */
};

static void batcher(recv_chan(struct line) in, send_chan(struct batch) out, int64_t patience)
{
    struct batch b = {.n = 0};
    bool ok = true;
    while (ok) {
        /* Nothing collected yet: then there is nothing to be impatient about. */
        int64_t wait = b.n > 0 ? patience : 1000 * RN_HOUR;
        switch (chan_select(on_recv(in, &b.line[b.n], &ok), on_after(wait))) {
        case 0:
            b.n += ok;
            b.why = ok ? "full" : "end";
            break;
        case 1: b.why = "quiet"; break;
        }
        if (b.n == FULL || (b.n > 0 && (!ok || b.why[0] == 'q'))) {
            chan_send(out, b);
            b.n = 0;
        }
    }
    chan_close(out);
}
GO_FUNC(batcher, recv_chan(struct line), send_chan(struct batch), int64_t);

static void log_lines(send_chan(struct line) to, int first, int last)
{
    for (int i = first; i <= last; i++) {
        struct line l;
        snprintf(l.text, sizeof l.text, "line-%d", i);
        chan_send(to, l);
    }
}

static void write_batch(struct batch b)
{
    printf("%-5s:", b.why);
    for (int i = 0; i < b.n; i++)
        printf(" %s", b.line[i].text);
    puts("");
}

int main(void)
{
    /* A patient batcher: full batches, and what is left when the log is closed. */
    chan_auto(struct line) log = chan_make(struct line, 16);
    chan_auto(struct batch) written = chan_make(struct batch, 0);
    go(batcher, log, written, 1000 * RN_HOUR);
    log_lines(log, 1, 10);
    chan_close(log);
    chan_range (b, written)
        write_batch(b);

    /* An impatient one: the log stays open, but two lines must not lie about for ever. */
    chan_auto(struct line) log2 = chan_make(struct line, 16);
    chan_auto(struct batch) written2 = chan_make(struct batch, 0);
    struct batch b;
    log_lines(log2, 11, 12);
    go(batcher, log2, written2, 1 * RN_MS);
    chan_recv(written2, &b);
    write_batch(b);
    chan_close(log2);
    printf("then %s\n", chan_recv(written2, NULL) ? "more" : "nothing");
    return 0;
}
