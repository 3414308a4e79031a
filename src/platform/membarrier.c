/*
 * membarrier.c - a memory barrier on every running thread of the process, paid by the one who asks.
 *
 * Invariants
 *  - After rn__membarrier() each other thread has executed a full barrier: a plain store of theirs that
 *    came before it in their program order is visible, and a load that comes after it sees what we wrote.
 *  - Where the kernel cannot do that, rn__membarrier_usable() says so for the life of the process, and the
 *    other side has to use a real fence.
 */
#define _GNU_SOURCE
#include "platform.h"
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PRIVATE_EXPEDITED = 1 << 3, REGISTER_PRIVATE_EXPEDITED = 1 << 4 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool usable; /* written once, under `once` */

static long membarrier(int cmd)
{
#ifdef SYS_membarrier
    return syscall(SYS_membarrier, cmd, 0, 0);
#else
    (void)cmd;
    return -1;
#endif
}

static void ask(void)
{
    usable = membarrier(REGISTER_PRIVATE_EXPEDITED) == 0 && membarrier(PRIVATE_EXPEDITED) == 0;
}

bool rn__membarrier_usable(void)
{
    pthread_once(&once, ask);
    return usable;
}

void rn__membarrier(void)
{
    /* our own side */
    atomic_thread_fence(memory_order_seq_cst);
    if (rn__membarrier_usable())
        membarrier(PRIVATE_EXPEDITED);
}
