/*
 * config.c - the settings in the environment: RUNNEL_DEBUG, RUNNEL_MAXPROCS, RUNNEL_TRACEBACK.
 *
 * Invariants
 *  - Read once, at the start of the runtime, on the thread that starts it.
 *  - What cannot be understood is named in one line on stderr and otherwise ignored: a setting never
 *    stops a program.
 */
#include "runq.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

rn__config rn__cfg = {.traceback = 1};

static bool number(const char *s, uint64_t *out)
{
    char *end;
    if (*s == '\0' || *s == '-')
        return false;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 0);
    if (errno != 0 || *end != '\0')
        return false;
    *out = v;
    return true;
}

static void debug_setting(const char *key, const char *value)
{
    uint64_t n = 0;
    bool is_number = number(value, &n);
    if (strcmp(key, "seed") == 0 && is_number) {
        rn__cfg.deterministic = true;
        rn__cfg.seed = n;
    } else if (strcmp(key, "tracehash") == 0 && is_number) {
        rn__cfg.trace_hash = n != 0;
    } else if (strcmp(key, "solo") == 0 && is_number) {
        rn__cfg.no_solo = n == 0;
    } else if (strcmp(key, "stack") == 0 && is_number && rn__stack_class(n) >= 0) {
        rn__cfg.stack = n;
    } else if (strcmp(key, "guard") == 0 && strcmp(value, "madvise") == 0) {
        rn__guard_force(RN__GUARD_MADVISE);
    } else if (strcmp(key, "guard") == 0 && strcmp(value, "mprotect") == 0) {
        rn__guard_force(RN__GUARD_MPROTECT);
    } else if (strcmp(key, "guard") == 0 && strcmp(value, "none") == 0) {
        rn__guard_force(RN__GUARD_NONE);
    } else if (strcmp(key, "seed") == 0 || strcmp(key, "tracehash") == 0 ||
               strcmp(key, "solo") == 0 || strcmp(key, "stack") == 0 || strcmp(key, "guard") == 0) {
        fprintf(stderr, "runnel: RUNNEL_DEBUG: bad value \"%s\" for %s, ignored\n", value, key);
    } else {
        fprintf(stderr,
                "runnel: RUNNEL_DEBUG: unknown key \"%s\", ignored (known: seed=N, "
                "tracehash=1, solo=0, stack=BYTES, guard=madvise|mprotect|none)\n",
                key);
    }
}

static void read_debug(const char *text)
{
    char buf[512];
    if (strlen(text) >= sizeof buf) {
        fprintf(stderr, "runnel: RUNNEL_DEBUG: longer than %zu characters, ignored\n",
                sizeof buf - 1);
        return;
    }
    strcpy(buf, text);
    for (char *save = NULL, *item = strtok_r(buf, ",", &save); item != NULL;
         item = strtok_r(NULL, ",", &save)) {
        char *eq = strchr(item, '=');
        if (eq != NULL)
            *eq = '\0';
        debug_setting(item, eq != NULL ? eq + 1 : "");
    }
}

static void read_traceback(const char *text)
{
    static const struct {
        const char *name; /* as in Go's GOTRACEBACK */
        int level;        /* rn__config.traceback */
    } levels[] = {{"none", 0}, {"0", 0},      {"single", 1}, {"", 1},     {"all", 2},
                  {"1", 2},    {"system", 3}, {"2", 3},      {"crash", 4}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(text, levels[i].name) == 0) {
            rn__cfg.traceback = levels[i].level;
            return;
        }
    }
    fprintf(stderr,
            "runnel: RUNNEL_TRACEBACK: unknown value \"%s\", ignored (known: none, single, "
            "all, system, crash)\n",
            text);
}

void rn__config_read(void)
{
    const char *s = getenv("RUNNEL_DEBUG");
    if (s != NULL)
        read_debug(s);
    s = getenv("RUNNEL_TRACEBACK");
    if (s != NULL)
        read_traceback(s);
    s = getenv("RUNNEL_MAXPROCS");
    if (s != NULL && *s != '\0') {
        uint64_t n;
        if (number(s, &n) && n >= 1 && n <= RN__WORKERS_MAX / 2)
            rn__cfg.maxprocs = (int)n;
        else
            fprintf(stderr,
                    "runnel: RUNNEL_MAXPROCS: \"%s\" is not a number from 1 to %d, ignored\n", s,
                    RN__WORKERS_MAX / 2);
    }
}
