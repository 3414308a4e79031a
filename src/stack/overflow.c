/*
 * overflow.c - what happens when a goroutine runs into the guard of its stack.
 *
 * The fault is handled on an alternate stack, since the goroutine's own has no room left. Faults
 * elsewhere belong to whoever handled them before us.
 *
 * Invariants
 *  - The former handlers are read before ours is installed and only written by the handler itself.
 *  - A thread's alternate stack is given back by the same thread; one that the program (or a
 *    sanitizer) had set up before is kept and used.
 *  - Nothing here allocates, and the handler touches no lock.
 */
#include "stack.h"
#include "slab.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* The report prints back-traces; the memory is only address space until it does. */
enum { ALT_BYTES = 64 << 10 };

static void (*report_hit)(const void *addr, char *slot_lo, char *slot_hi);
static struct sigaction former_segv;
static struct sigaction former_bus;

/* ------------------------------------------------------------------------------------ handler */

/* Leaves the signal to the default action: after the return the same instruction faults again, and
 * a signal that somebody sent is sent again. */
static void default_action(int sig, const siginfo_t *info, const struct sigaction *dfl)
{
    sigaction(sig, dfl, NULL);
    if (info->si_code <= 0)
        syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), sig); /* pending until return */
}

static void call_former(int sig, siginfo_t *info, void *uc)
{
    struct sigaction *old = sig == SIGBUS ? &former_bus : &former_segv;
    bool plain = (old->sa_flags & SA_SIGINFO) == 0;
    if (plain && old->sa_handler == SIG_IGN && info->si_code <= 0)
        return;
    if (plain && (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN)) {
        default_action(sig, info, old);
        return;
    }
    struct sigaction use = *old;
    if (((unsigned)use.sa_flags & SA_RESETHAND) != 0) {
        old->sa_flags = 0;
        old->sa_handler = SIG_DFL;
    }
    /* The mask that the kernel would have set for this handler. Ours blocks nothing but `sig`; the
     * interrupted code's mask comes back when we return. */
    pthread_sigmask(SIG_BLOCK, &use.sa_mask, NULL);
    if ((use.sa_flags & SA_NODEFER) != 0 && !sigismember(&use.sa_mask, sig)) {
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, sig);
        pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    }
    if (plain)
        use.sa_handler(sig);
    else
        use.sa_sigaction(sig, info, uc);
}

static bool in_guard(const siginfo_t *info, char **lo, char **hi)
{
    if (info->si_code <= 0 || !rn__stack_find(info->si_addr, lo, hi))
        return false; /* sent by somebody, or somewhere else */
    /* A slot's size is a power of two, so its class follows from its bounds. */
    unsigned klass = (unsigned)__builtin_ctzl((unsigned long)(*hi - *lo));
    return klass > RN__STACK_PACKED_CLASS &&
           (char *)info->si_addr < *lo + rn__slab_guard_bytes(klass);
}

static void on_fault(int sig, siginfo_t *info, void *uc)
{
    int saved = errno; /* the interrupted code's, on the same thread */
    char *lo, *hi;
    if (in_guard(info, &lo, &hi))
        report_hit(info->si_addr, lo, hi); /* does not come back */
    call_former(sig, info, uc);
    errno = saved;
}

static void install(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = on_fault;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&sa.sa_mask);
    sigaction(SIGSEGV, NULL, &former_segv);
    sigaction(SIGBUS, NULL, &former_bus);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
}

void rn__overflow_install(void (*report)(const void *addr, char *slot_lo, char *slot_hi))
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (report_hit == NULL)
        report_hit = report;
    pthread_once(&once, install);
    rn__overflow_thread_enter();
}

/* ------------------------------------------------------------------------- alternate stacks */

static __thread char *alt_map; /* this thread's alternate stack with its guard; NULL: not ours */

static size_t alt_bytes(void)
{
    size_t page = rn__page_size();
    size_t n = ALT_BYTES + getauxval(AT_MINSIGSTKSZ);
    return (n + page - 1) & ~(page - 1);
}

void rn__overflow_thread_enter(void)
{
    stack_t old;
    if (sigaltstack(NULL, &old) != 0 || (old.ss_flags & SS_DISABLE) == 0)
        return; /* has one: ours, or the program's, which knows why */
    size_t page = rn__page_size();
    char *p = rn__reserve(page + alt_bytes(), 1);
    if (p == NULL)
        return; /* an overflow then kills the process without a report */
    mprotect(p, page, PROT_NONE);
    stack_t ss;
    memset(&ss, 0, sizeof ss);
    ss.ss_sp = p + page;
    ss.ss_size = alt_bytes();
    if (sigaltstack(&ss, NULL) == 0)
        alt_map = p;
    else
        rn__release(p, page + alt_bytes());
}

void rn__overflow_thread_leave(void)
{
    if (alt_map == NULL)
        return;
    stack_t off;
    memset(&off, 0, sizeof off);
    off.ss_flags = SS_DISABLE;
    off.ss_size = alt_bytes(); /* musl checks it even so */
    if (sigaltstack(&off, NULL) == 0)
        rn__release(alt_map, rn__page_size() + alt_bytes());
    alt_map = NULL;
}
