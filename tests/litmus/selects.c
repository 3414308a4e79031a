/*
 * selects.c - selects, tries and time-outs: the case that was done is an edge, those that were not
 * are none.
 *
 * Invariants: see litmus.h.
 */
#include "litmus.h"

static void set_send_un(void)
{
    set(1);
    chan_send(un, 0);
    say_over();
}

CLEAN(select_receive_orders)
{
    go0(set_send_un);
    if (chan_select(on_recv(one, NULL), on_recv(un, NULL)) == 1)
        (void)get();
    join();
}

static void set_select_send(void)
{
    set(1);
    (void)chan_select(on_send(un, 0), on_recv(one, NULL));
    say_over();
}

CLEAN(select_send_orders)
{
    go0(set_select_send);
    chan_recv(un, NULL);
    (void)get();
    join();
}

CLEAN(select_against_select_orders)
{
    go0(set_select_send);
    if (chan_select(on_recv(two, NULL), on_recv(un, NULL)) == 1)
        (void)get();
    join();
}

static void set_recv_un(void)
{
    set(1);
    chan_recv(un, NULL);
    say_over();
}

CLEAN(select_send_waits_for_the_receiver)
{
    go0(set_recv_un);
    if (chan_select(on_recv(one, NULL), on_send(un, 0)) == 1)
        (void)get();
    join();
}

static void set_close_un(void)
{
    set(1);
    chan_close(un);
    say_over();
}

CLEAN(select_sees_a_close)
{
    go0(set_close_un);
    if (chan_select(on_recv(un, NULL), on_recv(one, NULL)) == 0)
        (void)get();
    join();
}

static void set_send_two(void)
{
    set(1);
    chan_send(two, 0);
    say_over();
}

RACE(select_orders_by_the_chosen_case_only)
{
    chan_send(one, 0);
    go0(set_send_two);
    chan(int) nil = NULL;
    (void)chan_select(on_recv(one, NULL), on_recv(nil, NULL)); /* not two */
    set(2);
    join();
}

RACE(select_default_orders_nothing)
{
    go0(set_send_two);
    (void)chan_select(on_recv(un, NULL), on_default());
    set(2);
    join();
}

static void set_only(void)
{
    set(1);
    say_over();
}

RACE(time_out_orders_nothing)
{
    go0(set_only);
    (void)chan_select(on_recv(un, NULL), on_after(RN_MS));
    set(2);
    join();
}

RACE(failed_take_orders_nothing)
{
    go0(set_only);
    (void)chan_take(un, rn_now() + RN_MS, NULL);
    set(2);
    join();
}

RACE(failed_try_send_orders_nothing)
{
    chan_send(one, 0);
    go0(set_only);
    (void)chan_try_send(one, 0); /* full */
    set(2);
    join();
}

RACE(failed_try_receive_orders_nothing)
{
    go0(set_only);
    (void)chan_try_recv(un, NULL, NULL);
    set(2);
    join();
}

CLEAN(successful_try_receive_orders)
{
    go0(set_send_two);
    while (!chan_try_recv(two, NULL, NULL))
        rn_yield();
    (void)get();
    join();
}

static void set_try_send(void)
{
    set(1);
    while (!chan_try_send(un, 0))
        rn_yield();
    say_over();
}

CLEAN(successful_try_send_orders)
{
    go0(set_try_send);
    chan_recv(un, NULL);
    (void)get();
    join();
}

static void set_put(void)
{
    set(1);
    (void)chan_put(un, RN_NEVER, 0);
    say_over();
}

CLEAN(put_and_take_order)
{
    go0(set_put);
    if (chan_take(un, rn_now() + RN_HOUR, NULL) == 0)
        (void)get();
    join();
}

RACE(len_orders_nothing)
{
    go0(set_send_two);
    while (chan_len(two) == 0)
        rn_yield();
    set(2);
    join();
}

LITMUS_MAIN
