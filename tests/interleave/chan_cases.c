/*
 * chan_cases.c - send, receive, select and close, every interleaving.
 *
 * The mixes run every combination of operations that two or three goroutines can do on two channels.
 * Each send and each send case has a value of its own, so the checks at the end know where every value
 * must be. The handful of cases after them need more than one operation in a row.
 */
#include "world.h"
#include "../../src/chan/hchan.h"
#include <string.h>

enum { A, B, CHANS };
enum { SEND = 1, RECV = 0 }; /* a case is channel * 2 + direction */
enum op { PLAIN, SELECT, DEFAULT, TIMED, CLOSE, TRY };
enum { UNTOUCHED = 0xEEEE };

/* What a goroutine does: one operation, of one or two cases. */
struct job {
    enum op op;
    uint8_t k[2];
};

static rn_hchan *chan[CHANS];
static struct job job[IL_THREADS];
static bool unordered; /* mixes: goroutines are not interchangeable */
static int jobs;       /* goroutines; a timer thread may come after them */
static struct result {
    int which;        /* the case that was done; -1: default, time-out, not ready; -2: close */
    bool ok;          /* it was done on an open channel */
    uint64_t into[2]; /* destinations of receives */
} result[IL_THREADS];
static uint64_t took[64]; /* in order: values received; for the cases after the mixes */
static int ntook;

size_t rn_hchan_len(const rn_hchan *c)
{
    return c->count;
}

static rn_hchan *make(size_t cap)
{
    rn_hchan *c = il_calloc(1, sizeof *c);
    c->size = 8;
    c->flags = RN__CH_IN_USE;
    c->fd = -1;
    c->cap = cap;
    c->buf = c->sendp = c->recvp = cap != 0 ? c->small : NULL;
    c->end = c->buf != NULL ? c->buf + cap * 8 : NULL;
    c->word = rn__chan_next_word(c, 0);
    return c;
}

static uint64_t value_of(int t, int k)
{
    return (uint64_t)t * 2 + (uint64_t)k + 1;
}

static int cases_of(const struct job *j)
{
    return j->op == SELECT || j->op == DEFAULT || j->op == TIMED ? 2 : 1;
}

/* ------------------------------------------------------------------------------------ the mixes */

/* The n-th job of those in `ops`, a bit per enum op. False if there are not so many. */
static bool nth_job(int n, unsigned ops, struct job *j)
{
    for (enum op op = PLAIN; op <= TRY; op++) {
        if (!(ops >> op & 1))
            continue;
        for (uint8_t x = 0; x < CHANS * 2; x++) {
            /* the order of a select's cases makes no difference; close has no direction */
            int seconds = op == SELECT || op == DEFAULT || op == TIMED ? CHANS * 2 - x : 1;
            if (op == CLOSE && x % 2 != 0)
                continue;
            if (n < seconds) {
                *j = (struct job){op, {x, (uint8_t)(x + n)}};
                return true;
            }
            n -= seconds;
        }
    }
    return false;
}

/* Unpacks il_mix() into one job for each goroutine; goroutines are interchangeable. */
static void mix(int goroutines, unsigned ops, int count)
{
    int m = il_mix(), last = 0;
    jobs = goroutines;
    for (int t = 0; t < goroutines; t++) {
        int n = m % count;
        m /= count;
        if ((n < last && !unordered) || !nth_job(n, ops, &job[t]))
            il_skip();
        last = n;
    }
}

static void do_select(int t, const struct job *j)
{
    struct result *r = &result[t];
    rn_case k[3];
    uint64_t value[2] = {value_of(t, 0), value_of(t, 1)};
    bool ok[2] = {false, false};
    for (int i = 0; i < 2; i++) {
        k[i] = (rn_case){.c = chan[j->k[i] / 2],
                         .elem = j->k[i] % 2 == SEND ? &value[i] : &r->into[i],
                         .ok = &ok[i],
                         .op = j->k[i] % 2 == SEND ? RN_OP_SEND : RN_OP_RECV};
    }
    k[2] = (rn_case){.op = j->op == DEFAULT ? RN_OP_DEFAULT : RN_OP_AFTER, .t = 1000};
    r->which = rn_hselect(k, j->op == SELECT ? 2 : 3, "");
    if (r->which == 2)
        r->which = -1;
    else
        r->ok = j->k[r->which] % 2 == SEND || ok[r->which];
}

static void do_job(int t)
{
    struct job *j = &job[t];
    struct result *r = &result[t];
    rn_hchan *c = chan[j->k[0] / 2];
    uint64_t value = value_of(t, 0);
    bool ok = false;
    switch (j->op) {
    case PLAIN:
        r->ok = j->k[0] % 2 == SEND ? rn_hchan_send(c, &value, "") : rn_hchan_recv(c, r->into, "");
        break;
    case TRY:
        if (j->k[0] % 2 == SEND)
            ok = rn_hchan_try_send(c, &value, "");
        else if (!rn_hchan_try_recv(c, r->into, &ok, ""))
            r->which = -1;
        if (j->k[0] % 2 == SEND && !ok)
            r->which = -1;
        r->ok = ok;
        break;
    case CLOSE:
        rn_hchan_close(c, "");
        r->which = -2;
        break;
    default: do_select(t, j);
    }
}

static void mix_body(int t)
{
    if (t == jobs) {
        w_timer_thread();
        return;
    }
    result[t].into[0] = result[t].into[1] = UNTOUCHED;
    do_job(t);
}

/* A goroutine that is still there waits for good reason: nobody could serve it. */
static void check_parked(int t)
{
    IL_CHECK(il_parked(t));
    IL_CHECK(job[t].op == PLAIN || job[t].op == SELECT);
    for (int i = 0; i < cases_of(&job[t]); i++) {
        int x = job[t].k[i];
        rn_hchan *c = chan[x / 2];
        IL_CHECK(!(c->word & RN__CH_CLOSED));
        IL_CHECK(x % 2 == SEND ? c->count == c->cap : c->count == 0);
        for (int u = 0; u < jobs; u++) {
            if (u == t || il_done(u))
                continue;
            for (int l = 0; l < cases_of(&job[u]); l++)
                if (job[u].k[l] == (x ^ 1))
                    il_fail("goroutines %d and %d miss each other", t, u);
        }
    }
}

/* Queues hold exactly the waiters of the parked, and the word tells the truth. */
static void check_channel(rn_hchan *c)
{
    int waiting = 0, expected = 0;
    rn__sudog *q[2] = {c->recvq, c->sendq};
    for (int i = 0; i < 2; i++) {
        rn__sudog *w = q[i];
        for (int n = 0; w != NULL && n < 100; n++) {
            IL_CHECK(!il_done((int)(w->g - w_g)) && w->c == c && w->is_send == (i == 1));
            waiting++;
            w = w->next == q[i] ? NULL : w->next;
        }
    }
    for (int t = 0; t < jobs; t++)
        for (int i = 0; !il_done(t) && i < cases_of(&job[t]); i++)
            expected += chan[job[t].k[i] / 2] == c;
    IL_CHECK(waiting == expected);
    uint64_t flags = (c->count > 0 || c->sendq != NULL ? RN__CH_VALUE : 0) |
                     (c->count < c->cap || c->recvq != NULL ? RN__CH_ROOM : 0);
    IL_CHECK((c->word & (RN__CH_LOCK | RN__CH_VALUE | RN__CH_ROOM)) == flags);
}

/* How often a value arrived or lies in a buffer. */
static int places_of(uint64_t v)
{
    int n = 0;
    for (int t = 0; t < jobs; t++)
        for (int i = 0; i < 2; i++)
            n += result[t].into[i] == v;
    for (int i = 0; i < CHANS; i++) {
        char *slot = chan[i]->recvp;
        for (size_t k = 0; k < chan[i]->count; k++, slot = rn__ring_next(chan[i], slot))
            n += *(uint64_t *)(void *)slot == v;
    }
    return n;
}

static void mix_final(void)
{
    for (int t = 0; t < jobs; t++) {
        struct result *r = &result[t];
        for (int i = 0; i < cases_of(&job[t]); i++) {
            bool is_send = job[t].k[i] % 2 == SEND, done = il_done(t) && w_panic[t] == NULL;
            bool chosen = done && r->which == i && job[t].op != CLOSE;
            if (is_send && job[t].op != CLOSE)
                IL_CHECK(places_of(value_of(t, i)) == (chosen && r->ok));
            else if (!chosen)
                IL_CHECK(r->into[i] == UNTOUCHED);
            else if (!r->ok)
                IL_CHECK(r->into[i] == 0 && (chan[job[t].k[i] / 2]->word & RN__CH_CLOSED));
        }
        if (!il_done(t))
            check_parked(t);
        else if (w_panic[t] != NULL)
            IL_CHECK(strcmp(w_panic[t], job[t].op == CLOSE ? "close of closed channel"
                                                           : "send on closed channel") == 0);
    }
    for (int i = 0; i < CHANS; i++)
        check_channel(chan[i]);
}

#define OP(x) (1u << (x))
#define MIX(id, goroutines, ops, count, cap_a, cap_b) \
    static void setup_##id(void)                      \
    {                                                 \
        chan[A] = make(cap_a);                        \
        chan[B] = make(cap_b);                        \
        mix(goroutines, ops, count);                  \
    }
/* plain 4, each kind of select 10, close 2, try 4 */
MIX(two_00, 2, OP(PLAIN) | OP(SELECT) | OP(DEFAULT) | OP(CLOSE) | OP(TRY), 30, 0, 0)
MIX(two_10, 2, OP(PLAIN) | OP(SELECT) | OP(DEFAULT) | OP(CLOSE) | OP(TRY), 30, 1, 0)
/* two timers at once only where the selects meet on both channels */
static void setup_timed(void)
{
    chan[A] = make(1);
    chan[B] = make(0);
    mix(2, OP(PLAIN) | OP(SELECT) | OP(TIMED) | OP(CLOSE), 26);
    if (job[0].op == TIMED && job[1].op == TIMED &&
        !(job[0].k[0] == (job[1].k[0] ^ 1) && job[0].k[1] == (job[1].k[1] ^ 1)))
        il_skip();
}
/* two selects of two different cases, and a plain operation */
static void setup_three(size_t cap_a)
{
    chan[A] = make(cap_a);
    chan[B] = make(0);
    mix(3, OP(PLAIN) | OP(SELECT), 14);
    if (job[0].op != PLAIN || job[1].op != SELECT || job[1].k[0] == job[1].k[1] ||
        job[2].k[0] == job[2].k[1])
        il_skip();
}
static void setup_three_00(void)
{
    setup_three(0);
}
static void setup_three_10(void)
{
    setup_three(1);
}
MIX(three_all_00, 3, OP(PLAIN) | OP(SELECT), 14, 0, 0)
MIX(three_all_10, 3, OP(PLAIN) | OP(SELECT) | OP(CLOSE), 16, 1, 0)
MIX(three_close, 3, OP(PLAIN) | OP(CLOSE) | OP(TRY), 10, 1, 0)

/* ----------------------------------------------------------------------- more than one operation */

static void send_value(rn_hchan *c, uint64_t v)
{
    IL_CHECK(rn_hchan_send(c, &v, ""));
}
static uint64_t recv_value(rn_hchan *c)
{
    uint64_t v = 0;
    IL_CHECK(rn_hchan_recv(c, &v, ""));
    return v;
}

/* Three values through a buffer of one; thread 1 takes two of them, in order. */
static void order_setup(void)
{
    chan[A] = make(1);
}
static void order_body(int t)
{
    uint64_t before = 0;
    for (uint64_t v = 1; v <= (t == 0 ? 3 : t == 1 ? 2 : 1); v++) {
        if (t == 0) {
            send_value(chan[A], v);
            continue;
        }
        uint64_t got = recv_value(chan[A]);
        IL_CHECK(got > before);
        took[ntook++] = before = got;
    }
}
static void order_final(void)
{
    IL_CHECK(ntook == 3 && took[0] + took[1] + took[2] == 6 && il_done(0) && chan[A]->count == 0);
}

/* A token moves from B to A and on, being in the next place before it leaves the last: at every instant
 * one of them has it, so a select of both must not take its default. Three moves, for a select may
 * look twice. */
static void token_setup(void)
{
    chan[A] = make(1);
    chan[B] = make(1);
    send_value(chan[B], 7);
}
static void token_body(int t)
{
    if (t == 0) {
        for (int i = 0; i < 3; i++) {
            send_value(chan[i % 2 == 0 ? A : B], 7);
            IL_CHECK(recv_value(chan[i % 2 == 0 ? B : A]) == 7);
        }
        return;
    }
    uint64_t v = 0;
    rn_case k[] = {{.c = chan[A], .elem = &v, .op = RN_OP_RECV},
                   {.c = chan[B], .elem = &v, .op = RN_OP_RECV},
                   {.op = RN_OP_DEFAULT}};
    int i = rn_hselect(k, 3, "");
    IL_CHECK(i != 2 && v == 7);
    send_value(chan[i], 7); /* where it was, so that thread 0 can end */
}
static void token_final(void)
{
    IL_CHECK(il_done(0) && il_done(1));
}

/* send on A, try B  against  send on B, try A: one of the tries must see the other's value. */
static bool missed[2];
static rn_hchan *quiet_chan;
static void litmus_setup(void)
{
    quiet_chan = make(1);
    chan[A] = make(1);
    chan[B] = make(1);
}
static void litmus_body(int t)
{
    uint64_t v;
    bool ok;
    send_value(chan[t], 5);
    missed[t] = !rn_hchan_try_recv(chan[1 - t], &v, &ok, "");
}
static void litmus_select_body(int t)
{
    uint64_t v;
    rn_case k[] = {
        {.c = chan[1 - t], .elem = &v, .op = RN_OP_RECV},
        {.c = quiet_chan, .elem = &v, .op = RN_OP_RECV}, /* with one case it were a try */
        {.op = RN_OP_DEFAULT}};
    send_value(chan[t], 5);
    missed[t] = rn_hselect(k, 3, "") == 2;
}
static void litmus_final(void)
{
    IL_CHECK(!(missed[0] && missed[1]));
}

/* Whoever the channel belongs to frees it as soon as its own operation has returned, wherever the
 * other side is: variant 0 the sender, 1 the receiver. */
static void free_if_mine(int t, rn_hchan *c)
{
    if (t == il_mix())
        il_free(c);
}
static void free_setup(void)
{
    chan[A] = make(0);
}
static void free_body(int t)
{
    rn_hchan *c = chan[A];
    if (t == 0)
        send_value(c, 3);
    else
        IL_CHECK(recv_value(c) == 3);
    free_if_mine(t, c);
}
static void free_select_body(int t)
{
    rn_hchan *c = chan[A];
    uint64_t v = 3;
    rn_case k[] = {{.c = c, .elem = &v, .op = t == 0 ? RN_OP_SEND : RN_OP_RECV},
                   {.op = RN_OP_RECV},
                   {.op = RN_OP_AFTER, .t = RN_NEVER}};
    IL_CHECK(rn_hselect(k, 3, "") == 0 && v == 3);
    free_if_mine(t, c);
}
static void free_final(void)
{
    IL_CHECK(il_done(0) && il_done(1));
}

/* The receiver frees after a close that let it go. */
static void free_close_body(int t)
{
    rn_hchan *c = chan[A];
    uint64_t v = 1;
    if (t == 0) {
        rn_hchan_close(c, "");
        return;
    }
    IL_CHECK(!rn_hchan_recv(c, &v, "") && v == 0);
    il_free(c);
}

/* Two selects that meet on two channels, their cases in opposite order. */
static void cross_body(int t)
{
    uint64_t v[2] = {value_of(t, 0), value_of(t, 1)};
    uint8_t op = t == 0 ? RN_OP_SEND : RN_OP_RECV;
    rn_case k[] = {{.c = chan[t], .elem = &v[0], .op = op},
                   {.c = chan[1 - t], .elem = &v[1], .op = op}};
    result[t].which = rn_hselect(k, 2, "");
    result[t].into[0] = v[result[t].which];
}
static void cross_final(void)
{
    IL_CHECK(il_done(0) && il_done(1));
    IL_CHECK(result[0].which == 1 - result[1].which && result[0].into[0] == result[1].into[0]);
}

/* One goroutine selects twice, with a time-out, on channels that others serve: waiters and token are
 * used again, and an old timer must not end the second wait with anything but a time-out. */
static void again_setup(void)
{
    chan[A] = make(0);
    chan[B] = make(0);
}
static void again_body(int t)
{
    if (t == 2) {
        w_timer_thread();
    } else if (t == 1) {
        uint64_t v = recv_value(chan[A]);
        took[ntook++] = v;
    } else {
        for (uint64_t v = 1; v <= 2; v++) {
            uint64_t in = UNTOUCHED;
            rn_case k[] = {{.c = chan[A], .elem = &v, .op = RN_OP_SEND},
                           {.c = chan[B], .elem = &in, .op = RN_OP_RECV},
                           {.op = RN_OP_AFTER, .t = 1000}};
            int i = rn_hselect(k, 3, "");
            IL_CHECK(i == 0 || i == 2);
            IL_CHECK(in == UNTOUCHED);
            missed[v - 1] = i == 2;
        }
    }
}
static void again_final(void)
{
    IL_CHECK(il_done(0));
    IL_CHECK(il_done(1) == (ntook == 1));
    IL_CHECK(ntook == !(missed[0] && missed[1]));
    check_channel(chan[B]);
}

/* Thread 0 is solo when the others come. Which goroutine it is makes a difference, so no mix is left
 * out as a renaming. */
static void solo_litmus_setup(void)
{
    litmus_setup();
    w_solo();
}
static void solo_free_setup(void)
{
    free_setup();
    w_solo();
}
static void solo_mix_setup(void)
{
    chan[A] = make(1);
    chan[B] = make(0);
    unordered = true;
    mix(2, OP(PLAIN) | OP(SELECT) | OP(DEFAULT) | OP(CLOSE) | OP(TRY), 30);
    w_solo();
}

const il_case il_chan_cases[] = {
    {"chan-free", 2, true, true, free_setup, free_body, free_final, 2},
    {"chan-free-select", 2, true, true, free_setup, free_select_body, free_final, 2},
    {"chan-free-close", 2, true, true, free_setup, free_close_body, free_final, 0},
    {"chan-litmus-try", 2, true, true, litmus_setup, litmus_body, litmus_final, 0},
    {"chan-litmus-select", 2, true, true, litmus_setup, litmus_select_body, litmus_final, 0},
    {"chan-token", 2, false, true, token_setup, token_body, token_final, 0},
    {"chan-order", 3, false, false, order_setup, order_body, order_final, 0},
    {"select-cross", 2, false, true, again_setup, cross_body, cross_final, 0},
    {"select-again", 3, false, true, again_setup, again_body, again_final, 0},
    {"mix-2-cap00", 2, false, true, setup_two_00, mix_body, mix_final, 30 * 30},
    {"mix-2-cap10", 2, false, true, setup_two_10, mix_body, mix_final, 30 * 30},
    {"mix-2-cap10-tso", 2, true, true, setup_two_10, mix_body, mix_final, 30 * 30},
    {"mix-2-timed", 3, false, false, setup_timed, mix_body, mix_final, 26 * 26},
    {"mix-3-close", 3, false, false, setup_three_close, mix_body, mix_final, 10 * 10 * 10},
    {"mix-3-cap00", 3, false, false, setup_three_00, mix_body, mix_final, 14 * 14 * 14},
    {"mix-3-cap10", 3, false, false, setup_three_10, mix_body, mix_final, 14 * 14 * 14},
    {"solo-free", 2, true, true, solo_free_setup, free_body, free_final, 2},
    {"solo-free-select", 2, true, true, solo_free_setup, free_select_body, free_final, 2},
    {"solo-litmus-try", 2, true, true, solo_litmus_setup, litmus_body, litmus_final, 0},
    {"solo-litmus-select", 2, true, true, solo_litmus_setup, litmus_select_body, litmus_final, 0},
    {"solo-mix-2", 2, true, true, solo_mix_setup, mix_body, mix_final, 30 * 30},
    {"full-mix-3-cap00", 3, false, false, setup_three_all_00, mix_body, mix_final, 14 * 14 * 14},
    {"full-mix-3-close", 3, false, false, setup_three_all_10, mix_body, mix_final, 16 * 16 * 16},
    {NULL, 0, false, false, NULL, NULL, NULL, 0},
};
