/*
 * sigquit.c - the dump that a user asks for from the keyboard: all goroutines, exit status 2.
 *
 * The handler dumps on whatever thread the kernel chose, without asking any other: a program that
 * hangs may have no thread left that would answer. What another worker runs at that moment has no
 * stack that could be read, as in Go.
 *
 * Invariants
 *  - Installed only over the default action, so a program's own handler is never replaced.
 *  - Nothing in the handler allocates or waits for a lock of the program.
 */
#define _GNU_SOURCE /* names of registers */
#include "dump.h"
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static uintptr_t interrupted_pc(const void *context)
{
    const ucontext_t *uc = context;
#if defined(__x86_64__)
    return (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)uc->uc_mcontext.pc;
#else
    return (uintptr_t)uc->uc_mcontext.__gregs[0];
#endif
}

static void on_quit(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    rn__dying_enter();
    rn__out *o = rn__dying_out();
    rn__out_str(o, "SIGQUIT: quit\nPC=");
    rn__out_hex(o, interrupted_pc(context));
    rn__out_str(o, " m=");
    rn__out_u64(o, (uint64_t)syscall(SYS_gettid));
    rn__out_str(o, " sigcode=");
    rn__out_hex(o, (uint64_t)(unsigned)info->si_code);
    rn__out_str(o, "\n");
    rn__places_refresh();
    rn__g *g = rn__g_peek();
    if (g != NULL) {
        rn__out_str(o, "\n");
        rn__dump_g(o, g, RN__DUMP_INTERRUPTED, NULL);
    }
    rn__dump_others(o, g);
    rn__dying_exit(o);
}

void rn__sigquit_install(void)
{
    struct sigaction old, sa;
    if (sigaction(SIGQUIT, NULL, &old) != 0 || (old.sa_flags & SA_SIGINFO) != 0 ||
        old.sa_handler != SIG_DFL)
        return;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = on_quit;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigfillset(&sa.sa_mask);
    sigaction(SIGQUIT, &sa, NULL);
}
