/*
 * port_scan.c - which ports of this machine are open? Asked many at a time, each with a time-out.
 *
 * Go idiom: a fixed number of workers, net.DialTimeout in each, results through a channel.
 * Rule: a deadline belongs to the call (rn_dial_addr takes one). A refusal is an error like any other, so
 * the workers need to tell three things apart: open, closed, no answer.
 */
#include <runnel.h>
#include <stdio.h>

#define HOST "127.8.9.10" /* this machine, under an address that nobody else uses */
enum { OPEN = 3, WORKERS = 32, AROUND = 100 };

typedef struct finding {
    int port;
    int err; /* 0: open */
} finding;

static void worker(recv_chan(int) ports, send_chan(finding) found)
{
    chan_range (port, ports) {
        char text[32];
        snprintf(text, sizeof text, HOST ":%d", port);
        int conn = rn_dial(text, rn_now() + 5 * RN_SEC);
        if (conn >= 0)
            rn_close(conn);
        finding f = {port, conn < 0 ? conn : 0};
        chan_send(found, f);
    }
}
GO_FUNC(worker, recv_chan(int), send_chan(finding));

static void all_ports(int from, int to, send_chan(int) ports)
{
    for (int port = from; port <= to; port++)
        chan_send(ports, port);
    chan_close(ports);
}
GO_FUNC(all_ports, int, int, send_chan(int));

int main(void)
{
    int listener[OPEN], port[OPEN];
    for (int i = 0; i < OPEN; i++) { /* something to be found */
        rn_addr at;
        listener[i] = rn_listen(HOST ":0", NULL);
        if (listener[i] < 0 || rn_local_addr(listener[i], &at) != 0)
            return 1;
        port[i] = rn_addr_port(&at);
    }
    int from = port[0] > AROUND ? port[0] - AROUND : 1;
    int to = port[0] + AROUND < 65535 ? port[0] + AROUND : 65535;

    chan_auto(int) ports = chan_make(int, WORKERS);
    chan_auto(finding) found = chan_make(finding, WORKERS);
    go(all_ports, from, to, ports);
    for (int i = 0; i < WORKERS; i++)
        go(worker, ports, found);

    int answers = 0, odd = 0, seen = 0, expected = 0;
    for (int i = from; i <= to; i++) {
        finding f;
        chan_recv(found, &f);
        answers++;
        odd += f.err != 0 && f.err != -ECONNREFUSED;
        for (int k = 0; k < OPEN; k++)
            seen += f.err == 0 && f.port == port[k];
    }
    for (int k = 0; k < OPEN; k++) {
        expected += port[k] >= from && port[k] <= to;
        rn_close(listener[k]);
    }
    printf("an answer for every port: %s\n", answers == to - from + 1 ? "yes" : "no");
    printf("each of ours found: %s\n", seen == expected ? "yes" : "no");
    printf("neither open nor refused: %d\n", odd);
    return 0;
}
