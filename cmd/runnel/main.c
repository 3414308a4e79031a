/*
 * main.c - the command `runnel`: picks the subcommand.
 *
 * Invariants
 *  - A subcommand is one row of the table below and one function; help is printed from the table.
 *  - Help that was asked for goes to standard output with status 0; help after a mistake is one line
 *    on standard error with status 2.
 */
#include "cmd.h"

#include <runnel/base.h>
#include <stdio.h>
#include <string.h>

static int cmd_help(char **args);
static int cmd_version(char **args);

static const struct subcommand {
    const char *name;     /* as typed */
    int (*fn)(char **);   /* what it does */
    const char *synopsis; /* its arguments */
    const char *what;     /* one line */
    const char *more;     /* the rest of its help, or NULL */
} subcommands[] = {
    {"run", cmd_run, "[OPTION...] FILE.c... [--] [ARG...]", "compile C files and run the program",
     "The first word that is not a C file, or what follows \"--\", begins the program's\n"
     "arguments. Ends with the program's exit status, or 128+n if signal n ended it.\n"
     "\n"
     "  --seed N      run deterministically: the same N gives the same schedule\n"
     "  --race        report data races (ThreadSanitizer; needs clang)\n"
     "  --asan        report memory errors (AddressSanitizer, UndefinedBehaviorSanitizer)\n"
     "  -O LEVEL      optimise; 0, 1, 2 (default), 3, s, g\n"
     "  -o FILE       leave the program in FILE\n"
     "  -D... -U... -I... -W... -f... -m... -g... -std=... -L... -l...\n"
     "                for the compiler\n"
     "\n"
     "Environment: CC (compiler; else cc, gcc, clang), RUNNEL_HOME (prefix of runnel; else\n"
     "found from this executable), TMPDIR, RUNNEL_DEBUG (--seed appends to it).\n"},
    {"cflags", cmd_cflags, "[--plain]", "print the flags to compile with",
     "With the flags that make every misuse of a channel's type an error; --plain leaves\n"
     "them out. Use: cc $(runnel cflags) prog.c $(runnel libs)\n"},
    {"libs", cmd_libs, "[--shared]", "print the flags to link with",
     "The static library; --shared: librunnel.so, with its place noted in the program.\n"},
    {"version", cmd_version, "", "print the version", NULL},
    {"help", cmd_help, "[COMMAND]", "print this, or more about one command", NULL},
};
enum { N_SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    }
    cmd_say("unknown command '%s'; see 'runnel help'", name);
    return NULL;
}

static bool no_more(const char *name, char **args)
{
    if (*args == NULL)
        return true;
    cmd_say("%s: unknown argument '%s'; see 'runnel help %s'", name, *args, name);
    return false;
}

static int cmd_version(char **args)
{
    if (!no_more("version", args))
        return CMD_USAGE;
    puts("runnel " RN_VERSION);
    return 0;
}

static int cmd_help(char **args)
{
    if (*args != NULL) {
        const struct subcommand *s = find(*args);
        if (s == NULL || !no_more("help", args + 1))
            return CMD_USAGE;
        printf("runnel %s %s - %s\n", s->name, s->synopsis, s->what);
        if (s->more != NULL)
            printf("\n%s", s->more);
        return 0;
    }
    printf("runnel %s - goroutines, channels and select for C\n\n", RN_VERSION);
    for (size_t i = 0; i < N_SUBCOMMANDS; i++)
        printf("  runnel %-10s %s\n", subcommands[i].name, subcommands[i].what);
    printf("\n\"runnel help COMMAND\" says more.\n");
    return 0;
}

static void print_words(const words *w)
{
    for (size_t i = 0; i < w->n; i++)
        printf("%s%c", w->v[i], i + 1 < w->n ? ' ' : '\n');
}

int cmd_cflags(char **args)
{
    bool plain = *args != NULL && strcmp(*args, "--plain") == 0;
    home h;
    if (!no_more("cflags", args + plain))
        return CMD_USAGE;
    if (!home_find(&h))
        return CMD_MISSING;
    words w = {0};
    words_fmt(&w, "-I%s", h.include);
    words_add(&w, "-pthread");
    if (!plain) {
        compiler c;
        if (!compiler_find(&c, PLAIN))
            return CMD_MISSING;
        compiler_strict_flags(&w, c.is_clang);
    }
    print_words(&w);
    return 0;
}

int cmd_libs(char **args)
{
    bool shared = *args != NULL && strcmp(*args, "--shared") == 0;
    home h;
    if (!no_more("libs", args + shared))
        return CMD_USAGE;
    if (!home_find(&h))
        return CMD_MISSING;
    words w = {0};
    if (shared) {
        words_fmt(&w, "-L%s", h.lib);
        words_fmt(&w, "-Wl,-rpath,%s", h.lib);
        words_add(&w, "-lrunnel");
    } else {
        words_fmt(&w, "%s/librunnel.a", h.lib);
    }
    words_add(&w, "-pthread");
    words_add(&w, "-Wl,-z,now"); /* see compile() in run.c */
    print_words(&w);
    return 0;
}

int main(int argc, char **argv)
{
    static char *none[] = {NULL};
    if (argc < 2)
        return cmd_help(none);
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";
    const struct subcommand *s = find(name);
    if (s == NULL)
        return CMD_USAGE;
    if (argc == 3 && strcmp(argv[2], "--help") == 0)
        return cmd_help((char *[]){argv[1], NULL});
    return s->fn(argv + 2);
}
