// toolbox_cxx.cpp - pool, map, broadcast, batches and what a goroutine keeps, from C++.
//
// Invariants
//  - Every macro with a type in it is used once; the results are checked.
#include <runnel.h>
static rn_local(int) depth;
typedef rn_broadcast(int) bus;
static bus b;
static void *mk(void *)
{
    return new int(3);
}
static void dr(void *p, void *)
{
    delete static_cast<int *>(p);
}
int main()
{
    chan(int) c = chan_make(int, 8);
    int v[4] = {1, 2, 3, 4}, w[4];
    size_t n = chan_send_n(c, v, 4);
    n += chan_recv_n(c, w, 1, 4);
    chan_send(c, 1);
    int x = 0;
    int k = chan_select_ordered(on_recv(c, &x), on_default());
    ++*rn_local_ptr(&depth);
    recv_chan(int) s = rn_broadcast_join(&b, 2, RN_BROADCAST_BLOCK);
    rn_broadcast_send(&b, 5);
    chan_recv(s, &x);
    rn_broadcast_leave(&b, s);
    rn_pool p = rn_pool();
    p.make = mk;
    p.drop = dr;
    void *i = rn_pool_get(&p);
    rn_pool_put(&p, i);
    rn_pool_destroy(&p);
    rn_map m = rn_map();
    rn_map_store(&m, RN_MAP_KEY(3), &x);
    bool there = rn_map_load(&m, RN_MAP_KEY(3), NULL);
    rn_map_destroy(&m);
    rn_checkpoint();
    rn_set_label("a", "b");
    chan_unref(c);
    return n == 8 && w[3] == 4 && k == 0 && x == 5 && *rn_local_ptr(&depth) == 1 && there ? 0 : 1;
}
