/*
 * cases_memory.c - resident memory of a parked goroutine: descriptor, stack and what the wait needs.
 *
 * Invariants
 *  - Each measurement is a fresh process (this program with -child), so that no earlier case has left
 *    memory behind; it ends with all its goroutines parked.
 *  - The figure is the growth of the resident set, hence without page tables, as on the Go side.
 */
#define _GNU_SOURCE 1
#include "bench.h"

#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void park_in_recv(recv_chan(rn_unit) gate, rn_waitgroup *parked)
{
    rn_waitgroup_done(parked);
    chan_recv(gate, NULL);
}
GO_FUNC(park_in_recv, recv_chan(rn_unit), rn_waitgroup *);

static void park_in_select(recv_chan(rn_unit) gate, recv_chan(rn_unit) other, rn_waitgroup *parked)
{
    rn_waitgroup_done(parked);
    (void)chan_select(on_recv(gate, NULL), on_recv(other, NULL));
}
GO_FUNC(park_in_select, recv_chan(rn_unit), recv_chan(rn_unit), rn_waitgroup *);

/* The second field of statm, in bytes. */
static int64_t resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (!f || fscanf(f, "%*s %ld", &pages) != 1)
        bench_wrong("cannot read /proc/self/statm");
    fclose(f);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

/* Half of the free memory must hold n goroutines of 8 KiB; if not, fewer give the same figure. */
static int64_t affordable(int64_t n)
{
    int64_t room = (int64_t)sysconf(_SC_AVPHYS_PAGES) * sysconf(_SC_PAGESIZE) / 2;
    while (n > 1000 && n * 8192 > room)
        n /= 2;
    return n;
}

int bench_memory_child(const char *spec)
{
    const char *colon = strchr(spec, ':');
    int64_t n = colon ? strtoll(colon + 1, NULL, 10) : 0;
    if (n <= 0)
        bench_wrong("-child: kind:count is needed");
    n = affordable(n);
    chan(rn_unit) gate = chan_make(rn_unit, 0);
    chan(rn_unit) other = chan_make(rn_unit, 0);
    rn_waitgroup parked = {0};
    rn_waitgroup_add(&parked, (int)n);
    rn_go_attr small = {.stack = RN_STACK_SMALL};
    int64_t before = resident();
    for (int64_t i = 0; i < n; i++) {
        if (strncmp(spec, "select:", 7) == 0)
            go(park_in_select, gate, other, &parked);
        else if (strncmp(spec, "small:", 6) == 0)
            go_with(small, park_in_recv, gate, &parked);
        else
            go(park_in_recv, gate, &parked);
    }
    rn_waitgroup_wait(&parked);
    bench_let_park();
    printf("%.1f\n", (double)(resident() - before) / (double)n);
    fflush(stdout);
    return 0;
}

/* Runs this program again with -child and returns the figure that it prints. */
static double in_child(const char *kind, int64_t n)
{
    char self[4096], procs[16], spec[64], text[64];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    int out[2];
    if (len <= 0 || pipe(out) != 0)
        bench_wrong("cannot start a child process");
    self[len] = '\0';
    snprintf(procs, sizeof procs, "%d", rn_gomaxprocs(0));
    snprintf(spec, sizeof spec, "%s:%lld", kind, (long long)n);
    char dash_procs[] = "-procs", dash_child[] = "-child";
    char *argv[] = {self, dash_procs, procs, dash_child, spec, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    pid_t pid;
    if (posix_spawn(&pid, self, &actions, NULL, argv, environ) != 0)
        bench_wrong("cannot start a child process");
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    size_t have = 0;
    ssize_t got;
    while (have < sizeof text - 1 && (got = read(out[0], text + have, sizeof text - 1 - have)) > 0)
        have += (size_t)got;
    text[have] = '\0';
    close(out[0]);
    int status;
    char *end;
    double v = strtod(text, &end);
    if (waitpid(pid, &status, 0) != pid || status != 0 || end == text)
        bench_wrong("the child process of a memory case failed");
    return v;
}

static double rss_recv(const bench_case *self, int64_t n)
{
    (void)self;
    return in_child("recv", n);
}

static double rss_small(const bench_case *self, int64_t n)
{
    (void)self;
    return in_child("small", n);
}

static double rss_select(const bench_case *self, int64_t n)
{
    (void)self;
    return in_child("select", n);
}

const bench_case bench_memory_cases[] = {
    {"parked_rss_1M", "bytes/goroutine", 1000000, 3, rss_recv, 0, 0, 0},
    {"parked_rss_small_1M", "bytes/goroutine", 1000000, 3, rss_small, 0, 0, 0},
    {"parked_select_rss_1M", "bytes/goroutine", 1000000, 3, rss_select, 0, 0, 0},
    {0},
};
