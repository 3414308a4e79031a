/*
 * oncefunc.h - a function that runs at its first call, and whose outcome all calls share.
 *
 *     static void *load(void *path) { ... }
 *     static rn_oncevalue config = RN_ONCEVALUE_INIT(load, "app.conf");
 *     ... struct config *c = rn_oncevalue_get(&config);
 *
 * Invariants
 *  - Those of rn_once: one call runs, the others block until it has finished, and see what it did.
 *  - If the function panicked, the first call and every later one panic with the same value and text;
 *    if it ended by rn_goexit, later calls panic as Go's do: "panic called with nil argument".
 */
#ifndef RUNNEL_ONCEFUNC_H
#define RUNNEL_ONCEFUNC_H

#include <runnel/panic.h>
#include <runnel/sync.h>

RN_EXTERN_C_BEGIN

/* The common part. The members are private. */
typedef struct rn_oncevalue {
    rn_once rn_done;
    void *(*rn_value_fn)(void *); /* one of both is set */
    void (*rn_fn)(void *);
    void *rn_arg;              /* for either */
    void *rn_value;            /* what the function returned */
    int rn_state;              /* 0 not finished, or left by rn_goexit; 1 returned; 2 panicked */
    rn_panic_info rn_panicked; /* 2: with what */
} rn_oncevalue;

/* Go: sync.OnceFunc. */
typedef struct rn_oncefunc {
    rn_oncevalue rn_base;
} rn_oncefunc;

/* rn_oncevalue v = RN_ONCEVALUE_INIT(fn, arg); for void *fn(void *), where arg must live until the first
 * get. */
#define RN_ONCEVALUE_INIT(fn, arg)               \
    {                                            \
        {0, 0, 0}, (fn), 0, (void *)(arg), 0, 0, \
        {                                        \
            0, 0, 0, false,                      \
            {                                    \
                0                                \
            }                                    \
        }                                        \
    }

/* rn_oncefunc f = RN_ONCEFUNC_INIT(fn, arg); for void fn(void *). */
#define RN_ONCEFUNC_INIT(fn, arg)                    \
    {                                                \
        {                                            \
            {0, 0, 0}, 0, (fn), (void *)(arg), 0, 0, \
            {                                        \
                0, 0, 0, false,                      \
                {                                    \
                    0                                \
                }                                    \
            }                                        \
        }                                            \
    }

/* The slow way of both. Use rn_oncevalue_get or rn_oncefunc_call. */
RN_API RN_NONNULL void *rn_oncevalue_slow(rn_oncevalue *v, const char *site);

/* Calls the function if this is the first call, and returns what it returned then. Blocks while the first
 * call runs. Go: the function that sync.OnceValue returns. */
static inline void *rn_oncevalue_get_at(rn_oncevalue *v, const char *site)
{
    /* acquire: pairs with the store after the function, so that its effects are seen */
    if (RN_UNLIKELY(__atomic_load_n(&v->rn_done.rn_word, __ATOMIC_ACQUIRE) != 1 ||
                    v->rn_state != 1))
        return rn_oncevalue_slow(v, site);
    return v->rn_value;
}
#define rn_oncevalue_get(v) rn_oncevalue_get_at((v), RN_HERE)

/* Calls the function if this is the first call. Go: the function that sync.OnceFunc returns. */
static inline void rn_oncefunc_call_at(rn_oncefunc *f, const char *site)
{
    (void)rn_oncevalue_get_at(&f->rn_base, site);
}
#define rn_oncefunc_call(f) rn_oncefunc_call_at((f), RN_HERE)

RN_EXTERN_C_END

#endif
