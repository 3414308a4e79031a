/*
 * Stacks of all classes are distinct, aligned and as large as promised; every address of a slot,
 * guard included, leads to that slot's bounds, and addresses elsewhere lead nowhere.
 */
#include "unit.h"
#include "stack/stack.h"

static rn__stack_pool pool;

static bool found(const void *p, const char *lo, const char *hi)
{
    char *slot_lo, *slot_hi;
    return rn__stack_find(p, &slot_lo, &slot_hi) && slot_lo == lo && slot_hi == hi;
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (rn__stack *const *)a, y = (uintptr_t) * (rn__stack *const *)b;
    return x < y ? -1 : x > y;
}

static void check_class(unsigned k, int n)
{
    rn__stack **s = calloc((size_t)n, sizeof *s);
    size_t bytes = (size_t)1 << k;
    for (int i = 0; i < n; i++) {
        s[i] = rn__stack_get(&pool, k);
        CHECK(s[i] != NULL);
        CHECK_EQ(s[i]->klass, k);
        char *hi, *lo;
        CHECK(rn__stack_find(s[i], &lo, &hi));
        CHECK_EQ(hi - lo, bytes);
        /* the header lies at the slot's end, or less than a quarter page below */
        CHECK((char *)(s[i] + 1) <= hi && (char *)(s[i] + 1) > hi - 1024);
        CHECK_EQ((uintptr_t)rn__stack_top(s[i]) % 16, 0);
        CHECK(s[i]->lo > lo && s[i]->lo < (char *)s[i]);
        CHECK((size_t)((char *)s[i] - s[i]->lo) >= bytes / 4 * 3 - 32 - 1024);
        CHECK(found(lo, lo, hi));
        CHECK(found(lo + 1, lo, hi));
        CHECK(found(s[i]->lo, lo, hi));
        CHECK(found(lo + bytes / 2, lo, hi));
        CHECK(found(hi - 1, lo, hi));
        CHECK(!rn__stack_smashed(s[i]));
        /* the usable part is usable at both ends */
        s[i]->lo[0] = 1;
        ((char *)rn__stack_top(s[i]))[-1] = 1;
        CHECK(!rn__stack_smashed(s[i]));
        bool guarded = k > RN__STACK_PACKED_CLASS && rn__guard_kind() != RN__GUARD_NONE;
        if (guarded)
            CHECK(!unit_readable(s[i]->lo - 1) && !unit_readable(lo));
    }
    qsort(s, (size_t)n, sizeof *s, by_address);
    for (int i = 1; i < n; i++)
        CHECK((size_t)((char *)s[i] - (char *)s[i - 1]) > bytes - 1024);
    for (int i = 0; i < n; i++)
        rn__stack_put(&pool, s[i]);
    free(s);
}

int main(void)
{
    int on_stack = 0;
    char *lo, *hi;
    CHECK(!rn__stack_find(&on_stack, &lo, &hi));
    int least = rn__stack_class(1), prev = 0;
    CHECK(least >= RN__STACK_MIN_CLASS);
    for (size_t bytes = 1; bytes <= (size_t)1 << RN__STACK_MAX_CLASS; bytes += bytes / 3 + 1) {
        int k = rn__stack_class(bytes);
        CHECK(k >= least && k >= prev && ((size_t)1 << k) >= bytes);
        CHECK(k == least || ((size_t)1 << k) / 8 < bytes);
        prev = k;
    }
    CHECK_EQ(rn__stack_class((size_t)1 << RN__STACK_MAX_CLASS), RN__STACK_MAX_CLASS);
    CHECK_EQ(rn__stack_class(((size_t)1 << RN__STACK_MAX_CLASS) + 1), -EINVAL);
    CHECK_EQ(rn__stack_class(SIZE_MAX), -EINVAL);
    CHECK(rn__stack_class(0) >= RN__STACK_DEFAULT_CLASS);

    for (unsigned k = RN__STACK_MIN_CLASS; k <= RN__STACK_MAX_CLASS; k++) {
        if ((unsigned)rn__stack_class((size_t)1 << k) == k)
            check_class(k, k <= 16 ? 1000 : k <= 20 ? 300 : 3);
    }
    CHECK(!rn__stack_find(&on_stack, &lo, &hi));
    CHECK(!rn__stack_find(NULL, &lo, &hi));
    CHECK(!rn__stack_find((void *)UINTPTR_MAX, &lo, &hi));
    CHECK(!rn__stack_find((void *)(uintptr_t)main, &lo, &hi));
    return 0;
}
