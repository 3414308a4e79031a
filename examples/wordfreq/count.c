/*
 * count.c - the pipeline itself: which goroutines there are and who closes what.
 *
 * Invariants
 *  - The finder is the only sender of paths and closes them. texts and tables have several senders,
 *    so a closer of their own waits for all of them (see many_senders.c).
 *  - A slow stage holds up the ones before it: the channels' capacities bound the memory in use.
 */
#include "wordfreq.h"
#include <stdlib.h>

enum { READERS = 4 };

static void finder(const char *const *paths, int n, send_chan(char *) out,
                   send_chan(struct wf_text) news, rn_waitgroup *senders)
{
    for (int i = 0; i < n; i++)
        wf_find(paths[i], out, news);
    chan_close(out);
    rn_waitgroup_done(senders);
}
GO_FUNC(finder, const char *const *, int, send_chan(char *), send_chan(struct wf_text),
        rn_waitgroup *);

static void reader(recv_chan(char *) paths, send_chan(struct wf_text) out, rn_waitgroup *senders)
{
    chan_range (path, paths) {
        wf_read(path, out);
        free(path);
    }
    rn_waitgroup_done(senders);
}
GO_FUNC(reader, recv_chan(char *), send_chan(struct wf_text), rn_waitgroup *);

static void text_closer(send_chan(struct wf_text) texts, rn_waitgroup *senders)
{
    rn_waitgroup_wait(senders);
    chan_close(texts);
}
GO_FUNC(text_closer, send_chan(struct wf_text), rn_waitgroup *);

static void count_text(struct wf_table *t, char *bytes, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t start = i;
        for (; i < n && wf_is_letter(bytes[i]); i++)
            bytes[i] = (char)(bytes[i] | ('a' - 'A')); /* the text is ours, so in place */
        if (i > start)
            wf_table_add(t, bytes + start, i - start, 1);
        else
            i++;
    }
}

static void counter(recv_chan(struct wf_text) texts, send_chan(struct wf_table *) out)
{
    struct wf_table *t = wf_table_make();
    chan_range (text, texts) {
        count_text(t, text.bytes, text.n);
        free(text.bytes);
        t->bytes += (long)text.n;
        t->files += text.last;
        t->failed += text.failed;
    }
    chan_send(out, t);
}
GO_FUNC(counter, recv_chan(struct wf_text), send_chan(struct wf_table *));

struct wf_table *wf_count(const char *const *roots, int n, int counters)
{
    chan_auto(char *) paths = chan_make(char *, 64);
    chan_auto(struct wf_text) texts = chan_make(struct wf_text, 16);
    chan_auto(struct wf_table *) tables = chan_make(struct wf_table *, 0);
    rn_waitgroup senders = {0};

    rn_waitgroup_add(&senders, 1 + READERS);
    go(finder, roots, n, paths, texts, &senders);
    for (int i = 0; i < READERS; i++)
        go(reader, paths, texts, &senders);
    go(text_closer, texts, &senders);
    for (int i = 0; i < counters; i++)
        go(counter, texts, tables);

    struct wf_table *all = wf_table_make(), *part;
    for (int i = 0; i < counters; i++) {
        chan_recv(tables, &part);
        wf_table_merge(all, part);
    }
    return all;
}
