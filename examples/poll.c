/*
 * poll.c - look at a channel without waiting.
 *
 * Go idiom: select with a default.
 * Rule: default is taken exactly when no other case is ready, whether the channel is empty, full or
 * nil, and at once: an open channel on which nobody sends does not hold it up. A closed one is
 * ready: to receivers it answers "closed", which is not the same as "nothing there".
 */
#include <runnel.h>
#include <stdio.h>

static const char *look(recv_chan(int) c)
{
    static char text[32];
    int v;
    bool ok;
    switch (chan_select(on_recv(c, &v, &ok), on_default())) {
    case 0: snprintf(text, sizeof text, ok ? "value %d" : "closed (%d)", v); return text;
    default: return "nothing there";
    }
}

int main(void)
{
    chan_auto(int) c = chan_make(int, 1);

    printf("nil:    %s\n", look(NULL));
    printf("empty:  %s\n", look(c));
    chan_send(c, 5);
    printf("full:   %s\n", chan_try_send(c, 6) ? "room for 6" : "no room for 6");
    printf("full:   %s\n", look(c));
    chan_send(c, 7);
    chan_close(c);
    printf("closed: %s\n", look(c)); /* the value first */
    printf("closed: %s\n", look(c));

    /* The short form: select with one case and a default, in one call. */
    int v = -1;
    bool ok = true;
    bool ready = chan_try_recv(c, &v, &ok);
    printf("try:    ready %d, ok %d, value %d\n", ready, ok, v);
    return 0;
}
