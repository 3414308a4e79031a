/*
 * until_cases.c - rwmutex and cond, and deadlines that race with everything, every interleaving of a few
 * threads. Where there are deadlines the last thread fires them, at any time.
 */
#include "world.h"
#include <runnel/cond.h>
#include <runnel/rwmutex.h>
#include <runnel/sync.h>

enum { LATER = 1000 }; /* any time that has not come at the start */

/* Users count themselves out while they hold the lock, and the last one frees it right after its unlock:
 * an access of the library after that is a violation. Only those who have been let in know that the others
 * are out, so whoever has given up locks once more to count itself out; and readers, who are not alone, do it
 * after their unlock. */
static struct shared {
    rn_mutex m;
    rn_rwmutex rw;
    rn_cond c;
    rn_waitgroup wg;
    int users;
    int reading, writing; /* threads inside */
    int tokens;           /* guarded by m */
} * s;
static int users, locked, gave_up;

static void setup(void)
{
    s = il_calloc(1, sizeof *s);
    s->users = users = 3;
}
static void setup_two(void)
{
    setup();
    s->users = users = 2;
}
static void setup_late(void)
{
    setup();
    w_late_arms = 1;
}
static void setup_starving(void)
{
    setup();
    w_time_may_jump = 1;
}
static void setup_two_late(void)
{
    setup_two();
    w_late_arms = 1;
}
static void setup_two_starving(void)
{
    setup_two();
    w_time_may_jump = 2;
}

/* A scheduling point of the test itself. */
static void step(void)
{
    static _Atomic(int) nothing;
    atomic_load(&nothing);
}

static void leave_by_mutex(struct shared *mine)
{
    rn_mutex_lock(&mine->m);
    bool last = --mine->users == 0;
    rn_mutex_unlock(&mine->m);
    if (last)
        il_free(mine);
}

static void leave_by_write(struct shared *mine)
{
    rn_rwmutex_lock(&mine->rw);
    bool last = --mine->users == 0;
    rn_rwmutex_unlock(&mine->rw);
    if (last)
        il_free(mine);
}

/* Everybody has either been inside or given up. */
static void all_final(void)
{
    IL_CHECK(locked + gave_up == users);
    for (int t = 0; t < users; t++)
        IL_CHECK(il_done(t));
}

/* ------------------------------------------------------------------------------------- mutex */

static void use_mutex(struct shared *mine, int err)
{
    if (err != 0) {
        gave_up++;
        leave_by_mutex(mine);
        return;
    }
    IL_CHECK(mine->writing++ == 0);
    step();
    IL_CHECK(--mine->writing == 0);
    locked++;
    bool last = --mine->users == 0;
    rn_mutex_unlock(&mine->m);
    if (last)
        il_free(mine);
}

/* One locks plainly, the others with a deadline. */
static void mutex_body(int t)
{
    struct shared *mine = s;
    if (t == users) {
        w_timer_thread();
    } else if (t == 0) {
        rn_mutex_lock(&mine->m);
        use_mutex(mine, 0);
    } else {
        use_mutex(mine, rn_mutex_lock_until(&mine->m, LATER));
    }
}

/* ----------------------------------------------------------------------------------- rwmutex */

static void write_it(struct shared *mine, int err)
{
    if (err != 0) {
        gave_up++;
        leave_by_write(mine);
        return;
    }
    IL_CHECK(mine->writing++ == 0 && mine->reading == 0);
    step();
    IL_CHECK(--mine->writing == 0 && mine->reading == 0);
    locked++;
    bool last = --mine->users == 0;
    rn_rwmutex_unlock(&mine->rw);
    if (last)
        il_free(mine);
}

static void read_it(struct shared *mine, int err)
{
    if (err != 0) {
        gave_up++;
        leave_by_write(mine);
        return;
    }
    mine->reading++;
    IL_CHECK(mine->writing == 0);
    step();
    IL_CHECK(mine->writing == 0);
    mine->reading--;
    locked++;
    rn_rwmutex_runlock(&mine->rw);
    if (--mine->users == 0)
        il_free(mine);
}

static void rw_wrr_body(int t)
{
    struct shared *mine = s;
    if (t == 0) {
        rn_rwmutex_lock(&mine->rw);
        write_it(mine, 0);
    } else {
        rn_rwmutex_rlock(&mine->rw);
        read_it(mine, 0);
    }
}

static void rw_wwr_body(int t)
{
    struct shared *mine = s;
    if (t < 2) {
        rn_rwmutex_lock(&mine->rw);
        write_it(mine, 0);
    } else {
        rn_rwmutex_rlock(&mine->rw);
        read_it(mine, 0);
    }
}

/* A reader; a writer that may give up, before or while it waits for the reader; a reader behind it. */
static void rw_until_body(int t)
{
    struct shared *mine = s;
    if (t == users) {
        w_timer_thread();
    } else if (t == 0) {
        rn_rwmutex_rlock(&mine->rw);
        read_it(mine, 0);
    } else if (t == 1) {
        write_it(mine, rn_rwmutex_lock_until(&mine->rw, LATER));
    } else {
        rn_rwmutex_rlock(&mine->rw);
        read_it(mine, 0);
    }
}

/* A writer; a reader and a writer that may give up. */
static void rw_until_both_body(int t)
{
    struct shared *mine = s;
    if (t == users) {
        w_timer_thread();
    } else if (t == 0) {
        rn_rwmutex_lock(&mine->rw);
        write_it(mine, 0);
    } else if (t == 1) {
        read_it(mine, rn_rwmutex_rlock_until(&mine->rw, LATER));
    } else {
        write_it(mine, rn_rwmutex_lock_until(&mine->rw, LATER));
    }
}

/* The same for two, which takes less. */
static void rw_read_body(int t)
{
    struct shared *mine = s;
    if (t == users) {
        w_timer_thread();
    } else if (t == 0) {
        rn_rwmutex_rlock(&mine->rw);
        read_it(mine, 0);
    } else {
        write_it(mine, rn_rwmutex_lock_until(&mine->rw, LATER));
    }
}
static void rw_write_body(int t)
{
    struct shared *mine = s;
    if (t == users) {
        w_timer_thread();
    } else if (t == 0) {
        rn_rwmutex_lock(&mine->rw);
        write_it(mine, 0);
    } else {
        read_it(mine, rn_rwmutex_rlock_until(&mine->rw, LATER));
    }
}

/* tryrlock and trylock beside a writer */
static void rw_try_body(int t)
{
    struct shared *mine = s;
    bool got = true;
    if (t == 0)
        rn_rwmutex_lock(&mine->rw);
    else
        got = t == 1 ? rn_rwmutex_tryrlock(&mine->rw) : rn_rwmutex_trylock(&mine->rw);
    (t == 1 ? read_it : write_it)(mine, got ? 0 : -1);
}

/* -------------------------------------------------------------------------------------- cond */

static void take_token(struct shared *mine, bool limited)
{
    int err = 0;
    rn_mutex_lock(&mine->m);
    while (mine->tokens == 0 && err == 0) {
        if (limited)
            err = rn_cond_wait_until(&mine->c, &mine->m, LATER);
        else
            rn_cond_wait(&mine->c, &mine->m);
        IL_CHECK(mine->writing++ == 0);
        step();
        IL_CHECK(--mine->writing == 0);
    }
    if (mine->tokens > 0) {
        mine->tokens--;
        locked++;
    } else {
        gave_up++;
    }
    bool last = --mine->users == 0;
    rn_mutex_unlock(&mine->m);
    if (last)
        il_free(mine);
}

static void give_token(struct shared *mine)
{
    rn_mutex_lock(&mine->m);
    mine->tokens++;
    rn_mutex_unlock(&mine->m);
    rn_cond_signal(&mine->c);
}

/* Two wait, one gives a token and a signal to each, under the mutex: the last waiter frees, whatever the
 * third one is doing after its last unlock. */
static void cond_setup(void)
{
    setup();
    s->users = 2;
}
static void cond_body(int t)
{
    struct shared *mine = s;
    if (t < 2) {
        take_token(mine, false);
        return;
    }
    for (int i = 0; i < 2; i++) {
        rn_mutex_lock(&mine->m);
        mine->tokens++;
        rn_cond_signal(&mine->c);
        rn_mutex_unlock(&mine->m);
    }
    locked++;
}

/* The same by broadcast. */
static void cond_broadcast_body(int t)
{
    struct shared *mine = s;
    if (t < 2) {
        take_token(mine, false);
        return;
    }
    rn_mutex_lock(&mine->m);
    mine->tokens = 2;
    rn_cond_broadcast(&mine->c);
    locked++;
    bool last = --mine->users == 0;
    rn_mutex_unlock(&mine->m);
    if (last)
        il_free(mine);
}

/* One waits with a deadline, the other one signals. */
static void cond_one_body(int t)
{
    struct shared *mine = s;
    if (t == users) {
        w_timer_thread();
    } else if (t == 0) {
        take_token(mine, true);
    } else {
        give_token(mine);
        locked++;
        leave_by_mutex(mine);
    }
}

/* One signal for two, one of which may give up: the other one must get it then. */
static void cond_until_body(int t)
{
    struct shared *mine = s;
    if (t == users) {
        w_timer_thread();
    } else if (t < 2) {
        take_token(mine, t == 1);
    } else {
        give_token(mine);
        locked++;
        leave_by_mutex(mine);
    }
}
static void cond_until_final(void)
{
    /* the plain one waits for ever if the other one took the only token */
    IL_CHECK(il_done(1) && il_done(2));
    IL_CHECK(il_done(0) ? locked + gave_up == 3 : locked == 2 && gave_up == 0);
}

/* -------------------------------------------------------------------------------- wait group */

static void wg_setup(void)
{
    setup();
    rn_waitgroup_add(&s->wg, 1);
}

/* One counts down, one waits, one waits with a deadline and, if that has passed, looks again. */
static void wg_until_body(int t)
{
    struct shared *mine = s;
    if (t == users) {
        w_timer_thread();
        return;
    }
    if (t == 0) {
        mine->tokens = 1;
        rn_waitgroup_done(&mine->wg);
        locked++;
        return; /* the waiters free, whatever we are doing */
    }
    int err = 0;
    if (t == 1)
        rn_waitgroup_wait(&mine->wg);
    else
        err = rn_waitgroup_wait_until(&mine->wg, LATER);
    IL_CHECK(err != 0 || mine->tokens == 1);
    if (err != 0 && rn_waitgroup_wait_until(&mine->wg, 0) == 0)
        IL_CHECK(mine->tokens == 1);
    err == 0 ? locked++ : gave_up++;
    if (--mine->users == 1)
        il_free(mine);
}

/* In order of cost. */
const il_case il_until_cases[] = {
    {"mutex-until-two", 3, false, true, setup_two, mutex_body, all_final, 0},
    {"mutex-until-late", 3, false, true, setup_two_late, mutex_body, all_final, 0},
    {"mutex-until-starving", 3, false, true, setup_two_starving, mutex_body, all_final, 0},
    {"rw-wrr", 3, false, true, setup, rw_wrr_body, all_final, 0},
    {"rw-wwr", 3, false, true, setup, rw_wwr_body, all_final, 0},
    {"rw-wrr-tso", 3, true, false, setup, rw_wrr_body, all_final, 0},
    {"rw-wwr-starving", 3, false, false, setup_starving, rw_wwr_body, all_final, 0},
    {"rw-try", 3, false, true, setup, rw_try_body, all_final, 0},
    {"rw-until-write", 3, false, true, setup_two, rw_read_body, all_final, 0},
    {"rw-until-read", 3, false, true, setup_two, rw_write_body, all_final, 0},
    {"rw-until-late", 3, false, true, setup_two_late, rw_read_body, all_final, 0},
    {"cond", 3, false, false, cond_setup, cond_body, all_final, 0},
    {"cond-broadcast", 3, false, false, setup, cond_broadcast_body, all_final, 0},
    {"cond-until", 3, false, true, setup_two, cond_one_body, all_final, 0},
    {"cond-until-late", 3, false, true, setup_two_late, cond_one_body, all_final, 0},
    {"wg-until", 4, false, true, wg_setup, wg_until_body, all_final, 0},
    {"full-mutex-until", 4, false, false, setup, mutex_body, all_final, 0},
    {"full-cond-until", 4, false, false, setup, cond_until_body, cond_until_final, 0},
    {"full-rw-until", 4, false, false, setup, rw_until_body, all_final, 0},
    {"full-rw-until-both", 4, false, false, setup, rw_until_both_body, all_final, 0},
    {NULL, 0, false, false, NULL, NULL, NULL, 0},
};
