/*
 * A futex wait ends by a wake, by a changed word or at its deadline and never before it; and no
 * function of the platform changes errno.
 */
#include "unit.h"
#include <pthread.h>

static _Atomic(uint32_t) word;
static _Atomic(int) state;

static void *sleeper(void *arg)
{
    (void)arg;
    atomic_store(&state, 1);
    while (atomic_load(&word) == 0)
        CHECK_EQ(rn__futex_wait(&word, 0, RN_NEVER), 0);
    atomic_store(&state, 2);
    return NULL;
}

int main(void)
{
    errno = 4711;
    CHECK_EQ(rn__futex_wait(&word, 1, RN_NEVER), 0); /* another value: returns at once */
    CHECK_EQ(rn__futex_wait(&word, 0, 0), -ETIMEDOUT);
    CHECK_EQ(rn__futex_wait(&word, 0, -RN_SEC), -ETIMEDOUT);
    CHECK_EQ(rn__futex_wait(&word, 0, INT64_MIN), -ETIMEDOUT);

    int64_t deadline = rn__clock() + 3 * RN_MS + 1;
    int r = 0;
    while (r != -ETIMEDOUT) {
        r = rn__futex_wait(&word, 0, deadline);
        CHECK(r == 0 || r == -ETIMEDOUT);
    }
    CHECK(rn__clock() >= deadline);

    pthread_t t;
    CHECK(pthread_create(&t, NULL, sleeper, NULL) == 0);
    while (atomic_load(&state) == 0)
        rn__spin(1000);
    atomic_store(&word, 1);
    rn__futex_wake(&word, 1);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK_EQ(atomic_load(&state), 2);

    rn__clock_precise();
    CHECK(rn__reserve((size_t)1 << 62, 1) == NULL);
    rn__release((void *)1, 4096);
    rn__discard((void *)1, 4096);
    CHECK(rn__guard(NULL, 4096) != 0);
    CHECK(rn__cpu_count() >= 1);
    CHECK_EQ(errno, 4711);
    return 0;
}
