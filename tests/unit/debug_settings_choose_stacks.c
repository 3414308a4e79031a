/*
 * RUNNEL_DEBUG=stack=BYTES changes the default class and guard=... the kind of guards, among other
 * settings and not by halves of names.
 */
#include "unit.h"
#include "stack/stack.h"

static void expect_class(void *arg)
{
    const char **want = arg;
    setenv("RUNNEL_DEBUG", want[0], 1);
    CHECK_EQ(rn__stack_class(0), rn__stack_class((size_t)atol(want[1])));
    CHECK_EQ(rn__stack_class(1), rn__stack_class(2048));
}

static void expect_none(void *arg)
{
    static rn__stack_pool pool;
    setenv("RUNNEL_DEBUG", arg, 1);
    rn__stack *s = rn__stack_get(&pool, (unsigned)rn__stack_class(64 << 10));
    CHECK(s != NULL);
    CHECK_EQ(rn__guard_kind(), RN__GUARD_NONE);
    CHECK(unit_readable(s->lo - 1));
    s->lo[-1] ^= 1;
    CHECK(rn__stack_smashed(s));
}

static void expect_mprotect(void *arg)
{
    static rn__stack_pool pool;
    setenv("RUNNEL_DEBUG", arg, 1);
    rn__stack *s = rn__stack_get(&pool, (unsigned)rn__stack_class(64 << 10));
    CHECK(s != NULL);
    CHECK_EQ(rn__guard_kind(), RN__GUARD_MPROTECT);
    CHECK(!unit_readable(s->lo - 1));
}

int main(void)
{
    static const char *const cases[][2] = {
        {"", "65536"},
        {"stack=131072", "131072"},
        {"schedtrace=1000,stack=0x100000,seed=3", "1048576"},
        {"stack=999999999999", "268435456"},
        {"stack=x", "65536"},
        {"mystack=131072", "65536"},
        {"guard=mprotect,stack=300000", "524288"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_EQ(unit_in_child(expect_class, (void *)(uintptr_t)cases[i]), 0);
    CHECK_EQ(unit_in_child(expect_none, (char[]){"seed=1,guard=none"}), 0);
    CHECK_EQ(unit_in_child(expect_mprotect, (char[]){"guard=mprotect"}), 0);
    return 0;
}
