/*
 * record.h - running panics, and the doors between this folder's files about them.
 *
 * Invariants
 *  - A running panic or Goexit lives in the frame that raised it, below the frames whose deferred
 *    calls it runs. rn__gext.panic is the newest one; link leads to those that were running when it
 *    was raised.
 *  - A guard remembers the newest running panic of its time. Jumping to it makes that one current
 *    again and abandons all newer ones, except that a Goexit among them goes on instead.
 */
#ifndef RN_PANIC_RECORD_H
#define RN_PANIC_RECORD_H

#include "panic.h"

typedef struct rn__panic {
    rn_panic_info info;
    rn__g *g;               /* whose it is */
    struct rn__panic *link; /* what was running when this was raised; NULL: nothing */
    const rn_deferred *rec; /* the record whose call runs now */
    void (*fn)(void *);     /* that call's function */
    rn_guard *passed;       /* the last guard that was taken off the list on the way */
    rn_guard *target;       /* recovered: where to go on */
    char *whole;            /* malloc'ed text when info.text is too short; NULL otherwise */
    const char *extra;      /* what C adds below the text; NULL: nothing. Lives in a frame above */
    const char *unheard;    /* function whose deferred call recovered in vain: no rn_recoverable */
    bool goexit;            /* not a panic: rn_goexit runs the deferred calls */
    bool recovered;         /* recover() was called; takes effect when the deferred call returns */
    bool again;             /* the same value as link's: printed once */
} rn__panic;

/* The goroutine's newest running panic or Goexit; NULL: none. */
static inline rn__panic *rn__panic_of(const rn__g *g)
{
    return g->ext != NULL ? g->ext->panic : NULL;
}

/* The function frame that a record belongs to, and its kind. */
enum { RN__RECORD_KIND = 3 };
static inline bool rn__same_frame(const rn_deferred *a, const rn_deferred *b)
{
    return ((a->frame ^ b->frame) & ~(uintptr_t)RN__RECORD_KIND) == 0 && a->func == b->func;
}

/* guard_CPU.S */
void rn__call_deferred(void (*fn)(void *), void *arg);
extern const char rn__deferred_return[];
#if !RN_GUARD_SETJMP
__attribute__((noreturn)) void rn__guard_jump(void **regs);
#endif

/* Takes a FUNCTION record's newest call; false when none is left, and the record's memory is
 * free. */
bool rn__function_pop(rn_function_scope *s, void (**fn)(void *), void **arg);

/* direct.c: false if the code of function fn is known not to be that of the C function called
 * name. */
bool rn__is_named(void (*fn)(void *), const char *name);
/* direct.c: fn is what the compiler made for a C++ lambda, and calls it from before ret. */
bool rn__is_wrapped(void (*fn)(void *), const void *ret);

/* report.c: prints p and what was running when it was raised, the back-trace, and ends the
 * process. */
__attribute__((noreturn)) void rn__panic_die(rn__panic *p);

#endif
