/*
 * run.c - `runnel run`: compiles C files against this runnel and runs the result.
 *
 * Invariants
 *  - The program gets the command's standard streams untouched, and the command ends as the program
 *    does: its exit status, or 128+n for signal n.
 *  - Whatever happens, the temporary folder is gone afterwards.
 *  - What a program prints never depends on the name of that folder: argv[0] is its source's name
 *    without ".c".
 */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

extern char **environ;

/* What was asked for. */
typedef struct request {
    enum variant variant; /* --asan, --race */
    const char *optimise; /* level for -O */
    const char *seed;     /* --seed: decimal text, or NULL */
    const char *keep;     /* -o: where to leave the program, or NULL */
    words extra;          /* options for the compiler */
    words sources;        /* the .c files */
    char **args;          /* the program's own arguments, ended by NULL */
} request;

static bool is_source(const char *arg)
{
    size_t n = strlen(arg);
    return n > 2 && strcmp(arg + n - 2, ".c") == 0 && arg[0] != '-';
}

static bool is_number(const char *s)
{
    char *end;
    errno = 0;
    strtoull(s, &end, 10);
    return *s >= '0' && *s <= '9' && *end == '\0' && errno == 0;
}

/* Options that go to the compiler as they are. */
static bool is_for_compiler(const char *arg)
{
    static const char *const begin[] = {"-D", "-I", "-U", "-W", "-f",
                                        "-g", "-l", "-L", "-m", "-std="};
    for (size_t i = 0; i < sizeof begin / sizeof begin[0]; i++) {
        size_t n = strlen(begin[i]);
        if (strncmp(arg, begin[i], n) == 0 && (arg[n] != '\0' || strcmp(arg, "-g") == 0))
            return true;
    }
    return false;
}

/* The value of an option that is written as "NAME VALUE" or "NAME=VALUE"; NULL if a is another one. *args is
 * moved to the value's word, to NULL if it is missing. */
static const char *value_of(const char *name, char ***args)
{
    const char *a = **args;
    size_t n = strlen(name);
    if (strncmp(a, name, n) != 0)
        return NULL;
    if (a[n] == '=')
        return a + n + 1;
    if (a[n] != '\0')
        return NULL;
    if ((*args)[1] == NULL)
        return "";
    return *++*args;
}

/* Reads one option at *args; false, said, if it is wrong. */
static bool parse_option(request *r, char ***args)
{
    const char *a = **args, *v;
    if (strcmp(a, "--race") == 0 || strcmp(a, "--asan") == 0) {
        enum variant wanted = strcmp(a, "--race") == 0 ? RACE : ASAN;
        if (r->variant != PLAIN && r->variant != wanted) {
            cmd_say("--race and --asan exclude each other");
            return false;
        }
        r->variant = wanted;
        return true;
    }
    if ((v = value_of("--seed", args)) != NULL) {
        if (!is_number(v)) {
            cmd_say("--seed wants a number from 0 to %llu, not '%s'",
                    (unsigned long long)UINT64_MAX, v);
            return false;
        }
        r->seed = v;
        return true;
    }
    if ((v = value_of("-O", args)) != NULL || strncmp(a, "-O", 2) == 0) {
        r->optimise = v != NULL ? v : a + 2;
        if (strlen(r->optimise) != 1 || strchr("0123sg", r->optimise[0]) == NULL) {
            cmd_say("-O wants 0, 1, 2, 3, s or g, not '%s'", r->optimise);
            return false;
        }
        return true;
    }
    if ((v = value_of("-o", args)) != NULL) {
        if (*v == '\0' || is_source(v)) {
            cmd_say("-o wants the name of a file for the program, not '%s'", v);
            return false;
        }
        r->keep = v;
        return true;
    }
    if (is_for_compiler(a)) {
        words_add(&r->extra, a);
        return true;
    }
    cmd_say("run: unknown option '%s'; see 'runnel help run'", a);
    return false;
}

static bool parse(request *r, char **args)
{
    for (; *args != NULL && (*args)[0] == '-' && strcmp(*args, "--") != 0; args++) {
        if (!parse_option(r, &args))
            return false;
    }
    for (; *args != NULL && is_source(*args); args++)
        words_add(&r->sources, *args);
    if (r->sources.n == 0) {
        if (*args != NULL && strcmp(*args, "--") != 0)
            cmd_say("run: '%s' is not a C file (NAME.c)", *args);
        else
            cmd_say("run: no C file given; see 'runnel help run'");
        return false;
    }
    if (*args != NULL && strcmp(*args, "--") == 0)
        args++;
    r->args = args;
    return true;
}

/* ------------------------------------------------------------------------------------ building */

/* The name of the program: its first source without folder and ".c". */
static char *program_name(const request *r)
{
    const char *first = r->sources.v[0];
    const char *slash = strrchr(first, '/');
    const char *base = slash != NULL ? slash + 1 : first;
    return text_fmt("%.*s", (int)strlen(base) - 2, base);
}

/* 0, or the exit status. */
static int compile(const request *r, const char *program)
{
    home h;
    compiler c;
    if (!compiler_find(&c, r->variant) || !home_find(&h))
        return CMD_MISSING;
    char *archive = compiler_archive(&h, r->variant);
    if (archive == NULL)
        return CMD_MISSING;

    words *w = &c.cmd;
    words_fmt(w, "-O%s", r->optimise);
    words_add(w, "-g");
    words_add(w, "-Wall");
    compiler_strict_flags(w, c.is_clang);
    compiler_variant_flags(w, r->variant);
    words_fmt(w, "-I%s", h.include);
    for (size_t i = 0; i < r->extra.n; i++)
        words_add(w, r->extra.v[i]);
    words_add(w, "-o");
    words_add(w, program);
    for (size_t i = 0; i < r->sources.n; i++)
        words_add(w, r->sources.v[i]);
    words_add(w, archive);
    for (size_t i = 0; i < r->extra.n; i++) { /* libraries again, behind what uses them */
        if (strncmp(r->extra.v[i], "-l", 2) == 0)
            words_add(w, r->extra.v[i]);
    }
    words_add(w, "-pthread");
    words_add(w, "-lm");
    /* Looking a function up at its first call takes more stack than a small goroutine has. */
    words_add(w, "-Wl,-z,now");

    int signal;
    int status = child_run(w->v, environ, &signal);
    if (status < 0)
        return CMD_MISSING;
    if (signal != 0)
        return status;
    return status == 0 ? 0 : CMD_NOT_COMPILED;
}

/* ------------------------------------------------------------------------------------- running */

/* The environment, with the seed appended to RUNNEL_DEBUG: the last word for a key counts. */
static char **program_environment(const request *r)
{
    static const char name[] = "RUNNEL_DEBUG=";
    if (r->seed == NULL)
        return environ;
    words env = {0};
    const char *debug = "";
    for (char **e = environ; *e != NULL; e++) {
        if (strncmp(*e, name, sizeof name - 1) == 0)
            debug = *e + sizeof name - 1;
        else
            words_add(&env, *e);
    }
    words_fmt(&env, "%s%s%sseed=%s", name, debug, *debug != '\0' ? "," : "", r->seed);
    return env.v;
}

static int execute(const request *r, const char *program)
{
    words w = {0};
    words_add(&w, program);
    for (char **a = r->args; *a != NULL; a++)
        words_add(&w, *a);
    /* Older ThreadSanitizer runtimes cannot place their shadow memory when the kernel spreads
     * addresses widely. Best effort: where this is forbidden, the runtime says what it needs. */
    if (r->variant == RACE)
        personality(ADDR_NO_RANDOMIZE);
    int signal;
    int status = child_run(w.v, program_environment(r), &signal);
    if (status < 0)
        return CMD_SYSTEM;
    if (signal != 0 && signal != SIGINT && signal != SIGTERM && signal != SIGHUP)
        cmd_say("the program was ended by signal %d (%s)", signal, strsignal(signal));
    return status;
}

int cmd_run(char **args)
{
    request r = {.variant = PLAIN, .optimise = "2"};
    if (!parse(&r, args))
        return CMD_USAGE;
    child_guard_signals();

    const char *tmp = getenv("TMPDIR");
    char *folder = text_fmt("%s/runnel-XXXXXX", tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
    if (mkdtemp(folder) == NULL) {
        cmd_say("cannot make the temporary folder %s: %s", folder, strerror(errno));
        return CMD_SYSTEM;
    }
    char *built = text_fmt("%s/%s", folder, program_name(&r));
    const char *program = built;
    if (r.keep != NULL)
        program = strchr(r.keep, '/') != NULL ? r.keep : text_fmt("./%s", r.keep);

    int status = compile(&r, program);
    if (status == 0)
        status = execute(&r, program);

    unlink(built);
    rmdir(folder);
    return status;
}
