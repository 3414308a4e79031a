/*
 * home.c - where the headers and libraries of this runnel are.
 *
 * Invariants
 *  - Nothing is recorded at build time but the names of the folders below the prefix: an installation
 *    may be moved as a whole.
 */
#define _GNU_SOURCE
#include "cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder above the one that holds this executable; NULL if the system does not say. */
static char *prefix_of_self(void)
{
    char *self = realpath("/proc/self/exe", NULL);
    for (int up = 0; self != NULL && up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (slash == NULL)
            return NULL;
        *slash = '\0';
    }
    return self;
}

/* The first folder below prefix that holds the file; NULL if none does. */
static char *folder_with(const char *prefix, const char *const *folders, const char *file)
{
    for (; *folders != NULL; folders++) {
        if (access(text_fmt("%s/%s/%s", prefix, *folders, file), R_OK) == 0)
            return text_fmt("%s/%s", prefix, *folders);
    }
    return NULL;
}

bool home_find(home *h)
{
    static const char *const includes[] = {RUNNEL_INSTALL_INCLUDEDIR, "include", NULL};
    static const char *const libs[] = {RUNNEL_INSTALL_LIBDIR, "lib", "lib64", NULL};
    const char *set = getenv("RUNNEL_HOME");
    bool is_set = set != NULL && *set != '\0';
    const char *prefix = is_set ? set : prefix_of_self();
    if (prefix == NULL) {
        cmd_say("cannot find out where I am (no /proc?); set RUNNEL_HOME to the prefix of runnel");
        return false;
    }
    h->include = folder_with(prefix, includes, "runnel.h");
    h->lib = folder_with(prefix, libs, "librunnel.a");
    if (h->include == NULL || h->lib == NULL) {
        cmd_say("no %s under %s%s", h->include == NULL ? "include/runnel.h" : "lib/librunnel.a",
                prefix, is_set ? " (RUNNEL_HOME)" : "; set RUNNEL_HOME to the prefix of runnel");
        return false;
    }
    return true;
}
