/*
 * Four workers take and give stacks at random, so that batches travel through the global pool all the
 * time while a fifth thread trims: no stack is ever owned twice, and none is lost. ThreadSanitizer would
 * not see the library's locks.
 *
 * runnel-test: not=thread
 */
#include "unit.h"
#include "stack/slab.h"
#include <pthread.h>

enum { THREADS = 4, HELD = 600, ROUNDS = 8000 };

static const unsigned classes[] = {RN__STACK_MIN_CLASS, RN__STACK_DEFAULT_CLASS};
static unsigned klass;
static rn__stack_pool pools[THREADS];
static _Atomic(bool) stop;
static int64_t trims;

/* The stack's owner is written at its low end; zero, as fresh and trimmed memory is, is nobody. */
static _Atomic(uint64_t) *owner(rn__stack *s)
{
    return (_Atomic(uint64_t) *)(void *)s - 8;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void *worker(void *arg)
{
    rn__stack_pool *pool = arg;
    uint64_t me = (uint64_t)(pool - pools) + 1, rng = me;
    rn__stack **held = calloc(HELD, sizeof *held);
    int n = 0;
    for (int r = 0; r < ROUNDS; r++) {
        int want = (int)(next_random(&rng) % HELD);
        while (n < want) {
            rn__stack *s = rn__stack_get(pool, klass);
            CHECK(s != NULL);
            CHECK(!rn__stack_smashed(s));
            CHECK_EQ(s->klass, klass);
            CHECK_EQ(atomic_exchange(owner(s), me), 0);
            held[n++] = s;
        }
        while (n > want) {
            rn__stack *s = held[--n];
            CHECK_EQ(atomic_exchange(owner(s), 0), me);
            rn__stack_put(pool, s);
            CHECK(pool->hot[klass] == s); /* the one on top stays */
            CHECK(pool->n[klass] <= RN__STACK_POOL_BOUND);
        }
    }
    while (n > 0) {
        rn__stack *s = held[--n];
        CHECK_EQ(atomic_exchange(owner(s), 0), me);
        rn__stack_put(pool, s);
    }
    free(held);
    return NULL;
}

static void *trimmer(void *arg)
{
    int64_t now = rn__clock();
    while (!atomic_load(&stop)) {
        rn__stack_trim(now += RN_SEC);
        trims++;
        rn__spin(20000);
    }
    return arg;
}

static void run(void)
{
    pthread_t t[THREADS], trim;
    atomic_store(&stop, false);
    CHECK(pthread_create(&trim, NULL, trimmer, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, worker, &pools[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(t[i], NULL) == 0);
    atomic_store(&stop, true);
    CHECK(pthread_join(trim, NULL) == 0);
    CHECK(trims > 0);

    /* Now all that were ever made are in a pool: taken out, each comes once. */
    size_t used, cold, local = 0;
    rn__slab_counts(klass, &used, &cold);
    for (int i = 0; i < THREADS; i++) {
        size_t n = 0;
        for (rn__stack *s = pools[i].hot[klass]; s != NULL; s = s->next)
            n++;
        CHECK_EQ(n, pools[i].n[klass]);
        local += n;
    }
    static rn__stack_pool all;
    for (size_t i = local; i < used; i++) {
        rn__stack *s = rn__stack_get(&all, klass);
        CHECK(s != NULL);
        CHECK_EQ(atomic_exchange(owner(s), 9), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        for (rn__stack *s = pools[i].hot[klass]; s != NULL; s = s->next)
            CHECK_EQ(atomic_exchange(owner(s), 9), 0);
    }
    size_t used_now;
    rn__slab_counts(klass, &used_now, &cold);
    CHECK_EQ(used_now, used); /* none had to be made for that, so none was lost */
    CHECK_EQ(cold, 0);
}

int main(void)
{
    unsigned last = 0;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        klass = (unsigned)rn__stack_class((size_t)1 << classes[i]);
        if (klass != last)
            run();
        last = klass;
    }
    return 0;
}
