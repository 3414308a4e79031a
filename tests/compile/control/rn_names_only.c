// With RN_NO_SHORT_NAMES every short name is the program's own, and the rn_ forms do everything.
// also: c++
#define RN_NO_SHORT_NAMES
#include <runnel.h>

#if defined chan || defined recv_chan || defined send_chan || defined chan_auto ||                \
    defined chan_make || defined chan_make_with || defined chan_send || defined chan_send_from || \
    defined chan_recv || defined chan_range || defined chan_try_send || defined chan_try_recv ||  \
    defined chan_put || defined chan_take || defined chan_close || defined chan_try_close ||      \
    defined chan_len || defined chan_cap || defined chan_ref || defined chan_unref ||             \
    defined chan_name || defined chan_fd || defined chan_select || defined on_recv ||             \
    defined on_send || defined on_after || defined on_deadline || defined on_default ||           \
    defined go || defined go_with || defined go0 || defined go1 || defined go0_with ||            \
    defined go1_with || defined GO_FUNC || defined defer || defined panic || defined recover
#error "a short name is defined"
#endif

static int chan(int go)
{
    return go;
}

static void worker(int id, rn_recv_chan(int) in, rn_send_chan(int) out)
{
    rn_chan_range (v, in)
        rn_chan_send(out, v + id);
    rn_chan_close(out);
}
RN_GO_FUNC(worker, int, rn_recv_chan(int), rn_send_chan(int));

static void simple(void)
{
}
RN_GO_FUNC(simple);
static void with_arg(void *p)
{
    (void)p;
}

int use(rn_go_attr attr);
int use(rn_go_attr attr)
{
    rn_chan(int) c = rn_chan_make(int, chan(4));
    rn_chan_auto(int) d = rn_chan_make(int, 0);
    int v = 0, r = 0;
    bool ok = false;
    rn_go(worker, 1, c, d);
    rn_go_with(attr, worker, 1, c, d);
    rn_go(simple);
    rn_go0(simple);
    rn_go0_with(attr, simple);
    rn_go1(with_arg, &v);
    rn_go1_with(attr, with_arg, &v);
    rn_chan_send(c, v++);
    rn_chan_send_from(c, &v);
    ok = rn_chan_recv(d, &v) || rn_chan_recv(d, NULL);
    ok = rn_chan_try_send(c, 3) || rn_chan_try_recv(d, &v, &ok);
    r = rn_chan_put(c, RN_NEVER, 3) + rn_chan_take(d, RN_NEVER, &v);
    switch (rn_chan_select(rn_on_recv(d, &v), rn_on_recv(d, &v, &ok), rn_on_send(c, v),
                           rn_on_after(RN_MS), rn_on_deadline(0), rn_on_default())) {
    default: break;
    }
    rn_case table[2] = {rn_on_recv(d, &v), rn_on_default()};
    r += rn_select(table, 2);
    r += rn_chan_name(c, "c") + rn_chan_fd(d) + (rn_chan_len(c) < rn_chan_cap(c));
    rn_chan_unref(rn_chan_ref(c));
    ok = rn_chan_try_close(c);
    return r + ok;
}
