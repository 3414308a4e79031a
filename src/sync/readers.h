/*
 * readers.h - short sections that others can wait out: what pool and map read and write without locks.
 *
 * A section costs two plain stores. Whoever has to know that nobody is inside any more pays for it: a
 * barrier on all threads, then a look at each thread's place (rn__readers_wait). This is RCU in user
 * space; a locked instruction in each section would cost more than all the rest of a lookup.
 *
 *   reader   seq = odd; read, maybe write what is the thread's own; seq = even
 *   other    unlink, or close; rn__readers_wait(); now the memory is its own
 *
 * Used by the files of this folder only.
 *
 * Invariants
 *  - A section holds no switch: the thread that enters leaves, and no place stays odd for long. Callbacks
 *    inside one must not block.
 *  - A place belongs to one thread at a time; the worker's number is in its hot words, since thread-local
 *    addresses must not be kept over a switch.
 *  - Where the kernel has no membarrier, entering is a full fence.
 */
#ifndef RN_SYNC_READERS_H
#define RN_SYNC_READERS_H

#include "../sched/sched.h"

enum { RN__READERS = 1024 }; /* places, as many threads may be inside; further ones use locks */

typedef struct rn__reader {
    _Alignas(RN__CACHELINE) _Atomic(uint32_t) seq; /* odd: inside; written by the owner only */
    _Atomic(uint32_t) taken;                       /* a thread owns it */
} rn__reader;

extern rn__reader rn__readers[RN__READERS]; /* [0] is never used */
extern _Atomic(bool) rn__readers_fence;     /* entering needs a fence; set with the first place */

/* The calling thread's place, taken at the first call; NULL if there is none left. */
rn__reader *rn__reader_find(void);
static inline rn__reader *rn__reader_here(void)
{
    rn__hot *h = rn__self_hot();
    if (RN_LIKELY(h != NULL && h->reader != 0))
        return &rn__readers[h->reader];
    return rn__reader_find();
}

/* Enters; returns what rn__reader_leave wants. A section inside another one is a part of it. */
static inline uint32_t rn__reader_enter(rn__reader *r)
{
    uint32_t s = atomic_load_explicit(&r->seq, memory_order_relaxed);
    atomic_store_explicit(&r->seq, s | 1, memory_order_relaxed);
    if (RN_LIKELY(!atomic_load_explicit(&rn__readers_fence, memory_order_relaxed)))
        atomic_signal_fence(
            memory_order_seq_cst); /* program order is enough: the waiter has the barrier */
    else
        atomic_thread_fence(memory_order_seq_cst);
    return s;
}
static inline void rn__reader_leave(rn__reader *r, uint32_t s)
{
    /* release: all that was read and written inside came before; the outermost one only ends it */
    atomic_store_explicit(&r->seq, (s & 1) != 0 ? s : s + 2, memory_order_release);
}

/* Waits until every section that was open when it was called has ended; may let other goroutines run.
 * False, having waited for nothing, if the caller itself is inside one. No lock may be held. */
bool rn__readers_wait(void);

#endif
