/*
 * in_order.c - four goroutines print 1 2 3 4 1 2 3 4 ..., in three ways.
 *
 * Go idiom: orchestration. Goroutines run in any order; channels give them one.
 * Rule: a receive comes after its send. Whoever holds the baton is alone, so nothing is locked.
 *
 * 1. ring       four channels in a circle, each goroutine wakes the next
 * 2. one turn   a single channel that carries whose turn it is; not yours? put it back
 * 3. conductor  main calls each goroutine by its own channel and waits until it has played
 */
#include <runnel.h>
#include <stdio.h>

enum { PLAYERS = 4, ROUNDS = 3 };

/* 1. The baton lies in lane[0] at the start and again at the end: capacity 1, so that the last
 * player need not wait for somebody to take it. */
static void runner(int id, recv_chan(rn_unit) mine, send_chan(rn_unit) next, rn_waitgroup *wg)
{
    for (int round = 0; round < ROUNDS; round++) {
        chan_recv(mine, NULL);
        printf(" %d", id);
        chan_send(next, (rn_unit){0});
    }
    rn_waitgroup_done(wg);
}
GO_FUNC(runner, int, recv_chan(rn_unit), send_chan(rn_unit), rn_waitgroup *);

static void ring(void)
{
    rn_waitgroup wg = {0};
    chan(rn_unit) lane[PLAYERS];
    for (int i = 0; i < PLAYERS; i++)
        lane[i] = chan_make(rn_unit, 1);

    rn_waitgroup_add(&wg, PLAYERS);
    for (int i = 0; i < PLAYERS; i++)
        go(runner, i + 1, lane[i], lane[(i + 1) % PLAYERS], &wg);
    chan_send(lane[0], (rn_unit){0});
    rn_waitgroup_wait(&wg);

    for (int i = 0; i < PLAYERS; i++)
        chan_unref(lane[i]);
}

/* 2. Simple and right, but three of four wake-ups are in vain. Waiting receivers are served first
 * come first served, so the turn cannot bounce between two players for ever. */
static void patient(int id, chan(int) turn, rn_waitgroup *wg)
{
    chan_range (t, turn) {
        if (t == PLAYERS * ROUNDS) {
            chan_close(turn);
            break;
        }
        if (t % PLAYERS + 1 == id) {
            printf(" %d", id);
            t++;
        }
        chan_send(turn, t);
        rn_yield(); /* otherwise we might take back at once what we have just put in */
    }
    rn_waitgroup_done(wg);
}
GO_FUNC(patient, int, chan(int), rn_waitgroup *);

static void one_turn(void)
{
    rn_waitgroup wg = {0};
    chan_auto(int) turn = chan_make(int, 1);

    rn_waitgroup_add(&wg, PLAYERS);
    for (int id = 1; id <= PLAYERS; id++)
        go(patient, id, turn, &wg);
    chan_send(turn, 0);
    rn_waitgroup_wait(&wg);
}

/* 3. The order is in one place, a loop in main; the musicians know nothing about each other. */
static void musician(int id, recv_chan(rn_unit) call, send_chan(rn_unit) played)
{
    chan_range (now, call) {
        printf(" %d", id);
        chan_send(played, now);
    }
    chan_send(played, (rn_unit){0}); /* the good-bye */
}
GO_FUNC(musician, int, recv_chan(rn_unit), send_chan(rn_unit));

static void conductor(void)
{
    chan_auto(rn_unit) played = chan_make(rn_unit, 0);
    chan(rn_unit) call[PLAYERS];
    for (int i = 0; i < PLAYERS; i++) {
        call[i] = chan_make(rn_unit, 0);
        go(musician, i + 1, call[i], played);
    }
    for (int i = 0; i < PLAYERS * ROUNDS; i++) {
        chan_send(call[i % PLAYERS], (rn_unit){0});
        chan_recv(played, NULL);
    }
    for (int i = 0; i < PLAYERS; i++) {
        chan_close(call[i]);
        chan_recv(played, NULL);
        chan_unref(call[i]);
    }
}

int main(void)
{
    printf("ring:     "), ring(), puts("");
    printf("one turn: "), one_turn(), puts("");
    printf("conductor:"), conductor(), puts("");
    return 0;
}
