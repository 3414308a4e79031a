/*
 * reasons.c - the words for why a goroutine waits. They are Go's, so that every tool and every habit
 * that knows a Go dump knows ours.
 */
#include "sched.h"

const char *rn__reason_text(enum rn__reason r)
{
    static const char *const text[] = {
#define X(name, words) words,
        RN__REASONS(X)
#undef X
    };
    return (size_t)r < sizeof text / sizeof *text ? text[r] : "";
}
