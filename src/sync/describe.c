/*
 * describe.c - what dumps say about the objects of this folder.
 *
 * Invariants
 *  - Called while the program dies or is looked at: reads each word once, waits for nothing.
 */
#include "sync.h"
#include "../panic/panic.h"

void rn__sync_describe(enum rn__reason reason, const void *obj, char *buf, size_t n)
{
    buf[0] = '\0';
    switch (reason) {
    case RN__WAIT_MUTEX_LOCK: rn__mutex_describe(obj, buf, n); break;
    case RN__WAIT_RWMUTEX_RLOCK:
    case RN__WAIT_RWMUTEX_LOCK: rn__rwmutex_describe(obj, buf, n); break;
    case RN__WAIT_WAITGROUP_WAIT: rn__waitgroup_describe(obj, buf, n); break;
    case RN__WAIT_ONCE: rn__once_describe(obj, buf, n); break;
    case RN__WAIT_SEM_ACQUIRE: rn__sem_describe(obj, buf, n); break;
    case RN__WAIT_BARRIER_WAIT: rn__barrier_describe(obj, buf, n); break;
    default: break;
    }
}
