/*
 * limits.c - which sizes there are, and what to tell when there is no stack left.
 *
 * Invariants
 *  - Runs on the smallest stacks: no printf, no large locals.
 */
#include "slab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* 0: RUNNEL_DEBUG not read yet. Relaxed: any thread that reads it comes to the same value. */
static _Atomic(int) default_class;

/* The value of KEY=... in a comma-separated list, or NULL. key includes the '='. */
static const char *setting(const char *list, const char *key)
{
    size_t n = strlen(key);
    while (list != NULL) {
        if (strncmp(list, key, n) == 0)
            return list + n;
        list = strchr(list, ',');
        if (list != NULL)
            list++;
    }
    return NULL;
}

static int class_of(size_t bytes)
{
    if (bytes > (size_t)1 << RN__STACK_MAX_CLASS)
        return -EINVAL;
    int k = RN__STACK_MIN_CLASS;
    while (((size_t)1 << k) < bytes)
        k++;
    /* Instrumented frames are several times as large. */
    if (RN__ASAN && k < 18)
        k = 18;
    if (RN__TSAN && k < 16)
        k = 16;
    /* A guard must leave most of the slot: pages have 64 KiB on some machines. */
    while (k > RN__STACK_PACKED_CLASS && ((size_t)1 << k) < 4 * rn__page_size())
        k++;
    return k;
}

RN_COLD static void configure(void)
{
    const char *debug = getenv("RUNNEL_DEBUG");
    const char *v = setting(debug, "stack=");
    unsigned long bytes = v != NULL ? strtoul(v, NULL, 0) : 0;
    int k = class_of(bytes != 0 ? bytes : (size_t)1 << RN__STACK_DEFAULT_CLASS);
    v = setting(debug, "guard=");
    if (v != NULL && strncmp(v, "mprotect", 8) == 0)
        rn__guard_force(RN__GUARD_MPROTECT);
    else if (v != NULL && strncmp(v, "none", 4) == 0)
        rn__guard_force(RN__GUARD_NONE);
    atomic_store_explicit(&default_class, k > 0 ? k : RN__STACK_MAX_CLASS, memory_order_relaxed);
}

void rn__stack_configure(void)
{
    if (atomic_load_explicit(&default_class, memory_order_relaxed) == 0)
        configure();
}

int rn__stack_class(size_t bytes)
{
    if (bytes != 0)
        return class_of(bytes);
    int k = atomic_load_explicit(&default_class, memory_order_relaxed);
    if (RN_LIKELY(k != 0))
        return k;
    configure();
    return atomic_load_explicit(&default_class, memory_order_relaxed);
}

/* -------------------------------------------------------------------------------- limit texts */

/* These run once, just before the end: their own buffer, one thread. */
static char buffer[4096];

/* Opens path and reads it whole, counting lines; the first bytes stay in `buffer`. */
static long count_lines(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    long lines = 0;
    ssize_t n;
    if (fd < 0)
        return 0;
    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            lines += buffer[i] == '\n';
    }
    close(fd);
    return lines;
}

static unsigned long read_number(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, buffer, sizeof buffer - 1);
    close(fd);
    buffer[n > 0 ? n : 0] = '\0';
    return strtoul(buffer, NULL, 10);
}

static const char *find_limit(void)
{
    /* The order is from the certain to the likely. The smallest area is one slot: with less than
     * that left below RLIMIT_AS it is the reason. */
    size_t need = (size_t)1 << RN__STACK_DEFAULT_CLASS;
    struct rlimit as;
    if (getrlimit(RLIMIT_AS, &as) == 0 && as.rlim_cur != RLIM_INFINITY) {
        unsigned long pages = read_number("/proc/self/statm");
        if (pages * rn__page_size() + 16 * need > as.rlim_cur)
            return "the limit of address space, RLIMIT_AS; raise it with: ulimit -v unlimited";
    }
    unsigned long maps = read_number("/proc/sys/vm/max_map_count");
    if (maps != 0 && (unsigned long)count_lines("/proc/self/maps") + 8 >= maps)
        return "the limit of mappings, vm.max_map_count; raise it with: "
               "sysctl -w vm.max_map_count=1048576";
    if (read_number("/proc/sys/vm/overcommit_memory") == 2)
        return "strict accounting of memory, vm.overcommit_memory=2, which counts the whole size "
               "of every stack; change it with: sysctl -w vm.overcommit_memory=0 "
               "(or raise vm.overcommit_ratio)";
    return "memory or address space; start fewer goroutines, or ask for smaller stacks with "
           "RUNNEL_DEBUG=stack=BYTES";
}

const char *rn__stack_limit_text(void)
{
    int saved = errno;
    const char *text = find_limit();
    errno = saved;
    return text;
}
