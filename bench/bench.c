/*
 * bench.c - runnel-bench: runs the cases and prints one line for each, "name value unit".
 *
 * Invariants
 *  - The command line and the output are those of the Go program in go/, so that `compare` can treat
 *    both alike.
 *  - The value is the median of the repetitions.
 */
#include "bench.h"

#include <string.h>

static const bench_case *const parts[] = {
    bench_channel_cases, bench_flow_cases,   bench_sched_cases, bench_memory_cases,
    bench_sync_cases,    bench_select_cases, bench_time_cases,  bench_context_cases,
    bench_shared_cases,  bench_io_cases,
};

static struct {
    int procs;
    int reps;
    double scale;
    const char *only;
    const char *child;
    bool list;
    bool minmax;
} options = {.procs = 2, .reps = 7, .scale = 1, .only = ""};

atomic_llong bench_sink;

__attribute__((noinline)) uint64_t bench_work(uint64_t x, int rounds)
{
    for (int i = 0; i < rounds; i++)
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return x;
}

void bench_let_park(void)
{
    rn_sleep(50 * RN_MS);
}

void bench_await_goroutines(int64_t n)
{
    while (rn_num_goroutine() > n)
        rn_sleep(RN_MS);
}

static void usage(FILE *to)
{
    fputs("usage: runnel-bench [options]\n"
          "  -procs N    workers to use (2)\n"
          "  -reps N     repetitions per case; the median is printed (7)\n"
          "  -only LIST  comma-separated prefixes of case names, or =name for exactly one\n"
          "  -scale X    factor on the operation counts (1)\n"
          "  -minmax     also print the smallest and the largest figure\n"
          "  -list       print the case names and stop\n",
          to);
}

/* The value of option `name` at argv[*i], as "-name value" or "-name=value"; NULL if it is another. */
static const char *value_of(const char *name, char **argv, int *i)
{
    const char *arg = argv[*i];
    if (*arg == '-')
        arg += arg[1] == '-' ? 2 : 1;
    size_t len = strlen(name);
    if (strncmp(arg, name, len) != 0)
        return NULL;
    if (arg[len] == '=')
        return arg + len + 1;
    if (arg[len] != '\0')
        return NULL;
    if (!argv[*i + 1]) {
        fprintf(stderr, "runnel-bench: -%s needs a value\n", name);
        exit(2);
    }
    return argv[++*i];
}

static double positive(const char *text, const char *name)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end != '\0' || !(v > 0) || v > 1e6) {
        fprintf(stderr, "runnel-bench: -%s %s: a positive number is needed\n", name, text);
        exit(2);
    }
    return v;
}

static void parse(char **argv)
{
    for (int i = 1; argv[i]; i++) {
        const char *v;
        if ((v = value_of("procs", argv, &i)))
            options.procs = (int)positive(v, "procs");
        else if ((v = value_of("reps", argv, &i)))
            options.reps = (int)positive(v, "reps");
        else if ((v = value_of("scale", argv, &i)))
            options.scale = positive(v, "scale");
        else if ((v = value_of("only", argv, &i)))
            options.only = v;
        else if ((v = value_of("child", argv, &i)))
            options.child = v;
        else if (strcmp(argv[i], "-list") == 0 || strcmp(argv[i], "--list") == 0)
            options.list = true;
        else if (strcmp(argv[i], "-minmax") == 0 || strcmp(argv[i], "--minmax") == 0)
            options.minmax = true;
        else {
            bool help = strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0;
            usage(help ? stdout : stderr);
            exit(help ? 0 : 2);
        }
    }
    if (options.procs < 1 || options.reps < 1) {
        usage(stderr);
        exit(2);
    }
}

static bool selected(const char *name)
{
    if (!*options.only)
        return true;
    for (const char *p = options.only; p;) {
        const char *comma = strchr(p, ',');
        size_t len = comma ? (size_t)(comma - p) : strlen(p);
        bool hit = *p == '=' ? strlen(name) == len - 1 && strncmp(name, p + 1, len - 1) == 0
                             : strncmp(name, p, len) == 0;
        if (hit)
            return true;
        p = comma ? comma + 1 : NULL;
    }
    return false;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const bench_case *c)
{
    int64_t n = (int64_t)((double)c->n * options.scale);
    n = n > 0 ? n : 1;
    int reps = options.reps;
    if (c->reps == 0)
        c->run(c, n > 10 ? n / 10 : 1);
    else if (c->reps < reps)
        reps = c->reps;
    double *figures = calloc((size_t)reps, sizeof *figures);
    if (!figures)
        bench_wrong("out of memory");
    for (int i = 0; i < reps; i++)
        figures[i] = c->run(c, n);
    qsort(figures, (size_t)reps, sizeof *figures, by_value);
    printf("%s %.4g %s", c->name, figures[reps / 2], c->unit);
    if (options.minmax)
        printf(" %.4g %.4g", figures[0], figures[reps - 1]);
    putchar('\n');
    fflush(stdout);
    free(figures);
}

int main(int argc, char **argv)
{
    (void)argc;
    parse(argv);
    rn_gomaxprocs(options.procs);
    if (options.child)
        return bench_memory_child(options.child);
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        for (const bench_case *c = parts[p]; c->name; c++) {
            if (!selected(c->name))
                continue;
            if (options.list)
                puts(c->name);
            else
                measure(c);
        }
    return 0;
}
