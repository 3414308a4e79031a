/*
 * goroutines.c - start and end of goroutines, foreign threads, mutex, wait group and once.
 *
 * Invariants: see litmus.h.
 */
#include "litmus.h"

static void set_only(void)
{
    set(1);
    say_over();
}

/* ---- start and end */

CLEAN(start_orders_what_came_before)
{
    set(2);
    go0(set_only);
    join();
}

RACE(start_orders_nothing_after_it)
{
    go0(set_only);
    set(2);
    join();
}

static void set_and_end(void)
{
    set(1);
}

RACE(end_of_a_goroutine_orders_nothing)
{
    go0(set_and_end);
    while (rn_num_goroutine() > 1)
        rn_yield();
    set(2);
}

RACE(sleeping_orders_nothing)
{
    go0(set_only);
    rn_sleep(2 * RN_MS);
    set(2);
    join();
}

RACE(yielding_orders_nothing)
{
    go0(set_only);
    for (int i = 0; i < 100; i++)
        rn_yield();
    set(2);
    join();
}

/* ---- a stack that is used again is not shared memory */

static void use_stack(void)
{
    volatile int local[64];
    for (int i = 0; i < 64; i++)
        local[i] = i;
    rn_yield();
    for (int i = 0; i < 64; i++)
        local[i] = local[63 - i];
    say_over();
}

CLEAN(stacks_used_again)
{
    for (int i = 0; i < 20; i++) {
        go0(use_stack);
        go0(use_stack);
        join();
        join();
    }
}

/* ---- nor is the memory of a channel that is used again */

struct wide {
    int64_t word[5];
};

static void own_channels(void)
{
    for (int i = 0; i < 20; i++) {
        chan(struct wide) c = chan_make(struct wide, 2);
        struct wide w = {{i}};
        chan_send(c, w);
        rn_yield();
        chan_send(c, w);
        chan_recv(c, &w);
        chan_recv(c, &w);
        chan_unref(c);
        rn_yield();
    }
    say_over();
}

CLEAN(channels_used_again)
{
    for (int i = 0; i < 4; i++)
        go0(own_channels);
    for (int i = 0; i < 4; i++)
        join();
}

static void fresh_value(void *p)
{
    *(int *)p = 1;
}

static void *run_and_look(void *p)
{
    int value = 0;
    for (int i = 0; i < 3; i++) {
        if (rn_run(fresh_value, &value) == 0)
            value++;
    }
    (void)p;
    return NULL;
}

CLEAN(run_orders_start_and_end)
{
    pthread_t t;
    pthread_create(&t, NULL, run_and_look, NULL);
    pthread_join(t, NULL);
}

/* ---- chains of goroutines */

static void hand_on(void)
{
    chan_recv(one, NULL);
    set(get() + 1);
    chan_send(two, 0);
    say_over();
}

static void first_link(void)
{
    set(1);
    chan_send(one, 0);
    say_over();
}

CLEAN(order_is_transitive)
{
    go0(hand_on);
    go0(first_link);
    chan_recv(two, NULL);
    set(get() + 1);
    join();
    join();
}

/* ---- foreign threads */

static void *thread_set_send(void *p)
{
    (void)p;
    set(1);
    chan_send(un, 0);
    return NULL;
}

static void recv_get(void)
{
    chan_recv(un, NULL);
    (void)get();
    say_over();
}

CLEAN(foreign_thread_sends_to_a_goroutine)
{
    pthread_t t;
    go0(recv_get);
    pthread_create(&t, NULL, thread_set_send, NULL);
    join();
    pthread_join(t, NULL);
}

static void *thread_set(void *p)
{
    (void)p;
    set(1);
    return NULL;
}

RACE(foreign_thread_without_a_channel)
{
    pthread_t t;
    pthread_create(&t, NULL, thread_set, NULL);
    go0(set_only);
    join();
    pthread_join(t, NULL);
}

/* ---- mutex */

static rn_mutex m, n;

static void lock_and_set(void)
{
    rn_mutex_lock(&m);
    set(get() + 1);
    rn_mutex_unlock(&m);
    say_over();
}

CLEAN(mutex_orders)
{
    go0(lock_and_set);
    rn_mutex_lock(&m);
    set(get() + 1);
    rn_mutex_unlock(&m);
    join();
}

RACE(mutex_on_one_side_only)
{
    go0(lock_and_set);
    set(2);
    join();
}

RACE(two_mutexes)
{
    go0(lock_and_set);
    rn_mutex_lock(&n);
    set(2);
    rn_mutex_unlock(&n);
    join();
}

static void hold_set_release(void)
{
    rn_mutex_lock(&m);
    chan_send(un, 0); /* main goes on while it is locked */
    set(1);
    chan_send(un, 0);
    rn_mutex_unlock(&m);
    say_over();
}

RACE(failed_trylock_orders_nothing)
{
    go0(hold_set_release);
    chan_recv(un, NULL);
    (void)rn_mutex_trylock(&m); /* it is locked until after our next receive */
    set(2);
    chan_recv(un, NULL);
    join();
}

CLEAN(successful_trylock_orders)
{
    go0(lock_and_set);
    while (!rn_mutex_trylock(&m))
        rn_yield();
    set(get() + 1);
    rn_mutex_unlock(&m);
    join();
}

/* ---- wait group */

static rn_waitgroup wg;

static void set_done(void)
{
    set(1);
    rn_waitgroup_done(&wg);
}

CLEAN(wait_group_orders)
{
    rn_waitgroup_add(&wg, 1);
    go0(set_done);
    rn_waitgroup_wait(&wg);
    set(2);
}

static int slots[8];
static _Atomic(int) next_slot;

static void set_slot_done(void)
{
    slots[atomic_fetch_add_explicit(&next_slot, 1, memory_order_relaxed)] = 1;
    rn_waitgroup_done(&wg);
}

CLEAN(wait_group_orders_all_of_them)
{
    rn_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++)
        go0(set_slot_done);
    rn_waitgroup_wait(&wg);
    for (int i = 0; i < 8; i++)
        slots[i]++;
}

static void done_set(void)
{
    rn_waitgroup_done(&wg);
    set(1);
    say_over();
}

RACE(wait_group_orders_nothing_after_done)
{
    rn_waitgroup_add(&wg, 1);
    go0(done_set);
    rn_waitgroup_wait(&wg);
    set(2);
    join();
}

/* ---- once */

static rn_once once;

static void set_by_once(void)
{
    set(1);
}

static void once_get(void)
{
    rn_once_do(&once, set_by_once);
    (void)get();
    say_over();
}

CLEAN(once_orders_for_all_callers)
{
    go0(once_get);
    go0(once_get);
    rn_once_do(&once, set_by_once);
    (void)get();
    join();
    join();
}

static void once_set(void)
{
    rn_once_do(&once, set_by_once);
    set(2);
    say_over();
}

RACE(once_orders_nothing_after_it)
{
    go0(once_set);
    rn_once_do(&once, set_by_once);
    set(3);
    join();
}

LITMUS_MAIN
