// What chan_select and its cases make: positions, operations, addresses, copies.
// also: c++
#include "record.h"

static int picks;
static chan(int) pick(chan(int) c)
{
    picks++;
    return c;
}

static int value_of(int i)
{
    int v;
    memcpy(&v, rec.value[i], sizeof v);
    return v;
}

static void cases(void)
{
    chan(int) a = AS(chan(int), H0), b = AS(chan(int), H1), none = NULL;
    recv_chan(int) in = a;
    send_chan(int) out = b;
    int x = 0, i = 5;
    int64_t t = 40;
    bool ok = false;
    elem_size = sizeof(int);

    answer_n = 3;
    calls = picks = 0;
    int got = chan_select(on_recv(pick(a), &x), on_recv(in, NULL), on_recv(a, &x, &ok),
                          on_send(pick(b), i++), on_send(out, 'x'), on_after(t++), on_deadline(77),
                          on_recv(none, NULL, NULL), on_default());
    CHECK(got == 3 && calls == 1 && picks == 2 && i == 6 && t == 41);
    CHECK(SAME(rec.call, "select") && rec.size == 9 && rec.site != NULL);
    CHECK(rec.cases[0].op == RN_OP_RECV && rec.cases[0].c == H0 && rec.cases[0].elem == &x);
    CHECK(rec.cases[0].ok == NULL);
    CHECK(rec.cases[1].op == RN_OP_RECV && rec.cases[1].c == H0 && rec.cases[1].elem == NULL);
    CHECK(rec.cases[2].op == RN_OP_RECV && rec.cases[2].elem == &x && rec.cases[2].ok == &ok);
    CHECK(rec.cases[3].op == RN_OP_SEND && rec.cases[3].c == H1 && value_of(3) == 5);
    CHECK(rec.cases[3].elem != &i && rec.cases[3].elem != rec.cases[4].elem);
    CHECK(rec.cases[4].op == RN_OP_SEND && rec.cases[4].c == H1 && value_of(4) == 'x');
    CHECK(rec.cases[5].op == RN_OP_AFTER && rec.cases[5].t == 40 && rec.cases[5].c == NULL);
    CHECK(rec.cases[6].op == RN_OP_DEADLINE && rec.cases[6].t == 77);
    CHECK(rec.cases[7].op == RN_OP_RECV && rec.cases[7].c == NULL && rec.cases[7].ok == NULL);
    CHECK(rec.cases[8].op == RN_OP_DEFAULT);

    /* one case, and none */
    CHECK(chan_select(on_default()) == 3 && rec.size == 1 && rec.cases[0].op == RN_OP_DEFAULT);
    CHECK(chan_select(on_send(b, 9)) == 3 && rec.size == 1 && value_of(0) == 9);
    CHECK(chan_select() == 3 && rec.size == 0 && rec.site != NULL);
    CHECK(rn_chan_select() == 3 && rec.size == 0);

    /* cases are values: kept, made by functions, in tables of any length */
    const rn_case kept = on_recv(a, &x);
    CHECK(chan_select(kept) == 3 && rec.size == 1 && rec.cases[0].elem == &x);
    CHECK(chan_select(kept, on_default()) == 3 && rec.size == 2);
    rn_case table[3] = {on_recv(a, NULL), on_after(RN_SEC), on_default()};
    table[0].c = NULL;
    int n = 2;
    CHECK(rn_select(table, n++) == 3 && n == 3);
    CHECK(rec.elem == table && rec.size == 2 && rec.cases[1].t == RN_SEC && rec.site != NULL);
    const rn_case *fixed = table;
    CHECK(rn_select(fixed, (size_t)3) == 3 && rec.size == 3);
}

/* break ends the switch, continue the loop around it: there is no hidden loop. */
static void control_flow(void)
{
    chan(int) a = AS(chan(int), H0);
    int x, log = 0;
    for (int i = 0; i < 4; i++) {
        answer_n = i;
        switch (chan_select(on_recv(a, &x), on_send(a, i), on_after(0), on_default())) {
        case 0: log += 1; break;
        case 1: log += 10; continue;
        case 2: log += 100; break;
        case 3: log += 1000; goto out;
        }
        log += 10000;
    }
out:
    CHECK(log == 21111);
}

#ifndef __cplusplus
struct pair {
    int a, b;
};

/* In C the copies live until the end of the block, so that a table can be filled case by case. */
static void table_of_sends(chan(struct pair) c)
{
    rn_case table[3];
    struct pair got;
    table[0] = on_send(c, (struct pair){1, 2});
    table[1] = on_send(c, (struct pair){3, 4});
    table[2] = on_send(c, (struct pair){5, 6});
    elem_size = sizeof(struct pair);
    CHECK(rn_select(table, 3) == answer_n);
    for (int i = 0; i < 3; i++) {
        memcpy(&got, rec.value[i], sizeof got);
        CHECK(got.a == 2 * i + 1 && got.b == 2 * i + 2);
    }
    CHECK(chan_select((rn_case){.op = RN_OP_DEFAULT, .t = 5}) == answer_n && rec.size == 1);
    CHECK(rec.cases[0].op == RN_OP_DEFAULT && rec.cases[0].t == 5);
    CHECK(chan_select((rn_case){.op = RN_OP_AFTER, .t = 5}, on_default()) == answer_n);
    CHECK(rec.size == 2 && rec.cases[0].op == RN_OP_AFTER);
    CHECK(chan_select(table[0], table[1]) == answer_n && rec.size == 2);
    CHECK(chan_select(on_send(c, (struct pair){7, 8}), on_default()) == answer_n);
    memcpy(&got, rec.value[0], sizeof got);
    CHECK(got.a == 7 && got.b == 8 && rec.size == 2);
}
#endif

int main(void)
{
    cases();
    control_flow();
#ifndef __cplusplus
    table_of_sends(AS(chan(struct pair), H0));
#endif
    return 0;
}
