/*
 * self.h - what a goroutine can say and keep about itself: name, labels, values of its own; and the place
 * in a long loop where it lets others run.
 *
 * Invariants
 *  - All of it concerns the calling goroutine, or the calling foreign thread, and nobody else.
 *  - Names and labels are for people: dumps show them as {name: w3, request: 17}.
 */
#ifndef RUNNEL_SELF_H
#define RUNNEL_SELF_H

#include <runnel/base.h>
#include <runnel/chan.h>

RN_EXTERN_C_BEGIN

/* ----------------------------------------------------------------------------- name and labels */

/* Names the caller in dumps, in place of rn_go_attr.name; the first 63 bytes are copied. NULL or an empty
 * text takes the name away. 0 or -ENOMEM. */
RN_API int rn_set_name(const char *name);

/* The caller's name, from here or from rn_go_attr; NULL if it has none. Valid until it is set again. */
RN_API const char *rn_name(void);

/*
 * Sets the label key of the caller to a copy of value; NULL removes it. Goroutines that it starts from now
 * on begin with the labels that it has then. 0, -EINVAL if key is NULL or empty, -ENOMEM.
 * Go: pprof.SetGoroutineLabels.
 */
RN_API int rn_set_label(const char *key, const char *value);

/* The caller's value for key, its own or inherited; NULL if it has none. Valid until the caller sets any
 * label. Go: pprof.Label. */
RN_API const char *rn_label(const char *key);

/* ---------------------------------------------------------------------------------------- values */

/* What tells one such value from another: its address. */
typedef struct rn_local_key {
    /* called with the value's address when the goroutine (the foreign thread) ends, in it, newest value
     * first; it may block. NULL: nothing is called. Not called when the program ends. */
    void (*drop)(void *value) RN_OPTIONAL;
} rn_local_key;

/*
 * rn_local(T) declares a value of type T that each goroutine has for itself, with static storage:
 *
 *     static rn_local(int) depth;
 *     static rn_local(struct cache) cache = RN_LOCAL_INIT(free_cache);
 *     ...
 *     ++*rn_local_ptr(&depth);
 *
 * rn_local_ptr(&l) is a T * to the caller's value. It is all zeros at first, lives as long as the goroutine
 * and does not move, also when the goroutine changes threads; thread-local variables do neither.
 * Out of memory is fatal.
 */
#define rn_local(T)             \
    struct {                    \
        rn_local_key rn_key;    \
        __typeof__(T) *rn_type; \
    }
#define RN_LOCAL_INIT(drop) \
    {                       \
        {drop}, NULL        \
    }
#define rn_local_ptr(l) \
    RN__CAST(__typeof__((l)->rn_type), rn_local_at(&(l)->rn_key, sizeof *(l)->rn_type))

/* The caller's value for key, of `size` bytes, aligned for everything; made at the first call. */
RN_API RN_NONNULL void *rn_local_at(rn_local_key *key, size_t size);

/* ------------------------------------------------------------------------------------ checkpoint */

/* Not 0: somebody has waited for a while behind a goroutine that does not stop. Only to be read. */
extern RN_API int rn_checkpoint_wanted;

/* What rn_checkpoint does then. */
RN_API void rn_checkpoint_slow(void);

/*
 * For long loops that never wait: lets others run if some have been waiting behind the caller, which is
 * noticed within one to five milliseconds; else returns at once: one load and a branch. Call it as often as
 * you like, with no lock held that others need. On a foreign thread it does nothing. Go: preemption.
 */
static inline RN_UNUSED void rn_checkpoint(void)
{
    /* relaxed: a hint */
    if (RN_UNLIKELY(__atomic_load_n(&rn_checkpoint_wanted, __ATOMIC_RELAXED) != 0))
        rn_checkpoint_slow();
}

RN_EXTERN_C_END

#endif
