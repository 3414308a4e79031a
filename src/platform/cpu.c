/*
 * cpu.c - how many CPUs there are for us, and waiting without giving one up.
 *
 * Invariants
 *  - The count is at least 1 and never more than the affinity mask allows.
 *  - The calibration of rn__spin is a hint: two threads may measure at the same time, either result
 *    will do.
 */
#include "platform.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>

/* 65536 CPUs; the kernel refuses a mask that is smaller than its own. */
enum { RN__MASK_WORDS = 65536 / 64 };

static int affinity_cpus(void)
{
    unsigned long mask[RN__MASK_WORDS];
    long bytes = rn__sys3(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int n = 0;
    for (long i = 0; i < bytes / (long)sizeof mask[0]; i++)
        n += __builtin_popcountl(mask[i]);
    return n > 0 ? n : 1;
}

int rn__cpu_count(void)
{
    int cpus = affinity_cpus();
    int quota = rn__cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup");
    return quota > 0 && quota < cpus ? quota : cpus;
}

long rn__read_file(const char *path, char *buf, size_t n)
{
    long fd = rn__sys4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    size_t len = 0;
    while (len < n - 1) {
        long r = rn__sys3(SYS_read, fd, buf + len, n - 1 - len);
        if (r == -EINTR)
            continue;
        if (r <= 0)
            break;
        len += (size_t)r;
    }
    rn__sys1(SYS_close, fd);
    buf[len] = '\0';
    return (long)len;
}

int64_t rn__parse_number(const char **p)
{
    const char *s = *p;
    while (*s == ' ')
        s++;
    if (*s < '0' || *s > '9')
        return -1;
    int64_t n = 0;
    for (; *s >= '0' && *s <= '9'; s++)
        n = n < INT64_MAX / 16 ? n * 10 + (*s - '0') : n; /* saturates */
    *p = s;
    return n;
}

/* Pauses per 1024 ns; 0 until measured. Relaxed: the number stands for itself. */
static _Atomic(uint32_t) pauses_per_kilo;

static int64_t time_pauses(uint32_t n)
{
    int64_t t = rn__clock();
    for (uint32_t i = 0; i < n; i++)
        rn__pause();
    return rn__clock() - t;
}

RN_COLD static uint32_t calibrate(void)
{
    uint32_t n = 16;
    int64_t best = time_pauses(n);
    while (best < 2 * RN_US && n < 1U << 16) {
        n *= 2;
        best = time_pauses(n);
    }
    /* The shortest of several: being interrupted only ever makes a run longer. */
    for (int i = 0; i < 6; i++) {
        int64_t t = time_pauses(n);
        if (t < best)
            best = t;
    }
    int64_t per_kilo = (int64_t)n * 1024 / (best > 0 ? best : 1);
    uint32_t result = per_kilo < 1 ? 1 : per_kilo > 1 << 20 ? 1 << 20 : (uint32_t)per_kilo;
    atomic_store_explicit(&pauses_per_kilo, result, memory_order_relaxed);
    return result;
}

void rn__spin(unsigned ns)
{
    uint32_t rate = atomic_load_explicit(&pauses_per_kilo, memory_order_relaxed);
    if (RN_UNLIKELY(rate == 0))
        rate = calibrate();
    uint64_t n = ((uint64_t)ns * rate) >> 10;
    do
        rn__pause();
    while (n-- > 1);
}
