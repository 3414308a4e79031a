/*
 * sync.h - the waits of this folder with a breaker, for those who build deadlines and contexts on them,
 * and what the files of this folder share.
 *
 * Each rn__X_by(object, b, site) is the public wait with b as a second way to end it: 0, or what b says
 * (-ETIMEDOUT, -ECANCELED) and then nothing has been taken or granted. b may be NULL and is used at most
 * until the return; it is armed only when the wait has to park, so a wait that can go on at once does,
 * even if b is over already. Who wants it otherwise asks b first.
 *
 * Invariants
 *  - A wait that was broken has left the queue when it returns, and what was about to be granted to
 *    it goes to the next waiter.
 *  - A wait that was granted never touches the object again; one that was broken does. So whoever frees
 *    the object must know that waits with a breaker have returned.
 */
#ifndef RN_SYNC_SYNC_H
#define RN_SYNC_SYNC_H

#include "../sched/sched.h"
#include <runnel/cond.h>
#include <runnel/rwmutex.h>
#include <runnel/sem.h>
#include <runnel/sync.h>

int rn__mutex_lock_by(rn_mutex *m, rn__breaker *b, const char *site);
int rn__rwmutex_lock_by(rn_rwmutex *rw, rn__breaker *b, const char *site);
int rn__rwmutex_rlock_by(rn_rwmutex *rw, rn__breaker *b, const char *site);
int rn__waitgroup_wait_by(rn_waitgroup *wg, rn__breaker *b, const char *site);
int rn__sem_acquire_by(rn_sem *s, int64_t n, rn__breaker *b, const char *site);
/* 1 for the one that completes the phase, 0 for the others. */
int rn__barrier_wait_by(rn_barrier *bar, rn__breaker *b, const char *site);
/* m is locked again when it returns, however the wait ended; b does not limit that. */
int rn__cond_wait_by(rn_cond *c, rn_mutex *m, rn__breaker *b, const char *site);

/* Unlocks m and returns who is to be readied (rn__waiter_ready), or NULL. For callers that hold a lock: it
 * never yields. */
rn__g *rn__mutex_unlock_quietly(rn_mutex *m, const char *site);

/* ------------------------------------------------------------------------------------- for dumps */

/* " by goroutine 7", or nothing if g has ended. */
void rn__sync_by(char *buf, size_t n, const rn__g *g);

/* Each leaves buf as it is if there is nothing to say. */
void rn__mutex_describe(const rn_mutex *m, char *buf, size_t n);
void rn__rwmutex_describe(const rn_rwmutex *rw, char *buf, size_t n);
void rn__waitgroup_describe(const rn_waitgroup *wg, char *buf, size_t n);
void rn__once_describe(const rn_once *once, char *buf, size_t n);
void rn__sem_describe(const rn_sem *s, char *buf, size_t n);
void rn__barrier_describe(const rn_barrier *bar, char *buf, size_t n);

/* All of them, as rn__describe_object wants it. */
void rn__sync_describe(enum rn__reason reason, const void *obj, char *buf, size_t n);

#endif
