/*
 * cxx.cpp - defer, panic and recover in C++: the macros compile, recover knows mangled names, and
 * destructors of frames that end normally run in order with the deferred calls.
 *
 * Invariants
 *  - Frames that a panic abandons hold no objects with destructors: those do not run.
 */
#include <runnel/panic.h>
#include <cstdio>
#include <cstdlib>
#include <string>

static std::string calls;

#define CHECK(cond)                                                                             \
    ((cond) ? (void)0                                                                           \
            : (std::fprintf(stderr, "%s:%d: CHECK(%s) failed; calls: %s\n", __FILE__, __LINE__, \
                            #cond, calls.c_str()),                                              \
               std::exit(1)))

static void note(void *s)
{
    calls += static_cast<const char *>(s);
}

static void *text(const char *s)
{
    return const_cast<char *>(s);
}

static void take(const rn_panic_info *info)
{
    calls += info != nullptr ? info->text : "NULL";
}

static void direct(void *)
{
    take(recover());
}

namespace deep
{
namespace down
{
__attribute__((noinline)) void in_a_namespace(void *)
{
    take(recover());
}
} // namespace down
} // namespace deep

struct with_static {
    static void member(void *)
    {
        take(recover());
    }
    static void calls_direct(void *p)
    {
        direct(p); /* inlined or jumped to: not what was deferred */
    }
};

static int panics(void (*fn)(void *))
{
    rn_recoverable(7);
    defer(note, text("1"));
    defer(fn, nullptr);
    defer(note, text("2"));
    panic("boom");
}

struct object {
    ~object()
    {
        calls += "o";
    }
};

static void mixed()
{
    defer(note, text("a"));
    object o;
    defer(note, text("b"));
    rn_function;
    for (int i = 0; i < 6; i++)
        defer_fn(note, text("f"));
}

static void unrecovered(void *)
{
    panics(with_static::calls_direct);
}

int main()
{
    mixed();
    CHECK(calls == "ffffffboa");
    calls.clear();
    CHECK(panics(direct) == 7 && calls == "2boom1");
    calls.clear();
    CHECK(panics(deep::down::in_a_namespace) == 7 && calls == "2boom1");
    calls.clear();
    CHECK(panics(with_static::member) == 7 && calls == "2boom1");
    calls.clear();
    CHECK(panics([](void *) { take(recover()); }) == 7 && calls == "2boom1");
    calls.clear();
    rn_panic_info info;
    CHECK(!rn_try(unrecovered, nullptr, &info) && calls == "2NULL1");
    CHECK(std::string(info.text) == "boom");
    std::puts("ok");
    return 0;
}
