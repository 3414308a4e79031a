/*
 * cgroup.c - the CPU quota of a container, both versions of cgroups.
 *
 * A quota of 250 ms in every 100 ms means two and a half CPUs: three workers, since with two the
 * half would be lost. Every level above may be tighter than our own, so all are read and the least
 * counts. In a container without a name space of its own the path in /proc names directories that
 * are not visible; going up from there ends at the mount point, which is the container's own level.
 *
 * Invariants
 *  - No allocation, no errno; whatever cannot be read is no limit.
 */
#include "platform.h"
#include "raw.h"

#include <string.h>

enum { RN__PATH_MAX = 1024, RN__CGROUP_FILE = 4096 };

static int ceil_div(int64_t quota, int64_t period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    int64_t n = (quota + period - 1) / period;
    return n > 1 << 20 ? 0 : (int)n;
}

/* Version 2: "max 100000" or "250000 100000". */
static int read_v2(const char *dir)
{
    char path[RN__PATH_MAX + 32], text[64];
    strcat(strcpy(path, dir), "/cpu.max");
    if (rn__read_file(path, text, sizeof text) <= 0)
        return 0;
    const char *p = text;
    int64_t quota = rn__parse_number(&p);
    if (quota < 0)
        return 0; /* "max" */
    return ceil_div(quota, rn__parse_number(&p));
}

/* Version 1: two files; a quota of -1 is none. */
static int read_v1(const char *dir)
{
    char path[RN__PATH_MAX + 32], text[64];
    strcat(strcpy(path, dir), "/cpu.cfs_quota_us");
    if (rn__read_file(path, text, sizeof text) <= 0)
        return 0;
    const char *p = text;
    int64_t quota = rn__parse_number(&p);
    strcat(strcpy(path, dir), "/cpu.cfs_period_us");
    if (quota < 0 || rn__read_file(path, text, sizeof text) <= 0)
        return 0;
    p = text;
    return ceil_div(quota, rn__parse_number(&p));
}

/* Least of a and b, where 0 is no limit. */
static int tighter(int a, int b)
{
    return a == 0 ? b : b == 0 || a < b ? a : b;
}

/* Reads the levels from base + path up to base itself. */
static int walk(const char *base, const char *path, size_t path_len, int (*read)(const char *))
{
    char dir[RN__PATH_MAX];
    size_t base_len = strlen(base);
    if (base_len + path_len + 1 > sizeof dir)
        path_len = 0; /* longer than anything sensible: only the mount point */
    memcpy(dir, base, base_len);
    memcpy(dir + base_len, path, path_len);
    size_t len = base_len + path_len;
    int least = 0;
    for (;;) {
        dir[len] = '\0';
        least = tighter(least, read(dir));
        if (len <= base_len)
            return least;
        while (len > base_len && dir[len - 1] != '/')
            len--;
        while (len > base_len && dir[len - 1] == '/')
            len--;
    }
}

static int walk_under(const char *sysfs, const char *mount, const char *path, size_t path_len,
                      int (*read)(const char *))
{
    char base[RN__PATH_MAX / 2];
    if (strlen(sysfs) + strlen(mount) + 1 > sizeof base)
        return 0;
    strcat(strcpy(base, sysfs), mount);
    return walk(base, path, path_len, read);
}

/* Whether the comma-separated list [s, end) names the "cpu" controller. */
static bool names_cpu(const char *s, const char *end)
{
    while (s < end) {
        const char *e = memchr(s, ',', (size_t)(end - s));
        if (e == NULL)
            e = end;
        if (e - s == 3 && memcmp(s, "cpu", 3) == 0)
            return true;
        s = e + 1;
    }
    return false;
}

int rn__cgroup_cpus(const char *proc_cgroup, const char *sysfs)
{
    char text[RN__CGROUP_FILE];
    if (rn__read_file(proc_cgroup, text, sizeof text) <= 0)
        return 0;
    int least = 0;
    for (char *line = text; *line != '\0';) { /* "hierarchy:controllers:path" */
        char *end = line + strcspn(line, "\n");
        char *names = memchr(line, ':', (size_t)(end - line));
        char *path = names ? memchr(names + 1, ':', (size_t)(end - names - 1)) : NULL;
        if (path != NULL) {
            names++;
            size_t len = (size_t)(end - (path + 1));
            if (names == path) {
                least = tighter(least, walk_under(sysfs, "", path + 1, len, read_v2));
                least = tighter(least, walk_under(sysfs, "/unified", path + 1, len, read_v2));
            } else if (names_cpu(names, path)) {
                least = tighter(least, walk_under(sysfs, "/cpu", path + 1, len, read_v1));
                least = tighter(least, walk_under(sysfs, "/cpu,cpuacct", path + 1, len, read_v1));
            }
        }
        line = *end == '\0' ? end : end + 1;
    }
    return least;
}
