// go in C++: functions without GO_FUNC, conversions, lambdas, objects that own things.
#include "record.h"

#include <memory>
#include <string>

struct job {
    int id;
    double w;
};

static int ran;

static void plain(int id, recv_chan(int) in, const char *text)
{
    CHECK(id == 'x' && in == AS(recv_chan(int), H0) && SAME(text, "text"));
    ran++;
}

static void owns(const std::string &s, std::unique_ptr<int> p, std::string t)
{
    CHECK(s == "a long text that does not fit into the string itself" && *p == 6 && t == "short");
    ran++;
}

static int result(job j) noexcept
{
    CHECK(j.id == 3);
    return ++ran;
}

template <class T> static void twice(chan(T) c, T v)
{
    chan_send(c, v);
    go([=] {
        chan_send(c, v);
        ran++;
    });
}

struct counter {
    int *n, by;
    void operator()() const
    {
        *n += by;
    }
    void operator()(int times, long more) const
    {
        *n += by * times + int(more);
    }
};

/* Counts copies that live, to see that none is left. */
struct counted {
    static int live;
    counted()
    {
        live++;
    }
    counted(const counted &)
    {
        live++;
    }
    counted &operator=(const counted &) = default;
    ~counted()
    {
        live--;
    }
};
int counted::live;

namespace deep
{
static void inside(int n)
{
    ran += n;
}
} // namespace deep

static void functions()
{
    chan(int) c = AS(chan(int), H0);
    go(plain, 'x', c, "text");
    CHECK(SAME(rec.where->fname, "plain") && SAME(rec.where->creator, "functions"));
    CHECK(strstr(rec.where->site, "go_cxx.cpp:") != NULL && !rec.has_attr);
    run_started();
    go(owns, "a long text that does not fit into the string itself",
       std::unique_ptr<int>(new int(6)), std::string("short"));
    CHECK(rec.size == sizeof(void *));
    run_started();
    go(result, job{3, 0.5});
    run_started();
    CHECK(ran == 3);
    ran = 0;
    go(deep::inside, 4);
    CHECK(SAME(rec.where->fname, "deep::inside"));
    run_started();
    CHECK(ran == 4);
    go_with(rn_go_attr(), deep::inside, 1);
    CHECK(rec.has_attr && rec.attr.name == NULL);
    rn_go_attr named = rn_go_attr();
    named.name = "n";
    go_with(named, deep::inside, 1);
    CHECK(rec.has_attr && SAME(rec.attr.name, "n"));
}

static void lambdas()
{
    int n = 1, m = 2;
    go([&n, m] {
        int a = m, b = 3;
        n += a * b;
    });
    CHECK(SAME(rec.where->fname, "lambda") && SAME(rec.where->creator, "lambdas"));
    run_started();
    CHECK(n == 7);

    /* plain bytes are not allocated */
    go(counter{&n, 5});
    CHECK(rec.size == sizeof(counter));
    run_started();
    CHECK(n == 12);
    go(counter{&n, 5}, 2, 8L);
    run_started();
    CHECK(n == 30);

    std::string text = "another text that is too long for the string itself";
    go([text] { CHECK(text.size() == 51); });
    CHECK(rec.size == sizeof(void *));
    run_started();

    ran = 0;
    elem_size = sizeof(int);
    answer = true;
    twice(AS(chan(int), H1), 8);
    CHECK(SAME(rec.call, "go"));
    run_started();
    CHECK(ran == 1 && SAME(rec.call, "send") && rec.c == H1);

    {
        counted it;
        go([it] { (void)it; });
        CHECK(counted::live == 2);
        run_started();
        CHECK(counted::live == 1);
    }
    CHECK(counted::live == 0);

    /* nested */
    go([=] { go([=] { ran = 50; }); });
    run_started();
    run_started();
    CHECK(ran == 50);
}

int main()
{
    functions();
    lambdas();
    return 0;
}
