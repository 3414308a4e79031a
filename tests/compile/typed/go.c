// What go starts: copies of the converted arguments, the function itself, a record per statement.
// also: c++
#include "record.h"

struct job {
    int id;
    double w;
};

static int ran, sum;
static chan(int) seen;

static void worker(int id, recv_chan(int) in, send_chan(double) out)
{
    ran++;
    sum += id;
    seen = AS(chan(int), (void *)(uintptr_t)in);
    CHECK(out != NULL);
}
GO_FUNC(worker, int, recv_chan(int), send_chan(double));

static void nothing(void)
{
    ran += 100;
}
GO_FUNC(nothing);

static int returns(struct job j, const char *text, unsigned char c)
{
    CHECK(j.id == 4 && j.w == 0.25 && SAME(text, "text") && c == 7);
    ran++;
    return 5;
}
GO_FUNC(returns, struct job, const char *, unsigned char);

static void most(int a, char b, long c, short d, int e, int f, int g, int h, int i, int j, int k,
                 int l, int m, int n, int o, double p)
{
    CHECK(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6 && g == 7 && h == 8);
    CHECK(i == 9 && j == 10 && k == 11 && l == 12 && m == 13 && n == 14 && o == 15 && p == 16);
    ran++;
}
GO_FUNC(most, int, char, long, short, int, int, int, int, int, int, int, int, int, int, int,
        double);

static void callback(void (*fn)(int), int n)
{
    fn(n);
}
GO_FUNC(callback, void (*)(int), int);

static void add(int n)
{
    sum += n;
}

/* never started, and must not warn */
static void never(int n)
{
    sum -= n;
}
GO_FUNC(never, int);

/* a function of the C library, and one that is not static */
GO_FUNC(atoi, const char *);
void outer(int n);
GO_FUNC(outer, int);
void outer(int n)
{
    sum += 1000 * n;
}

static void with_arg(void *p)
{
    ++*(int *)p;
}

static void started(void)
{
    chan(int) in = AS(chan(int), H0);
    chan(double) out = AS(chan(double), H1);
    int id = 3;

    go(worker, id++, in, out);
    CHECK(id == 4 && calls == 1 && ran == 0);
    CHECK(SAME(rec.where->fname, "worker") && SAME(rec.where->creator, "started"));
    CHECK(strstr(rec.where->site, "go.c:") != NULL && !rec.has_attr);
    const rn_go_site *first = rec.where;
    run_started();
    CHECK(ran == 1 && sum == 3 && seen == in);

    /* every statement has its own record, and the same one each time */
    const rn_go_site *last = NULL;
    for (int i = 0; i < 3; i++) {
        go(worker, 'x', in, out);
        CHECK(rec.where != first && (last == NULL || rec.where == last));
        last = rec.where;
    }
    sum = 0;
    run_started();
    CHECK(sum == 'x');

    ran = 0;
    go(nothing);
    CHECK(SAME(rec.where->fname, "nothing"));
    run_started();
    go0(nothing);
    CHECK(SAME(rec.where->fname, "nothing") && SAME(rec.where->creator, "started"));
    run_started();
    CHECK(ran == 200);

    ran = 0;
    struct job j = {4, 0.25};
    go(returns, j, "text", 7);
    j.id = 9; /* too late */
    run_started();
    go(most, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    run_started();
    CHECK(ran == 2);

    sum = 0;
    go(callback, add, 5);
    run_started();
    go(outer, 2);
    run_started();
    go(atoi, "12");
    run_started();
    CHECK(sum == 2005);

    int n = 5, k = 0, *ps[2] = {&n, &k};
    go1(with_arg, ps[k++]);
    CHECK(k == 1 && SAME(rec.where->fname, "with_arg"));
    run_started();
    CHECK(n == 6);
    go1(with_arg, NULL);

    /* without a block, as a statement under if and else */
    if (n == 6)
        go(nothing);
    else
        go(worker, 1, in, out);
    CHECK(SAME(rec.where->fname, "nothing"));
}

static void with_attributes(void)
{
    rn_go_attr attr;
    memset((void *)&attr, 0, sizeof attr);
    attr.name = "w3";
    attr.stack = RN_STACK_SMALL;
    attr.stay = true;
    int n = 1;

    sum = ran = 0;
    go_with(attr, outer, n++);
    CHECK(n == 2 && rec.has_attr && SAME(rec.attr.name, "w3"));
    CHECK(rec.attr.stack == RN_STACK_SMALL && rec.attr.stay && SAME(rec.where->fname, "outer"));
    run_started();
    CHECK(sum == 1000);
    go_with(attr, nothing);
    CHECK(rec.has_attr && SAME(rec.attr.name, "w3"));
    run_started();
    go0_with(attr, nothing);
    CHECK(rec.has_attr && SAME(rec.where->fname, "nothing"));
    run_started();
    CHECK(ran == 200);
    go1_with(attr, with_arg, &n);
    CHECK(rec.has_attr && rec.attr.stay && SAME(rec.where->fname, "with_arg"));
    run_started();
    CHECK(n == 3);

#if !defined(__cplusplus)
    go_with(((rn_go_attr){.name = "w4", .stay = true}), outer, n);
#elif __cplusplus >= 202002L
    go_with((rn_go_attr{.name = "w4", .stay = true}), outer, n);
#else
    go_with((rn_go_attr{"w4", 0, true}), outer, n);
#endif
    CHECK(rec.has_attr && SAME(rec.attr.name, "w4") && rec.attr.stack == 0 && rec.attr.stay);
}

static int leave_blocking(int how)
{
    for (int i = 0; i < 2; i++) {
        rn_blocking
        {
            CHECK(SAME(rec.call, "blocking_enter"));
            if (how == 1)
                break;
            if (how == 2)
                continue;
            if (how == 3)
                return 3;
            if (how == 4)
                goto out;
            rn_blocking ran++;
        }
        CHECK(SAME(rec.call, "blocking_leave"));
    }
    return 0;
out:
    return 4;
}

static void blocking(void)
{
    static const int expected_calls[5] = {8, 4, 4, 2, 2};
    for (int how = 0; how < 5; how++) {
        calls = 0;
        leave_blocking(how);
        CHECK(calls == expected_calls[how] && SAME(rec.call, "blocking_leave"));
    }
}

int main(void)
{
    started();
    with_attributes();
    blocking();
    return 0;
}
