// Macros inside macros, statement expressions included: nothing is shadowed, nothing is evaluated
// for nothing, and the names of users are their own.
// also: c++

/* names that the headers use, too, before and after them */
extern int a, c, v, n, p, h, i, ch, k, t, x, d, f, j, fn, arg, args, attr, call, elem, what, site,
    ok;
extern int cases, var, how, on, box, here, where, object, closed, head, value, text, C, T, F, J, H;
#include <runnel/go.h>
extern chan(int) in, out;

struct names {
    int go, chan, on_recv, chan_send, on_default;
};

static int ask(int q)
{
    int answer = 0;
    chan_send(out, q);
    (void)chan_recv(in, &answer);
    return answer;
}

/* A request as a macro: what makes nested statement expressions in practice. */
#define ASK(q)                         \
    __extension__({                    \
        int answer_ = 0;               \
        chan_send(out, q);             \
        (void)chan_recv(in, &answer_); \
        answer_;                       \
    })

int use(struct names *names);
int use(struct names *names)
{
    int got = 0;
    chan_send(out, ASK(ask(3)));
    chan_send(out, ask(ask(3)));
    chan_send(out, (int)chan_len(in) + (chan_try_send(out, ASK(1)) ? 1 : 0));
    switch (chan_select(on_send(out, ASK(4)), on_recv(in, &got),
                        on_send(out, chan_select(on_recv(in, NULL), on_default())))) {
    case 0:
        chan_range (v1, in)
            chan_range (v2, in)
                got += v1 + v2;
        break;
    default:
        chan_range (v1, in) {
            chan_range (v2, in) {
                chan_range (v3, in)
                    if (v3 == v1)
                        chan_send(out, v2);
            }
        }
    }
    names->go = names->chan = names->on_recv = names->chan_send = names->on_default = got;
    return chan_put(out, RN_NEVER, ASK(chan_put(out, 0, 1))) + a + c + v + n + p + h + i + ch + k;
}
