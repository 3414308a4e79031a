/*
 * channels.c - send, receive and close as edges of the memory model, and what looks like one but is
 * none.
 *
 * Invariants: see litmus.h.
 */
#include "litmus.h"
#include <stdatomic.h>

/* ---- unbuffered: both directions */

static void set_send_un(void)
{
    set(1);
    chan_send(un, 0);
    say_over();
}

CLEAN(unbuffered_send_before_receive_returns)
{
    go0(set_send_un);
    chan_recv(un, NULL);
    (void)get();
    join();
}

static void set_recv_un(void)
{
    set(1);
    chan_recv(un, NULL);
    say_over();
}

CLEAN(unbuffered_receive_before_send_returns)
{
    go0(set_recv_un);
    chan_send(un, 0);
    (void)get();
    join();
}

static void send_un_set(void)
{
    chan_send(un, 0);
    set(1);
    say_over();
}

RACE(unbuffered_after_send_and_after_receive)
{
    go0(send_un_set);
    chan_recv(un, NULL);
    set(2);
    join();
}

static void turn_by_turn(void)
{
    for (int i = 0; i < 10; i++) {
        chan_recv(un, NULL);
        set(i);
        chan_send(un, 0);
    }
    say_over();
}

CLEAN(unbuffered_turn_by_turn)
{
    go0(turn_by_turn);
    for (int i = 0; i < 10; i++) {
        set(-i);
        chan_send(un, 0);
        chan_recv(un, NULL);
    }
    join();
}

/* ---- buffered: send k before receive k; receive k before send k + C */

static void set_send_one(void)
{
    set(1);
    chan_send(one, 0);
    say_over();
}

CLEAN(buffered_send_before_receive_returns)
{
    go0(set_send_one);
    chan_recv(one, NULL);
    (void)get();
    join();
}

static void set_recv_one(void)
{
    set(1);
    chan_recv(one, NULL);
    say_over();
}

/* Relaxed: orders nothing, for ThreadSanitizer neither. */
static _Atomic(bool) sent;

static void set_wait_recv_one(void)
{
    set(1);
    /* a receiver that waits already would hand itself over to the sender */
    while (!atomic_load_explicit(&sent, memory_order_relaxed))
        rn_yield();
    chan_recv(one, NULL);
    say_over();
}

RACE(buffered_receive_is_not_before_its_own_send)
{
    go0(set_wait_recv_one);
    chan_send(one, 0); /* there is room: it does not wait for the receive */
    set(2);
    atomic_store_explicit(&sent, true, memory_order_relaxed);
    join();
}

CLEAN(buffered_receive_before_the_send_that_reuses_the_slot)
{
    chan_send(one, 0);
    go0(set_recv_one);
    chan_send(one, 0); /* needs the slot that the receive has freed */
    (void)get();
    chan_recv(one, NULL);
    join();
}

static void set_recv_two(void)
{
    set(1);
    chan_recv(two, NULL);
    say_over();
}

RACE(buffered_receive_is_not_before_a_send_with_a_slot_of_its_own)
{
    chan_send(two, 0);
    go0(set_recv_two);
    chan_send(two, 0); /* the second slot was free all the time */
    set(2);
    join();
}

static void send_set_send(void)
{
    chan_send(two, 1);
    set(1);
    chan_send(two, 2);
    say_over();
}

RACE(buffered_earlier_element_orders_nothing_later)
{
    go0(send_set_send);
    chan_recv(two, NULL); /* the first element; the write comes after it */
    set(2);
    join();
}

CLEAN(buffered_later_element_orders_everything_before)
{
    go0(send_set_send);
    chan_recv(two, NULL);
    chan_recv(two, NULL);
    set(2);
    join();
}

static void count_under_one(void)
{
    for (int i = 0; i < 10; i++) {
        chan_send(one, 0);
        set(get() + 1);
        chan_recv(one, NULL);
    }
    say_over();
}

CLEAN(buffered_capacity_one_is_a_mutex)
{
    go0(count_under_one);
    go0(count_under_one);
    join();
    join();
}

static void set_under_two(void)
{
    chan_send(two, 0);
    set(1);
    chan_recv(two, NULL);
    say_over();
}

RACE(buffered_capacity_two_is_no_mutex)
{
    go0(set_under_two);
    go0(set_under_two);
    join();
    join();
}

/* ---- close */

static void set_close(void)
{
    set(1);
    chan_close(un);
    say_over();
}

CLEAN(close_before_a_receive_that_reports_it)
{
    go0(set_close);
    if (!chan_recv(un, NULL))
        (void)get();
    join();
}

static void set_close_one(void)
{
    chan_send(one, 1);
    set(1);
    chan_close(one);
    say_over();
}

CLEAN(close_before_the_end_of_a_range)
{
    go0(set_close_one);
    chan_range (v, one)
        (void)v;
    set(2);
    join();
}

RACE(close_is_not_before_a_receive_of_an_earlier_element)
{
    go0(set_close_one);
    chan_recv(one, NULL);
    set(2);
    join();
}

static void close_set(void)
{
    chan_close(un);
    set(1);
    say_over();
}

RACE(close_orders_nothing_after_it)
{
    go0(close_set);
    chan_recv(un, NULL);
    set(2);
    join();
}

/* ---- ownership of memory travels with a pointer */

static chan(int *) pointers;

static void make_and_send(void)
{
    int *p = malloc(sizeof *p);
    *p = 1;
    chan_send(pointers, p);
    say_over();
}

CLEAN(pointer_handed_over)
{
    pointers = chan_make(int *, 1);
    int *p = NULL;
    go0(make_and_send);
    chan_recv(pointers, &p);
    ++*p;
    free(p);
    join();
}

static void make_send_and_keep(void)
{
    int *p = malloc(sizeof *p);
    *p = 1;
    chan_send(pointers, p);
    *(volatile int *)p = 2; /* it is not ours any more */
    say_over();
}

RACE(pointer_used_after_it_was_handed_over)
{
    pointers = chan_make(int *, 1);
    int *p = NULL;
    go0(make_send_and_keep);
    chan_recv(pointers, &p);
    *(volatile int *)p = 3;
    join();
    free(p);
}

LITMUS_MAIN
