/*
 * A packed stack, and a larger one without a guard, tells when something has been written below its
 * low end, whichever byte it was; and a stack that comes back from a trim has a fresh canary.
 */
#include "unit.h"
#include "stack/stack.h"

static char *slot_of(const rn__stack *s)
{
    char *lo, *hi;
    CHECK(rn__stack_find(s, &lo, &hi));
    return lo;
}

static void check(rn__stack *s)
{
    char *slot = slot_of(s);
    CHECK(!rn__stack_smashed(s));
    memset(s->lo, 0xff, (size_t)((char *)s - s->lo));
    CHECK(!rn__stack_smashed(s));
    CHECK(s->lo - slot >= 8 && s->lo - slot <= 64);
    for (char *p = slot; p < s->lo; p++) {
        *p ^= 1;
        CHECK(rn__stack_smashed(s));
        *p ^= 1;
        CHECK(!rn__stack_smashed(s));
    }
    /* what usually runs over: zeros, and another stack's canary */
    char saved[64];
    size_t n = (size_t)(s->lo - slot);
    memcpy(saved, slot, n);
    memset(slot, 0, n);
    CHECK(rn__stack_smashed(s));
    memcpy(slot, saved, n);
    CHECK(!rn__stack_smashed(s));
}

static void check_class(unsigned k)
{
    enum { N = 400 };
    static rn__stack_pool pool;
    static rn__stack *s[N];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++) {
            s[i] = rn__stack_get(&pool, k);
            CHECK(s[i] != NULL);
            check(s[i]);
        }
        CHECK(memcmp(slot_of(s[0]), slot_of(s[1]), 8) != 0);
        for (int i = 0; i < N; i++)
            rn__stack_put(&pool, s[i]);
        int64_t now = rn__clock();
        for (int i = 0; i < 4; i++)
            rn__stack_trim(now += 2 * RN_SEC);
    }
}

int main(void)
{
    /* Sanitizer builds give out nothing so small; there the larger class stands for all. */
    for (unsigned k = RN__STACK_MIN_CLASS; k <= RN__STACK_PACKED_CLASS; k++) {
        if ((unsigned)rn__stack_class((size_t)1 << k) == k)
            check_class(k);
    }
    rn__guard_force(RN__GUARD_NONE);
    check_class((unsigned)rn__stack_class(64 << 10));
    return 0;
}
