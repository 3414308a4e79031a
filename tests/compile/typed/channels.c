// What the channel macros call: arguments evaluated once, values copied, addresses, places.
// also: c++
#include "record.h"

struct job {
    int id;
    double w;
};
struct wide {
    char b[100];
};

static int picks;
static chan(int) pick(chan(int) c)
{
    picks++;
    return c;
}

static int line_of(const char *site)
{
    return atoi(strrchr(site, ':') + 1);
}

static void drop(void *elem)
{
    (void)elem;
}

static void making(void)
{
    chan(int) c = chan_make(int, 3);
    const char *here = RN_HERE;
    CHECK(calls == 1 && SAME(rec.call, "make"));
    CHECK(c == AS(chan(int), H0));
    CHECK(rec.size == sizeof(int) && rec.n == 3 && SAME(rec.type, "int"));
    CHECK(strncmp(rec.site, here, strcspn(here, ":")) == 0);
    CHECK(line_of(rec.site) == line_of(here) - 1);

    /* names as written, also of macros such as bool */
    chan(bool) b = chan_make(bool, 0);
    CHECK(b != NULL && SAME(rec.type, "bool") && rec.size == sizeof(bool));
    chan(struct job) j = rn_chan_make(struct job, 0);
    CHECK(j != NULL && SAME(rec.type, "struct job") && rec.size == sizeof(struct job));
    chan(chan(int)) cc = chan_make(chan(int), 1);
    CHECK(cc != NULL && SAME(rec.type, "chan(int)") && rec.size == sizeof(void *));
    chan(rn_unit) u = chan_make(rn_unit, 7);
    CHECK(u != NULL && rec.size == 0 && rec.n == 7);

    /* capacities of any integer type */
    signed char sc = -1;
    unsigned char uc = 255;
    unsigned int ui = 4000000000u;
    long l = -5;
    uint64_t max = UINT64_MAX, half = UINT64_C(1) << 63;
    bool yes = true;
#define CAP_IS(cap, is)          \
    do {                         \
        c = chan_make(int, cap); \
        CHECK(rec.n == (is));    \
    } while (0)
    CAP_IS(sc, -1);
    CAP_IS(uc, 255);
    CAP_IS(ui, INT64_C(4000000000));
    CAP_IS(l, -5);
    CAP_IS(max, -1);
    CAP_IS(half, INT64_MIN);
    CAP_IS(INT64_MIN, INT64_MIN);
    CAP_IS(INT64_MAX, INT64_MAX);
    CAP_IS(yes, 1);
    CAP_IS(RN_OP_AFTER, 4);
    CAP_IS(2 + 3, 5);
    int n = 4;
    c = chan_make(int, n++);
    CHECK(n == 5 && rec.n == 4);

#if !defined(__cplusplus) || __cplusplus >= 202002L
    c = chan_make_with(int, n++, .drop = drop, .name = "jobs");
    CHECK(n == 6 && rec.n == 5 && SAME(rec.call, "make_with") && SAME(rec.type, "int"));
    CHECK(rec.drop == drop && SAME(rec.name, "jobs"));
    c = chan_make_with(int, 1, .name = "only");
    CHECK(rec.drop == NULL && SAME(rec.name, "only"));
#else
    c = chan_make_with(int, n++, drop, "jobs");
    CHECK(n == 6 && rec.n == 5 && SAME(rec.call, "make_with") && SAME(rec.type, "int"));
    CHECK(rec.drop == drop && SAME(rec.name, "jobs"));
#endif
}

static void sending(void)
{
    chan(int) c = AS(chan(int), H0), arr[2] = {AS(chan(int), H0), AS(chan(int), H1)};
    int i = 41, k = 1, v;
    answer = true;
    elem_size = sizeof(int);

    calls = picks = 0;
    chan_send(pick(arr[k++]), i++);
    CHECK(calls == 1 && picks == 1 && k == 2 && i == 42);
    CHECK(SAME(rec.call, "send") && rec.c == H1 && rec.elem != &i);
    memcpy(&v, rec.bytes, sizeof v);
    CHECK(v == 41);

    /* the channel first, then the value */
    picks = 0;
    chan_send(pick(c), picks);
    memcpy(&v, rec.bytes, sizeof v);
    CHECK(v == 1);

    /* converted as by assignment */
    chan_send(c, 'x');
    memcpy(&v, rec.bytes, sizeof v);
    CHECK(v == 'x');

    /* a later write does not reach what was sent */
    chan_send(c, i);
    CHECK(rec.elem != &i);

    /* closed: the panic gets the same channel and the same place */
    answer = false;
    calls = picks = 0;
    const char *volatile above = NULL;
    if (setjmp(on_closed) == 0) {
        above = RN_HERE;
        chan_send(pick(c), i++);
        CHECK(0);
    }
    CHECK(calls == 2 && picks == 1 && SAME(rec.call, "send_on_closed"));
    CHECK(rec.c == H0 && line_of(rec.site) == line_of(above) + 1);
    answer = true;

    /* structs, commas, and members that cannot be assigned */
    chan(struct job) jobs = AS(chan(struct job), H1);
    elem_size = sizeof(struct job);
    struct job j = {3, 0.5}, got;
#ifdef __cplusplus
    chan_send(jobs, job{7, 2.5});
#else
    chan_send(jobs, (struct job){7, 2.5});
#endif
    memcpy(&got, rec.bytes, sizeof got);
    CHECK(rec.c == H1 && got.id == 7 && got.w == 2.5);
    chan_send(jobs, j);
    CHECK(rec.elem != &j);
    const struct job *cj = &j;
    calls = 0;
    chan_send_from(jobs, cj);
    CHECK(calls == 1 && rec.elem == &j && rec.c == H1);

    /* an expression like any other */
    elem_size = sizeof(int);
    calls = 0;
    (k == 2) ? chan_send(c, 1) : chan_send(c, 2);
    if (k == 2)
        chan_send(c, 3);
    else
        chan_send(c, 4);
    memcpy(&v, rec.bytes, sizeof v);
    CHECK(calls == 2 && v == 3);

    /* the other sends */
    calls = picks = 0;
    CHECK(chan_try_send(pick(c), i++));
    CHECK(calls == 1 && picks == 1 && SAME(rec.call, "try_send") && rec.c == H0);
    answer = false;
    CHECK(!chan_try_send(c, i));
    answer_n = -32;
    calls = picks = 0;
    int64_t t = 9;
    int before = i;
    CHECK(chan_put(pick(c), t++, i++) == -32);
    CHECK(calls == 1 && picks == 1 && t == 10 && i == before + 1);
    CHECK(SAME(rec.call, "put") && rec.n == 9 && rec.c == H0);
    memcpy(&v, rec.bytes, sizeof v);
    CHECK(v == before);

    send_chan(int) out = c;
    answer = true;
    chan_send(out, 5);
    CHECK(rec.c == H0);
    send_chan(int) const fixed = out;
    chan_send(fixed, 5);
    CHECK(rec.c == H0);
    chan(int) none = NULL;
    chan_send(none, 5);
    CHECK(rec.c == NULL && rec.elem != NULL);

    /* no byte of the unit is anybody's business */
    chan(rn_unit) done = AS(chan(rn_unit), H0);
    rn_unit unit = {0};
    elem_size = 0;
    chan_send(done, unit);
    CHECK(rec.c == H0);
}

static void receiving(void)
{
    chan(int) c = AS(chan(int), H0);
    int v = 0, *p = &v;
    bool ok = false;
    elem_size = sizeof(int);
    received = 70;
    receives_left = 3;
    calls = picks = 0;
    CHECK(chan_recv(pick(c), p++));
    CHECK(calls == 1 && picks == 1 && p == &v + 1 && v == 70);
    CHECK(SAME(rec.call, "recv") && rec.c == H0 && rec.elem == &v);
    CHECK(chan_recv(c, NULL) && rec.elem == NULL);
    recv_chan(int) in = c;
    CHECK(chan_recv(in, &v) && v == 71);
    CHECK(!chan_recv(in, &v));

    answer = true;
    calls = 0;
    CHECK(chan_try_recv(in, &v, &ok) && rec.elem == &v && rec.ok == &ok);
    CHECK(chan_try_recv(in, NULL, NULL) && rec.elem == NULL && rec.ok == NULL);
    CHECK(chan_try_recv(in, NULL, &ok) && rec.elem == NULL && rec.ok == &ok);
    answer = false;
    CHECK(!chan_try_recv(in, &v, NULL) && calls == 4 && SAME(rec.call, "try_recv"));

    answer_n = -110;
    CHECK(chan_take(in, RN_NEVER, &v) == -110 && rec.n == INT64_MAX && rec.elem == &v);
    CHECK(chan_take(in, -1, NULL) == -110 && rec.n == -1 && rec.elem == NULL);
}

/* Leaves by return from the innermost of two ranges. */
static int find(recv_chan(int) a, recv_chan(int) b, int wanted)
{
    chan_range (x, a)
        chan_range (y, b)
            if (x + y == wanted)
                return x;
    return -1;
}

static void ranging(void)
{
    chan(int) c = AS(chan(int), H0), d = AS(chan(int), H1);
    int sum = 0, rounds = 0;
    elem_size = sizeof(int);

    received = 1, receives_left = 4, calls = picks = 0;
    chan_range (v, pick(c))
        sum += v;
    CHECK(sum == 10 && picks == 1 && calls == 5 && rec.c == H0);

    /* break leaves the range only, continue goes on with it */
    sum = 0;
    for (int i = 0; i < 2; i++) {
        received = 1, receives_left = 9;
        chan_range (v, c) {
            if (v == 2)
                continue;
            if (v == 5)
                break;
            sum += v;
        }
        rounds++;
    }
    CHECK(sum == 2 * (1 + 3 + 4) && rounds == 2 && receives_left == 4);

    /* nested, and each with its own channel */
    received = 1, receives_left = 3, rounds = 0;
    chan_range (x, c) {
        CHECK(rec.c == H0 && x == 1);
        chan_range (y, d) {
            CHECK(rec.c == H1 && y > x);
            rounds++;
        }
        CHECK(rec.c == H1);
    }
    CHECK(rounds == 2 && rec.c == H0);

    received = 1, receives_left = 5;
    CHECK(find(c, d, 4) == 1 && receives_left == 2);

    /* an else belongs to the if that it stands under */
    receives_left = 0, rounds = 0;
    if (rounds != 0)
        chan_range (v, c)
            sum += v;
    else
        rounds = 7;
    CHECK(rounds == 7);

    /* goto, and a channel that is NULL, and a loop variable that the body changes */
    received = 1, receives_left = 2;
    chan(int) none = NULL;
    chan_range (v, none) {
        CHECK(rec.c == NULL);
        v = 100;
        if (receives_left == 0)
            goto out;
    }
    CHECK(0);
out:
    CHECK(receives_left == 0);
}

static void owning(void)
{
    chan(int) c = AS(chan(int), H0);
    recv_chan(int) in = c;
    send_chan(int) out = c;

    calls = picks = 0;
    chan_close(pick(c));
    CHECK(calls == 1 && picks == 1 && SAME(rec.call, "close") && rec.c == H0 && rec.site != NULL);
    chan_close(out);
    CHECK(rec.c == H0);
    answer = true;
    CHECK(chan_try_close(out) && SAME(rec.call, "try_close"));
    CHECK(chan_len(in) == 3 && rec.c == H0 && chan_cap(out) == 8 && rec.c == H0);
    CHECK(chan_len(pick(c)) == 3 && picks == 2);

    chan(int) again = chan_ref(pick(c));
    CHECK(picks == 3 && again == c && SAME(rec.call, "ref"));
    recv_chan(int) const fixed = chan_ref(in);
    recv_chan(int) more = chan_ref(fixed);
    CHECK(more == in);
    chan_unref(fixed);
    CHECK(SAME(rec.call, "unref") && rec.c == H0 && rec.site != NULL);
    chan_unref(pick(c));
    CHECK(picks == 4);

    answer_n = -12;
    CHECK(chan_name(in, "jobs") == -12 && SAME(rec.name, "jobs") && rec.c == H0);
    answer_n = 5;
    CHECK(chan_fd(in) == 5 && SAME(rec.call, "fd"));
}

static int leave_scope(int how)
{
    for (int i = 0; i < 2; i++) {
        chan_auto(int) c = AS(chan(int), H1);
        chan_auto(struct job) d = AS(chan(struct job), H0);
        calls = 0;
        (void)c;
        (void)d;
        if (how == 1)
            break;
        if (how == 2)
            continue;
        if (how == 3)
            return 3;
        if (how == 4)
            goto out;
    }
    return 0;
out:
    return 4;
}

static void scopes(void)
{
    for (int how = 0; how < 5; how++) {
        memset((void *)&rec, 0, sizeof rec);
        leave_scope(how);
        CHECK(calls == 2 && SAME(rec.call, "unref") && rec.c == H1);
    }
    {
        chan_auto(int) c = AS(chan(int), H1);
        CHECK(c == AS(chan(int), H1));
        c = AS(chan(int), H0); /* what it holds in the end is what counts */
    }
    CHECK(rec.c == H0);
}

/* The largest elements do not meet on the stack, and travel whole. */
static void wide_elements(void)
{
    struct wide w;
    memset(w.b, 7, sizeof w.b);
    chan(struct wide) c = AS(chan(struct wide), H0);
    answer = true;
    elem_size = sizeof w;
    chan_send(c, w);
    CHECK(memcmp(rec.bytes, w.b, sizeof w.b) == 0 && rec.elem != &w);
    chan_send_from(c, &w);
    CHECK(rec.elem == &w);
}

int main(void)
{
    making();
    sending();
    receiving();
    ranging();
    owning();
    scopes();
    wide_elements();
    return 0;
}
