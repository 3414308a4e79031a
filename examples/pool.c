/*
 * pool.c - keep what is expensive to make.
 *
 * Go idiom: var bufPool = sync.Pool{New: ...}; b := bufPool.Get(); defer bufPool.Put(b).
 * Rule: an item has one owner at a time, the pool or the one who took it out. The pool gives items up when
 * nobody has used them for a while, to the drop function: C has no garbage collector to do it.
 *
 * Compare free_list.c, where a channel does this: there the number of spare items is fixed, here it
 * follows the need, and a get takes no lock.
 */
#include <runnel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRITERS = 4, LINES = 1000, SIZE = 1 << 16 };

static _Atomic(int) made, dropped;

static void *make_buffer(void *arg)
{
    (void)arg;
    made++;
    return malloc(SIZE);
}

static void drop_buffer(void *item, void *arg)
{
    (void)arg;
    dropped++;
    free(item);
}

static rn_pool buffers = {.make = make_buffer, .drop = drop_buffer};

static void writer(int id, send_chan(size_t) lengths)
{
    for (int i = 0; i < LINES; i++) {
        char *b = rn_pool_get(&buffers);
        if (b == NULL)
            panic("no memory");
        snprintf(b, SIZE, "writer %d, line %03d", id, i);
        chan_send(lengths, strlen(b)); /* others run here, with buffers of their own */
        rn_pool_put(&buffers, b);
    }
}
GO_FUNC(writer, int, send_chan(size_t));

int main(void)
{
    chan_auto(size_t) lengths = chan_make(size_t, 0);
    for (int i = 0; i < WRITERS; i++)
        go(writer, i, lengths);
    size_t total = 0, n;
    for (int i = 0; i < WRITERS * LINES; i++) {
        chan_recv(lengths, &n);
        total += n;
    }
    printf("%d lines, %zu characters\n", WRITERS * LINES, total);
    printf("a handful of buffers: %s\n", made <= 200 ? "yes" : "no");

    while (rn_num_goroutine() > 1)
        rn_yield();
    rn_pool_destroy(&buffers);
    printf("all dropped: %s\n", made == dropped ? "yes" : "no");
    return 0;
}
