/*
 * dump.c - items 96, 100, 103 to 107, 109 and 110: what a dump says of every goroutine.
 *
 * Invariants
 *  - Lines of this file are not written as numbers: a statement that a dump must name notes its own
 *    line with AT.
 *  - Whoever must be parked before the dump is awaited by its state.
 */
// runnel-test: not=emulated
#include "test.h"

/* Tells the parent process, on standard output, in which line a statement stands. */
#define AT(name) dprintf(1, " %s=%d\n", #name, __LINE__)

/* Behind a function's last call: else a compiler may jump there, and the caller is not to be
 * seen. */
#define STAY     __asm__ volatile("")

static const char *told; /* what the last child wrote there */

/* "FILE:LINE\n" of the statement, as RN_HERE writes it. */
#define HERE(name) here(" " #name "=")
static const char *here(const char *name)
{
    static char buf[4][512];
    static int i;
    const char *at = strstr(told, name);
    if (at == NULL)
        test_fail(__FILE__, __LINE__, "no line is known for %s", name);
    i = (i + 1) % 4;
    snprintf(buf[i], sizeof buf[i], "%s:%d\n", __FILE__, atoi(at + strlen(name)));
    return buf[i];
}

/* The dump of goroutine or thread `who`, which must exist: a copy. */
static const char *of(const char *dump, const char *who)
{
    static char buf[8192];
    const char *at = strstr(dump, who);
    if (at == NULL) {
        fprintf(stderr, "---- dump:\n%s\n----\n", dump);
        test_fail(__FILE__, __LINE__, "the dump has no \"%s\"", who);
    }
    const char *end = strstr(at, "\n\n");
    size_t n = end != NULL ? (size_t)(end - at) + 1 : strlen(at);
    CHECK(n < sizeof buf);
    memcpy(buf, at, n);
    buf[n] = '\0';
    return buf;
}

/* "OPERATION(ARGS)\n\tFILE:LINE\n" */
static void check_operation(const char *g, const char *operation, const char *where)
{
    char text[1280];
    snprintf(text, sizeof text, "%s\n\t%s", operation, where);
    CHECK_HAS(g, text);
}

/* -------------------------------------------------------------------------- all reasons at once */

static chan(int) jobs;
static rn_mutex mutex;
static rn_waitgroup group;

static void worker(recv_chan(int) c)
{
    int v;
    AT(worker_waits), chan_recv(c, &v);
    STAY;
}
GO_FUNC(worker, recv_chan(int));

static void sender(send_chan(int) c)
{
    AT(sender_waits), chan_send(c, 5);
    STAY;
}
GO_FUNC(sender, send_chan(int));

static void nil_sender(void *p)
{
    (void)p;
    chan(int) none = NULL;
    AT(nil_sender_waits), chan_send(none, 5);
    STAY;
}

static void selector(void *p)
{
    (void)p;
    chan(int) other = chan_make(int, 0);
    int v;
    AT(selector_waits), chan_select(on_recv(jobs, &v), on_send(other, 1));
    STAY;
}

static void blocker(void *p)
{
    (void)p;
    AT(blocker_waits), chan_select();
    STAY;
}

static void locker(void *p)
{
    (void)p;
    rn_lock_os_thread();
    AT(locker_waits), rn_mutex_lock(&mutex);
    STAY;
}

static void waiter(void *p)
{
    (void)p;
    AT(waiter_waits), rn_waitgroup_wait(&group);
    STAY;
}

static void *thread_waits(void *p)
{
    chan(int) c = (chan(int))p;
    AT(thread_parks), chan_recv(c, NULL);
    return NULL;
}

static void park_everybody(void)
{
    AT(made), jobs = chan_make(int, 2);
    chan_name(jobs, "jobs");
    chan(int) full = chan_make(int, 1);
    chan_send(full, 1);
    rn_mutex_lock(&mutex);
    rn_waitgroup_add(&group, 1);
    AT(worker_made), go(worker, jobs);
    WAIT_PARKED(1, CHAN_RECEIVE, NULL);
    go(sender, full);
    WAIT_PARKED(1, CHAN_SEND, NULL);
    go1(nil_sender, NULL);
    WAIT_PARKED(1, CHAN_SEND_NIL, NULL);
    go1(selector, NULL);
    WAIT_PARKED(1, SELECT, NULL);
    go1(blocker, NULL);
    WAIT_PARKED(1, SELECT_NO_CASES, NULL);
    go1_with(((rn_go_attr){.name = "the locker"}), locker, NULL);
    WAIT_PARKED(1, MUTEX_LOCK, NULL);
    go1_with(((rn_go_attr){.name = "w7"}), waiter, NULL);
    WAIT_PARKED(1, WAITGROUP_WAIT, NULL);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, thread_waits, (void *)jobs) == 0);
    WAIT_PARKED(2, CHAN_RECEIVE, NULL);
}

CHILD(deadlock)
{
    park_everybody();
    chan(int) none = NULL;
    AT(main_waits), chan_recv(none, NULL);
    STAY;
}

static const char *dump_of(const char *child)
{
    test_child *c = test_run_child(child, NULL);
    if (c->status != 2)
        test_fail(__FILE__, __LINE__, "%s: status %d, stderr:\n%s", child, c->status, c->err);
    told = c->out;
    return c->err;
}

ITEM(100, "the deadlock report: state, object, place of the wait and of the creation of everybody")
{
    const char *d = dump_of("deadlock"), *g;
    static const char first[] =
        "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [";
    CHECK(strncmp(d, first, strlen(first)) == 0);
    g = of(d, "goroutine 1 [chan receive (nil chan)]:\n");
    check_operation(g, "chan_recv(nil)", HERE(main_waits));
    CHECK_HAS(g, "\ntest_fn_");
    CHECK_HAS_NOT(g, "created by");

    g = of(d, "[chan receive]:\n");
    char object[640];
    snprintf(object, sizeof object, "chan_recv(chan int \"jobs\", len 0, cap 2, made at %.*s)",
             (int)strcspn(HERE(made), "\n"), HERE(made));
    check_operation(g, object, HERE(worker_waits));
    CHECK_HAS(g, "\nworker(...)\n\t");
    CHECK_HAS(g, "\ncreated by park_everybody in goroutine 1\n\t");
    CHECK_HAS(g, HERE(worker_made));

    g = of(d, "[chan send]:\n");
    CHECK_HAS(g, "\nchan_send(chan int, len 1, cap 1, made at ");
    CHECK_HAS(g, HERE(sender_waits));
    CHECK_HAS(g, "\nsender(...)\n\t");
    check_operation(of(d, "[chan send (nil chan)]:\n"), "chan_send(nil)", HERE(nil_sender_waits));
    g = of(d, "[select]:\n");
    CHECK_HAS(g, "chan_select(");
    CHECK_HAS(g, HERE(selector_waits));
    CHECK_HAS(of(d, "[select (no cases)]:\n"), HERE(blocker_waits));
}

ITEM(105, "what stands in and behind the brackets: locked to thread, names")
{
    const char *d = dump_of("deadlock");
    const char *g = of(d, "[sync.Mutex.Lock, locked to thread] {name: \"the locker\"}:\n");
    CHECK_HAS(g, "\nrn_mutex_lock(");
    CHECK_HAS(g, HERE(locker_waits));
    CHECK_HAS(g, "\nlocker(...)\n\t");
    g = of(d, "[sync.WaitGroup.Wait] {name: w7}:\n");
    CHECK_HAS(g, "\nrn_waitgroup_wait(");
    CHECK_HAS(g, HERE(waiter_waits));
}

ITEM(109, "the others follow in the order of their creation")
{
    const char *d = dump_of("deadlock");
    uint64_t last = 1;
    int n = 1;
    for (const char *at = strstr(d, "\n\ngoroutine ") + 1; (at = strstr(at, "\n\ngoroutine "));
         n++) {
        at += strlen("\n\ngoroutine ");
        uint64_t id = strtoull(at, NULL, 10);
        CHECK(id > last);
        last = id;
    }
    CHECK_EQ(n, 8);
}

ITEM(104, "threads that runnel did not start are listed as well")
{
    const char *g = of(dump_of("deadlock"), "\nthread ");
    CHECK_HAS(g, " [chan receive]:\nchan_recv(chan int \"jobs\", ");
    CHECK_HAS(g, HERE(thread_parks));
}

/* ----------------------------------------------------------------------------------- on request */

static _Atomic(bool) spinning, stop;

static void hog(void *p)
{
    (void)p;
    atomic_store(&spinning, true);
    while (!atomic_load(&stop))
        ;
}

static char *read_all(int fd)
{
    off_t n = lseek(fd, 0, SEEK_END);
    char *s = calloc(1, (size_t)n + 1);
    CHECK(s != NULL && pread(fd, s, (size_t)n, 0) == (ssize_t)n);
    return s;
}

ITEM(110, "rn_dump: the caller alone, or everybody, the caller first")
{
    park_everybody();
    int fd = memfd_create("dump", 0);
    rn_dump(fd, false);
    char *one = read_all(fd);
    CHECK(strncmp(one, "goroutine 1 [running]:\ntest_fn_", 31) == 0);
    CHECK(strstr(one, "\n\n") == NULL);
    rn_dump(fd, true);
    char *both = read_all(fd), *all = both + strlen(one);
    CHECK(strncmp(all, one, 30) == 0);
    CHECK_HAS(of(all, "[sync.WaitGroup.Wait] {name: w7}:\n"), "\nwaiter(...)\n");
    CHECK_HAS(of(all, "\nthread "), "[chan receive]:\n");
    free(one);
    free(both);
}

CHILD(quit)
{
    park_everybody();
    go1(hog, NULL);
    while (!atomic_load(&spinning))
        rn_yield();
#if RN__TSAN
    raise(SIGQUIT); /* a signal for any thread would wait until the hog calls something */
#else
    kill(getpid(), SIGQUIT);
#endif
    for (;;)
        pause();
}

ITEM(110, "SIGQUIT: everybody, the running ones too; status 2")
{
    if (rn_gomaxprocs(0) < 2)
        return; /* the hog would keep main from going on */
    const char *d = dump_of("quit");
    CHECK(strncmp(d, "SIGQUIT: quit\nPC=0x", 19) == 0);
    CHECK_HAS(d, "\n\ngoroutine 1 [running]:\n");
    CHECK_HAS(d, "goroutine running on other thread; stack unavailable\ncreated by ");
    CHECK_HAS(of(d, "[chan receive]:\n"), "\nworker(...)\n\t");
    CHECK_HAS(of(d, "[select]:\n"), HERE(selector_waits));
}

static void own_handler(int sig)
{
    (void)sig;
    _exit(42);
}
CHILD(quit_own)
{
    signal(SIGQUIT, own_handler);
    rn_yield();
    raise(SIGQUIT);
    for (;;)
        pause();
}
CHILD(quit_ignored)
{
    signal(SIGQUIT, SIG_IGN);
    rn_yield();
    raise(SIGQUIT);
    _exit(43);
}

ITEM(110, "a program's own handling of SIGQUIT is left alone")
{
    CHECK_EQ(test_run_child("quit_own", NULL)->status, 42);
    CHECK_EQ(test_run_child("quit_ignored", NULL)->status, 43);
}

CHILD(panic_all)
{
    park_everybody();
    panic("boom");
}

ITEM(104, "RUNNEL_TRACEBACK=all adds the others to a panic's report")
{
    test_child *c = test_run_child("panic_all", "RUNNEL_TRACEBACK=all", NULL);
    CHECK_EQ(c->status, 2);
    CHECK(strncmp(c->err, "panic: boom\n\ngoroutine 1 [running]:\ntest_fn_", 43) == 0);
    CHECK_HAS(of(c->err, "[chan receive]:\n"), "\nworker(...)\n\t");
    c = test_run_child("panic_all", NULL);
    CHECK_HAS_NOT(c->err, "[chan receive]");
}

/* ------------------------------------------------------------------------ the back-trace itself */

__attribute__((noinline)) static void level_three(void *p)
{
    if (p != NULL)
        panic("%s", (const char *)p);
    STAY;
}
__attribute__((noinline)) static void level_two(void *p)
{
    level_three(p);
    STAY;
}
__attribute__((noinline)) static void level_one(void *p)
{
    rn_try(level_two, NULL, NULL);
    level_two(p);
    STAY;
}
static void new_panic(void *p)
{
    (void)p;
    level_one("second");
    STAY;
}
CHILD(frames)
{
    defer(new_panic, NULL);
    level_one("first");
    STAY;
}

ITEM(104, "frames: the program's functions only, and Go's word for a panic between them")
{
    const char *d = dump_of("frames");
    static const char *want[] = {"level_three", "level_two", "level_one", "new_panic", "panic",
                                 "level_three", "level_two", "level_one", "test_fn_"};
    const char *at = strstr(d, "[running]:\n");
    CHECK(at != NULL);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        at = strchr(at, '\n') + 1;
        if (strncmp(at, want[i], strlen(want[i])) != 0)
            test_fail(__FILE__, __LINE__, "frame %zu should be %s:\n%s", i, want[i], d);
        at = strchr(at, '\n') + 1;
        CHECK(at[0] == '\t');
        if (strcmp(want[i], "panic") != 0 && strstr(d, "dump.c:") != NULL)
            CHECK(strstr(at, "dump.c:") < strchr(at, '\n'));
        at = strchr(at, '\n') - 1; /* the next turn goes on at the newline */
    }
}

/* The program, called back by the library, waits: its frames must not be taken for the
 * library's. */
__attribute__((noinline)) static void waits_inside(void *c)
{
    chan_recv((chan(int))c, NULL);
    STAY;
}
__attribute__((noinline)) static void tries(void *c)
{
    rn_try(waits_inside, c, NULL);
    STAY;
}
CHILD(called_back)
{
    chan(int) c = chan_make(int, 0);
    go1(tries, (void *)c);
    waits_inside((void *)c);
    STAY;
}

ITEM(104, "frames: a function that the library calls back is the program's")
{
    const char *g = of(dump_of("called_back"), "goroutine 2 ");
    const char *a = strstr(g, "\nwaits_inside(...)\n"), *b = strstr(g, "\nrn_try(...)\n"),
               *c = strstr(g, "\ntries(...)\n");
    if (a == NULL || b == NULL || c == NULL || a > b || b > c)
        test_fail(__FILE__, __LINE__, "not waits_inside, rn_try, tries:\n%s", g);
}

static int deep(int n, volatile char *up);
static int (*volatile dig)(int n, volatile char *up) = deep;

static int deep(int n, volatile char *up)
{
    volatile char here_too[64];
    here_too[0] = (char)n;
    if (up != NULL)
        here_too[1] = up[0];
    int r = dig(n + 1, here_too) + here_too[1];
    __asm__ volatile("" : "+r"(r));
    return r;
}
static void runs_deep(void *p)
{
    (void)p;
    deep(0, NULL);
    STAY;
}
CHILD(overflow)
{
    AT(digger_made), go1_with(((rn_go_attr){.name = "digger"}), runs_deep, NULL);
    for (;;)
        rn_yield();
}

ITEM(96, "the overflow of a stack names the goroutine, its function, its size and its maker")
{
    const char *d = dump_of("overflow");
    CHECK_HAS(d, "runnel: goroutine 2 (digger, function runs_deep) overflowed its ");
    CHECK_HAS(d, " KiB stack\nrunnel: ");
    CHECK_HAS(
        d, "\nfatal error: stack overflow\n\ngoroutine 2 [running] {name: digger}:\ndeep(...)\n");
    CHECK_HAS(d, " frames elided...\n");
    CHECK_HAS(d, "\nruns_deep(...)\n\t");
    CHECK_HAS(d, HERE(digger_made));
    CHECK_HAS(d, "RUNNEL_DEBUG=stack=");
}

/* ----------------------------------------------------------------------------- many, and racing */

static void one_of_many(recv_chan(int) c)
{
    chan_recv(c, NULL);
    STAY;
}
GO_FUNC(one_of_many, recv_chan(int));

enum { MANY = 3000 };
CHILD(many)
{
    chan(int) c = chan_make(int, 0);
    for (int i = 0; i < MANY; i++)
        go(one_of_many, c);
    chan_select();
    STAY;
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

ITEM(100, "a deadlock of thousands is reported whole")
{
    int fd = memfd_create("err", 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd, 2);
        test_exec_self((char *[]){(char[]){"test"}, (char[]){"--child"}, (char[]){"many"}, NULL},
                       environ);
    }
    CHECK_EQ(test_reap(pid, 60), 2);
    char *d = read_all(fd);
    CHECK_EQ(count(d, " [chan receive]:\n"), MANY);
    CHECK_EQ(count(d, "\none_of_many(...)\n\t"), MANY);
    free(d);
}

static void bounce(void *p)
{
    chan(int) c = (chan(int))p;
    while (!atomic_load(&stop)) {
        int v = 0;
        chan_try_send(c, 1);
        rn_yield();
        chan_try_recv(c, &v, NULL);
        defer(level_two, NULL);
        rn_sleep(1);
    }
    atomic_store(&spinning, true);
}

ITEM(110, "a dump of goroutines that run meanwhile may be torn, but harms nobody")
{
    chan(int) c = chan_make(int, 1);
    for (int i = 0; i < 30; i++)
        go1(bounce, (void *)c);
    int fd = memfd_create("dump", 0);
    for (int i = 0; i < 60; i++) {
        rn_dump(fd, true);
        rn_yield();
    }
    atomic_store(&stop, true);
    WAIT_GONE(1);
    char *d = read_all(fd);
    CHECK_EQ(count(d, "goroutine 1 [running]:\n"), 60);
    CHECK(count(d, "\nbounce(...)\n") > 0);
    free(d);
    chan_unref(c);
}

TEST_MAIN
