/*
 * words.c - argument vectors and texts of the command.
 *
 * Invariants
 *  - Nothing is ever freed: the command runs once and is short.
 *  - Out of memory ends the process with a message; no caller needs to check.
 */
#include "cmd.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *p)
{
    if (p == NULL) {
        cmd_say("out of memory");
        exit(CMD_SYSTEM);
    }
    return p;
}

void cmd_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("runnel: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

static char *text_vfmt(const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *s = need(n < 0 ? NULL : malloc((size_t)n + 1));
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    return s;
}

char *text_fmt(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = text_vfmt(fmt, ap);
    va_end(ap);
    return s;
}

void words_add(words *w, const char *word)
{
    if (w->n + 2 > w->cap) {
        w->cap = w->cap == 0 ? 32 : w->cap * 2;
        w->v = need(realloc(w->v, w->cap * sizeof *w->v));
    }
    w->v[w->n++] = (char *)(uintptr_t)word; /* exec's signature says char *, but nobody writes */
    w->v[w->n] = NULL;
}

void words_fmt(words *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    words_add(w, text_vfmt(fmt, ap));
    va_end(ap);
}

void words_split(words *w, const char *text)
{
    static const char blanks[] = " \t\n";
    for (text += strspn(text, blanks); *text != '\0'; text += strspn(text, blanks)) {
        size_t n = strcspn(text, blanks);
        words_fmt(w, "%.*s", (int)n, text);
        text += n;
    }
}
