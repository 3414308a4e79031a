/*
 * clock.c - the monotonic clock.
 *
 * Invariants
 *  - One time line for the whole process: CLOCK_MONOTONIC, read through the vDSO, about 20 ns.
 */
#include "platform.h"
#include "raw.h"

#include <sys/prctl.h>
#include <time.h>

int64_t rn__clock(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock, so errno stays as it is */
    return (int64_t)ts.tv_sec * RN_SEC + ts.tv_nsec;
}

void rn__clock_precise(void)
{
    /* The default slack is 50 us. A kernel that says no leaves sleeps that much later, no more. */
    rn__sys2(SYS_prctl, PR_SET_TIMERSLACK, 1);
}
