/*
 * A million guarded stacks fit into a stock kernel, which allows 65530 mappings: takes them, touches
 * the top page of each, and prints what they cost. Argument: how many (default: a million, or what
 * half of the free memory holds).
 *
 * runnel-test: serial not=address not=thread
 */
#include "unit.h"
#include "stack/stack.h"
#include <time.h>

static long available_kb(void)
{
    char line[256];
    long kb = 1 << 20;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "MemAvailable:", 13) == 0)
            kb = atol(line + 13);
    }
    if (f != NULL)
        fclose(f);
    return kb;
}

int main(int argc, char **argv)
{
    long page_kb = (long)(rn__page_size() >> 10);
    long n = 1000000, fit = available_kb() / 2 / (page_kb + 1);
    if (argc > 1)
        n = atol(argv[1]);
    else
        n = n < fit ? n : fit;
    rn__stack_class(0); /* reads RUNNEL_DEBUG, which may ask for another kind */
    bool light = rn__guard_kind() == RN__GUARD_MADVISE;
    if (!light && argc == 1 && n > 50000)
        n = 50000; /* beyond the number that mprotect can guard, too */
    CHECK(n > 0);

    static rn__stack_pool pool;
    unsigned klass = (unsigned)rn__stack_class(64 << 10);
    rn__stack **s = calloc((size_t)n, sizeof *s);
    CHECK(s != NULL);
    long maps = unit_count_maps(), rss = unit_status_kb("VmRSS:");
    int64_t t = rn__clock();
    long guarded = 0;
    for (long i = 0; i < n; i++) {
        s[i] = rn__stack_get(&pool, klass);
        if (s[i] == NULL) {
            printf("no stack after %ld: %s\n", i, rn__stack_limit_text());
            return 1;
        }
        ((volatile char *)rn__stack_top(s[i]))[-1] = 1;
        /* a guard ends at a page, a canary does not */
        guarded += (uintptr_t)s[i]->lo % rn__page_size() == 0;
    }
    t = rn__clock() - t;
    rss = unit_status_kb("VmRSS:") - rss;
    long more_maps = unit_count_maps() - maps;
    printf("%ld stacks of %d KiB, %ld of them guarded (%s): %.2f us each, %.0f bytes of memory "
           "each, %ld more mappings, page tables %ld kB\n",
           n, 1 << (klass - 10), guarded, light ? "madvise" : "mprotect, then canaries",
           (double)t / 1e3 / (double)n, (double)rss * 1024 / (double)n, more_maps,
           unit_status_kb("VmPTE:"));
    for (long i = 0; i < n; i += n / 1000 + 1) {
        bool has_guard = (uintptr_t)s[i]->lo % rn__page_size() == 0;
        CHECK_EQ(unit_readable(s[i]->lo - 1), !has_guard);
        CHECK(unit_readable(s[i]->lo));
        CHECK(!rn__stack_smashed(s[i]));
    }
    if (light) {
        CHECK_EQ(guarded, n);
        CHECK(more_maps < 100);
        CHECK(rss < n * (page_kb + 1) + 1024);
    } else {
        CHECK(more_maps < 65530);
    }
    return 0;
}
