/*
 * tls.c - the worker word: one pointer per thread, from which everything about "here" is found.
 *
 * Invariants
 *  - Written by its own thread only, before and after that thread is a worker.
 *  - The initial-exec model makes a read two instructions that cannot call the loader.
 *  - The symbol keeps its name under link-time optimisation: inline assembly refers to it.
 */
#include "platform.h"

#if defined(__GNUC__) && !defined(__clang__)
#define RN__KEEP __attribute__((used, externally_visible))
#else
#define RN__KEEP __attribute__((used))
#endif

RN__KEEP __thread struct rn__worker *rn__tls_worker;

void rn__set_self(struct rn__worker *w)
{
    rn__tls_worker = w;
}

/* Never inlined and never analysed, so no caller can know that the address is the same one as before
 * a switch. */
#if defined(__clang__)
__attribute__((noinline, optnone))
#else
__attribute__((noinline, noclone, noipa))
#endif
struct rn__worker *
rn__self_slow(void)
{
    return *(struct rn__worker *volatile *)&rn__tls_worker;
}
