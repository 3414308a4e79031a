/*
 * cases_select.c - select: everything ready, nothing ready, default, closed channels.
 *
 * Invariants
 *  - Each select is written with its cases in place, as a program would; no table is kept between two
 *    operations.
 *  - pick_K returns the received value, which is the index of the channel it came from.
 */
#include "bench.h"

typedef chan(int64_t) int_chan;

#define R1(i)  on_recv(c[i], &v)
#define R2(i)  R1(i), R1((i) + 1)
#define R4(i)  R2(i), R2((i) + 2)
#define R8(i)  R4(i), R4((i) + 4)
#define R16(i) R8(i), R8((i) + 8)
#define R64(i) R16(i), R16((i) + 16), R16((i) + 32), R16((i) + 48)

#define PICK(K)                                \
    static int64_t pick_##K(const int_chan *c) \
    {                                          \
        int64_t v = -1;                        \
        (void)chan_select(R##K(0));            \
        return v;                              \
    }

PICK(2)
PICK(4)
PICK(8)
PICK(64)

enum { MOST = 64 };

static void make_all(int_chan *c, int k, int64_t cap)
{
    for (int i = 0; i < k; i++)
        c[i] = chan_make(int64_t, cap);
}

static void unref_all(int_chan *c, int k)
{
    for (int i = 0; i < k; i++)
        chan_unref(c[i]);
}

/* Every channel holds a value; one operation is a select and the send that refills. */
static inline double ready(int k, int64_t (*pick)(const int_chan *), int64_t n)
{
    int_chan c[MOST];
    make_all(c, k, 1);
    for (int i = 0; i < k; i++)
        chan_send(c[i], i);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        int64_t from = pick(c);
        chan_send(c[from], from);
    }
    double ns = bench_per_op(begin, n);
    for (int i = 0; i < k; i++)
        chan_recv(c[i], NULL);
    unref_all(c, k);
    return ns;
}

static void send_in_turn(const int_chan *c, int k, int64_t n, rn_waitgroup *sent)
{
    for (int64_t i = 0; i < n; i++)
        chan_send(c[i % k], i % k);
    rn_waitgroup_done(sent);
}
GO_FUNC(send_in_turn, const int_chan *, int, int64_t, rn_waitgroup *);

/* One goroutine sends on the k unbuffered channels in turn, the select takes. */
static inline double block(int k, int64_t (*pick)(const int_chan *), int64_t n)
{
    int_chan c[MOST];
    make_all(c, k, 0);
    rn_waitgroup sent = {0};
    rn_waitgroup_add(&sent, 1);
    go(send_in_turn, c, k, n, &sent);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        if (pick(c) != i % k)
            bench_wrong("select_block: a value came out of turn");
    double ns = bench_per_op(begin, n);
    rn_waitgroup_wait(&sent); /* it looks at c, which is ours */
    unref_all(c, k);
    return ns;
}

#define READY_AND_BLOCK(K)                                     \
    static double ready_##K(const bench_case *self, int64_t n) \
    {                                                          \
        (void)self;                                            \
        return ready(K, pick_##K, n);                          \
    }                                                          \
    static double block_##K(const bench_case *self, int64_t n) \
    {                                                          \
        (void)self;                                            \
        return block(K, pick_##K, n);                          \
    }

READY_AND_BLOCK(2)
READY_AND_BLOCK(4)
READY_AND_BLOCK(8)
READY_AND_BLOCK(64)

/* ------------------------------------------------------------------------------ never waiting */

static double miss_1(const bench_case *self, int64_t n)
{
    (void)self;
    chan(int64_t) c = chan_make(int64_t, 0);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        if (chan_select(on_recv(c, NULL), on_default()) != 1)
            bench_wrong("select_nb_miss_1: the default was not taken");
    double ns = bench_per_op(begin, n);
    chan_unref(c);
    return ns;
}

static double miss_2(const bench_case *self, int64_t n)
{
    (void)self;
    int_chan c[2];
    make_all(c, 2, 0);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        if (chan_select(on_recv(c[0], NULL), on_recv(c[1], NULL), on_default()) != 2)
            bench_wrong("select_nb_miss_2: the default was not taken");
    double ns = bench_per_op(begin, n);
    unref_all(c, 2);
    return ns;
}

static double closed_2(const bench_case *self, int64_t n)
{
    (void)self;
    int_chan c[2];
    make_all(c, 2, 0);
    chan_close(c[0]);
    chan_close(c[1]);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        (void)chan_select(on_recv(c[0], NULL), on_recv(c[1], NULL));
    double ns = bench_per_op(begin, n);
    unref_all(c, 2);
    return ns;
}

const bench_case bench_select_cases[] = {
    {"select_ready_2", "ns/op", 1500000, 0, ready_2, 0, 0, 0},
    {"select_block_2", "ns/msg", 500000, 0, block_2, 0, 0, 0},
    {"select_ready_4", "ns/op", 750000, 0, ready_4, 0, 0, 0},
    {"select_block_4", "ns/msg", 250000, 0, block_4, 0, 0, 0},
    {"select_ready_8", "ns/op", 375000, 0, ready_8, 0, 0, 0},
    {"select_block_8", "ns/msg", 125000, 0, block_8, 0, 0, 0},
    {"select_ready_64", "ns/op", 46875, 0, ready_64, 0, 0, 0},
    {"select_block_64", "ns/msg", 15625, 0, block_64, 0, 0, 0},
    {"select_nb_miss_1", "ns/op", 20000000, 0, miss_1, 0, 0, 0},
    {"select_nb_miss_2", "ns/op", 5000000, 0, miss_2, 0, 0, 0},
    {"select_closed_ready_2", "ns/op", 5000000, 0, closed_2, 0, 0, 0},
    {0},
};
