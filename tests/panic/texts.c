/*
 * texts.c - items 95, 100 to 102, 115 to 122 and 126: what a dying program says, and its exit
 * status.
 *
 * Each case is a child process whose text up to the first goroutine must be exactly as written
 * here. The same cases stand in Go in texts.go; texts_go.sh runs those with a Go tool chain,
 * where there is one, and compares both programs case by case.
 *
 * Invariants
 *  - The texts are Go 1.27's, except the lines for which C has more to say; those stand in CHECKs
 *    of their own.
 */
// runnel-test: not=emulated
#include "test.h"
#include <fcntl.h>
#include <sys/ioctl.h>

/* The text up to and without the blank line before the first goroutine. */
static const char *head(test_child *c)
{
    char *end = strstr(c->err, "\n\ngoroutine ");
    if (end != NULL)
        end[1] = '\0';
    return c->err;
}

static void check_head(const char *child, const char *want, const char *file, int line)
{
    test_child *c = test_run_child(child, NULL);
    if (c->status != 2)
        test_fail(file, line, "%s: exit status %d, should be 2; stderr:\n%s", child, c->status,
                  c->err);
    if (strcmp(head(c), want) != 0)
        test_fail(file, line, "%s says\n%s---- should be\n%s", child, c->err, want);
}
#define DIES(child, want) check_head(child, want, __FILE__, __LINE__)

static void say(void *s)
{
    puts(s);
}

static void raise_it(void *s)
{
    panic("%s", (const char *)s);
}

/* ---------------------------------------------------------------------------------------- plain */

CHILD(plain)
{
    defer(say, "outer");
    defer(say, "inner");
    panic("boom");
}

ITEM(116, "deferred calls run first, then the text, then the goroutine; status 2")
{
    DIES("plain", "panic: boom\n");
    test_child *c = test_run_child("plain", NULL);
    CHECK(strcmp(c->out, "inner\nouter\n") == 0); /* and stdio's buffer was written out */
    CHECK_HAS(c->err, "panic: boom\n\ngoroutine 1 [running]:\n");
}

CHILD(lines)
{
    panic("one\ntwo\n\nfour");
}

ITEM(119, "newlines in a text are followed by a tab")
{
    DIES("lines", "panic: one\n\ttwo\n\t\n\tfour\n");
}

static char big[4000];

CHILD(long)
{
    memset(big, 'y', sizeof big - 1);
    panic("%s", big);
}

ITEM(120, "a long text is printed whole")
{
    test_child *c = test_run_child("long", NULL);
    memset(big, 'y', sizeof big - 1);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, big);
    CHECK_HAS_NOT(c->err, "...\n");
}

CHILD(value)
{
    rn_panic_value((void *)0x1234, NULL);
}
CHILD(value_text)
{
    rn_panic_value((void *)0x1234, "a text");
}
CHILD(nil)
{
    rn_panic_value(NULL, NULL);
}

ITEM(121, "a value without a text prints its type and address; nil is an error of its own")
{
    DIES("value", "panic: (void *) 0x1234\n");
    DIES("value_text", "panic: a text\n");
    DIES("nil", "panic: runtime error: panic called with nil argument\n");
}

/* --------------------------------------------------------------------------------------- chains */

CHILD(two)
{
    defer(raise_it, "two");
    panic("one");
}

static void three_level(void *p)
{
    (void)p;
    defer(raise_it, "three");
    panic("two");
}
CHILD(three)
{
    defer(three_level, NULL);
    panic("one");
}

ITEM(118, "a chain prints the oldest first, each newer one behind a tab")
{
    DIES("two", "panic: one\n\tpanic: two\n");
    DIES("three", "panic: one\n\tpanic: two\n\tpanic: three\n");
}

static void recover_then_new(void *p)
{
    (void)p;
    const rn_panic_info *info = recover();
    panic("again %s", info->text);
}
CHILD(recovered)
{
    rn_recoverable();
    defer(recover_then_new, NULL);
    panic("first");
}

static void recover_then_same(void *p)
{
    (void)p;
    rn_repanic(recover());
}
CHILD(repanicked)
{
    rn_recoverable();
    defer(recover_then_same, NULL);
    panic("first\nline");
}
CHILD(repanicked_then_new)
{
    rn_recoverable();
    defer(raise_it, "last");
    defer(recover_then_same, NULL);
    panic("first");
}
CHILD(repanicked_twice)
{
    rn_recoverable();
    defer(recover_then_same, NULL);
    defer(recover_then_same, NULL);
    panic("first");
}

static void recover_inside(void *p)
{
    (void)p;
    rn_recoverable();
    defer(recover_then_new, NULL);
    panic("two");
}
CHILD(recovered_in_the_middle)
{
    defer(raise_it, "four");
    defer(recover_inside, NULL);
    panic("one");
}

ITEM(119, "[recovered] and [recovered, repanicked]")
{
    DIES("recovered", "panic: first [recovered]\n\tpanic: again first\n");
    DIES("repanicked", "panic: first\n\tline [recovered, repanicked]\n");
    DIES("repanicked_then_new", "panic: first [recovered, repanicked]\n\tpanic: last\n");
    DIES("repanicked_twice", "panic: first [recovered, repanicked]\n");
    DIES("recovered_in_the_middle",
         "panic: one\n\tpanic: two [recovered]\n\tpanic: again two\n\tpanic: four\n");
}

static void just_recover(void *p)
{
    (void)p;
    CHECK(recover() != NULL);
}
static void recover_two(void *p)
{
    (void)p;
    rn_recoverable();
    defer(just_recover, NULL);
    panic("two");
}
CHILD(recovered_inside)
{
    defer(recover_two, NULL);
    panic("one");
}
CHILD(new_after_recovery)
{
    rn_recoverable();
    defer(raise_it, "two");
    defer(just_recover, NULL);
    panic("one");
}

ITEM(115, "what was recovered for good is not printed")
{
    DIES("recovered_inside", "panic: one\n");
    DIES("new_after_recovery", "panic: two\n");
}

/* --------------------------------------------------------------------------------------- Goexit */

CHILD(goexit)
{
    defer(say, "deferred");
    rn_goexit();
}

static void wait_for_ever(void *p)
{
    (void)p;
    chan_select();
}
CHILD(goexit_others)
{
    go1(wait_for_ever, NULL);
    rn_goexit();
}

ITEM(95, "Goexit in main: the others run on; when nothing is left, the text says so")
{
    DIES("goexit", "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
    DIES("goexit_others", "fatal error: all goroutines are asleep - deadlock!\n");
    test_child *c = test_run_child("goexit_others", NULL);
    CHECK_HAS(c->err, "[select (no cases)]:\n");
    CHECK_HAS_NOT(c->err, "goroutine 1 ");
}

CHILD(panic_in_goexit)
{
    defer(raise_it, "after goexit");
    rn_goexit();
}
CHILD(chain_over_goexit)
{
    defer(raise_it, "three");
    defer(raise_it, "two");
    rn_goexit();
}

ITEM(122, "a panic while Goexit runs the deferred calls")
{
    DIES("panic_in_goexit", "panic: after goexit\n");
    DIES("chain_over_goexit", "panic: two\n\tpanic: three\n");
}

/* ------------------------------------------------------------------------------- runtime errors */

CHILD(close_nil)
{
    chan(int) c = NULL;
    chan_close(c);
}
CHILD(close_twice)
{
    chan(int) c = chan_make(int, 0);
    chan_close(c);
    chan_close(c);
}
CHILD(send_closed)
{
    chan(int) c = chan_make(int, 0);
    chan_name(c, "jobs");
    chan_close(c);
    chan_send(c, 1);
}

static bool cut_line(char *text, const char *line)
{
    char *at = strstr(text, line), *end;
    if (at == NULL || (end = strchr(at, '\n')) == NULL)
        return false;
    memmove(at, end + 1, strlen(end + 1) + 1);
    return true;
}

ITEM(116, "runtime errors print Go's bare text; C adds who and where on the next line")
{
    DIES("close_nil", "panic: close of nil channel\n");
    test_child *c = test_run_child("send_closed", NULL);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, "panic: send on closed channel\n\tchan int \"jobs\", ");
    CHECK(cut_line(c->err, "\tchan int \"jobs\", "));
    CHECK(strcmp(head(c), "panic: send on closed channel\n") == 0);
    c = test_run_child("close_twice", NULL);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, "panic: close of closed channel\n\t");
}

static void panics_quietly(void *p)
{
    (void)p;
    panic("mine");
}
static void recovers_the_child(void *p)
{
    (void)p;
    recover();
}
CHILD(child_goroutine)
{
    rn_recoverable();
    defer(say, "never said: main's deferred calls do not run");
    defer(recovers_the_child, NULL);
    go1(panics_quietly, NULL);
    wait_for_ever(NULL);
}

ITEM(117, "a goroutine's panic ends the program; nobody else's deferred calls run, nor recover it")
{
    test_child *c = test_run_child("child_goroutine", NULL);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, "panic: mine\n\ngoroutine 2 [running]:\n");
    CHECK_HAS(c->err, "\ncreated by test_fn_");
    CHECK_HAS(c->err, " in goroutine 1\n\t");
    CHECK(c->out[0] == '\0');
}

/* --------------------------------------------------------------------------------- fatal errors */

static void use_a_free_mutex(void *p)
{
    rn_mutex_unlock(p);
}
CHILD(unlock)
{
    rn_recoverable();
    defer(say, "never said");
    defer(recovers_the_child, NULL);
    static rn_mutex m;
    use_a_free_mutex(&m);
}
CHILD(unlock_in_panic)
{
    static rn_mutex m;
    defer(use_a_free_mutex, &m);
    panic("x");
}

ITEM(126, "a fatal error cannot be recovered and runs no deferred calls")
{
    test_child *c = test_run_child("unlock", NULL);
    CHECK_EQ(c->status, 2);
    CHECK(c->out[0] == '\0');
    CHECK_HAS(c->err, "fatal error: sync: unlock of unlocked mutex\n\t\tunlocked at ");
    c = test_run_child("unlock_in_panic", NULL);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, "panic: x\n\tfatal error: sync: unlock of unlocked mutex\n\t\tunlocked at ");
}

CHILD(asleep)
{
    rn_recoverable();
    defer(say, "never said");
    defer(recovers_the_child, NULL);
    chan(int) c = chan_make(int, 0);
    chan_recv(c, NULL);
}

ITEM(101, "neither is a deadlock")
{
    DIES("asleep", "fatal error: all goroutines are asleep - deadlock!\n");
    CHECK(test_run_child("asleep", NULL)->out[0] == '\0');
}

/* -------------------------------------------------------------------------------------- C's own */

static void recover_in_vain(void *p)
{
    (void)p;
    CHECK(recover() == NULL);
}
CHILD(no_guard)
{
    defer(recover_in_vain, NULL);
    panic("boom");
}

ITEM(113, "a recover that had no effect is explained")
{
    test_child *c = test_run_child("no_guard", NULL);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, "panic: boom\n\trecover() had no effect: test_fn_");
    CHECK_HAS(c->err, "has no rn_recoverable\n\ngoroutine 1 ");
}

static void *locks_stdout(void *p)
{
    flockfile(stdout);
    atomic_store((_Atomic(bool) *)p, true);
    for (;;)
        pause();
    return NULL;
}
CHILD(stdout_locked)
{
    static _Atomic(bool) locked;
    pthread_t t;
    pthread_create(&t, NULL, locks_stdout, &locked);
    while (!atomic_load(&locked))
        sched_yield();
    panic("boom");
}

ITEM(116, "a locked stdout does not keep a program from dying")
{
    if (TEST_TSAN)
        return; /* its own end of the process waits for stdout */
    DIES("stdout_locked", "panic: boom\n");
}

static void *thread_panics(void *p)
{
    (void)p;
    panic("in a thread");
    return NULL;
}
CHILD(thread)
{
    pthread_t t;
    rn_yield();
    CHECK(pthread_create(&t, NULL, thread_panics, NULL) == 0);
    pthread_join(t, NULL);
}

ITEM(124, "the panic of a thread that runnel did not start ends the program as well")
{
    test_child *c = test_run_child("thread", NULL);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, "panic: in a thread\n\nthread ");
    CHECK_HAS(c->err, " [running]:\nthread_panics(...)\n\t");
}

/* Main returns while the report of another goroutine's panic is stuck in a full pipe. */
CHILD(slow_report)
{
    for (int i = 0; i < 1000; i++)
        go1(wait_for_ever, NULL);
    go1(panics_quietly, NULL);
    for (int n = 0; n == 0; rn_yield())
        CHECK(ioctl(2, FIONREAD, &n) == 0);
}

ITEM(116, "a main that returns meanwhile does not end the program before the report is out")
{
    int fd[2];
    CHECK(pipe(fd) == 0 && fcntl(fd[1], F_SETPIPE_SZ, 4096) == 4096);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], 2);
        setenv("RUNNEL_TRACEBACK", "all", 1);
        test_exec_self(
            (char *[]){(char[]){"test"}, (char[]){"--child"}, (char[]){"slow_report"}, NULL},
            environ);
    }
    close(fd[1]);
    for (int n = 0; n < 4096; usleep(1000))
        CHECK(ioctl(fd[0], FIONREAD, &n) == 0);
    usleep(100000); /* time enough for a wrong exit; a right program waits as long as it takes */
    int status;
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    char buf[4096], first[8] = "";
    for (ssize_t n; (n = read(fd[0], buf, sizeof buf)) > 0;)
        if (first[0] == '\0')
            memcpy(first, buf, 7);
    CHECK_EQ(test_reap(pid, 60), 2);
    CHECK(strcmp(first, "panic: ") == 0);
}

CHILD(traceback_none)
{
    panic("boom");
}

ITEM(116, "RUNNEL_TRACEBACK: none prints no goroutine, crash ends with SIGABRT")
{
    test_child *c = test_run_child("traceback_none", "RUNNEL_TRACEBACK=none", NULL);
    CHECK_EQ(c->status, 2);
    CHECK(strcmp(c->err, "panic: boom\n") == 0);
    c = test_run_child("traceback_none", "RUNNEL_TRACEBACK=crash", NULL);
    CHECK_EQ(c->status, 128 + SIGABRT);
    CHECK_HAS(c->err, "panic: boom\n\ngoroutine 1 [running]:\n");
}

TEST_MAIN
