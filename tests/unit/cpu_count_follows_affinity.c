/*
 * rn__cpu_count is the number of CPUs in the affinity mask, and less if a cgroup grants less.
 */
#include "unit.h"
#include <sched.h>

int main(void)
{
    cpu_set_t all, one;
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    int n = rn__cpu_count();
    CHECK(n >= 1 && n <= CPU_COUNT(&all));

    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
        CHECK_EQ(rn__cpu_count(), 1);
    }
    CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
    CHECK_EQ(rn__cpu_count(), n);
    return 0;
}
