/*
 * chat.c - a chat server: what one says, everybody hears.
 *
 * Go idiom: one goroutine owns the set of clients and selects over entering, leaving and messages; each
 * client has a goroutine that reads and one that writes.
 * Rule: the set needs no lock, since one goroutine owns it. A client that does not read fills its own
 * channel and is thrown out; the others never wait for it.
 */
#include <runnel.h>
#include <stdio.h>
#include <string.h>

enum { SEATS = 8, PATIENCE = 16 };

typedef struct message {
    char text[120];
} message;

typedef struct guest {
    int conn;
    chan(message) hears;
} guest;

static chan(guest) enter;
static chan(int) leave; /* the connection */
static chan(message) say;
static chan(rn_unit) empty; /* closed after the last one has left */

static void speak_to(int conn, recv_chan(message) hears)
{
    rn_writer w;
    if (rn_writer_init(&w, conn, NULL, 0) == 0) {
        chan_range (m, hears) {
            rn_writer_print(&w, "%s\n", m.text);
            if (chan_len(hears) == 0 && rn_writer_flush(&w) != 0)
                break;
        }
        rn_writer_free(&w);
    }
    rn_shutdown(conn, SHUT_RDWR); /* listen_to sees it, and says so */
    chan_unref(hears);
}
GO_FUNC(speak_to, int, recv_chan(message));

static void tell_all(const char *who, const char *what)
{
    message m;
    snprintf(m.text, sizeof m.text, "%.20s %.90s", who, what);
    chan_send(say, m);
}

static void listen_to(int conn)
{
    guest g = {conn, chan_make(message, PATIENCE)};
    go(speak_to, conn, chan_ref(g.hears));
    chan_send(enter, g);
    rn_reader r;
    char *line, name[21] = "somebody";
    if (rn_reader_init(&r, conn, NULL, 128) == 0) {
        if (rn_reader_line(&r, &line, NULL) > 0) {
            snprintf(name, sizeof name, "%s", line);
            tell_all(name, "has come");
            while (rn_reader_line(&r, &line, NULL) > 0) {
                tell_all(name, line);
            }
        }
        rn_reader_free(&r);
    }
    chan_send(leave, conn);
    tell_all(name, "has gone");
}
GO_FUNC(listen_to, int);

static void host(void)
{
    guest all[SEATS];
    int n = 0;
    for (bool open = true; open;) {
        guest g;
        message m;
        int conn;
        switch (chan_select(on_recv(enter, &g), on_recv(leave, &conn), on_recv(say, &m))) {
        case 0: all[n++] = g; break;
        case 1:
            for (int i = 0; i < n; i++) {
                if (all[i].conn == conn) {
                    chan_close(all[i].hears);
                    chan_unref(all[i].hears);
                    all[i] = all[--n];
                }
            }
            rn_close(conn);
            break;
        case 2:
            for (int i = 0; i < n; i++) {
                if (!chan_try_send(all[i].hears, m))
                    rn_shutdown(all[i].conn, SHUT_RDWR);
            }
            open = n > 0; /* the last one's farewell is heard by nobody */
        }
    }
    chan_close(empty);
}
GO_FUNC(host);

static void doorman(int listener)
{
    int conn;
    while ((conn = rn_accept(listener, NULL, NULL)) >= 0)
        go(listen_to, conn);
}
GO_FUNC(doorman, int);

/* ------------------------------------------------------------------------- scripted guests */

static rn_reader ear[3];

/* Everybody must hear the same; what the last one hears is printed. */
static void all_hear(int first, int behind)
{
    char *line, *same = NULL;
    for (int i = first; i < behind; i++) {
        if (rn_reader_line(&ear[i], &line, NULL) <= 0 || (same != NULL && strcmp(line, same) != 0))
            panic("guest %d did not hear it", i);
        same = line;
    }
    printf("%s\n", same != NULL ? same : "-");
}

static void says(int who, const char *line)
{
    rn_write(ear[who].fd, line, strlen(line));
}

int main(void)
{
    enter = chan_make(guest, 0);
    leave = chan_make(int, 0);
    say = chan_make(message, 0);
    empty = chan_make(rn_unit, 0);
    int listener = rn_listen("unix:@", NULL); /* under a name of the kernel's choice */
    rn_addr at;
    if (listener < 0 || rn_local_addr(listener, &at) != 0)
        return 1;
    go(doorman, listener);
    go(host);

    static const char *const names[] = {"ann\n", "ben\n", "cem\n"};
    for (int i = 0; i < 3; i++) {
        if (rn_reader_init(&ear[i], rn_dial_addr(&at, RN_NEVER), NULL, 0) != 0)
            return 1;
        says(i, names[i]);
        all_hear(0, i + 1);
    }
    says(0, "says: good evening\n");
    all_hear(0, 3);
    says(2, "shouts: GOOD EVENING\n");
    all_hear(0, 3);
    for (int i = 0; i < 3; i++) {
        rn_close(ear[i].fd);
        if (i < 2)
            all_hear(i + 1, 3);
        rn_reader_free(&ear[i]);
    }
    chan_recv(empty, NULL);
    rn_close(listener);
    printf("the room is empty\n");
    return 0;
}
