/*
 * stopped_server.c - ask somebody who may have gone home.
 *
 * Go idiom: select { case server <- q: case <-stopped: } and again for the answer.
 * Rule: every wait that another goroutine has to end needs a second way out, both the handing in of
 * the question and the waiting for its answer. A well-known database had this bug twice in one
 * function: first no way out at all, then one for the question only.
 */
#include <runnel.h>
#include <stdio.h>

struct question {
    int n;
    send_chan(int) answer; /* comes with a reference, which the server drops */
};

/* Answers two questions, takes a third and goes home without an answer. */
static void server(chan(struct question) in, chan(rn_unit) stopped)
{
    defer_unref(in);
    defer_unref(stopped);
    struct question q;
    for (int i = 0; i < 2; i++) {
        chan_recv(in, &q);
        chan_send(q.answer, q.n * q.n);
        chan_unref(q.answer);
    }
    chan_recv(in, &q);
    chan_unref(q.answer);
    chan_close(stopped); /* for all who wait, and for all who will come */
}
GO_FUNC(server, chan(struct question), chan(rn_unit));

/* true and *square set, or false if the server has stopped. *where says at which wait. */
static bool ask(int n, send_chan(struct question) to, recv_chan(rn_unit) stopped, int *square,
                const char **where)
{
    /* Room for one, and a reference for each side: should we leave first, a late answer neither
     * gets stuck nor hits freed memory. */
    chan_auto(int) answer = chan_make(int, 1);
    struct question q = {n, chan_ref(answer)};

    *where = "at the door";
    if (chan_select(on_send(to, q), on_recv(stopped, NULL)) == 1) {
        chan_unref(answer); /* the server's: it did not get the question */
        return false;
    }
    *where = "waiting for the answer";
    return chan_select(on_recv(answer, square), on_recv(stopped, NULL)) == 0;
}

int main(void)
{
    chan_auto(struct question) questions = chan_make(struct question, 0);
    chan_auto(rn_unit) stopped = chan_make(rn_unit, 0);
    go(server, chan_ref(questions), chan_ref(stopped));

    for (int n = 1; n <= 4; n++) {
        const char *where;
        int square;
        if (ask(n, questions, stopped, &square, &where))
            printf("%d * %d = %d\n", n, n, square);
        else
            printf("%d: no answer, the server has gone (%s)\n", n, where);
    }
    return 0;
}
