/*
 * compiler.c - which C compiler, and the flags that runnel asks of it.
 *
 * Invariants
 *  - CC is respected as it is; a compiler that it names and that is not there is an error, never
 *    replaced by another one. Only --race looks further, since it needs clang's runtime.
 *  - An archive of runnel and the sanitizer flags always belong to the same variant.
 */
#define _GNU_SOURCE
#include "cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The path of a program as a shell would find it, or NULL. Empty parts of PATH are not the current
 * folder here. */
static char *find_program(const char *name)
{
    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0 ? text_fmt("%s", name) : NULL;
    const char *path = getenv("PATH");
    if (path == NULL)
        path = "/usr/local/bin:/usr/bin:/bin";
    while (*path != '\0') {
        size_t n = strcspn(path, ":");
        if (n > 0) {
            char *full = text_fmt("%.*s/%s", (int)n, path, name);
            if (access(full, X_OK) == 0)
                return full;
        }
        path += n + (path[n] == ':');
    }
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Looks at the names of all words (for "ccache clang") and at what the first one links to (for cc). */
static bool names_clang(const words *cmd)
{
    for (size_t i = 0; i < cmd->n; i++) {
        if (strstr(base_name(cmd->v[i]), "clang") != NULL)
            return true;
    }
    char *real = realpath(cmd->v[0], NULL);
    return real != NULL && strstr(base_name(real), "clang") != NULL;
}

/* Makes the command from a text like CC's; false if its program is not there. */
static bool take(compiler *c, const char *text)
{
    words cmd = {0};
    words_split(&cmd, text);
    char *program = cmd.n > 0 ? find_program(cmd.v[0]) : NULL;
    if (program == NULL)
        return false;
    cmd.v[0] = program;
    c->cmd = cmd;
    c->is_clang = names_clang(&cmd);
    return true;
}

bool compiler_find(compiler *c, enum variant variant)
{
    static const char *const plain[] = {"cc", "gcc", "clang", NULL};
    static const char *const clangs[] = {"clang",    "clang-20", "clang-19", "clang-18", "clang-17",
                                         "clang-16", "clang-15", "clang-14", NULL};
    const char *cc = getenv("CC");
    if (cc != NULL && cc[strspn(cc, " \t\n")] != '\0') {
        if (!take(c, cc)) {
            cmd_say("the compiler that CC names was not found: %s", cc);
            return false;
        }
        if (variant != RACE || c->is_clang)
            return true;
    }
    for (const char *const *name = variant == RACE ? clangs : plain; *name != NULL; name++) {
        if (take(c, *name))
            return true;
    }
    if (variant == RACE)
        cmd_say("--race needs clang and its runtimes (Debian: apt install clang libclang-rt-dev)");
    else
        cmd_say("no C compiler found: looked for cc, gcc and clang (Debian: apt install gcc), "
                "or set CC");
    return false;
}

void compiler_strict_flags(words *w, bool is_clang)
{
    words_add(w, "-Werror=incompatible-pointer-types");
    words_add(w, is_clang ? "-Werror=incompatible-pointer-types-discards-qualifiers"
                          : "-Werror=discarded-qualifiers");
    words_add(w, "-Werror=int-conversion");
    words_add(w, "-Werror=implicit-function-declaration");
}

void compiler_variant_flags(words *w, enum variant variant)
{
    switch (variant) {
    case PLAIN: break;
    case ASAN:
        words_add(w, "-fsanitize=address,undefined");
        words_add(w, "-fno-omit-frame-pointer");
        break;
    case RACE: words_add(w, "-fsanitize=thread"); break;
    }
}

char *compiler_archive(const home *h, enum variant variant)
{
    static const char *const names[] = {[PLAIN] = "", [ASAN] = "-asan", [RACE] = "-tsan"};
    char *path = text_fmt("%s/librunnel%s.a", h->lib, names[variant]);
    if (access(path, R_OK) == 0)
        return path;
    cmd_say("%s is missing: this runnel was built without RUNNEL_VARIANTS", path);
    return NULL;
}
