/*
 * rwmutex.h - many readers or one writer.
 *
 * Invariants
 *  - Those of sync.h: the zero value is ready, nothing to destroy, not to be copied after first use,
 *    and an operation that has let somebody in never touches the object again.
 *  - A writer that waits keeps new readers out; readers that queue behind a writer all enter when it
 *    leaves, before the next writer. So neither side starves the other.
 *  - What came before a write unlock is visible to all who lock later; what came before a read unlock,
 *    to the next writer.
 */
#ifndef RUNNEL_RWMUTEX_H
#define RUNNEL_RWMUTEX_H

#include <runnel/base.h>

RN_EXTERN_C_BEGIN

struct rn__g;
struct rn__sudog;

/* Go: sync.RWMutex. */
typedef struct rn_rwmutex {
    uint64_t rn_word;             /* readers << 32 | mode bits, see src/sync/rwmutex.c */
    struct rn__sudog *rn_writers; /* who waits to write, in order */
    struct rn__sudog *rn_readers; /* who waits to read, in order */
    struct rn__sudog *rn_drain;   /* the writer that waits for the present readers to leave */
    struct rn__g *rn_owner;       /* the last writer; shown in dumps */
    const char *rn_site;          /* where it locked */
    uintptr_t rn_self;            /* for builds that look for copies */
} __attribute__((aligned(8))) rn_rwmutex;

/*
 * Locks for reading; blocks while a writer has it or waits for it. A goroutine that holds a read lock must
 * not ask for another one: if a writer comes in between, both wait for ever. Go: rw.RLock().
 */
RN_API RN_NONNULL void rn_rwmutex_rlock_at(rn_rwmutex *rw, const char *site);
#define rn_rwmutex_rlock(rw) rn_rwmutex_rlock_at((rw), RN_HERE)

/* The same until the deadline: 0, or -ETIMEDOUT without the lock. A past deadline tries. */
RN_API RN_NONNULL int rn_rwmutex_rlock_until_at(rn_rwmutex *rw, int64_t deadline, const char *site);
#define rn_rwmutex_rlock_until(rw, deadline) rn_rwmutex_rlock_until_at((rw), (deadline), RN_HERE)

/* Locks for reading if that is possible at once. Fails while a writer has it or waits. Never blocks.
 * Go: rw.TryRLock(). */
RN_API RN_NONNULL bool rn_rwmutex_tryrlock_at(rn_rwmutex *rw, const char *site);
#define rn_rwmutex_tryrlock(rw) rn_rwmutex_tryrlock_at((rw), RN_HERE)

/*
 * Ends one read lock; any goroutine or thread may do it. Ends the program with "fatal error: sync: RUnlock of
 * unlocked RWMutex" if nobody reads; no recover stops that. Go: rw.RUnlock().
 */
RN_API RN_NONNULL void rn_rwmutex_runlock_at(rn_rwmutex *rw, const char *site);
#define rn_rwmutex_runlock(rw) rn_rwmutex_runlock_at((rw), RN_HERE)

/* Locks for writing; blocks until it is alone. A writer that has been passed over by other writers for 1 ms
 * goes before them. Go: rw.Lock(). */
RN_API RN_NONNULL void rn_rwmutex_lock_at(rn_rwmutex *rw, const char *site);
#define rn_rwmutex_lock(rw) rn_rwmutex_lock_at((rw), RN_HERE)

/* The same until the deadline: 0, or -ETIMEDOUT without the lock; readers that were kept out by the attempt
 * go on. A past deadline tries. */
RN_API RN_NONNULL int rn_rwmutex_lock_until_at(rn_rwmutex *rw, int64_t deadline, const char *site);
#define rn_rwmutex_lock_until(rw, deadline) rn_rwmutex_lock_until_at((rw), (deadline), RN_HERE)

/* Locks for writing if that is possible at once. Never blocks. Go: rw.TryLock(). */
RN_API RN_NONNULL bool rn_rwmutex_trylock_at(rn_rwmutex *rw, const char *site);
#define rn_rwmutex_trylock(rw) rn_rwmutex_trylock_at((rw), RN_HERE)

/*
 * Ends the write lock; any goroutine or thread may do it. Ends the program with "fatal error: sync: Unlock of
 * unlocked RWMutex" if nobody writes; no recover stops that. Go: rw.Unlock().
 */
RN_API RN_NONNULL void rn_rwmutex_unlock_at(rn_rwmutex *rw, const char *site);
#define rn_rwmutex_unlock(rw) rn_rwmutex_unlock_at((rw), RN_HERE)

RN_EXTERN_C_END

#endif
