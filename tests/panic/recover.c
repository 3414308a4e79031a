/*
 * recover.c - items 94, 113, 121, 122 and 124: who may recover, what rn_try tells, and Goexit.
 *
 * Invariants
 *  - Helpers are written in every way a compiler treats differently: out of line, inlined, as a
 *    tail call, through a pointer.
 */
#include "test.h"

static char got[RN_PANIC_TEXT + 8];

static void keep(const rn_panic_info *info)
{
    strcpy(got, info != NULL ? info->text : "NULL");
}

#define CHECK_GOT(want)                                                                          \
    do {                                                                                         \
        if (strcmp(got, (want)) != 0)                                                            \
            test_fail(__FILE__, __LINE__, "recover gave \"%s\", should be \"%s\"", got, (want)); \
        got[0] = '\0';                                                                           \
    } while (0)

/* -------------------------------------------------------------------------------- directly? */

__attribute__((noinline)) static void helper_far(void)
{
    keep(recover());
    __asm__ volatile("" ::: "memory");
}

__attribute__((always_inline)) static inline void helper_inlined(void)
{
    keep(recover());
}

static void helper_jump(void *p)
{
    (void)p;
    keep(recover());
}

static void calls_far(void *p)
{
    (void)p;
    helper_far();
    __asm__ volatile("" ::: "memory");
}

static void calls_inlined(void *p)
{
    (void)p;
    helper_inlined();
}

static void (*volatile opaque)(void *) = helper_jump;

static void calls_jump(void *p)
{
    opaque(p); /* the last thing it does: a jump, when optimising */
}

static void direct(void *p)
{
    (void)p;
    keep(recover());
}

__attribute__((noinline, cold)) static void direct_cold(void *p)
{
    if (p == NULL) {
        keep(recover());
        __asm__ volatile("" ::: "memory");
    }
}

static void run_panicking(void *fn)
{
    rn_recoverable();
    defer((void (*)(void *))(uintptr_t)fn, NULL);
    panic("boom");
}

#define PANICKING(fn) rn_try(run_panicking, (void *)(uintptr_t)(fn), NULL)

ITEM(113, "recover works in the function that was deferred")
{
    CHECK(PANICKING(direct));
    CHECK_GOT("boom");
    CHECK(PANICKING(direct_cold));
    CHECK_GOT("boom");
    CHECK(PANICKING(helper_jump));
    CHECK_GOT("boom");
}

ITEM(113, "and not in one that it calls, however the compiler arranges the call")
{
    CHECK(!PANICKING(calls_far));
    CHECK_GOT("NULL");
    CHECK(!PANICKING(calls_inlined));
    CHECK_GOT("NULL");
    CHECK(!PANICKING(calls_jump));
    CHECK_GOT("NULL");
}

static void normal_end(void)
{
    rn_recoverable();
    defer(direct, NULL);
}

ITEM(113, "without a panic it gives NULL, in and outside of deferred calls")
{
    normal_end();
    CHECK_GOT("NULL");
    keep(recover());
    CHECK_GOT("NULL");
}

/* Deferred by a function that a deferred call calls, and that ends normally: Go says nil. */
static void has_own_defer(void *p)
{
    (void)p;
    rn_recoverable();
    defer(direct, NULL);
}

ITEM(113, "a deferred call of a function that returns normally gets NULL though a panic is running")
{
    CHECK(!PANICKING(has_own_defer));
    CHECK_GOT("NULL");
}

static void twice(void *p)
{
    (void)p;
    const rn_panic_info *info = recover();
    CHECK(info != NULL);
    keep(recover());
}

ITEM(113, "the second recover of the same panic gives NULL")
{
    CHECK(PANICKING(twice));
    CHECK_GOT("NULL");
}

/* The function that defers has no rn_recoverable: its caller's must not be taken for it. */
__attribute__((noinline)) static void no_guard(void)
{
    defer(direct, NULL);
    panic("boom");
}

__attribute__((always_inline)) static inline void no_guard_inlined(void)
{
    defer(direct, NULL);
    panic("boom");
}

static void guarded_caller(void *inlined)
{
    rn_recoverable();
    if (inlined != NULL)
        no_guard_inlined();
    no_guard();
}

ITEM(113, "no recovery where the deferring function has not said what it returns")
{
    CHECK(!rn_try(guarded_caller, NULL, NULL));
    CHECK_GOT("NULL");
    CHECK(!rn_try(guarded_caller, got, NULL));
    CHECK_GOT("NULL");
}

/* ----------------------------------------------------------------------------------------- info */

static void panic_value(void *p)
{
    rn_panic_value(p, "with a value");
}
static void panic_value_bare(void *p)
{
    rn_panic_value(p, NULL);
}
static void panic_format(void *p)
{
    panic("%s has %d%%", (const char *)p, 42);
}
static void panic_long(void *p)
{
    panic("%s", (const char *)p);
}
static void panic_plain(void *p)
{
    panic("100 percent");
    (void)p;
}

ITEM(121, "the info: text, value, site, kind, goroutine")
{
    int x;
    rn_panic_info info;
    CHECK(!rn_try(panic_value, &x, &info));
    CHECK(info.value == &x && strcmp(info.text, "with a value") == 0 && !info.is_runtime_error);
    CHECK_HAS(info.site, "recover.c:");
    CHECK_EQ(info.goid, 1);
    char want[40];
    snprintf(want, sizeof want, "(void *) %p", (void *)&x);
    CHECK(!rn_try(panic_value_bare, &x, &info) && strcmp(info.text, want) == 0);
    CHECK(!rn_try(panic_value_bare, NULL, &info));
    CHECK(strcmp(info.text, "runtime error: panic called with nil argument") == 0);
    CHECK(info.is_runtime_error && info.value == NULL);
    CHECK_PANIC(panic_format, "x", "x has 42%");
    CHECK_PANIC(panic_plain, NULL, "100 percent");
}

ITEM(120, "a text of any length; one that is too long for the info ends in dots")
{
    for (size_t n = RN_PANIC_TEXT - 3; n < RN_PANIC_TEXT + 3; n++) {
        char text[RN_PANIC_TEXT + 8];
        memset(text, 'x', n);
        text[n] = '\0';
        rn_panic_info info;
        CHECK(!rn_try(panic_long, text, &info));
        if (n < RN_PANIC_TEXT) {
            CHECK(strcmp(info.text, text) == 0);
        } else {
            CHECK_EQ(strlen(info.text), RN_PANIC_TEXT - 1);
            CHECK(strcmp(info.text + RN_PANIC_TEXT - 5, "x...") == 0);
        }
    }
}

static void repanic_it(void *info)
{
    rn_repanic(info);
}

ITEM(119, "rn_repanic carries the same panic on")
{
    int x;
    rn_panic_info first, second;
    CHECK(!rn_try(panic_value, &x, &first));
    CHECK(!rn_try(repanic_it, &first, &second));
    CHECK(memcmp(&first, &second, offsetof(rn_panic_info, text)) == 0);
    CHECK(strcmp(first.text, second.text) == 0);
}

static void nothing(void *p)
{
    (void)p;
}

static void try_in_try(void *p)
{
    rn_panic_info info;
    CHECK(!rn_try(panic_long, "inner", &info));
    CHECK(strcmp(info.text, "inner") == 0);
    panic("%s", (const char *)p);
}

ITEM(114, "rn_try: true without a panic, nests, and takes NULL for the info")
{
    CHECK(rn_try(nothing, NULL, NULL));
    CHECK(!rn_try(panic_plain, NULL, NULL));
    CHECK_PANIC(try_in_try, "outer", "outer");
}

/* --------------------------------------------------------------------------------------- Goexit */

static _Atomic(int) steps;

static void step(void *p)
{
    (void)p;
    atomic_fetch_add(&steps, 1);
}

static void recover_step(void *p)
{
    (void)p;
    CHECK(recover() == NULL);
    atomic_fetch_add(&steps, 10);
}

static void exits(void *p)
{
    (void)p;
    rn_recoverable();
    defer(step, NULL);
    defer(recover_step, NULL);
    rn_goexit();
}

static void exits_in_try(void *p)
{
    defer(step, NULL);
    rn_try(exits, p, NULL);
    atomic_fetch_add(&steps, 1000);
}

ITEM(94,
     "Goexit runs the deferred calls, cannot be recovered nor tried, and ends only its goroutine")
{
    go1(exits_in_try, NULL);
    WAIT_GONE(1);
    CHECK_EQ(steps, 12);
}

static void goexit_call(void *p)
{
    (void)p;
    rn_goexit();
}

static void panics_then_goexits(void *p)
{
    (void)p;
    rn_recoverable();
    defer(recover_step, NULL); /* the panic is gone by then */
    defer(goexit_call, NULL);
    panic("dropped");
}

ITEM(122, "Goexit during a panic drops the panic")
{
    go1(panics_then_goexits, NULL);
    WAIT_GONE(1);
    CHECK_EQ(steps, 10);
}

static void recovers(void *p)
{
    (void)p;
    const rn_panic_info *info = recover();
    CHECK(info != NULL && strcmp(info->text, "in goexit") == 0);
    atomic_fetch_add(&steps, 100);
}

static void panics_in_goexit(void *p)
{
    (void)p;
    panic("in goexit");
}

static void inner_goexit(void)
{
    rn_recoverable();
    defer(recovers, NULL);
    defer(panics_in_goexit, NULL);
    rn_goexit();
}

static void outer_goexit(void *p)
{
    (void)p;
    defer(step, NULL);
    inner_goexit();
    atomic_fetch_add(&steps, 1000); /* the recovery must not come back here */
}

static void try_goexit(void *p)
{
    (void)p;
    defer(step, NULL);
    rn_function;
    defer_fn(panics_in_goexit, NULL);
    rn_goexit();
}

static void tries_goexit(void *p)
{
    defer(step, NULL);
    rn_try(try_goexit, p, NULL);
    atomic_fetch_add(&steps, 1000);
}

ITEM(94, "a panic during Goexit may be recovered; the Goexit goes on all the same")
{
    go1(outer_goexit, NULL);
    WAIT_GONE(1);
    CHECK_EQ(steps, 101);
    steps = 0;
    go1(tries_goexit, NULL);
    WAIT_GONE(1);
    CHECK_EQ(steps, 2);
}

/* ------------------------------------------------------------------------------ many goroutines */

static void recovers_own(void *p)
{
    rn_panic_info info;
    for (int i = 0; i < 50; i++) {
        char want[32];
        snprintf(want, sizeof want, "of %d", *(int *)p);
        CHECK(!rn_try(panic_long, want, &info));
        CHECK(strcmp(info.text, want) == 0);
        CHECK_EQ(info.goid, rn_goid());
        rn_yield();
    }
    step(NULL);
}

static void yields(void *p)
{
    (void)p;
    for (int i = 0; i < 3; i++)
        rn_yield(); /* may go on on another thread, in the middle of a panic */
}

static void quiet(void *p)
{
    (void)p;
    CHECK(recover() != NULL);
}

static int migrating(void)
{
    rn_recoverable(3);
    defer(quiet, NULL);
    defer(yields, NULL);
    panic("moved");
}

static void migrates(void *p)
{
    (void)p;
    for (int i = 0; i < 50; i++)
        CHECK_EQ(migrating(), 3);
    step(NULL);
}

ITEM(124, "each goroutine has its own panics; a deferred call may block or move to another thread")
{
    int number[20];
    for (int i = 0; i < 20; i++) {
        number[i] = i;
        go1(recovers_own, &number[i]);
        go1(migrates, NULL);
    }
    WAIT_UNTIL(steps == 40);
}

static void on_a_small_stack(void *p)
{
    (void)p;
    rn_panic_info info;
    CHECK(!rn_try(panic_format, "small", &info));
    CHECK(strcmp(info.text, "small has 42%") == 0);
    step(NULL);
}

ITEM(114, "a goroutine with a small stack may panic and recover")
{
    go1_with(((rn_go_attr){.stack = 4096}), on_a_small_stack, NULL);
    WAIT_UNTIL(steps == 1);
}

static void *thread_body(void *p)
{
    rn_panic_info info;
    CHECK(!rn_try(panic_format, "thread", &info));
    CHECK_EQ(info.goid, 0);
    int *r = p;
    *r = migrating();
    return NULL;
}

ITEM(124, "a thread that runnel did not start panics and recovers as well")
{
    int r = 0;
    pthread_t t;
    CHECK(pthread_create(&t, NULL, thread_body, &r) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    CHECK_EQ(r, 3);
}

TEST_MAIN
