/*
 * cases_shared.c - pool and map, and batches through channels.
 *
 * Invariants
 *  - What is shared is counted and checked where that costs nothing in the timed part.
 */
#include "bench.h"

static void *make_64(void *arg)
{
    (void)arg;
    return calloc(1, 64);
}

static void drop_64(void *item, void *arg)
{
    (void)arg;
    free(item);
}

static void get_put(rn_pool *p, int64_t n, rn_waitgroup *wg)
{
    for (int64_t i = 0; i < n; i++)
        rn_pool_put(p, rn_pool_get(p));
    rn_waitgroup_done(wg);
}
GO_FUNC(get_put, rn_pool *, int64_t, rn_waitgroup *);

/* a: number of goroutines */
static double pool_get_put(const bench_case *self, int64_t n)
{
    int64_t share = bench_share(n, self->a);
    rn_pool p = {.make = make_64, .drop = drop_64};
    rn_waitgroup wg = {0};
    int64_t begin = bench_now();
    rn_waitgroup_add(&wg, self->a);
    for (int i = 1; i < self->a; i++)
        go(get_put, &p, share, &wg);
    get_put(&p, share, &wg);
    rn_waitgroup_wait(&wg);
    double ns = bench_per_op(begin, share * self->a);
    rn_pool_destroy(&p);
    return ns;
}

enum { KEYS = 1024 };

static void fill(rn_map *m)
{
    for (uintptr_t i = 0; i < KEYS; i++)
        rn_map_store(m, RN_MAP_KEY(i), (void *)i);
}

/* a: one in so many is a store; 0: none */
static void use_map(rn_map *m, int64_t n, int one_in, rn_waitgroup *wg)
{
    uintptr_t sum = 0;
    int until = one_in;
    for (int64_t i = 0; i < n; i++) {
        const void *key = RN_MAP_KEY(i & (KEYS - 1));
        if (one_in != 0 && --until == 0) {
            rn_map_store(m, key, (void *)(i & (KEYS - 1)));
            until = one_in;
            continue;
        }
        void *v = NULL;
        rn_map_load(m, key, &v);
        sum += (uintptr_t)v;
    }
    atomic_fetch_add(&bench_sink, (long long)sum);
    rn_waitgroup_done(wg);
}
GO_FUNC(use_map, rn_map *, int64_t, int, rn_waitgroup *);

/* a: goroutines; b: see use_map */
static double map_use(const bench_case *self, int64_t n)
{
    int64_t share = bench_share(n, self->a);
    rn_map m = {0};
    rn_waitgroup wg = {0};
    fill(&m);
    int64_t begin = bench_now();
    rn_waitgroup_add(&wg, self->a);
    for (int i = 1; i < self->a; i++)
        go(use_map, &m, share, self->b, &wg);
    use_map(&m, share, self->b, &wg);
    rn_waitgroup_wait(&wg);
    double ns = bench_per_op(begin, share * self->a);
    if (rn_map_len(&m) != KEYS)
        bench_wrong("syncmap: the map has lost a key");
    rn_map_destroy(&m);
    return ns;
}

static double map_churn(const bench_case *self, int64_t n)
{
    (void)self;
    rn_map m = {0};
    fill(&m);
    int64_t begin = bench_now();
    for (int64_t i = 0; i < n; i++) {
        rn_map_store(&m, RN_MAP_KEY(KEYS + i), NULL);
        rn_map_delete(&m, RN_MAP_KEY(KEYS + i));
    }
    double ns = bench_per_op(begin, n);
    rn_map_destroy(&m);
    return ns;
}

/* ------------------------------------------------------------------------------------ batches */

enum { BATCH = 64 };

static void send_batches(send_chan(int) c, int64_t n, size_t batch)
{
    int v[BATCH] = {0};
    for (int64_t i = 0; i < n; i += (int64_t)batch)
        chan_send_n(c, v, batch);
    chan_close(c);
}
GO_FUNC(send_batches, send_chan(int), int64_t, size_t);

/* a: elements per operation; b: capacity. The Go twin sends one by one. */
static double batches(const bench_case *self, int64_t n)
{
    chan(int) c = chan_make(int, self->b);
    size_t batch = (size_t)self->a;
    n = n / self->a * self->a;
    int v[BATCH];
    int64_t begin = bench_now(), got = 0;
    go(send_batches, c, n, batch);
    for (size_t k; (k = chan_recv_n(c, v, 1, batch)) > 0;)
        got += (int64_t)k;
    double ns = bench_per_op(begin, n);
    if (got != n)
        bench_wrong("batch: an element is missing");
    chan_unref(c);
    return ns;
}

const bench_case bench_shared_cases[] = {
    {"pool_get_put", "ns/op", 20000000, 0, pool_get_put, 1, 0, 0},
    {"pool_get_put_2", "ns/op", 20000000, 0, pool_get_put, 2, 0, 0},
    {"syncmap_load_hit", "ns/op", 5000000, 0, map_use, 1, 0, 0},
    {"syncmap_load_hit_2", "ns/op", 5000000, 0, map_use, 2, 0, 0},
    {"syncmap_mixed_2", "ns/op", 5000000, 0, map_use, 2, 10, 0},
    {"syncmap_store_delete", "ns/op", 1000000, 0, map_churn, 0, 0, 0},
    {"batch_1_cap128", "ns/msg", 1000000, 0, batches, 1, 128, 0},
    {"batch_8_cap128", "ns/msg", 1000000, 0, batches, 8, 128, 0},
    {"batch_64_cap128", "ns/msg", 1000000, 0, batches, 64, 128, 0},
    {0},
};
