/*
 * Stacks that lie in the global pool for more than a second cost no memory any more, younger ones are
 * left alone; trimmed ones come back whole, guards included.
 */
#include "unit.h"
#include "stack/slab.h"

enum { N = 5000, PACKED_N = 50000 };

static rn__stack_pool pool;
static rn__stack *s[PACKED_N];

static void take(unsigned k, int n)
{
    for (int i = 0; i < n; i++) {
        s[i] = rn__stack_get(&pool, k);
        CHECK(s[i] != NULL);
        CHECK(!rn__stack_smashed(s[i]));
        ((char *)rn__stack_top(s[i]))[-1] = 1;
        s[i]->lo[0] = 1;
        if (i % 100 == 0 && s[i]->lo - (char *)(s[i] + 1) + ((long)1 << k) >= 4096)
            CHECK(!unit_readable(s[i]->lo - 1));
    }
}

static void put(int n)
{
    for (int i = 0; i < n; i++)
        rn__stack_put(&pool, s[i]);
}

static void check(unsigned k, int n)
{
    size_t used, cold;
    static int64_t now; /* the trimmer's clock, never back */
    now = now == 0 ? rn__clock() : now + 2 * RN_SEC;
    long page_kb = (long)(rn__page_size() >> 10);
    take(k, n);
    long full = unit_status_kb("VmRSS:");
    put(n);
    size_t pooled = (size_t)n - pool.n[k];
    CHECK_EQ(rn__stack_trim(now), now + RN_SEC); /* young are old now; */
    rn__slab_counts(k, &used, &cold);
    CHECK_EQ(cold, 0);
    CHECK_EQ(rn__stack_trim(now + RN_SEC - 1), now + RN_SEC); /* not yet; */
    rn__slab_counts(k, &used, &cold);
    CHECK_EQ(cold, 0);
    now += RN_SEC;
    int calls = 0;
    while (rn__stack_trim(now) == now) /* expired */
        CHECK(++calls < 1000);
    CHECK_EQ(rn__stack_trim(now), RN_NEVER);
    rn__slab_counts(k, &used, &cold);
    CHECK_EQ(cold, pooled);
    CHECK_EQ(used, n);
    long empty = unit_status_kb("VmRSS:");
    long per_stack = k > RN__STACK_PACKED_CLASS ? 2 * page_kb * 1024 : (long)1 << k;
    long expect = (long)pooled * per_stack / 1024;
    printf("class %u: %d stacks, RSS %ld kB, after the trim %ld kB\n", k, n, full, empty);
    if (!RN__TSAN && !RN__ASAN) /* theirs moves by itself */
        CHECK(full - empty > expect * 9 / 10);
    take(k, n);
    rn__slab_counts(k, &used, &cold);
    CHECK_EQ(used, n);
    CHECK_EQ(cold, 0);
    put(n);
}

int main(void)
{
    int small = rn__stack_class(2048);
    if (small <= RN__STACK_PACKED_CLASS)
        check((unsigned)small, PACKED_N);
    check((unsigned)rn__stack_class(64 << 10), N);
    return 0;
}
