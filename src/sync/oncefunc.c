/*
 * oncefunc.c - rn_oncefunc, rn_oncevalue: a once that remembers how its function ended.
 *
 * Invariants
 *  - rn_value, rn_state and rn_panicked are written by the one call that runs, before its once is done,
 *    and only read afterwards.
 */
#include "sync.h"
#include <runnel/oncefunc.h>

enum { RETURNED = 1, PANICKED = 2 };

static void call(void *p)
{
    rn_oncevalue *v = p;
    if (v->rn_value_fn != NULL)
        v->rn_value = v->rn_value_fn(v->rn_arg);
    else
        v->rn_fn(v->rn_arg);
}

static void run(void *p)
{
    rn_oncevalue *v = p;
    if (rn_try(call, v, &v->rn_panicked)) {
        v->rn_state = RETURNED;
        return;
    }
    v->rn_state = PANICKED;
    rn_repanic(&v->rn_panicked);
}

void *rn_oncevalue_slow(rn_oncevalue *v, const char *site)
{
    rn_once_do1_at(&v->rn_done, run, v, site);
    if (v->rn_state == RETURNED)
        return v->rn_value;
    if (v->rn_state == PANICKED)
        rn_repanic(&v->rn_panicked);
    rn_panic_value_at(site, NULL, NULL);
}
