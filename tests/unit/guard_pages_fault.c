/*
 * Every kind of guard makes its page unreadable and its neighbours not, and survives rn__discard;
 * the number that rn__guard_many tells is the number it made; too many mprotect guards end in none
 * while the process can still map memory.
 * Not with ThreadSanitizer, whose runtime maps memory where a hole was expected. runnel-test: not=thread
 */
#include "unit.h"

/* Checks count guards of one page in strides of 16 pages. */
static void check_guards(size_t count)
{
    size_t page = rn__page_size(), stride = 16 * page;
    char *p = rn__reserve(count * stride, 1);
    CHECK(p != NULL);
    size_t made = rn__guard_many(p, page, stride, count);
    CHECK_EQ(made, rn__guard_kind() == RN__GUARD_NONE ? 0 : count);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            char *at = p + i * stride;
            CHECK_EQ(unit_readable(at), made == 0);
            CHECK_EQ(unit_readable(at + page - 1), made == 0);
            CHECK(unit_readable(at + page));
            at[page] = 1;
            at[stride - 1] = 1;
        }
        rn__discard(p, count * stride);
        CHECK_EQ(p[page], 0);
    }
    rn__release(p, count * stride);
}

static void with_kind(void *arg)
{
    enum rn__guard_kind *kind = arg;
    rn__guard_force(*kind);
    check_guards(1);
    check_guards(200);
    CHECK_EQ(rn__guard_kind(), *kind);
}

static void default_kind(void *arg)
{
    (void)arg;
    check_guards(1);
    check_guards(200);
    CHECK(rn__guard_kind() != RN__GUARD_NONE);
}

static void too_many(void *arg)
{
    (void)arg;
    rn__guard_force(RN__GUARD_MPROTECT);
    size_t page = rn__page_size(), stride = 2 * page, count = 0;
    FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
    long max = 65530;
    CHECK(f == NULL || fscanf(f, "%ld", &max) == 1);
    if (max > 200000)
        return; /* somebody has raised it: nothing to see in reasonable time */
    count = (size_t)max;
    char *p = rn__reserve(count * stride, 1);
    CHECK(p != NULL);
    size_t made = rn__guard_many(p, page, stride, count);
    CHECK(made > 1000 && made < (size_t)max / 2);
    CHECK_EQ(rn__guard_kind(), RN__GUARD_NONE);
    CHECK(rn__guard(p + (made + 1) * stride, page) < 0);
    CHECK(!unit_readable(p + (made - 1) * stride));
    CHECK(unit_readable(p + made * stride));
    for (int i = 0; i < 1000; i++) /* guarded on both sides, so that they cannot merge */
        CHECK(rn__reserve(page * 4, 1) != NULL);
}

int main(void)
{
    CHECK_EQ(unit_in_child(default_kind, NULL), 0);
    for (enum rn__guard_kind k = RN__GUARD_MADVISE; k <= RN__GUARD_NONE; k++) {
        bool works = true;
        if (k == RN__GUARD_MADVISE)
            works = rn__guard_kind() == RN__GUARD_MADVISE; /* an older kernel, or an emulator */
        if (works)
            CHECK_EQ(unit_in_child(with_kind, &k), 0);
    }
    CHECK_EQ(unit_in_child(too_many, NULL), 0);

    /* Alignment, and nothing where there is nothing. */
    char *p = rn__reserve(3 << 20, 2 << 20);
    CHECK(p != NULL && (uintptr_t)p % (2 << 20) == 0);
    p[0] = p[(3 << 20) - 1] = 1;
    rn__release(p, 3 << 20);
    CHECK(!unit_readable(p));
    return 0;
}
