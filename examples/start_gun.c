/*
 * start_gun.c - the runners wait at the line, one close sends them all off.
 *
 * Go idiom: close(gun) as a broadcast; a wait group to see everybody home.
 * Rule: close wakes all waiting receivers, and a receive from a closed channel never waits. So a
 * runner who reaches the line after the shot is not left behind, as it would be by a signal.
 */
#include <runnel.h>
#include <stdatomic.h>
#include <stdio.h>

enum { RUNNERS = 3 };

static atomic_bool shot; /* set before the close, read after it: the channel orders the two */

static void runner(int id, send_chan(int) ready, recv_chan(rn_unit) gun, rn_waitgroup *home)
{
    chan_send(ready, id);
    bool ok = chan_recv(gun, NULL); /* false: no value came, the channel was closed */
    if (ok || !atomic_load(&shot))
        printf("%d: false start!\n", id);
    rn_waitgroup_done(home);
}
GO_FUNC(runner, int, send_chan(int), recv_chan(rn_unit), rn_waitgroup *);

int main(void)
{
    chan_auto(int) ready = chan_make(int, 0);
    chan_auto(rn_unit) gun = chan_make(rn_unit, 0);
    rn_waitgroup home = {0};

    rn_waitgroup_add(&home, RUNNERS);
    for (int id = 1; id <= RUNNERS; id++)
        go(runner, id, ready, gun, &home);

    int names = 0, id;
    for (int i = 0; i < RUNNERS; i++) {
        chan_recv(ready, &id);
        names += id;
    }
    printf("%d runners are at the line (1+2+3 = %d)\n", RUNNERS, names);

    puts("ready? go!");
    atomic_store(&shot, true);
    chan_close(gun);

    rn_waitgroup_wait(&home);
    puts("all home");
    return 0;
}
