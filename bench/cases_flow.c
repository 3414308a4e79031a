/*
 * cases_flow.c - programs made of channels: ring, sieves, daisy chain, skynet, pipelines with work.
 *
 * Invariants
 *  - Goroutines share their channels by reference count: each drops its own references, so no case
 *    depends on who ends first.
 *  - Results are checked; a wrong one ends the program.
 */
#include "bench.h"

/* --------------------------------------------------------------------------------------- ring */

enum { RING = 503 };

static void ring_member(int id, recv_chan(int64_t) in, send_chan(int64_t) out,
                        send_chan(int64_t) done, rn_waitgroup *left)
{
    chan_range (token, in) {
        if (token > 0)
            chan_send(out, token - 1);
        else if (token == 0)
            chan_send(done, id);
        else
            break;
    }
    rn_waitgroup_done(left);
}
GO_FUNC(ring_member, int, recv_chan(int64_t), send_chan(int64_t), send_chan(int64_t),
        rn_waitgroup *);

static double thread_ring(const bench_case *self, int64_t n)
{
    (void)self;
    chan(int64_t) done = chan_make(int64_t, 0);
    chan(int64_t) link[RING];
    rn_waitgroup left = {0};
    rn_waitgroup_add(&left, RING);
    for (int i = 0; i < RING; i++)
        link[i] = chan_make(int64_t, 0);
    for (int i = 0; i < RING; i++)
        go(ring_member, i, link[i], link[(i + 1) % RING], done, &left);
    int64_t last = -1;
    int64_t begin = bench_now();
    chan_send(link[0], n);
    chan_recv(done, &last);
    double ns = bench_per_op(begin, n);
    if (last != n % RING)
        bench_wrong("thread_ring: the token ended at the wrong place");
    for (int i = 0; i < RING; i++)
        chan_send(link[i], -1);
    rn_waitgroup_wait(&left);
    for (int i = 0; i < RING; i++)
        chan_unref(link[i]);
    chan_unref(done);
    return ns;
}

/* ------------------------------------------------------------------------------------- sieves */

static void count_until(chan(int64_t) out, chan(rn_unit) quit)
{
    for (int64_t i = 2;; i++)
        if (chan_select(on_send(out, i), on_recv(quit, NULL)) == 1)
            break;
    chan_unref(out);
    chan_unref(quit);
}
GO_FUNC(count_until, chan(int64_t), chan(rn_unit));

static void filter_until(chan(int64_t) in, chan(int64_t) out, int64_t prime, chan(rn_unit) quit)
{
    for (;;) {
        int64_t v = 0;
        if (chan_select(on_recv(in, &v), on_recv(quit, NULL)) == 1)
            break;
        if (v % prime == 0)
            continue;
        if (chan_select(on_send(out, v), on_recv(quit, NULL)) == 1)
            break;
    }
    chan_unref(in);
    chan_unref(out);
    chan_unref(quit);
}
GO_FUNC(filter_until, chan(int64_t), chan(int64_t), int64_t, chan(rn_unit));

/* A chain of filters, every operation a select that can be told to quit. */
static double prime_sieve(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t before = rn_num_goroutine();
    int64_t begin = bench_now();
    chan(rn_unit) quit = chan_make(rn_unit, 0);
    chan(int64_t) head = chan_make(int64_t, 0);
    go(count_until, chan_ref(head), chan_ref(quit));
    int64_t prime = 0;
    for (int64_t i = 0; i < n; i++) {
        chan_recv(head, &prime);
        chan(int64_t) next = chan_make(int64_t, 0);
        go(filter_until, head, chan_ref(next), prime, chan_ref(quit)); /* takes over head */
        head = next;
    }
    chan_unref(head);
    chan_close(quit);
    double ms = bench_millis(begin);
    if (n == 2000 && prime != 17389)
        bench_wrong("prime_sieve: wrong prime");
    bench_await_goroutines(before); /* the next repetition starts alone */
    chan_unref(quit);
    return ms;
}

static void count_to(send_chan(int64_t) out, int64_t end)
{
    for (int64_t i = 2; i < end; i++)
        chan_send(out, i);
}
GO_FUNC(count_to, send_chan(int64_t), int64_t);

static void filter(recv_chan(int64_t) in, send_chan(int64_t) out, int64_t prime)
{
    for (;;) {
        int64_t v;
        chan_recv(in, &v);
        if (v % prime != 0)
            chan_send(out, v);
    }
}
GO_FUNC(filter, recv_chan(int64_t), send_chan(int64_t), int64_t);

/* Neither quit nor select; the filters and their channels stay until the program ends. */
static double plain_sieve(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t begin = bench_now();
    chan(int64_t) head = chan_make(int64_t, 0);
    go(count_to, head, 10 * n);
    for (int64_t i = 0; i < n; i++) {
        int64_t prime = 0;
        chan_recv(head, &prime);
        chan(int64_t) next = chan_make(int64_t, 0);
        go(filter, head, next, prime);
        head = next;
    }
    return bench_millis(begin);
}

/* ---------------------------------------------------------------------------- daisy, skynet */

static void daisy(send_chan(int64_t) left, chan(int64_t) right)
{
    int64_t v = 0;
    chan_recv(right, &v);
    chan_unref(right); /* the receiver is the last who needs it */
    chan_send(left, 1 + v);
}
GO_FUNC(daisy, send_chan(int64_t), chan(int64_t));

static void daisy_end(send_chan(int64_t) c)
{
    chan_send(c, 1);
}
GO_FUNC(daisy_end, send_chan(int64_t));

static double daisy_chain(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t begin = bench_now();
    chan(int64_t) first = chan_make(int64_t, 0);
    chan(int64_t) left = first;
    for (int64_t i = 0; i < n; i++) {
        chan(int64_t) right = chan_make(int64_t, 0);
        go(daisy, left, right);
        left = right;
    }
    go(daisy_end, left);
    int64_t sum = 0;
    chan_recv(first, &sum);
    chan_unref(first);
    double ms = bench_millis(begin);
    if (sum != n + 1)
        bench_wrong("daisy_chain: wrong sum");
    return ms;
}

static void skynet_node(send_chan(int64_t) up, int64_t number, int64_t leaves);
GO_FUNC(skynet_node, send_chan(int64_t), int64_t, int64_t);

static void skynet_node(send_chan(int64_t) up, int64_t number, int64_t leaves)
{
    if (leaves == 1) {
        chan_send(up, number);
        return;
    }
    chan(int64_t) down = chan_make(int64_t, 0);
    for (int i = 0; i < 10; i++)
        go(skynet_node, down, number + i * (leaves / 10), leaves / 10);
    int64_t sum = 0;
    for (int i = 0; i < 10; i++) {
        int64_t v = 0;
        chan_recv(down, &v);
        sum += v;
    }
    chan_unref(down);
    chan_send(up, sum);
}

static double skynet(const bench_case *self, int64_t n)
{
    (void)self;
    int64_t leaves = 1;
    while (leaves * 10 <= n) /* the tree is complete only for a power of ten */
        leaves *= 10;
    int64_t begin = bench_now();
    chan(int64_t) c = chan_make(int64_t, 0);
    go(skynet_node, c, 0, leaves);
    int64_t sum = 0;
    chan_recv(c, &sum);
    chan_unref(c);
    double ms = bench_millis(begin);
    if (sum != leaves * (leaves - 1) / 2)
        bench_wrong("skynet: wrong sum");
    return ms;
}

/* ---------------------------------------------------------------------------------- pipelines */

/* a: rounds of work */
static double work_alone(const bench_case *self, int64_t n)
{
    uint64_t x = 0;
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++)
        x = bench_work(x, self->a);
    double ns = bench_per_op(begin, n);
    atomic_fetch_add(&bench_sink, (long long)x);
    return ns;
}

static void pipeline_source(send_chan(uint64_t) c, int64_t n, int rounds)
{
    uint64_t x = 0;
    for (int64_t i = 0; i < n; i++) {
        x = bench_work(x, rounds);
        chan_send(c, x);
    }
    chan_close(c);
}
GO_FUNC(pipeline_source, send_chan(uint64_t), int64_t, int);

/* The same work before sending and after receiving, each depending on the one before it: else the
 * processor would do two at a time. a: rounds */
static double pipeline(const bench_case *self, int64_t n)
{
    chan(uint64_t) c = chan_make(uint64_t, 128);
    int64_t begin = bench_now();
    go(pipeline_source, c, n, self->a);
    uint64_t x = 0;
    chan_range (v, c)
        x = bench_work(x + v, self->a);
    double ns = bench_per_op(begin, n);
    atomic_fetch_add(&bench_sink, (long long)x);
    chan_unref(c);
    return ns;
}

const bench_case bench_flow_cases[] = {
    {"thread_ring_503", "ns/hop", 1000000, 5, thread_ring, 0, 0, 0},
    {"prime_sieve_2000", "ms", 2000, 3, prime_sieve, 0, 0, 0},
    {"prime_sieve_plain_500", "ms", 500, 5, plain_sieve, 0, 0, 0},
    {"daisy_chain_100k", "ms", 100000, 5, daisy_chain, 0, 0, 0},
    {"skynet_1M", "ms", 1000000, 5, skynet, 0, 0, 0},
    {"work_220ns", "ns/op", 500000, 0, work_alone, BENCH_ROUNDS_220NS, 0, 0},
    {"work_1100ns", "ns/op", 100000, 0, work_alone, BENCH_ROUNDS_1100NS, 0, 0},
    {"pipeline_220ns_cap128", "ns/msg", 200000, 0, pipeline, BENCH_ROUNDS_220NS, 0, 0},
    {"pipeline_1100ns_cap128", "ns/msg", 50000, 0, pipeline, BENCH_ROUNDS_1100NS, 0, 0},
    {0},
};
