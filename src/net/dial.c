/*
 * dial.c - connecting: one address after the other, and more than one at a time when the first is slow.
 *
 * Nearly always the first address answers, or refuses, within 250 ms: then one socket and no goroutine is
 * needed. Only what is still pending after that gets a goroutine that waits for it while others are tried.
 *
 * Invariants
 *  - The race's caller owns all sockets and is the only one who closes them; the goroutines wait and tell.
 *    Closing makes them come back at once, and the race ends after the last has told, so nothing is left
 *    behind when rn_dial returns.
 */
#define _GNU_SOURCE
#include "../sched/sched.h"
#include "net.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <runnel/chan.h>
#include <runnel/select.h>
#include <stdlib.h>
#include <string.h>

#define STAGGER (250 * RN_MS) /* RFC 8305, section 5: Connection Attempt Delay */

/* What a goroutine of the race tells. */
typedef struct outcome {
    int which; /* index of the address */
    int err;   /* 0: connected */
} outcome;

/* A port of our own that the kernel chose for our end can be the one that we dial: TCP then connects a
 * socket to itself, though nobody listens. */
static bool is_self(int fd)
{
    rn_addr here, there;
    if (rn_local_addr(fd, &here) != 0 || rn_peer_addr(fd, &there) != 0)
        return false;
    return here.ss.ss_family != AF_UNIX && here.len == there.len &&
           memcmp(&here.ss, &there.ss, here.len) == 0;
}

static int connect_one(int fd, const rn_addr *a, int64_t deadline)
{
    int err = rn_connect_until(fd, (const struct sockaddr *)&a->ss, a->len, deadline);
    if (err == -EISCONN) /* it came through between two calls for the same attempt */
        err = 0;
    return err == 0 && is_self(fd) ? -ECONNREFUSED : err;
}

static int socket_for(const rn_addr *a)
{
    int fd = rn_socket(a->ss.ss_family, SOCK_STREAM, 0);
    if (fd >= 0 && a->ss.ss_family != AF_UNIX)
        (void)rn_set_nodelay(fd, true); /* a wish, not a condition */
    return fd;
}

/* ------------------------------------------------------------------------------- the race */

typedef struct race {
    const rn_addr *all; /* in the order of trying */
    int n;
    int64_t deadline;
    chan(outcome) told; /* room for all */
    int *fds;           /* one per address; -1: not open */
    int pending;        /* goroutines that have not told */
    int first_error;
} race;

typedef struct runner {
    const rn_addr *a;
    int64_t deadline;
    chan(outcome) told;
    int fd;
    int which;
} runner;

static void run(void *arg)
{
    runner r = *(runner *)arg;
    outcome o = {r.which, connect_one(r.fd, r.a, r.deadline)};
    chan_send(r.told, o);
}

static void start(race *r, int which)
{
    static const rn_go_site site = {"connect", "rn_dial", RN_HERE};
    runner arg = {&r->all[which], r->deadline, r->told, r->fds[which], which};
    r->pending++;
    rn_go_start(run, &arg, sizeof arg, NULL, &site);
}

static void failed(race *r, int which, int err)
{
    bool over = err == -ETIMEDOUT && rn_now() >= r->deadline; /* our time, not the kernel's */
    if (r->first_error == 0 || over)
        r->first_error = err;
    if (r->fds[which] >= 0)
        rn_close(r->fds[which]);
    r->fds[which] = -1;
}

/* `next` addresses have been tried, the last of which is pending. Returns the winner's index, or -1. */
static int finish(race *r, int next)
{
    int winner = -1;
    start(r, next - 1);
    int64_t stagger = rn_now() + STAGGER;
    while (winner < 0) {
        outcome o;
        bool more = next < r->n && rn_now() < r->deadline;
        if (r->pending == 0 && !more)
            break;
        if (r->pending == 0 || (more && rn_now() >= stagger)) {
            r->fds[next] = socket_for(&r->all[next]);
            if (r->fds[next] < 0)
                failed(r, next, r->fds[next]);
            else
                start(r, next);
            next++;
            stagger = rn_now() + STAGGER;
        } else if (chan_select(on_recv(r->told, &o), on_deadline(more ? stagger : RN_NEVER)) == 0) {
            r->pending--;
            if (o.err == 0)
                winner = o.which;
            else
                failed(r, o.which, o.err);
            stagger = rn_now(); /* a failure makes room at once */
        }
    }
    for (int i = 0; i < next; i++) {
        if (i != winner && r->fds[i] >= 0)
            rn_close(r->fds[i]);
    }
    for (; r->pending > 0; r->pending--)
        chan_recv(r->told, NULL);
    return winner;
}

static int dial_in_order(const rn_addr *all, int n, int64_t deadline)
{
    race r = {.all = all, .n = n, .deadline = deadline};
    r.fds = malloc(sizeof *r.fds * (size_t)n);
    if (r.fds == NULL)
        return -ENOMEM;
    int fd = -1;
    for (int i = 0; i < n && fd < 0; i++) {
        r.fds[i] = socket_for(&all[i]);
        if (r.fds[i] < 0) {
            failed(&r, i, r.fds[i]);
            continue;
        }
        int64_t patience = rn_now() + STAGGER;
        bool alone = i == n - 1 || patience >= deadline;
        int err = connect_one(r.fds[i], &all[i], alone ? deadline : patience);
        if (err == 0) {
            fd = r.fds[i];
        } else if (err == -ETIMEDOUT && !alone && rn_now() >= patience) {
            r.told = chan_make(outcome, n);
            int winner = finish(&r, i + 1);
            chan_unref(r.told);
            fd = winner >= 0 ? r.fds[winner] : -1;
            break;
        } else {
            failed(&r, i, err);
            if (rn_now() >= deadline)
                break;
        }
    }
    free(r.fds);
    return fd >= 0 ? fd : r.first_error;
}

/* --------------------------------------------------------------------------------- public */

/* RFC 8305, section 4: the families take turns, beginning with that of the first address. */
static void interleave(rn_addr *to, const rn_addr *from, int n)
{
    int turn[2] = {0, 0}; /* next of the first family, next of the others */
    sa_family_t family = from[0].ss.ss_family;
    for (int i = 0; i < n; i++) {
        for (int tries = 0, side = i % 2; tries < 2; tries++, side = 1 - side) {
            int *k = &turn[side];
            while (*k < n && (from[*k].ss.ss_family == family) != (side == 0))
                (*k)++;
            if (*k < n) {
                to[i] = from[(*k)++];
                break;
            }
        }
    }
}

int rn_dial_any(const rn_addr *all, int n, int64_t deadline)
{
    if (n <= 0)
        return -EINVAL;
    if (n == 1)
        return dial_in_order(all, n, deadline);
    rn_addr *order = malloc(sizeof *order * (size_t)n);
    if (order == NULL)
        return -ENOMEM;
    interleave(order, all, n);
    int fd = dial_in_order(order, n, deadline);
    free(order);
    return fd;
}

int rn_dial_addr(const rn_addr *a, int64_t deadline)
{
    return dial_in_order(a, 1, deadline);
}

int rn_dial(const char *text, int64_t deadline)
{
    rn_addr *all;
    int n = rn__lookup(text, false, deadline, &all);
    if (n < 0)
        return n;
    int fd = rn_dial_any(all, n, deadline);
    free(all);
    return fd;
}
