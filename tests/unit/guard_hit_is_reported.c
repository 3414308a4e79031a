/*
 * Running into the guard of a stack calls the report with the address and the slot; every other fault
 * goes to whoever handled it before: the default action, a handler of either kind, or nobody.
 * The sanitizers put their own handling of faults around ours.
 *
 * runnel-test: not=address not=thread
 */
#include "unit.h"
#include "stack/stack.h"
#include <pthread.h>
#include <sys/mman.h>

static rn__stack_pool pool;
static rn__stack *stack;
static rn__ctx here, there;
static _Atomic(uint64_t) word;
static char *nowhere; /* a page that faults and is no guard of a stack */

enum { REPORTED = 40, FORMER = 41, SURVIVED = 42, WRONG = 43 };

static void report(const void *addr, char *lo, char *hi)
{
    char probe = 0;
    bool on_that_stack = &probe >= lo && &probe < hi;
    bool right = hi == (char *)(stack + 1) && lo < stack->lo && (const char *)addr >= lo &&
                 (const char *)addr < stack->lo;
    _exit(right && !on_that_stack ? REPORTED : WRONG);
}

/* With small frames, so that none steps over the guard. */
__attribute__((noinline)) static int recurse(int n)
{
    volatile char frame[128];
    frame[0] = (char)n;
    return n < 1 << 30 ? recurse(n + 1) + frame[0] : 0;
}

static void overflow(void)
{
    recurse(0);
}

static void overflow_here(void *arg)
{
    (void)arg;
    rn__overflow_install(report);
    rn__ctx_init(&there, rn__stack_top(stack), overflow);
    rn__switch(&here, &there, &word, 0);
}

static void *overflow_on_thread(void *arg)
{
    rn__overflow_thread_enter();
    rn__ctx_init(&there, rn__stack_top(stack), overflow);
    rn__switch(&here, &there, &word, 0);
    return arg;
}

static void overflow_elsewhere(void *arg)
{
    rn__overflow_install(report);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, overflow_on_thread, arg) == 0);
    pthread_join(t, NULL);
}

static void first_byte(void *arg)
{
    (void)arg;
    rn__overflow_install(report);
    char *lo = NULL, *hi;
    CHECK(rn__stack_find(stack, &lo, &hi));
    *(volatile char *)lo = 1;
}

static void last_byte(void *arg)
{
    (void)arg;
    rn__overflow_install(report);
    *(volatile char *)(stack->lo - 1) = 1;
}

/* ------------------------------------------------------------------------- former handlers */

static bool mask_is(int sig, bool blocked)
{
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, sig) == blocked;
}

static void former_info(int sig, siginfo_t *info, void *uc)
{
    bool ok = sig == SIGSEGV && uc != NULL && info->si_addr == nowhere && mask_is(SIGUSR1, true) &&
              mask_is(SIGSEGV, true) && errno == 4711;
    _exit(ok ? FORMER : WRONG);
}

static volatile sig_atomic_t calls;
static void former_plain(int sig)
{
    calls = calls + 1;
    if (sig != SIGSEGV || !mask_is(SIGSEGV, false) || errno != 4711)
        _exit(WRONG);
    mprotect(nowhere, rn__page_size(), PROT_READ | PROT_WRITE);
    errno = 0; /* must not reach the interrupted code */
}

static void set_former(void (*plain)(int), void (*info)(int, siginfo_t *, void *), unsigned flags)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_flags = (int)flags;
    if (info != NULL) {
        sa.sa_sigaction = info;
        sa.sa_flags = (int)(flags | SA_SIGINFO);
    } else {
        sa.sa_handler = plain;
    }
    sigemptyset(&sa.sa_mask);
    sigaddset(&sa.sa_mask, SIGUSR1);
    CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
    rn__overflow_install(report);
    errno = 4711;
}

static void touch(void)
{
    *(volatile char *)nowhere = 1;
    __asm__ volatile("" ::: "memory"); /* a handler has run */
}

static void to_default(void *arg)
{
    (void)arg;
    set_former(SIG_DFL, NULL, 0);
    touch();
}
static void to_ignore(void *arg)
{
    (void)arg;
    set_former(SIG_IGN, NULL, 0);
    touch(); /* the kernel kills for a fault that is ignored */
}
static void to_info(void *arg)
{
    (void)arg;
    set_former(NULL, former_info, 0);
    touch();
}
static void to_plain(void *arg)
{
    (void)arg;
    set_former(former_plain, NULL, SA_NODEFER | SA_RESETHAND);
    touch();
    if (calls != 1 || errno != 4711 || !mask_is(SIGSEGV, false) || !mask_is(SIGUSR1, false))
        _exit(WRONG);
    mprotect(nowhere, rn__page_size(), PROT_NONE);
    touch(); /* SA_RESETHAND: now the default */
}
static void sent_default(void *arg)
{
    (void)arg;
    set_former(SIG_DFL, NULL, 0);
    raise(SIGSEGV);
    _exit(SURVIVED);
}
static void sent_ignored(void *arg)
{
    (void)arg;
    set_former(SIG_IGN, NULL, 0);
    raise(SIGSEGV);
    _exit(SURVIVED);
}
static void sent_bus(void *arg)
{
    (void)arg;
    set_former(SIG_IGN, NULL, 0);
    raise(SIGBUS); /* its default is untouched by SIGSEGV's */
    _exit(SURVIVED);
}

/* ------------------------------------------------------------------------ alternate stacks */

static void *enter_and_leave(void *arg)
{
    stack_t ss;
    rn__overflow_thread_enter();
    CHECK(sigaltstack(NULL, &ss) == 0);
    CHECK((ss.ss_flags & SS_DISABLE) == 0 && ss.ss_size >= 16 << 10);
    CHECK(!unit_readable((char *)ss.ss_sp - 1));
    void *sp = ss.ss_sp;
    rn__overflow_thread_enter(); /* again: keeps it */
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_sp == sp);
    rn__overflow_thread_leave();
    CHECK(sigaltstack(NULL, &ss) == 0 && (ss.ss_flags & SS_DISABLE) != 0);
    CHECK(!unit_readable(sp));
    rn__overflow_thread_leave();
    return arg;
}

static void *keep_foreign(void *arg)
{
    static char own[64 << 10];
    stack_t ss = {.ss_sp = own, .ss_size = sizeof own};
    CHECK(sigaltstack(&ss, NULL) == 0);
    rn__overflow_thread_enter();
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_sp == own);
    rn__overflow_thread_leave();
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_sp == own);
    return arg;
}

static void on_new_thread(void *(*fn)(void *))
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, fn, NULL) == 0);
    CHECK(pthread_join(t, NULL) == 0);
}

int main(void)
{
    stack = rn__stack_get(&pool, (unsigned)rn__stack_class(64 << 10));
    CHECK(stack != NULL);
    nowhere = mmap(NULL, rn__page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(nowhere != MAP_FAILED);

    CHECK_EQ(unit_in_child(overflow_here, NULL), REPORTED);
    CHECK_EQ(unit_in_child(overflow_elsewhere, NULL), REPORTED);
    CHECK_EQ(unit_in_child(first_byte, NULL), REPORTED);
    CHECK_EQ(unit_in_child(last_byte, NULL), REPORTED);

    CHECK_EQ(unit_in_child(to_default, NULL), 128 + SIGSEGV);
    CHECK_EQ(unit_in_child(to_ignore, NULL), 128 + SIGSEGV);
    CHECK_EQ(unit_in_child(to_info, NULL), FORMER);
    CHECK_EQ(unit_in_child(to_plain, NULL), 128 + SIGSEGV);
    CHECK_EQ(unit_in_child(sent_default, NULL), 128 + SIGSEGV);
    CHECK_EQ(unit_in_child(sent_ignored, NULL), SURVIVED);
    CHECK_EQ(unit_in_child(sent_bus, NULL), 128 + SIGBUS);

    on_new_thread(enter_and_leave);
    on_new_thread(keep_foreign);
    return 0;
}
