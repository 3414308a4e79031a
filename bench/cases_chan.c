/*
 * cases_chan.c - channels on their own: ping-pong, streams, many to many, the operations that never
 * wait, and close.
 *
 * Invariants
 *  - Go's int is int64_t, struct{} is rn_unit. Large elements are sent from memory, as Go does.
 *  - A channel is freed after the timed part, except where making it is what is measured.
 */
#include "bench.h"

/* ---------------------------------------------------------------------------------- ping-pong */

static void echo(recv_chan(int64_t) there, send_chan(int64_t) back)
{
    chan_range (v, there)
        chan_send(back, v);
    chan_close(back);
}
GO_FUNC(echo, recv_chan(int64_t), send_chan(int64_t));

/* a: capacity */
static double pingpong(const bench_case *self, int64_t n)
{
    chan(int64_t) there = chan_make(int64_t, self->a);
    chan(int64_t) back = chan_make(int64_t, self->a);
    go(echo, there, back);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        chan_send(there, i);
        chan_recv(back, NULL);
    }
    double ns = bench_per_op(begin, n);
    chan_close(there);
    chan_recv(back, NULL);
    chan_unref(there);
    chan_unref(back);
    return ns;
}

/* --------------------------------------------------------------- producers and consumers (crowd) */

typedef struct bytes256 {
    unsigned char b[256];
} bytes256;
typedef struct bytes4096 {
    unsigned char b[4096];
} bytes4096;

/*
 * Defines crowd_NAME: a producers share n messages of type T evenly, b consumers take until the
 * channel of capacity c is closed.
 */
#define CROWD(NAME, T, SEND)                                                      \
    static void produce_##NAME(send_chan(T) c, int64_t share, rn_waitgroup *sent) \
    {                                                                             \
        T v = {0};                                                                \
        for (int64_t i = 0; i < share; i++)                                       \
            SEND(c, v);                                                           \
        rn_waitgroup_done(sent);                                                  \
    }                                                                             \
    GO_FUNC(produce_##NAME, send_chan(T), int64_t, rn_waitgroup *);               \
    static void consume_##NAME(recv_chan(T) c, rn_waitgroup *taken)               \
    {                                                                             \
        chan_range (v, c)                                                         \
            (void)v;                                                              \
        rn_waitgroup_done(taken);                                                 \
    }                                                                             \
    GO_FUNC(consume_##NAME, recv_chan(T), rn_waitgroup *);                        \
    static double crowd_##NAME(const bench_case *self, int64_t n)                 \
    {                                                                             \
        int64_t share = bench_share(n, self->a);                                  \
        chan(T) c = chan_make(T, self->c);                                        \
        rn_waitgroup sent = {0}, taken = {0};                                     \
        int64_t begin = bench_now();                                              \
        for (int i = 0; i < self->b; i++) {                                       \
            rn_waitgroup_add(&taken, 1);                                          \
            go(consume_##NAME, c, &taken);                                        \
        }                                                                         \
        for (int i = 0; i < self->a; i++) {                                       \
            rn_waitgroup_add(&sent, 1);                                           \
            go(produce_##NAME, c, share, &sent);                                  \
        }                                                                         \
        rn_waitgroup_wait(&sent);                                                 \
        chan_close(c);                                                            \
        rn_waitgroup_wait(&taken);                                                \
        double ns = bench_per_op(begin, share * self->a);                         \
        chan_unref(c);                                                            \
        return ns;                                                                \
    }

#define BY_VALUE(c, v)   chan_send(c, v)
#define FROM_PLACE(c, v) chan_send_from(c, &v)

CROWD(int, int64_t, BY_VALUE)
CROWD(unit, rn_unit, BY_VALUE)
CROWD(256, bytes256, FROM_PLACE)
CROWD(4096, bytes4096, FROM_PLACE)

/* --------------------------------------------------------------------------- without a partner */

static double sendrecv_alone(const bench_case *self, int64_t n)
{
    (void)self;
    chan(int64_t) c = chan_make(int64_t, 1);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        chan_send(c, i);
        chan_recv(c, NULL);
    }
    double ns = bench_per_op(begin, n);
    chan_unref(c);
    return ns;
}

/* a: capacity. Go's figure contains the collector's work, ours the unref. */
static double make_free(const bench_case *self, int64_t n)
{
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        chan(int64_t) c = chan_make(int64_t, self->a);
        chan_unref(c);
    }
    return bench_per_op(begin, n);
}

static double recv_closed(const bench_case *self, int64_t n)
{
    (void)self;
    chan(int64_t) c = chan_make(int64_t, 0);
    chan_close(c);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        chan_recv(c, NULL);
    double ns = bench_per_op(begin, n);
    chan_unref(c);
    return ns;
}

/* a: capacity */
static double try_recv_miss(const bench_case *self, int64_t n)
{
    chan(int64_t) c = chan_make(int64_t, self->a);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        if (chan_try_recv(c, NULL, NULL))
            bench_wrong("try_recv_empty: received from an empty channel");
    double ns = bench_per_op(begin, n);
    chan_unref(c);
    return ns;
}

static double try_send_miss(const bench_case *self, int64_t n)
{
    (void)self;
    chan(int64_t) c = chan_make(int64_t, 1);
    chan_send(c, 1);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        if (chan_try_send(c, i))
            bench_wrong("try_send_full: sent to a full channel");
    double ns = bench_per_op(begin, n);
    chan_recv(c, NULL);
    chan_unref(c);
    return ns;
}

/* -------------------------------------------------------------------------------------- close */

static void wait_at_gate(recv_chan(rn_unit) gate, rn_waitgroup *ready, rn_waitgroup *woken)
{
    rn_waitgroup_done(ready);
    chan_recv(gate, NULL);
    rn_waitgroup_done(woken);
}
GO_FUNC(wait_at_gate, recv_chan(rn_unit), rn_waitgroup *, rn_waitgroup *);

/* One close together with the run of everybody it wakes. */
static double close_broadcast(const bench_case *self, int64_t n)
{
    (void)self;
    chan(rn_unit) gate = chan_make(rn_unit, 0);
    rn_waitgroup ready = {0}, woken = {0};
    rn_waitgroup_add(&ready, (int)n);
    rn_waitgroup_add(&woken, (int)n);
    for (int64_t i = 0; i < n; i++)
        go(wait_at_gate, gate, &ready, &woken);
    rn_waitgroup_wait(&ready);
    bench_let_park();
    int64_t begin = bench_now();
    chan_close(gate);
    rn_waitgroup_wait(&woken);
    double ns = bench_per_op(begin, n);
    chan_unref(gate);
    return ns;
}

const bench_case bench_channel_cases[] = {
    {"pingpong_unbuf", "ns/roundtrip", 300000, 0, pingpong, 0, 0, 0},
    {"pingpong_cap1", "ns/roundtrip", 300000, 0, pingpong, 1, 0, 0},
    {"spsc_cap0", "ns/msg", 1000000, 0, crowd_int, 1, 1, 0},
    {"spsc_cap1", "ns/msg", 1000000, 0, crowd_int, 1, 1, 1},
    {"spsc_cap16", "ns/msg", 1000000, 0, crowd_int, 1, 1, 16},
    {"spsc_cap128", "ns/msg", 1000000, 0, crowd_int, 1, 1, 128},
    {"spsc_cap1024", "ns/msg", 1000000, 0, crowd_int, 1, 1, 1024},
    {"spsc_cap16_zero", "ns/msg", 1000000, 0, crowd_unit, 1, 1, 16},
    {"spsc_cap16_256B", "ns/msg", 500000, 0, crowd_256, 1, 1, 16},
    {"spsc_cap16_4KB", "ns/msg", 200000, 0, crowd_4096, 1, 1, 16},
    {"mpmc_4x4_cap0", "ns/msg", 600000, 0, crowd_int, 4, 4, 0},
    {"mpmc_4x4_cap128", "ns/msg", 600000, 0, crowd_int, 4, 4, 128},
    {"mpmc_100x100_cap0", "ns/msg", 600000, 0, crowd_int, 100, 100, 0},
    {"mpmc_100x100_cap128", "ns/msg", 600000, 0, crowd_int, 100, 100, 128},
    {"fanin_1000x1_cap0", "ns/msg", 500000, 0, crowd_int, 1000, 1, 0},
    {"chan_uncontended_sendrecv_cap1", "ns/pair", 3000000, 0, sendrecv_alone, 0, 0, 0},
    {"chan_make_cap0", "ns/op", 2000000, 0, make_free, 0, 0, 0},
    {"chan_make_cap16", "ns/op", 1000000, 0, make_free, 16, 0, 0},
    {"recv_closed", "ns/op", 3000000, 0, recv_closed, 0, 0, 0},
    {"try_recv_empty_unbuf", "ns/op", 20000000, 0, try_recv_miss, 0, 0, 0},
    {"try_recv_empty_cap8", "ns/op", 20000000, 0, try_recv_miss, 8, 0, 0},
    {"try_send_full", "ns/op", 20000000, 0, try_send_miss, 0, 0, 0},
    {"close_broadcast_100k", "ns/waiter", 100000, 0, close_broadcast, 0, 0, 0},
    {0},
};
