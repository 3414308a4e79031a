/*
 * chan_of_chan.c - ask, and say where the answer shall go.
 *
 * Go idiom: a channel of requests, each of which carries its own reply channel.
 * Rule: channels are values. They travel through channels, and narrow on the way: the server gets
 * only the sending end of the client's reply channel.
 */
#include <runnel.h>
#include <stdio.h>

struct question {
    int a, b;
    send_chan(int) answer;
};

static void adder(chan(struct question) in)
{
    defer_unref(in);
    chan_range (q, in)
        chan_send(q.answer, q.a + q.b);
}
GO_FUNC(adder, chan(struct question));

static void client(int id, send_chan(struct question) server, send_chan(int) total)
{
    chan_auto(int) mine = chan_make(int, 1);
    int sum = 0;
    for (int i = 0, answer; i < 10; i++) {
        chan_send(server, (struct question){id, i, mine});
        chan_recv(mine, &answer); /* nobody else's answer can come here */
        sum += answer;
    }
    chan_send(total, sum);
}
GO_FUNC(client, int, send_chan(struct question), send_chan(int));

int main(void)
{
    /* The bare form: a channel through a channel and back. */
    chan_auto(chan(int)) post = chan_make(chan(int), 1);
    chan_auto(int) letter = chan_make(int, 1);
    chan(int) received = NULL;
    int v = 0;
    chan_send(letter, 7);
    chan_send(post, letter);
    chan_recv(post, &received);
    chan_recv(received, &v);
    printf("a channel of channels: %d, and it is the same channel: %s\n", v,
           received == letter ? "yes" : "no");

    /* The useful form: request and reply, with two servers and five clients. */
    enum { CLIENTS = 5 };
    chan_auto(struct question) server = chan_make(struct question, 0);
    chan_auto(int) total = chan_make(int, 0);
    go(adder, chan_ref(server));
    go(adder, chan_ref(server));
    for (int id = 1; id <= CLIENTS; id++)
        go(client, id, server, total);

    int all = 0;
    for (int i = 0; i < CLIENTS; i++) {
        chan_recv(total, &v);
        all += v;
    }
    printf("all answers together: %d\n", all);
    chan_close(server);
    return 0;
}
