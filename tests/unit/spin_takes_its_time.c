/*
 * rn__spin returns, waits longer for more, and its calibration may happen on several threads at once.
 * A machine that is busy with other things makes single runs longer, so the shortest of many counts.
 */
#include "unit.h"
#include <pthread.h>

static int64_t shortest(unsigned ns)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < 200; i++) {
        int64_t t = rn__clock();
        rn__spin(ns);
        t = rn__clock() - t;
        best = t < best ? t : best;
    }
    return best;
}

static void *calibrate(void *arg)
{
    rn__spin(1);
    return arg;
}

int main(void)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, calibrate, NULL) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    rn__spin(0);
    int64_t one = shortest(1000), hundred = shortest(100000);
    CHECK(one > 0 && hundred > one);
    /* Calibrated to be about right; an emulator or a changing clock rate is far off, not wild. */
    CHECK(hundred > 1000 && hundred < 100 * 100000);
    return 0;
}
