/*
 * sync_cases.c - mutex, wait group and once, every interleaving of a few threads. until_cases.c has the rest.
 */
#include "world.h"
#include <runnel/sync.h>
#include <string.h>

/* Objects lie on the heap and are freed by whoever knows itself to be the last one, as a program
 * would: an access of the library after that is a violation. */
static struct shared {
    rn_mutex m;
    rn_waitgroup wg;
    rn_once once;
    int users;
    int inside;  /* threads in the critical section */
    int counter; /* guarded by m */
} * s;
static int ran, returned, locked;
static bool flag[IL_THREADS];

static void setup(void)
{
    s = il_calloc(1, sizeof *s);
    s->users = 3;
}

/* A scheduling point of the test itself. */
static void step(void)
{
    static _Atomic(int) nothing;
    atomic_load(&nothing);
}

/* ------------------------------------------------------------------------------------- mutex */

static void critical_section(void)
{
    IL_CHECK(s->inside++ == 0);
    step();
    IL_CHECK(--s->inside == 0);
}

/* Lock, work, unlock; the last user frees right after its unlock. */
static void mutex_body(int t)
{
    (void)t;
    rn_mutex_lock(&s->m);
    critical_section();
    locked++;
    bool last = --s->users == 0;
    struct shared *mine = s;
    rn_mutex_unlock(&mine->m);
    if (last)
        il_free(mine);
}
static void mutex_final(void)
{
    IL_CHECK(locked == 3);
}

static void mutex_setup_starving(void)
{
    setup();
    w_time_may_jump = 2;
}

/* Thread 0 takes the mutex twice, so that it can pass the others. */
static void mutex_twice_body(int t)
{
    if (t == 0) {
        rn_mutex_lock(&s->m);
        critical_section();
        locked++;
        rn_mutex_unlock(&s->m);
    }
    mutex_body(t);
}
static void mutex_twice_final(void)
{
    IL_CHECK(locked == 4);
}

/* trylock beside lock: never blocks, never lets two in. */
static void trylock_body(int t)
{
    if (t == 2) {
        if (rn_mutex_trylock(&s->m)) {
            critical_section();
            rn_mutex_unlock(&s->m);
        }
        return;
    }
    rn_mutex_lock(&s->m);
    critical_section();
    locked++;
    rn_mutex_unlock(&s->m);
}
static void trylock_final(void)
{
    IL_CHECK(locked == 2 && il_done(2));
    IL_CHECK(rn_mutex_trylock(&s->m));
}

/* --------------------------------------------------------------------------------- wait group */

static void wg_setup(void)
{
    setup();
    s->wg = (rn_waitgroup){0};
    rn_waitgroup_add(&s->wg, 2);
}

/* Two workers, one waiter that frees the group. */
static void wg_body(int t)
{
    if (t < 2) {
        flag[t] = true;
        rn_waitgroup_done(&s->wg);
        return;
    }
    rn_waitgroup_wait(&s->wg);
    IL_CHECK(flag[0] && flag[1]);
    returned++;
    il_free(s);
}
static void wg_final(void)
{
    IL_CHECK(returned == 1 && il_done(0) && il_done(1));
}

/* One worker that counts down twice, two waiters; the last of them frees. */
static void wg_two_body(int t)
{
    struct shared *mine = s;
    if (t == 0) {
        flag[0] = true;
        rn_waitgroup_done(&mine->wg);
        flag[1] = true;
        rn_waitgroup_done(&mine->wg);
        return;
    }
    rn_waitgroup_wait(&mine->wg);
    IL_CHECK(flag[0] && flag[1]);
    if (++returned == 2)
        il_free(mine);
}
static void wg_two_final(void)
{
    IL_CHECK(returned == 2 && il_done(0));
}

/* The group is used again after its wait has returned. */
static void wg_again_setup(void)
{
    setup();
    rn_waitgroup_add(&s->wg, 1);
}
static void wg_again_body(int t)
{
    static _Atomic(bool) second;
    if (t == 0) {
        flag[0] = true;
        rn_waitgroup_done(&s->wg);
        return;
    }
    if (t == 1) {
        while (!atomic_load(&second))
            il_spin();
        flag[1] = true;
        rn_waitgroup_done(&s->wg);
        return;
    }
    rn_waitgroup_wait(&s->wg);
    IL_CHECK(flag[0]);
    rn_waitgroup_add(&s->wg, 1);
    atomic_store(&second, true);
    rn_waitgroup_wait(&s->wg);
    IL_CHECK(flag[1]);
    returned++;
    il_free(s);
}
static void wg_again_final(void)
{
    IL_CHECK(returned == 1 && il_done(0) && il_done(1));
}

/* ---------------------------------------------------------------------------------------- once */

static void once_fn(void *arg)
{
    step();
    *(int *)arg += 1;
    step();
    flag[0] = true;
}

/* Nobody returns before the function has ended; the last one frees the once. */
static void once_body(int t)
{
    (void)t;
    struct shared *mine = s;
    rn_once_do1(&mine->once, once_fn, &ran);
    IL_CHECK(flag[0]);
    if (++returned == 3)
        il_free(mine);
}
static void once_final(void)
{
    IL_CHECK(ran == 1 && returned == 3);
}

/* Who did not run the function frees the once as soon as its call has returned, while the one that ran
 * it may be on its way out. */
static int runner = -1;
static void once_note(void)
{
    runner = il_self();
    step();
}
static void once_early_body(int t)
{
    struct shared *mine = s;
    rn_once_do(&mine->once, once_note);
    if (t != runner)
        il_free(mine);
}
static void once_early_final(void)
{
    IL_CHECK(runner >= 0 && il_done(0) && il_done(1));
}

/* --------------------------------------------------------------- the same, thread 0 being solo */

static void solo_setup(void)
{
    setup();
    w_solo();
}
/* Thread 0 more than once, so that the others come in the middle. */
static void solo_mutex_body(int t)
{
    for (int i = 0; i < (t == 0 ? 3 : 1); i++) {
        rn_mutex_lock(&s->m);
        critical_section();
        locked++;
        rn_mutex_unlock(&s->m);
    }
}
static void solo_mutex_final(void)
{
    IL_CHECK(locked == 4);
}

/* A foreign thread that comes with a trylock. */
static void solo_try_body(int t)
{
    if (t == 0) {
        solo_mutex_body(0);
        return;
    }
    if (rn_mutex_trylock(&s->m)) {
        critical_section();
        rn_mutex_unlock(&s->m);
    }
}
static void solo_try_final(void)
{
    IL_CHECK(locked == 3 && il_done(1) && rn_mutex_trylock(&s->m));
}

/* The worker waits for a foreign thread that counts down twice. */
static void wg_one_body(int t)
{
    if (t == 0) {
        wg_body(2);
        return;
    }
    wg_body(0);
    wg_body(1);
}
static void wg_one_final(void)
{
    IL_CHECK(returned == 1 && il_done(1));
}
static void solo_wg_setup(void)
{
    wg_setup();
    w_solo();
}

/* In order of cost. */
const il_case il_sync_cases[] = {
    {"once", 3, false, true, setup, once_body, once_final, 0},
    {"once-tso", 3, true, true, setup, once_body, once_final, 0},
    {"once-early", 2, true, true, setup, once_early_body, once_early_final, 0},
    {"wg", 3, false, true, wg_setup, wg_body, wg_final, 0},
    {"wg-tso", 3, true, true, wg_setup, wg_body, wg_final, 0},
    {"wg-two-waiters", 3, false, true, wg_setup, wg_two_body, wg_two_final, 0},
    {"wg-again", 3, false, true, wg_again_setup, wg_again_body, wg_again_final, 0},
    {"mutex", 3, false, true, setup, mutex_body, mutex_final, 0},
    {"mutex-tso", 3, true, true, setup, mutex_body, mutex_final, 0},
    {"mutex-try", 3, false, true, setup, trylock_body, trylock_final, 0},
    {"mutex-starving", 3, false, false, mutex_setup_starving, mutex_body, mutex_final, 0},
    {"mutex-twice-starving", 3, false, false, mutex_setup_starving, mutex_twice_body,
     mutex_twice_final, 0},
    {"solo-wg", 3, true, true, solo_wg_setup, wg_body, wg_final, 0},
    {"solo-wg-two", 2, true, true, solo_wg_setup, wg_one_body, wg_one_final, 0},
    {"solo-mutex", 2, true, true, solo_setup, solo_mutex_body, solo_mutex_final, 0},
    {"solo-mutex-try", 2, true, true, solo_setup, solo_try_body, solo_try_final, 0},
    {NULL, 0, false, false, NULL, NULL, NULL, 0},
};
