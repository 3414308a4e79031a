/*
 * futex.c - sleeping on a word and waking its sleepers.
 *
 * Invariants
 *  - A deadline is absolute on CLOCK_MONOTONIC, so an early return and a second try lose no time.
 *  - Any return from a wait may be early: callers loop.
 */
#include "platform.h"
#include "raw.h"

#include <errno.h>
#include <time.h>

/* The kernel's interface; <linux/futex.h> is not there with every C library. */
enum { WAKE_PRIVATE = 1 | 128, WAIT_BITSET_PRIVATE = 9 | 128 };
static const uint32_t match_any = 0xffffffff;

int rn__futex_wait(_Atomic(uint32_t) *word, uint32_t expect, int64_t deadline)
{
    struct timespec ts;
    struct timespec *limit = NULL;
    if (deadline != RN_NEVER) {
        if (deadline < 0)
            deadline = 0; /* the kernel refuses negative times; both are long past */
        ts.tv_sec = deadline / RN_SEC;
        ts.tv_nsec = deadline % RN_SEC;
        limit = &ts;
    }
    long r = rn__sys6(SYS_futex, (long)word, WAIT_BITSET_PRIVATE, (long)expect, (long)limit, 0,
                      (long)match_any);
    return r == -ETIMEDOUT ? -ETIMEDOUT : 0;
}

void rn__futex_wake(_Atomic(uint32_t) *word, int n)
{
    rn__sys3(SYS_futex, word, WAKE_PRIVATE, n);
}
