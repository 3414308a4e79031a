/*
 * signal.h - what the two halves of signals share; private to signal/.
 *
 * catch.c knows the operating system: handlers, and the thread that delivers. register.c knows the
 * channels: who wants what.
 *
 * Invariants
 *  - A set is a 64-bit word; signal n is bit n-1. There are 64 signals.
 *  - rn__signal_lock guards all registrations and the handlers that are installed. Under it: list
 *    operations, sigaction, and, in the thread that delivers, sends that do not wait.
 */
#ifndef RN_SIGNAL_SIGNAL_H
#define RN_SIGNAL_SIGNAL_H

#include "../chan/hchan.h"
#include "../platform/lock.h"
#include <runnel/signal.h>

typedef uint64_t rn__sigset;

static inline rn__sigset rn__sig_bit(int sig)
{
    return UINT64_C(1) << (sig - 1);
}

extern rn__lock rn__signal_lock;

/* catch.c. All but wait and start with the lock held. */
rn__sigset rn__signal_possible(void);    /* what can be asked for */
int rn__signal_start(void);              /* makes the thread; 0 or a negative errno */
void rn__signal_catch(rn__sigset set);   /* installs our handler for these */
void rn__signal_restore(rn__sigset set); /* puts back what was there */
void rn__signal_discard(rn__sigset set); /* lets these be ignored */
void rn__signal_wait(void);              /* until all that has arrived is delivered */

/* register.c: sends these to all who want them. Called by the thread, with the lock held; what it has
 * made runnable is readied by the caller, after the lock. */
typedef struct rn__sig_woken {
    rn__partner who[16];
    int n;
} rn__sig_woken;
void rn__signal_deliver(rn__sigset set, rn__sig_woken *woken);

#endif
