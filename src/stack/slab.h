/*
 * slab.h - where the slots of the stacks come from; only for this folder.
 *
 * Invariants
 *  - A slot is in one of four states: untouched (never handed out), taken (a stack of a goroutine, a
 *    worker or a pool), cold (free, its guard in place, its memory given back or about to be), or
 *    being discarded. Only taken slots have a header.
 */
#ifndef RN_STACK_SLAB_H
#define RN_STACK_SLAB_H

#include "stack.h"

/* A stack from a cold or an untouched slot, its header (and canary) written. NULL: no more. */
rn__stack *rn__slab_take(unsigned klass);

/* Makes a stack's slot cold. Its memory is given back by the next rn__slab_discard. */
void rn__slab_chill(rn__stack *s);

/* Gives back the memory of up to about `max` cold slots of the class that still have some. True if
 * more are left. */
bool rn__slab_discard(unsigned klass, size_t max);

/* Slots of the class that have ever been handed out, and cold ones. */
void rn__slab_counts(unsigned klass, size_t *used, size_t *cold);

/* Bytes at the low end of a guarded slot that fault. */
size_t rn__slab_guard_bytes(unsigned klass);

/* Reads stack= and guard= from RUNNEL_DEBUG, once. */
void rn__stack_configure(void);

#endif
