/*
 * singleflight.c - rn_singleflight: calls of one key at the same time become one.
 *
 * Invariants
 *  - rn_lock guards the lists and the counts of callers; nothing else happens under it.
 *  - A flight belongs to its callers; the last one frees it. `over` is done after its result is
 *    complete.
 *  - A forgotten flight is in no list any more, and its callers get its result all the same.
 */
#include "../chan/hchan.h"
#include <runnel/group.h>
#include <stdlib.h>
#include <string.h>

typedef struct rn__flight flight;
struct rn__flight {
    flight *next;            /* in its slot's list; under rn_lock */
    bool listed;             /* in that list; under rn_lock */
    int others;              /* callers but the first; under rn_lock */
    int owners;              /* callers that have not left; under rn_lock */
    rn_waitgroup over;       /* one, until it is over */
    rn_flight_result result; /* before over is done */
    bool returned;           /* fn came back */
    bool panicked;           /* it panicked; neither of the two: rn_goexit */
    rn_panic_info panic;     /* how */
    char key[];
};

/* The first caller's, while it runs fn. */
typedef struct lead {
    rn_singleflight *sf;
    flight *f;
    int (*fn)(void *arg, void **value);
    void *arg;
} lead;

/* FNV-1a */
static flight **slot_of(rn_singleflight *sf, const char *key)
{
    uint32_t h = 2166136261u;
    for (; *key != '\0'; key++)
        h = (h ^ (unsigned char)*key) * 16777619u;
    return &sf->rn_slot[h % RN_SINGLEFLIGHT_SLOTS];
}

/* Under the lock. */
static flight **find(rn_singleflight *sf, const char *key)
{
    flight **p = slot_of(sf, key);
    while (*p != NULL && strcmp((*p)->key, key) != 0)
        p = &(*p)->next;
    return p;
}

static void unlist(rn_singleflight *sf, const flight *f)
{
    flight **p = slot_of(sf, f->key);
    while (*p != f)
        p = &(*p)->next;
    *p = f->next;
}

static void call_it(void *p)
{
    lead *l = p;
    l->f->result.err = l->fn(l->arg, &l->f->result.value);
    l->f->returned = true;
}

/* Deferred: rn_goexit comes by here as well. */
static void land(void *p)
{
    lead *l = p;
    rn_mutex_lock(&l->sf->rn_lock);
    if (l->f->listed)
        unlist(l->sf, l->f);
    l->f->listed = false;
    l->f->result.shared = l->f->others != 0;
    rn_mutex_unlock(&l->sf->rn_lock);
    rn_waitgroup_done(&l->f->over);
    if (!l->f->returned && !l->f->panicked) { /* this caller does not come back either */
        rn_mutex_lock(&l->sf->rn_lock);
        bool last = --l->f->owners == 0;
        rn_mutex_unlock(&l->sf->rn_lock);
        if (last) {
            RN__OWN_BEGIN();
            free(l->f);
            RN__OWN_END();
        }
    }
}

static __attribute__((noinline)) void fly(lead *l)
{
    rn_defer(land, l);
    if (!rn_try(call_it, l, &l->f->panic))
        l->f->panicked = true;
}

/* Takes the result and leaves the flight. */
static rn_flight_result leave(rn_singleflight *sf, flight *f)
{
    rn_panic_info info;
    rn_flight_result r = f->result;
    bool returned = f->returned, panicked = f->panicked;
    if (panicked)
        info = f->panic;
    rn_mutex_lock(&sf->rn_lock);
    bool last = --f->owners == 0;
    rn_mutex_unlock(&sf->rn_lock);
    if (last) {
        RN__OWN_BEGIN();
        free(f);
        RN__OWN_END();
    }
    if (panicked)
        rn_repanic(&info);
    if (!returned)
        rn_goexit();
    return r;
}

rn_flight_result rn_singleflight_do_at(rn_singleflight *sf, const char *key,
                                       int (*fn)(void *arg, void **value), void *arg,
                                       const char *site)
{
    size_t size = strlen(key) + 1;
    RN__OWN_BEGIN();
    flight *fresh = malloc(sizeof *fresh + size); /* never under the lock */
    RN__OWN_END();
    if (fresh == NULL)
        rn__fatal("out of memory for a shared call");
    *fresh = (flight){.owners = 1, .listed = true};
    memcpy(fresh->key, key, size);
    rn_waitgroup_add_at(&fresh->over, 1, site);

    rn_mutex_lock_at(&sf->rn_lock, site);
    flight **p = find(sf, key);
    flight *f = *p;
    if (f != NULL) {
        f->others++;
        f->owners++;
    } else {
        *p = fresh;
    }
    rn_mutex_unlock_at(&sf->rn_lock, site);

    if (f == NULL) {
        lead l = {sf, fresh, fn, arg};
        fly(&l);
        return leave(sf, fresh);
    }
    RN__OWN_BEGIN();
    free(fresh);
    RN__OWN_END();
    rn_waitgroup_wait_at(&f->over, site);
    return leave(sf, f);
}

void rn_singleflight_forget(rn_singleflight *sf, const char *key)
{
    rn_mutex_lock(&sf->rn_lock);
    flight **p = find(sf, key);
    flight *f = *p;
    if (f != NULL) {
        *p = f->next;
        f->listed = false;
    }
    rn_mutex_unlock(&sf->rn_lock);
}
