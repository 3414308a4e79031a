/*
 * What a goroutine on the smallest stack calls below the scheduler when it parks fits there with room
 * to spare: the clock, waking a thread, a contended lock, giving a stack back and taking one, even the
 * first one ever.
 *
 * Symbols are bound at start: the loader's own lazy binding saves all vector registers on the
 * caller's stack, some 3 KiB, the first time that a function of another library is called. The
 * library is to be compiled with -fno-plt for that reason.
 *
 * runnel-test: env=LD_BIND_NOW=1 not=address not=thread
 */
#include "unit.h"
#include "platform/lock.h"
#include "stack/stack.h"
#include <pthread.h>

enum { MOST = 1024 }; /* bytes: half of the stack is left for the caller */

static rn__stack_pool small_pool, pool;
static rn__stack *stack;
static rn__ctx here, there;
static _Atomic(uint64_t) word;
static _Atomic(uint32_t) sleeper;
static rn__lock lock;
static void (*job)(void);

static void entry(void)
{
    job();
    rn__switch(&there, &here, &word, 0);
}

/* Bytes of the small stack that fn dirties. */
static long measure(void (*fn)(void))
{
    memset(stack->lo, 0x5a, (size_t)((char *)stack - stack->lo));
    job = fn;
    rn__ctx_init(&there, rn__stack_top(stack), entry);
    rn__switch(&here, &there, &word, 0);
    CHECK(!rn__stack_smashed(stack));
    char *p = stack->lo;
    while (*p == 0x5a)
        p++;
    return (long)((char *)stack - p);
}

static int64_t time_seen;
static void read_clock(void)
{
    time_seen = rn__clock();
}
static void wake(void)
{
    rn__futex_wake(&sleeper, 1);
}
static void spin(void)
{
    rn__spin(10);
}
static void wait_for_lock(void)
{
    rn__lock_take(&lock);
    rn__lock_drop(&lock);
}
static rn__stack *taken[1000];
static void take(void)
{
    for (int i = 0; i < 1000; i++)
        taken[i] = rn__stack_get(&pool, (unsigned)rn__stack_class(64 << 10));
}
static void give(void)
{
    for (int i = 0; i < 1000; i++)
        rn__stack_put(&pool, taken[i]);
}
static bool found;
static void find(void)
{
    char *lo, *hi;
    found = rn__stack_find(stack, &lo, &hi);
}

static void *release_later(void *arg)
{
    rn__spin(2000000); /* long enough for all stages of waiting; the result does not depend on it */
    rn__lock_drop(&lock);
    return arg;
}

#define FITS(fn)                                 \
    do {                                         \
        long used = measure(fn);                 \
        printf("%-14s %4ld bytes\n", #fn, used); \
        CHECK(used <= MOST);                     \
    } while (0)

int main(void)
{
    stack = rn__stack_get(&small_pool, (unsigned)rn__stack_class(2048));
    CHECK(stack != NULL);
    CHECK_EQ(stack->klass, RN__STACK_MIN_CLASS);
    FITS(take);
    for (int i = 0; i < 1000; i++)
        CHECK(taken[i] != NULL);
    FITS(give);
    FITS(take);
    FITS(read_clock);
    CHECK(time_seen > 0);
    FITS(wake);
    FITS(spin);
    FITS(find);
    CHECK(found);

    CHECK(rn__lock_try(&lock));
    pthread_t t;
    CHECK(pthread_create(&t, NULL, release_later, NULL) == 0);
    FITS(wait_for_lock);
    CHECK(pthread_join(t, NULL) == 0);
    return 0;
}
