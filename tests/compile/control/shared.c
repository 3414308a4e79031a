// Channel types in structs, arrays, typedefs, parameters and results; the same header in C and C++.
// also: c++
#include "shared.h"

GO_FUNC(pool_run, struct pool *, recv_chan(int), send_chan(int));

static pool_chan pools;

pool_chan pool_new(void)
{
    if (pools == NULL)
        pools = chan_make(struct pool *, 1);
    return chan_ref(pools);
}

recv_chan(int) pool_results(const struct pool *pool)
{
    return pool->jobs;
}

void pool_run(struct pool *pool, recv_chan(int) in, send_chan(int) out)
{
    rn_unit unit = {0};
    double w;
    chan(const char *) reply = chan_make(const char *, 0);
    chan_range (v, in)
        chan_send(out, v);
    chan_send(pool->replies[1], reply);
    chan_send(pool->stop, unit);
    if (chan_recv(pool->results, &w))
        chan_close(pool->jobs);
    chan_send(pool_new(), pool);
    go(pool_run, pool, pool_results(pool), pool->jobs);
    const struct pool *same = pool;
    chan_send(same->jobs, 1);
}
