/*
 * The CPU quota is read from both versions of cgroups, from every level up to the mount point, and
 * rounded up; what is missing or malformed is no limit.
 */
#include "unit.h"
#include "platform/raw.h"
#include <sys/stat.h>

static char root[] = "/tmp/runnel-cgroup-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        CHECK(mkdir(path, 0777) == 0 || errno == EEXIST);
        *p = '/';
    }
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    CHECK(fputs(text, f) >= 0);
    CHECK(fclose(f) == 0);
}

/* The quota with this text in /proc/self/cgroup. */
static int quota(const char *proc)
{
    char path[64], sys[64];
    put("proc", proc);
    snprintf(path, sizeof path, "%s/proc", root);
    snprintf(sys, sizeof sys, "%s/sys", root);
    return rn__cgroup_cpus(path, sys);
}

int main(void)
{
    CHECK(mkdtemp(root) != NULL);
    CHECK_EQ(rn__cgroup_cpus("/nonexistent", "/nonexistent"), 0);
    CHECK_EQ(quota("0::/a/b\n"), 0);

    /* version 2 */
    put("sys/a/b/cpu.max", "max 100000\n");
    CHECK_EQ(quota("0::/a/b\n"), 0);
    put("sys/a/b/cpu.max", "400000 100000\n");
    CHECK_EQ(quota("0::/a/b\n"), 4);
    CHECK_EQ(quota("0::/a/b"), 4); /* no newline at the end */
    put("sys/a/cpu.max", "250000 100000\n");
    CHECK_EQ(quota("0::/a/b\n"), 3); /* two and a half, one level up */
    put("sys/cpu.max", "5000 100000\n");
    CHECK_EQ(quota("0::/a/b\n"), 1); /* the mount point itself */
    CHECK_EQ(quota("0::/\n"), 1);
    put("sys/cpu.max", "garbage\n");
    CHECK_EQ(quota("0::/a/b\n"), 3);
    put("sys/cpu.max", "100000 0\n");
    CHECK_EQ(quota("0::/a/b\n"), 3);
    put("sys/cpu.max", "99999999999999999999999 100000\n");
    CHECK_EQ(quota("0::/a/b\n"), 3);
    put("sys/a/cpu.max", "");
    CHECK_EQ(quota("0::/a/b\n"), 4);
    /* a path that is not visible here: the nearest level above that is */
    put("sys/cpu.max", "200000 100000\n");
    CHECK_EQ(quota("0::/docker/0123456789abcdef\n"), 2);

    /* version 1, and both together */
    put("sys/cpu/x/cpu.cfs_quota_us", "-1\n");
    put("sys/cpu/x/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(quota("3:cpuset:/x\n2:cpu:/x\n"), 0);
    put("sys/cpu/x/cpu.cfs_quota_us", "150000\n");
    CHECK_EQ(quota("3:cpuset:/x\n2:cpu:/x\n"), 2);
    CHECK_EQ(quota("3:cpuset:/x\n"), 0);
    CHECK_EQ(quota("4:cpuacct,cpu:/x\n"), 2);
    CHECK_EQ(quota("4:cpuacct,cpuset:/x\n"), 0);
    put("sys/cpu,cpuacct/y/cpu.cfs_quota_us", "50000\n");
    put("sys/cpu,cpuacct/y/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(quota("4:cpu,cpuacct:/y\n"), 1);
    put("sys/unified/z/cpu.max", "300000 100000\n");
    put("sys/cpu.max", "max 100000\n");
    CHECK_EQ(quota("2:cpu:/x\n0::/z\n"), 2);
    CHECK_EQ(quota("0::/z\n"), 3);
    CHECK_EQ(quota("no colon\n\n:\n::\n0:name=systemd:/x\n"), 0);

    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command) != 0;
}
