/*
 * singleflight.c - a cache that a thousand requests miss at the same time, and one that asks once.
 *
 * Go idiom: v, err, shared := group.Do(key, load).
 * Rule: calls of one key that overlap become one call, whose result all of them get. Here the load
 * waits until all requests have come, so that they do overlap.
 */
#include <runnel.h>
#include <stdatomic.h>
#include <stdio.h>

enum { REQUESTS = 1000 };

static rn_singleflight flights;
static _Atomic(int) loads, came, shared;
static int price = 42;

static int load(void *arg, void **value)
{
    (void)arg;
    while (atomic_load(&came) < REQUESTS)
        rn_yield();
    rn_sleep(100 * RN_MS); /* the work; the last ones are two lines away from waiting for it */
    atomic_fetch_add(&loads, 1);
    *value = &price;
    return 0;
}

static void request(int *got)
{
    atomic_fetch_add(&came, 1);
    rn_flight_result r = rn_singleflight_do(&flights, "price of bread", load, NULL);
    *got = *(int *)r.value;
    atomic_fetch_add(&shared, r.shared);
}
GO_FUNC(request, int *);

int main(void)
{
    static int got[REQUESTS];
    rn_waitgroup wg = {0};
    for (int i = 0; i < REQUESTS; i++)
        rn_waitgroup_go(&wg, request, &got[i]);
    rn_waitgroup_wait(&wg);
    int right = 0;
    for (int i = 0; i < REQUESTS; i++)
        right += got[i] == price;
    printf("%d requests, %d right answers, %d shared, %d load\n", REQUESTS, right,
           atomic_load(&shared), atomic_load(&loads));
    return 0;
}
