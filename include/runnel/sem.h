/*
 * sem.h - a weighted semaphore, and a barrier.
 *
 * Invariants
 *  - Those of sync.h, but that both need a number, and so have an initializer and no zero value.
 *  - The semaphore is first come, first served: who asks for much and waits at the head keeps later
 *    small requests waiting, so that it is not starved.
 *  - What came before a release is visible to those whom it lets in; what came before anybody's arrival
 *    at a barrier, to all who leave it.
 */
#ifndef RUNNEL_SEM_H
#define RUNNEL_SEM_H

#include <runnel/base.h>

RN_EXTERN_C_BEGIN

struct rn__sudog;

/* ---------------------------------------------------------------------------------- semaphore */

/* Go: golang.org/x/sync/semaphore.Weighted. */
typedef struct rn_sem {
    uint64_t rn_word;             /* what is free << 2 | a lock bit and one for "somebody waits" */
    struct rn__sudog *rn_waiters; /* in order */
    int64_t rn_size;              /* the whole weight */
    uintptr_t rn_self;            /* for builds that look for copies */
} __attribute__((aligned(8))) rn_sem;

/* A semaphore of n units, all free: rn_sem s = RN_SEM_INIT(10); n from 0 to 2^61. */
#define RN_SEM_INIT(n)                \
    {                                 \
        (uint64_t)(n) << 2, 0, (n), 0 \
    }

/* The same for memory; nobody may use it meanwhile. */
static inline RN_UNUSED void rn_sem_init(rn_sem *s, int64_t n)
{
    s->rn_word = (uint64_t)n << 2;
    s->rn_waiters = NULL;
    s->rn_size = n;
    s->rn_self = 0;
}

/* Takes n units; blocks until they are free and all who came before have theirs. More than the semaphore has
 * waits for ever, without keeping others waiting. n < 0 panics. Go: s.Acquire(ctx, n). */
RN_API RN_NONNULL void rn_sem_acquire_at(rn_sem *s, int64_t n, const char *site);
#define rn_sem_acquire(s, n) rn_sem_acquire_at((s), (n), RN_HERE)

/* The same until the deadline: 0, or -ETIMEDOUT without any unit. A past deadline tries. */
RN_API RN_NONNULL int rn_sem_acquire_until_at(rn_sem *s, int64_t n, int64_t deadline,
                                              const char *site);
#define rn_sem_acquire_until(s, n, deadline) rn_sem_acquire_until_at((s), (n), (deadline), RN_HERE)

/* Takes n units if they are free and nobody waits. Never blocks. Go: s.TryAcquire(n). */
RN_API RN_NONNULL bool rn_sem_tryacquire_at(rn_sem *s, int64_t n, const char *site);
#define rn_sem_tryacquire(s, n) rn_sem_tryacquire_at((s), (n), RN_HERE)

/* Gives n units back; not necessarily by the one that took them. Never blocks. Panics "semaphore: released
 * more than held". Go: s.Release(n). */
RN_API RN_NONNULL void rn_sem_release_at(rn_sem *s, int64_t n, const char *site);
#define rn_sem_release(s, n) rn_sem_release_at((s), (n), RN_HERE)

/* How much the semaphore has, and how much of that is free at the moment. */
RN_API RN_NONNULL int64_t rn_sem_size(const rn_sem *s);
RN_API RN_NONNULL int64_t rn_sem_available(const rn_sem *s);

/* ------------------------------------------------------------------------------------ barrier */

/* A meeting point for a fixed number of parties, used again phase by phase. */
typedef struct rn_barrier {
    uint64_t rn_queue;   /* the first waiter's place, and a lock bit */
    uint32_t rn_parties; /* how many make a phase complete */
    uint32_t rn_arrived; /* how many of them wait */
    uintptr_t rn_self;   /* for builds that look for copies */
} __attribute__((aligned(8))) rn_barrier;

/* A barrier for n parties, n > 0: rn_barrier b = RN_BARRIER_INIT(4); */
#define RN_BARRIER_INIT(n) \
    {                      \
        0, (n), 0, 0       \
    }

/* The same for memory; nobody may use it meanwhile. */
static inline RN_UNUSED void rn_barrier_init(rn_barrier *b, uint32_t n)
{
    b->rn_queue = 0;
    b->rn_parties = n;
    b->rn_arrived = 0;
    b->rn_self = 0;
}

/* Blocks until as many have come as the barrier is for; then all go on and the next phase begins. True for
 * exactly one of them per phase, the last one to come. Panics "barrier: no parties". */
RN_API RN_NONNULL bool rn_barrier_wait_at(rn_barrier *b, const char *site);
#define rn_barrier_wait(b) rn_barrier_wait_at((b), RN_HERE)

/* The same until the deadline: 1 for the last one to come, 0 for the others, or -ETIMEDOUT, after which the
 * caller does not count as having come. A past deadline completes a phase, or is -ETIMEDOUT at once. */
RN_API RN_NONNULL int rn_barrier_wait_until_at(rn_barrier *b, int64_t deadline, const char *site);
#define rn_barrier_wait_until(b, deadline) rn_barrier_wait_until_at((b), (deadline), RN_HERE)

RN_EXTERN_C_END

#endif
