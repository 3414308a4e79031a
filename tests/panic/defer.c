/*
 * defer.c - items 112, 114 and 115 where no process has to die: when deferred calls run, and in
 * which order.
 *
 * Invariants
 *  - Every call writes one letter; the whole string is compared, so a call that is missing,
 *    doubled or out of order fails.
 */
#include "test.h"

static char log_text[256];

static void note(void *s)
{
    strcat(log_text, (const char *)s);
}

#define CHECK_LOG(want)                                                                       \
    do {                                                                                      \
        if (strcmp(log_text, (want)) != 0)                                                    \
            test_fail(__FILE__, __LINE__, "the calls are \"%s\", should be \"%s\"", log_text, \
                      (want));                                                                \
        log_text[0] = '\0';                                                                   \
    } while (0)

static int leave_by(int how)
{
    defer(note, "1");
    for (int i = 0; i < 3; i++) {
        defer(note, "b");
        if (how == 0)
            continue;
        if (how == 1)
            break;
        if (how == 2)
            return 7;
        if (how == 3)
            goto out;
        defer(note, "c");
    }
    note("e");
out:;
    defer(note, "2");
    return 8;
}

ITEM(112, "a block's calls run at its end on every path, newest first")
{
    CHECK_EQ(leave_by(0), 8);
    CHECK_LOG("bbbe21");
    CHECK_EQ(leave_by(1), 8);
    CHECK_LOG("be21");
    CHECK_EQ(leave_by(2), 7);
    CHECK_LOG("b1");
    CHECK_EQ(leave_by(3), 8);
    CHECK_LOG("b21");
    CHECK_EQ(leave_by(4), 8);
    CHECK_LOG("cbcbcbe21");
}

static void two_on_one_line(void)
{
    // clang-format off
    defer(note, "1"); defer(note, "2"); defer(note, "3");
    // clang-format on
}

static void fixed_argument(void)
{
    char *s = "old";
    defer(note, s);
    s = "new";
    (void)s;
}

ITEM(112, "several on a line; function and argument are fixed by the statement")
{
    two_on_one_line();
    CHECK_LOG("321");
    fixed_argument();
    CHECK_LOG("old");
}

static void in_a_loop(int n)
{
    static char *letter[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
                             "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"};
    rn_function;
    defer(note, "+");
    for (int i = 0; i < n; i++) {
        defer_fn(note, letter[i % 26]);
        defer(note, ".");
    }
    note("|");
}

ITEM(112, "defer_fn keeps calls until the end of the function: Go's defer in a loop")
{
    in_a_loop(0);
    CHECK_LOG("|+");
    in_a_loop(3);
    CHECK_LOG("...|+cba");
    in_a_loop(26);
    CHECK_LOG("..........................|+zyxwvutsrqponmlkjihgfedcba");
    in_a_loop(60);
    CHECK_LOG("............................................................|+"
              "hgfedcbazyxwvutsrqponmlkjihgfedcbazyxwvutsrqponmlkjihgfedcba");
}

static void recover_it(void *p)
{
    const rn_panic_info *info = recover();
    if (info == NULL)
        note("?");
    else if (p != NULL)
        strcpy(p, info->text);
}

static void set_to_nine(void *p)
{
    *(volatile int *)p = 9;
}

static int changed_result(void)
{
    volatile int result = 1;
    rn_recoverable(result);
    defer(set_to_nine, (void *)(uintptr_t)&result);
    defer(recover_it, NULL);
    panic("x");
}

ITEM(112, "a deferred call may change the recovered function's result")
{
    CHECK_EQ(changed_result(), 9);
}

/* guard before or after the defers, calls in outer and inner blocks, a panic two functions down */
static void deeper(int n);
static void (*volatile go_deeper)(int) = deeper;

static void deeper(int n)
{
    defer(note, "d");
    if (n > 0)
        go_deeper(n - 1);
    panic("deep %d", n);
}

static int guard_first(char *text)
{
    rn_recoverable(5);
    defer(note, "1");
    defer(recover_it, text);
    defer(note, "2");
    for (int i = 0; i < 10; i++) {
        defer(note, "3");
        deeper(2);
    }
    note("never");
    return 6;
}

static int guard_last(char *text)
{
    defer(note, "1");
    defer(recover_it, text);
    defer(note, "2");
    rn_recoverable(5);
    {
        rn_function;
        for (int i = 0; i < 6; i++)
            defer_fn(note, "f");
        defer(note, "3");
        deeper(2);
    }
    note("never");
    return 6;
}

ITEM(114, "after recover the deferring function returns to its caller; all its calls have run once")
{
    char text[RN_PANIC_TEXT];
    CHECK_EQ(guard_first(text), 5);
    CHECK(strcmp(text, "deep 0") == 0);
    CHECK_LOG("ddd321");
    CHECK_EQ(guard_last(text), 5);
    CHECK_LOG("ddd3ffffff21");
}

static void panics_again(void *p)
{
    note("p");
    panic("%s", (const char *)p);
}

static int replaced(char *text)
{
    rn_recoverable(1);
    defer(note, "1");
    defer(recover_it, text);
    defer(note, "2");
    defer(panics_again, "second");
    defer(note, "3");
    panic("first");
}

ITEM(115, "a panic in a deferred call replaces the running one; the remaining calls still run")
{
    char text[RN_PANIC_TEXT];
    CHECK_EQ(replaced(text), 1);
    CHECK(strcmp(text, "second") == 0);
    CHECK_LOG("3p21");
}

/* The deferred call itself has a panic inside, and recovers it: the outer one goes on. */
static void inner_recovery(void *p)
{
    char text[RN_PANIC_TEXT];
    rn_recoverable();
    defer(recover_it, text);
    panics_again(p);
}

static int inner(char *text)
{
    rn_recoverable(1);
    defer(recover_it, text);
    defer(inner_recovery, "inner");
    panic("outer");
}

ITEM(115, "a panic recovered inside a deferred call leaves the outer one as it was")
{
    char text[RN_PANIC_TEXT];
    CHECK_EQ(inner(text), 1);
    CHECK(strcmp(text, "outer") == 0);
    CHECK_LOG("p");
}

/* A call that remains after the recovery panics anew: its panic is recovered by an older call. */
static int after_recovery(char *text)
{
    rn_recoverable(1);
    defer(recover_it, text);
    defer(panics_again, "late");
    defer(recover_it, NULL);
    panic("early");
}

ITEM(115, "a remaining call may panic after the recovery")
{
    char text[RN_PANIC_TEXT];
    CHECK_EQ(after_recovery(text), 1);
    CHECK(strcmp(text, "late") == 0);
    CHECK_LOG("p");
}

static int loop_of_recoveries(int n)
{
    int bad = 0;
    for (int i = 0; i < n; i++) {
        char text[RN_PANIC_TEXT];
        if (guard_first(text) != 5)
            bad++;
        log_text[0] = '\0';
    }
    return bad;
}

ITEM(114, "recoveries leave nothing behind, however many there are")
{
    CHECK_EQ(loop_of_recoveries(20000), 0);
}

static void close_and_panic(void *p)
{
    chan(int) c = p;
    defer_close(c);
    defer_unref(chan_ref(c));
    panic("x");
}

static void close_at_the_end(void *p)
{
    chan(int) c = p;
    defer_close(c);
    chan_send(c, 1);
}

ITEM(112, "defer_close and defer_unref")
{
    chan(int) c = chan_make(int, 1);
    close_at_the_end((void *)c);
    int v = 0;
    bool ok;
    CHECK(chan_try_recv(c, &v, &ok) && ok && v == 1);
    CHECK(chan_try_recv(c, &v, &ok) && !ok);
    CHECK_PANIC(close_at_the_end, (void *)c, "close of closed channel"); /* replaces the send's */
    chan_unref(c);
    c = chan_make(int, 1);
    CHECK_PANIC(close_and_panic, (void *)c, "x");
    CHECK(chan_try_recv(c, &v, &ok) && !ok);
    chan_unref(c);
}

TEST_MAIN
