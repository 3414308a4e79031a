/*
 * desc.h - what the library knows of a descriptor, and waiting for it. Private to io/.
 *
 * One struct rn__desc per number, in a table that only grows; the struct outlives the descriptor, and a
 * generation tells one owner of the number from the next.
 *
 * Invariants
 *  - `state` counts the calls under way and has a bit for "closing". Nobody starts a call once the bit
 *    is set; whoever brings the count to zero then gives the number back. So no call ever works on a
 *    number that has changed its meaning.
 *  - The lock guards queue, ready, deadline and gen; under it: list operations and token takes. Wake-ups
 *    come after it.
 *  - A waiter in a queue is counted in the scheduler's `ext`: somebody outside may wake it, so the
 *    program is not dead.
 *  - An edge is remembered in `ready` only if no waiter could be woken by it. A call tries first and
 *    waits after, so a remembered edge costs one more try and nothing else.
 */
#ifndef RN_IO_DESC_H
#define RN_IO_DESC_H

#include "../panic/panic.h"
#include "../platform/annotate.h"
#include "../platform/lock.h"
#include "../sched/sched.h"
#include <runnel/io.h>

enum rn__side { RN__READ = 0, RN__WRITE = 1 };

enum rn__kind {
    RN__FD_UNKNOWN = 0, /* not used here yet */
    RN__FD_POLLED = 1,  /* non-blocking, registered with the poller */
    RN__FD_FILE = 2,    /* the kernel has no readiness for it: calls block */
};

typedef struct rn__desc {
    _Atomic(uint64_t) state; /* calls under way; RN__FD_CLOSING */
    rn__lock lock;           /* see above */
    uint32_t gen;            /* counts the owners of the number */
    int fd;                  /* the number */
    uint8_t kind;            /* enum rn__kind; written while nobody else is in, or under the lock */
    bool foreign;            /* not made by us: may have been closed behind our back */
    bool was_blocking;       /* to be put back by rn_fd_release */
    bool no_socket;          /* send(2) has said so; a plain store of the same value by anybody */
    bool releasing;          /* the end of the last call shall not close the number */
    bool ready[2];           /* per side: an edge that nobody was there for */
    rn__sudog *queue[2];     /* per side: circular list of waiters */
    int64_t deadline[2];     /* per side, RN_NEVER: none */
} rn__desc;

#define RN__FD_CLOSING (UINT64_C(1) << 63)

/* The entry of a number; NULL if it is negative or beyond all limits. */
rn__desc *rn__desc_of(int fd);

/* Starts and ends a call on fd. enter registers the number at its first use; NULL: *err says why. */
rn__desc *rn__desc_enter(int fd, int *err);
void rn__desc_leave(rn__desc *d);

/* For a number that we have just made, non-blocking: registers it. 0 or a negative errno. */
int rn__desc_adopt(int fd);

/* Waits for the next edge of a side. 0: try again; -ETIMEDOUT, -ECANCELED. Between enter and leave. */
int rn__desc_wait(rn__desc *d, enum rn__side side, int64_t deadline);

/* An event for which nobody waits is remembered, and true returned: nobody need be woken for it. May be
 * called by a thread that sleeps as far as the scheduler knows. */
bool rn__desc_absorb(int fd, uint32_t gen, bool read, bool write);

/* An event of the poller: wakes whom it concerns. */
void rn__desc_event(int fd, uint32_t gen, bool read, bool write);

/* The back-end (epoll.c). add: 0, -EPERM (not pollable) or another errno. renew: makes sure that the
 * number is still registered, and reports again what is ready. */
int rn__poller_add(rn__desc *d);
int rn__poller_renew(rn__desc *d);
void rn__poller_remove(rn__desc *d);

#endif
