/*
 * transfer.c - reading and writing through pipes and files: what comes through, ends, deadlines, closing.
 *
 * Invariants
 *  - Every byte is accounted for; "it waits" is read from the goroutines' states.
 */
#include "../test.h"
#include <fcntl.h>
#include <poll.h>
#include <runnel/io.h>

struct job {
    int fd;
    int64_t n;            /* bytes or calls */
    int64_t deadline;     /* of each call */
    _Atomic(int64_t) sum; /* of all bytes */
    _Atomic(int64_t) got; /* how many */
    _Atomic(int) ended;
    _Atomic(int) result; /* of the last call */
};

static void read_all(void *p)
{
    struct job *j = p;
    unsigned char buf[4096];
    ssize_t n;
    while ((n = rn_read_until(j->fd, buf, sizeof buf, j->deadline)) > 0) {
        int64_t sum = 0;
        for (ssize_t i = 0; i < n; i++)
            sum += buf[i];
        atomic_fetch_add(&j->sum, sum);
        atomic_fetch_add(&j->got, n);
    }
    atomic_store(&j->result, (int)n);
    atomic_fetch_add(&j->ended, 1);
}

static void *read_all_on_thread(void *p)
{
    read_all(p);
    return NULL;
}

/* Writes n bytes of a known sum in pieces of odd sizes. */
static int64_t write_pattern(int fd, int64_t n)
{
    static unsigned char block[70000];
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (unsigned char)(i * 7 + i / 251);
    uint64_t random = 1;
    while (n > 0) {
        int64_t k = (int64_t)(test_random(&random) % sizeof block) + 1;
        k = k < n ? k : n;
        CHECK_EQ(rn_write(fd, block, (size_t)k), k);
        for (int64_t i = 0; i < k; i++)
            sum += block[i];
        n -= k;
    }
    return sum;
}

ITEM(1, "a megabyte through a pipe: the writer waits for room, the reader for bytes, the end is 0")
{
    int end[2];
    CHECK_EQ(rn_pipe(end), 0);
    struct job j = {.fd = end[0], .deadline = RN_NEVER};
    test_go(read_all, &j);
    WAIT_PARKED(1, IO_WAIT, NULL);
    int64_t n = test_scale(1 << 20, 1 << 17);
    int64_t sum = write_pattern(end[1], n);
    CHECK_EQ(rn_close(end[1]), 0);
    WAIT_UNTIL(atomic_load(&j.ended) == 1);
    CHECK_EQ(j.result, 0);
    CHECK_EQ(atomic_load(&j.got), n);
    CHECK_EQ(atomic_load(&j.sum), sum);
    CHECK_EQ(rn_close(end[0]), 0);
    CHECK_EQ(rn_close(end[0]), -EBADF);
}

ITEM(2, "several readers of one descriptor, foreign threads among them, share the bytes")
{
    enum { READERS = 6, THREADS = 2 };
    int end[2];
    CHECK_EQ(rn_pipe(end), 0);
    struct job j = {.fd = end[0], .deadline = RN_NEVER};
    for (int i = 0; i < READERS; i++)
        test_go(read_all, &j);
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, read_all_on_thread, &j) == 0);
    int64_t n = test_scale(1 << 20, 1 << 17);
    int64_t sum = write_pattern(end[1], n);
    CHECK_EQ(rn_close(end[1]), 0);
    WAIT_UNTIL(atomic_load(&j.ended) == READERS + THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    CHECK_EQ(atomic_load(&j.got), n);
    CHECK_EQ(atomic_load(&j.sum), sum);
    rn_close(end[0]);
}

ITEM(3, "a deadline of the call ends the wait, and takes nothing")
{
    int end[2];
    char c;
    CHECK_EQ(rn_pipe(end), 0);
    int64_t before = rn_now();
    CHECK_EQ(rn_read_until(end[0], &c, 1, before + 2 * RN_MS), -ETIMEDOUT);
    CHECK(rn_now() >= before + 2 * RN_MS);
    CHECK_EQ(rn_read_until(end[0], &c, 1, before - 1), -ETIMEDOUT);
    CHECK_EQ(rn_write(end[1], "x", 1), 1);
    /* what is there is given even when the time is over */
    CHECK_EQ(rn_read_until(end[0], &c, 1, before - 1), 1);
    CHECK_EQ(c, 'x');
    rn_close(end[0]);
    rn_close(end[1]);
}

ITEM(4, "a deadline of the descriptor: ends present waits, can be moved and taken away")
{
    int end[2];
    CHECK_EQ(rn_pipe(end), 0);
    struct job j = {.fd = end[0], .deadline = RN_NEVER};
    test_go(read_all, &j);
    WAIT_PARKED(1, IO_WAIT, NULL);
    /* far away: goes on waiting */
    CHECK_EQ(rn_set_read_deadline(end[0], rn_now() + 3600 * RN_SEC), 0);
    WAIT_PARKED(1, IO_WAIT, NULL);
    CHECK_EQ(rn_set_write_deadline(end[0], 1), 0);
    WAIT_PARKED(1, IO_WAIT, NULL);
    CHECK_EQ(atomic_load(&j.ended), 0);
    CHECK_EQ(rn_set_deadline(end[0], rn_now() - 1), 0);
    WAIT_UNTIL(atomic_load(&j.ended) == 1);
    CHECK_EQ(j.result, -ETIMEDOUT);
    char c;
    CHECK_EQ(rn_read(end[0], &c, 1), -ETIMEDOUT);
    CHECK_EQ(rn_set_read_deadline(end[0], RN_NEVER), 0);
    test_go(read_all, &j);
    WAIT_PARKED(1, IO_WAIT, NULL);
    CHECK_EQ(rn_write(end[1], "ab", 2), 2);
    WAIT_UNTIL(atomic_load(&j.got) == 2);
    rn_close(end[1]);
    WAIT_UNTIL(atomic_load(&j.ended) == 2);
    rn_close(end[0]);
}

ITEM(5, "closing ends every wait with -ECANCELED; the number's next owner is not touched")
{
    enum { READERS = 8 };
    for (int round = 0; round < 50; round++) {
        int end[2];
        CHECK_EQ(rn_pipe(end), 0);
        struct job j = {.fd = end[0], .deadline = RN_NEVER};
        for (int i = 0; i < READERS; i++)
            test_go(read_all, &j);
        WAIT_PARKED(READERS, IO_WAIT, NULL);
        CHECK_EQ(rn_close(end[0]), 0);
        /* the number may or may not be free yet: whoever gets it starts clean */
        int next[2];
        CHECK_EQ(rn_pipe(next), 0);
        CHECK_EQ(rn_write(next[1], "n", 1), 1);
        WAIT_UNTIL(atomic_load(&j.ended) == READERS);
        CHECK_EQ(j.result, -ECANCELED);
        CHECK_EQ(atomic_load(&j.got), 0);
        char c;
        CHECK_EQ(rn_read(next[0], &c, 1), 1);
        CHECK_EQ(c, 'n');
        rn_close(end[1]);
        rn_close(next[0]);
        rn_close(next[1]);
        WAIT_GONE(1);
    }
}

ITEM(6, "a closed reader is -EPIPE; a number that is not open is -EBADF")
{
    signal(SIGPIPE, SIG_IGN);
    int end[2];
    char c;
    CHECK_EQ(rn_pipe(end), 0);
    CHECK_EQ(rn_close(end[0]), 0);
    CHECK_EQ(rn_write(end[1], "x", 1), -EPIPE);
    CHECK_EQ(rn_close(end[1]), 0);
    CHECK_EQ(rn_read(end[1], &c, 1), -EBADF);
    CHECK_EQ(rn_read(-1, &c, 1), -EBADF);
    CHECK_EQ(rn_close(-1), -EBADF);
    CHECK_EQ(rn_read(INT32_MAX, &c, 1), -EMFILE);
}

ITEM(7, "a descriptor given back is as it was; not while calls are under way")
{
    int end[2];
    CHECK(pipe(end) == 0);
    CHECK_EQ(rn_fd_release(end[0]), -EBADF);
    struct job j = {.fd = end[0], .deadline = RN_NEVER};
    test_go(read_all, &j);
    WAIT_PARKED(1, IO_WAIT, NULL);
    CHECK((fcntl(end[0], F_GETFL) & O_NONBLOCK) != 0);
    CHECK_EQ(rn_fd_release(end[0]), -EBUSY);
    CHECK_EQ(rn_write(end[1], "abc", 3), 3);
    WAIT_UNTIL(atomic_load(&j.got) == 3);
    CHECK_EQ(rn_set_deadline(end[0], 0), 0);
    WAIT_UNTIL(atomic_load(&j.ended) == 1);
    WAIT_GONE(1);
    CHECK_EQ(rn_fd_release(end[0]), 0);
    CHECK((fcntl(end[0], F_GETFL) & O_NONBLOCK) == 0);
    /* and it may come back: with no deadline of old */
    CHECK_EQ(rn_write(end[1], "d", 1), 1);
    char c;
    CHECK_EQ(rn_read(end[0], &c, 1), 1);
    rn_close(end[0]);
    rn_close(end[1]);
}

ITEM(8, "files: read, write, at offsets; what cannot be waited for says so")
{
    char name[] = "/tmp/runnel-io-XXXXXX";
    int fd = mkstemp(name);
    CHECK(fd >= 0);
    unlink(name);
    CHECK_EQ(rn_write(fd, "hello, world", 12), 12);
    CHECK_EQ(rn_pwrite(fd, "J", 1, 0), 1);
    char buf[32];
    CHECK_EQ(rn_pread(fd, buf, sizeof buf, 7), 5);
    CHECK(memcmp(buf, "world", 5) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(rn_read_full(fd, buf, sizeof buf), 12);
    CHECK(memcmp(buf, "Jello, world", 12) == 0);
    CHECK_EQ(rn_read(fd, buf, sizeof buf), 0);
    CHECK_EQ(rn_poll_fd(fd, POLLPRI, RN_NEVER), -EPERM);
    CHECK_EQ(rn_close(fd), 0);
}

ITEM(9, "rn_poll_fd waits for what poll would report")
{
    int end[2];
    CHECK_EQ(rn_pipe(end), 0);
    CHECK_EQ(rn_poll_fd(end[1], POLLOUT, 0), POLLOUT);
    CHECK_EQ(rn_poll_fd(end[0], POLLIN, rn_now() + RN_MS), -ETIMEDOUT);
    struct job j = {.fd = end[0], .deadline = RN_NEVER};
    (void)j;
    CHECK_EQ(rn_write(end[1], "x", 1), 1);
    CHECK_EQ(rn_poll_fd(end[0], POLLIN | POLLOUT, RN_NEVER), POLLIN);
    CHECK_EQ(rn_poll_fd(end[0], POLLIN, RN_NEVER), POLLIN); /* a level, not an edge */
    rn_close(end[1]);
    CHECK((rn_poll_fd(end[0], POLLIN, RN_NEVER) & POLLHUP) != 0);
    rn_close(end[0]);
}

ITEM(10, "copying from one descriptor to another")
{
    int a[2], b[2];
    CHECK_EQ(rn_pipe(a), 0);
    CHECK_EQ(rn_pipe(b), 0);
    struct job j = {.fd = b[0], .deadline = RN_NEVER};
    test_go(read_all, &j);
    int64_t n = 300000, sum = 0, copied = -1;
    struct job w = {.fd = a[1], .n = n};
    (void)w;
    pid_t child = fork(); /* the writer is another program: it only knows write(2) */
    if (child == 0) {
        for (int64_t i = 0; i < n; i++) {
            char c = (char)(i % 100);
            if (i % 1000 == 0)
                usleep(1);
            while (write(a[1], &c, 1) != 1)
                usleep(100);
        }
        _exit(0);
    }
    rn_close(a[1]);
    copied = rn_copy(b[1], a[0]);
    rn_close(b[1]);
    WAIT_UNTIL(atomic_load(&j.ended) == 1);
    for (int64_t i = 0; i < n; i++)
        sum += i % 100;
    CHECK_EQ(copied, n);
    CHECK_EQ(atomic_load(&j.got), n);
    CHECK_EQ(atomic_load(&j.sum), sum);
    waitpid(child, NULL, 0);
    rn_close(a[0]);
    rn_close(b[0]);
}

/* ---- the verdict */

CHILD(only_registered)
{
    int end[2];
    CHECK_EQ(rn_pipe(end), 0);
    CHECK_EQ(rn_write(end[1], "x", 1), 1); /* both are registered; nobody waits for them */
    char c;
    CHECK_EQ(rn_read(end[0], &c, 1), 1);
    chan_recv(chan_make(int, 0), NULL);
}

ITEM(11, "a descriptor that is merely registered does not hide a deadlock")
{
    test_child *c = test_run_child("only_registered", NULL);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, "all goroutines are asleep - deadlock!");
}

CHILD(waits_for_outside)
{
    /* stdin is a pipe whose writer comes much later than any verdict would */
    int fd = dup(0);
    char c;
    CHECK_EQ(rn_read(fd, &c, 1), 1);
    CHECK_EQ(c, 'k');
    printf("came\n");
}

ITEM(12, "who waits for a descriptor is not dead, however long it takes")
{
    int in[2];
    CHECK(pipe(in) == 0);
    pid_t writer = fork();
    if (writer == 0) {
        close(in[0]);
        usleep(700000); /* the watcher asks about dead programs every few milliseconds */
        CHECK(write(in[1], "k", 1) == 1);
        _exit(0);
    }
    close(in[1]);
    int keep = dup(0);
    dup2(in[0], 0);
    test_child *c = test_run_child("waits_for_outside", NULL);
    dup2(keep, 0);
    CHECK_EQ(c->status, 0);
    CHECK_HAS(c->out, "came");
    waitpid(writer, NULL, 0);
}

/* ---- closed behind our back */

ITEM(13, "a foreign descriptor closed elsewhere and opened anew is met again at the next wait")
{
    int a[2];
    CHECK(pipe(a) == 0);
    CHECK_EQ(rn_write(a[1], "1", 1), 1);
    char c;
    CHECK_EQ(rn_read(a[0], &c, 1), 1);
    close(a[0]); /* not the way, but it happens */
    int b[2];
    CHECK(pipe2(b, O_NONBLOCK) == 0);
    CHECK_EQ(dup2(b[0], a[0]), a[0]);
    struct job j = {.fd = a[0], .deadline = RN_NEVER};
    test_go(read_all, &j);
    WAIT_PARKED(1, IO_WAIT, NULL);
    CHECK_EQ(write(b[1], "2", 1), 1);
    WAIT_UNTIL(atomic_load(&j.got) == 1);
    close(b[1]);
    WAIT_UNTIL(atomic_load(&j.ended) == 1);
}

TEST_MAIN
