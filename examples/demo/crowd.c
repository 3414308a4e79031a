/*
 * crowd.c - a hundred thousand goroutines, or a million where there is memory for them, wait at
 * the same gate; one close opens it.
 *
 * Invariants
 *  - The first crowd tells what a goroutine costs here; the second one, ten times as large, comes
 *    only if this machine (and this container) can spare the memory and the time.
 */
#include "demo.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif
#ifdef TSAN
enum { FIRST_CROWD = 500 }; /* ThreadSanitizer knows 8128 goroutines at most */
#else
enum { FIRST_CROWD = 100000 };
#endif

/* A number of bytes from a file: after `key` if that is not NULL, times `unit`; -1 if not there. */
static int64_t number_in(const char *path, const char *key, int64_t unit)
{
    char line[256];
    int64_t found = -1;
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return -1;
    while (found < 0 && fgets(line, sizeof line, f) != NULL) {
        char *end, *at = line + (key != NULL ? strlen(key) : 0);
        if (key != NULL && strncmp(line, key, strlen(key)) != 0)
            continue;
        long long n = strtoll(at, &end, 10);
        if (end != at)
            found = (int64_t)n * unit;
    }
    fclose(f);
    return found;
}

/* What may be used without harm: free on the machine, and within the limit of our cgroup. */
static int64_t memory_to_spare(void)
{
    int64_t spare = number_in("/proc/meminfo", "MemAvailable:", 1024);
    int64_t limit = number_in("/sys/fs/cgroup/memory.max", NULL, 1);
    int64_t used = number_in("/sys/fs/cgroup/memory.current", NULL, 1);
    if (limit > 0 && used >= 0 && limit - used < spare)
        spare = limit - used;
    return spare;
}

static int64_t memory_in_use(void)
{
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    fclose(f);
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

static void wait_at(recv_chan(rn_unit) gate, rn_waitgroup *here, rn_waitgroup *gone)
{
    rn_waitgroup_done(here);
    chan_recv(gate, NULL);
    rn_waitgroup_done(gone);
}
GO_FUNC(wait_at, recv_chan(rn_unit), rn_waitgroup *, rn_waitgroup *);

/* How a crowd of n fared. */
struct crowd {
    int n;
    int64_t alive;     /* goroutines that stood at the gate */
    int64_t came;      /* ns from the first start until all were there */
    int64_t went;      /* ns from the close until all were gone */
    double bytes_each; /* of memory in use at the gate, more than before the first crowd */
};

static struct crowd gather(int n, int64_t bytes_before)
{
    chan_auto(rn_unit) gate = chan_make(rn_unit, 0);
    rn_waitgroup here = {0}, gone = {0};
    struct crowd c = {.n = n};

    for (int i = 0; i < 1000 && rn_num_goroutine() > 1; i++)
        rn_sleep(1 * RN_MS); /* those of the step before us are just going home */
    rn_waitgroup_add(&here, n);
    rn_waitgroup_add(&gone, n);
    int64_t start = rn_now();
    for (int i = 0; i < n; i++)
        go(wait_at, gate, &here, &gone);
    rn_waitgroup_wait(&here);
    c.came = rn_now() - start;
    c.alive = rn_num_goroutine() - 1;
    c.bytes_each = (double)(memory_in_use() - bytes_before) / n;

    start = rn_now();
    chan_close(gate);
    rn_waitgroup_wait(&gone);
    c.went = rn_now() - start;
    printf("%7d: started and parked in %.0f ms, %.0f bytes each, woken and gone in %.0f ms\n", n,
           (double)c.came / RN_MS, c.bytes_each, (double)c.went / RN_MS);
    return c;
}

enum outcome demo_crowd(char note[NOTE])
{
    int64_t before = memory_in_use();
    struct crowd c = gather(FIRST_CROWD, before);
    bool well = c.alive == c.n;
    int64_t spare = memory_to_spare();

    /* Ten times as many, if that takes a few seconds and half of what can be spared at most. */
    if (well && c.came + c.went < 500 * RN_MS && c.bytes_each * 20 * c.n < (double)spare) {
        c = gather(10 * FIRST_CROWD, before);
        well = c.alive == c.n;
    } else {
        printf("no larger crowd: %lld MB can be spared, and %.1f s were needed for this one\n",
               (long long)(spare >> 20), (double)(c.came + c.went) / RN_SEC);
    }
    snprintf(note, NOTE, "%lld waited, %.1f KB each, woken in %.0f ms", (long long)c.alive,
             c.bytes_each / 1024, (double)c.went / RN_MS);
    return well ? OK : FAILED;
}
