/*
 * cmd.h - what the files of the command `runnel` share.
 *
 * Invariants
 *  - The command uses the C library only, starts programs without a shell, and leaves nothing behind
 *    in the temporary folder, whether the program ends, fails or is interrupted.
 *  - It prints one line, "runnel: ...", for each thing that is wrong, to standard error; everything
 *    else on the two streams comes from the compiler or the program.
 *  - Exit statuses of its own: 2 wrong usage, 127 a tool or part is missing, 1 the program does not
 *    compile, 125 the system refused something.
 */
#ifndef RUNNEL_CMD_H
#define RUNNEL_CMD_H

#include <stdbool.h>
#include <stddef.h>

enum { CMD_USAGE = 2, CMD_NOT_COMPILED = 1, CMD_SYSTEM = 125, CMD_MISSING = 127 };

/* Prints "runnel: TEXT" on standard error. */
__attribute__((format(printf, 1, 2))) void cmd_say(const char *fmt, ...);

/* ------------------------------------------------------------------------------------ words.c */

/* A growing argument vector; v is always ended by NULL. Words that were made with words_fmt live as
 * long as the process: the command runs once. */
typedef struct words {
    char **v;   /* the words */
    size_t n;   /* how many */
    size_t cap; /* room in v */
} words;

void words_add(words *w, const char *word);
__attribute__((format(printf, 2, 3))) void words_fmt(words *w, const char *fmt, ...);
/* Adds the words of a text separated by blanks, as in CC="ccache gcc". */
void words_split(words *w, const char *text);

/* printf into fresh memory; ends the process when there is none. */
__attribute__((format(printf, 1, 2))) char *text_fmt(const char *fmt, ...);

/* ------------------------------------------------------------------------------------- home.c */

/* Where this runnel's parts are. */
typedef struct home {
    char *include; /* folder with runnel.h */
    char *lib;     /* folder with librunnel.a */
} home;

/* RUNNEL_HOME, else the folder above the one of this executable: a build tree and an installation
 * are laid out alike. Says what is missing and returns false if either part is not there. */
bool home_find(home *h);

/* --------------------------------------------------------------------------------- compiler.c */

/* How a program is to be built. */
enum variant { PLAIN, ASAN, RACE };

typedef struct compiler {
    words cmd;     /* the compiler with its leading arguments */
    bool is_clang; /* speaks clang's dialect of warning flags */
} compiler;

/* CC, else cc, gcc, clang; for RACE a clang. Says what to install and returns false if there is none. */
bool compiler_find(compiler *c, enum variant variant);

/* Flags that make every misuse of a channel's type an error. */
void compiler_strict_flags(words *w, bool is_clang);

/* The flags of the variant, for compiling and linking alike. */
void compiler_variant_flags(words *w, enum variant variant);

/* The archive of the variant in this home; NULL, said, if this runnel was built without it. */
char *compiler_archive(const home *h, enum variant variant);

/* ------------------------------------------------------------------------------------ child.c */

/* From here on a signal that would end the command goes to its child instead, so that the command
 * can clean up behind it. */
void child_guard_signals(void);

/* Runs argv[0], a path, with this environment and waits. Returns its exit status, 128+n if signal n
 * ended it, or -1, said, if it could not be started. *signal gets n or 0. */
int child_run(char **argv, char **env, int *signal);

/* -------------------------------------------------------------------------------- subcommands */

/* Each gets its arguments without its own name, ended by NULL, and returns the exit status. */
int cmd_run(char **args);
int cmd_cflags(char **args);
int cmd_libs(char **args);

#endif
