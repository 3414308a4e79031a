/*
 * rwmutex_cache.c - a table that is read often and written seldom.
 *
 * Go idiom: mu.RLock(); v, ok := m[k]; mu.RUnlock(), and mu.Lock() only to fill in what is missing.
 * Rule: between the read unlock and the write lock somebody else may have been there: look again.
 * A read lock must not be turned into a write lock, nor taken twice: a writer that came in between would
 * wait for the first one, and the second one for the writer.
 */
#include <runnel.h>
#include <stdio.h>

enum { KEYS = 10, READERS = 8, LOOKUPS = 1000 };

static struct cache {
    rn_rwmutex mu; /* guards the rest */
    bool known[KEYS];
    int square[KEYS];
    int computed;
} cache;

static int square_of(int k)
{
    rn_rwmutex_rlock(&cache.mu);
    bool known = cache.known[k];
    int v = cache.square[k];
    rn_rwmutex_runlock(&cache.mu);
    if (known)
        return v;

    rn_rwmutex_lock(&cache.mu);
    if (!cache.known[k]) { /* nobody was quicker */
        cache.square[k] = k * k;
        cache.known[k] = true;
        cache.computed++;
    }
    v = cache.square[k];
    rn_rwmutex_unlock(&cache.mu);
    return v;
}

static void look_up(int seed)
{
    for (int i = 0; i < LOOKUPS; i++) {
        int k = (seed + i) % KEYS;
        if (square_of(k) != k * k)
            panic("the square of %d is wrong", k);
    }
}
GO_FUNC(look_up, int);

int main(void)
{
    rn_waitgroup wg = {0};
    for (int i = 0; i < READERS; i++)
        rn_waitgroup_go(&wg, look_up, i);
    rn_waitgroup_wait(&wg);
    printf("%d lookups, %d squares computed\n", READERS * LOOKUPS, cache.computed);
    return 0;
}
