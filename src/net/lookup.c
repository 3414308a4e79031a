/*
 * lookup.c - names to addresses, by a few threads that do nothing else.
 *
 * getaddrinfo blocks for seconds, wants more stack than a goroutine has, and cannot be interrupted. So it
 * runs in a thread of the library; who asked waits on an eventfd, with his deadline, like for any other
 * descriptor, and may leave earlier.
 *
 * Invariants
 *  - A job belongs to whoever is last: the asker who has left marks it `left`, and the thread frees it; a
 *    thread that has finished marks it `done`, and the asker frees it. One lock guards both marks and
 *    the queue; under it: pointer work and the write to an eventfd that never blocks.
 *  - Threads are made on demand, up to THREADS, and stay. They touch no goroutine and no channel.
 *  - With a seed the clock is virtual and must not run while a lookup does: it is done in place then.
 */
#define _GNU_SOURCE
#include "../platform/annotate.h"
#include "../platform/lock.h"
#include "../sched/sched.h"
#include "net.h"
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    THREADS = 32,             /* lookups at a time: silent name servers hold a thread for seconds */
    STACK_BYTES = 512 * 1024, /* the system's modules are not known to be modest */
};

typedef struct job {
    struct job *next; /* in the queue; lock */
    rn__hostport name;
    int result;   /* as rn_lookup; the thread's until done */
    rn_addr *all; /* the same */
    int bell;     /* eventfd of the asker; -1: done in place */
    bool done;    /* lock */
    bool left;    /* lock */
} job;

static rn__lock lock;
static job *first, *last;      /* the queue; lock */
static int threads, idle;      /* how many there are, and wait for jobs; lock */
static _Atomic(uint32_t) ring; /* futex: changes with every job */

/* ------------------------------------------------------------------------------ one lookup */

static int error_of(int eai, int sys)
{
    switch (eai) {
    case EAI_NONAME: return -ENOENT;
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    case EAI_NODATA: return -ENOENT;
#endif
#if defined(EAI_ADDRFAMILY) && EAI_ADDRFAMILY != EAI_NONAME
    case EAI_ADDRFAMILY: return -ENOENT;
#endif
    case EAI_AGAIN: return -EAGAIN;
    case EAI_FAIL: return -EIO;
    case EAI_SERVICE: return -ESRCH;
    case EAI_MEMORY: return -ENOMEM;
    case EAI_FAMILY: return -EAFNOSUPPORT;
    case EAI_SYSTEM: return sys > 0 ? -sys : -EIO;
    default: return -EINVAL;
    }
}

/* On a large stack, which nobody is waiting for. */
static void look_up(job *j)
{
    char number[16];
    const char *service = j->name.service;
    struct addrinfo hints = {.ai_family = j->name.bracketed ? AF_INET6 : AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM};
    if (j->name.port >= 0) {
        snprintf(number, sizeof number, "%d", j->name.port);
        service = number;
        hints.ai_flags |= AI_NUMERICSERV;
    }
    struct addrinfo *found = NULL;
    const char *host = j->name.host[0] != '\0' ? j->name.host : NULL;
    int eai = getaddrinfo(host, service, &hints, &found);
    if (eai != 0) {
        j->result = error_of(eai, errno);
        return;
    }
    int n = 0;
    for (struct addrinfo *f = found; f != NULL; f = f->ai_next)
        n++;
    j->all = calloc((size_t)n, sizeof *j->all);
    j->result = j->all == NULL ? -ENOMEM : 0;
    for (struct addrinfo *f = found; f != NULL && j->all != NULL; f = f->ai_next) {
        if ((f->ai_family != AF_INET && f->ai_family != AF_INET6) ||
            f->ai_addrlen > sizeof j->all->ss)
            continue;
        rn_addr *a = &j->all[j->result++];
        memcpy(&a->ss, f->ai_addr, f->ai_addrlen);
        a->len = f->ai_addrlen;
    }
    freeaddrinfo(found);
    if (j->result == 0) {
        free(j->all);
        j->all = NULL;
        j->result = -ENOENT;
    }
}

static void look_up_in_place(void *j)
{
    look_up(j);
}

/* -------------------------------------------------------------------------------- threads */

static void *run(void *arg)
{
    (void)arg;
    rn__service_enter();
    for (;;) {
        uint32_t seen = atomic_load(&ring);
        rn__lock_take(&lock);
        job *j = first;
        if (j != NULL) {
            first = j->next;
            idle--;
            RN__HB_ACQUIRE(j);
        }
        rn__lock_drop(&lock);
        if (j == NULL) {
            rn__futex_wait(&ring, seen, RN_NEVER);
            continue;
        }
        look_up(j);
        rn__lock_take(&lock);
        bool left = j->left;
        j->done = true;
        RN__HB_RELEASE(j);
        idle++;
        if (!left) {
            uint64_t one = 1;
            ssize_t n = write(j->bell, &one, sizeof one);
            (void)n; /* the first and only one: it fits */
        }
        rn__lock_drop(&lock);
        if (left) {
            free(j->all);
            free(j);
        }
    }
    return NULL;
}

/* On a system stack: goroutines' may be too small. */
static void create(void *result)
{
    pthread_t t;
    *(int *)result = rn__thread_create(&t, STACK_BYTES, false, run, NULL);
}

/* Under the lock: takes j out of the queue, if it is still there. */
static bool take_back(job *j)
{
    job *before = NULL;
    for (job *k = first; k != NULL; before = k, k = k->next) {
        if (k != j)
            continue;
        if (before == NULL)
            first = j->next;
        else
            before->next = j->next;
        if (last == j)
            last = before;
        return true;
    }
    return false;
}

/* Queues a job; makes a thread if all are busy. 0, or a negative errno if there is no thread at all. */
static int submit(job *j)
{
    rn__lock_take(&lock);
    int waiting = 1;
    for (job *k = first; k != NULL; k = k->next)
        waiting++;
    j->next = NULL;
    if (first == NULL)
        first = j;
    else
        last->next = j;
    last = j;
    RN__HB_RELEASE(j);
    bool more = waiting > idle && threads < THREADS;
    if (more) {
        threads++;
        idle++;
    }
    rn__lock_drop(&lock);
    int err = 0;
    if (more)
        rn_on_system_stack(create, &err);
    if (err != 0) {
        rn__lock_take(&lock);
        idle--;
        /* the others will come to it, if there are others */
        bool mine = --threads == 0 && take_back(j);
        rn__lock_drop(&lock);
        if (mine)
            return err;
    }
    atomic_fetch_add(&ring, 1); /* seq_cst: after the job is in the queue */
    rn__futex_wake(&ring, 1);
    return 0;
}

int rn__resolve(const rn__hostport *h, int64_t deadline, rn_addr **all)
{
    if (deadline <= rn_now())
        return -ETIMEDOUT;
    job *j = calloc(1, sizeof *j);
    if (j == NULL)
        return -ENOMEM;
    j->name = *h;
    j->bell = -1;
    int err = 0;
    if (rn__cfg.deterministic) {
        rn_on_system_stack(look_up_in_place, j);
    } else {
        j->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        err = j->bell < 0 ? -errno : submit(j);
        if (err != 0) {
            if (j->bell >= 0)
                close(j->bell);
            free(j);
            return err;
        }
        uint64_t rings;
        ssize_t n = rn_read_until(j->bell, &rings, sizeof rings, deadline);
        int bell = j->bell;
        rn__lock_take(&lock);
        bool mine = j->done || take_back(j);
        if (!mine)
            j->left = true;
        if (!mine || !j->done)
            err = n < 0 ? (int)n : -EIO;
        rn__lock_drop(&lock);
        rn_close(bell); /* no thread writes to it any more */
        if (!mine)
            return err;
    }
    RN__HB_ACQUIRE(j);
    if (err == 0) {
        err = j->result;
        *all = j->all;
    }
    free(j);
    return err;
}

/* --------------------------------------------------------------------------------- public */

int rn__lookup(const char *text, bool listening, int64_t deadline, rn_addr **all)
{
    rn__hostport h;
    rn_addr a[2];
    int n = 1;
    int err = rn_addr_parse(&a[0], text);
    *all = NULL;
    if (err != 0 && err != -ENOENT)
        return err;
    bool plain = rn__addr_is_unix(text);
    if (!plain) {
        err = rn__addr_split(&h, text);
        if (err != 0)
            return err;
        if (h.port < 0 || (h.host[0] != '\0' && rn__addr_numeric(&a[0], &h) == -ENOENT)) {
            n = rn__resolve(&h, deadline, all);
            if (n <= 0 || h.host[0] != '\0')
                return n;
            h.port = rn_addr_port(*all); /* the name of a service alone: the rest is ours */
            free(*all);
            n = 1;
        }
        if (h.host[0] == '\0') {
            rn__addr_special(&a[0], AF_INET6, !listening, h.port);
            rn__addr_special(&a[1], AF_INET, !listening, h.port);
            n = 2;
        }
    }
    *all = malloc(sizeof *a * (size_t)n);
    if (*all == NULL)
        return -ENOMEM;
    memcpy(*all, a, sizeof *a * (size_t)n);
    return n;
}

int rn_lookup(const char *text, int64_t deadline, rn_addr **all)
{
    return rn__lookup(text, false, deadline, all);
}

const char *rn_net_error(int err)
{
    switch (-err) {
    case 0: return "no error";
    case ENOENT: return "no such host, or no such file";
    case EAGAIN: return "the name server does not answer now";
    case EIO: return "the name server failed";
    case ESRCH: return "no such service";
    case EINVAL: return "not an address (host:port, [IPv6]:port, unix:/path, unix:@name)";
    case ENODEV: return "no such zone";
    case ETIMEDOUT: return "timed out";
    case ECANCELED: return "closed while waiting";
    default: return strerror(-err);
    }
}
