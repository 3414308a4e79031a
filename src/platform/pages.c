/*
 * pages.c - address space, and pages in it that fault on access.
 *
 * Three kinds of guards. MADV_GUARD_INSTALL (Linux 6.13) marks page-table entries: a million guards
 * in one mapping. mprotect splits mappings, two for each guard, and vm.max_map_count (65530) ends
 * that after some thirty thousand; we stop earlier, so that malloc, thread stacks and dlopen still
 * get their mappings. After that there are none.
 *
 * Invariants
 *  - The kind only ever goes from a better one to a worse one, but for rn__guard_force.
 *  - A kind is used only after a guard of that kind has been seen to hold: emulators and sandboxes
 *    take unknown advice for a hint and answer success.
 *  - Guards survive rn__discard.
 */
#include "platform.h"
#include "raw.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>

#if RN__VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/* Newer than the headers that we must compile with. */
enum { RN__MADV_GUARD_INSTALL = 102, RN__SYS_PIDFD_OPEN = 434, RN__SYS_PROCESS_MADVISE = 440 };
enum { RN__GUARD_BATCH = 64, RN__KIND_UNKNOWN = -1 };

size_t rn__page_size(void)
{
    return getauxval(AT_PAGESZ);
}

/* mmap and mprotect are asked directly: libc's wrappers write errno. */
static void *map_anonymous(size_t n)
{
    long p = rn__sys6(SYS_mmap, 0, (long)n, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p < 0 && p > -4096 ? NULL : (void *)p;
}

void *rn__reserve(size_t n, size_t align)
{
    size_t page = rn__page_size();
    n = (n + page - 1) & ~(page - 1);
    if (align <= page)
        return map_anonymous(n);
    if (n > SIZE_MAX - align)
        return NULL;
    char *p = map_anonymous(n + align);
    if (p == NULL)
        return NULL;
    char *at = (char *)(((uintptr_t)p + align - 1) & ~(uintptr_t)(align - 1));
    if (at > p)
        rn__release(p, (size_t)(at - p));
    size_t behind = (size_t)(p + align - at);
    if (behind > 0)
        rn__release(at + n, behind);
    return at;
}

void rn__release(void *p, size_t n)
{
    size_t page = rn__page_size();
    rn__sys2(SYS_munmap, p, (n + page - 1) & ~(page - 1));
}

void rn__discard(void *p, size_t n)
{
    /* Locked memory says no and stays: that is what locking is for. */
    rn__sys3(SYS_madvise, p, n, MADV_DONTNEED);
}

void rn__no_huge_pages(void *p, size_t n)
{
    rn__sys3(SYS_madvise, p, n, MADV_NOHUGEPAGE); /* kernels without huge pages say no: fine */
}

void rn__huge_pages(void *p, size_t n)
{
    rn__sys3(SYS_madvise, p, n, MADV_HUGEPAGE); /* an advice: small pages serve, too */
}

/* ------------------------------------------------------------------------------------ guards */

/* Relaxed everywhere: the value says only which system call to try, and trying tells the rest. */
static _Atomic(int) kind = RN__KIND_UNKNOWN;

/* How many more guards mprotect may make; set before `kind` becomes RN__GUARD_MPROTECT. */
static _Atomic(int64_t) mprotect_budget;

/* Whether the kernel refuses to write to p: a system call faults instead of us. */
static bool really_guarded(void *p)
{
    return rn__sys2(SYS_clock_gettime, CLOCK_MONOTONIC, p) == -EFAULT;
}

static void use_mprotect(void)
{
    char text[32];
    int64_t max = 65530;
    if (rn__read_file("/proc/sys/vm/max_map_count", text, sizeof text) > 0) {
        const char *p = text;
        max = rn__parse_number(&p);
    }
    /* Two mappings for each guard; an eighth of all stays for the rest of the process. */
    atomic_store_explicit(&mprotect_budget, (max - max / 8) / 2, memory_order_relaxed);
    atomic_store_explicit(&kind, RN__GUARD_MPROTECT, memory_order_release);
}

RN_COLD static void decide_kind(void)
{
    size_t page = rn__page_size();
    void *p = map_anonymous(page);
    if (p != NULL && rn__sys3(SYS_madvise, p, page, RN__MADV_GUARD_INSTALL) == 0 &&
        really_guarded(p))
        atomic_store_explicit(&kind, RN__GUARD_MADVISE, memory_order_relaxed);
    else
        use_mprotect();
    if (p != NULL)
        rn__release(p, page);
}

enum rn__guard_kind rn__guard_kind(void)
{
    /* acquire: with the release in use_mprotect, so that the budget is there */
    if (atomic_load_explicit(&kind, memory_order_acquire) == RN__KIND_UNKNOWN)
        decide_kind();
    return (enum rn__guard_kind)atomic_load_explicit(&kind, memory_order_acquire);
}

void rn__guard_force(enum rn__guard_kind k)
{
    if (k == RN__GUARD_MPROTECT)
        use_mprotect();
    else
        atomic_store_explicit(&kind, k, memory_order_relaxed);
}

static int guard_mprotect(void *p, size_t n)
{
    int err = -ENOMEM;
    if (atomic_fetch_sub_explicit(&mprotect_budget, 1, memory_order_relaxed) > 0)
        err = (int)rn__sys3(SYS_mprotect, p, n, PROT_NONE);
    if (err == -ENOMEM)
        atomic_store_explicit(&kind, RN__GUARD_NONE, memory_order_relaxed);
    return err;
}

int rn__guard(void *p, size_t n)
{
    switch (rn__guard_kind()) {
    case RN__GUARD_MADVISE: {
        int err = (int)rn__sys3(SYS_madvise, p, n, RN__MADV_GUARD_INSTALL);
        if (err != -EINVAL)
            return err;
        use_mprotect(); /* mlockall: locked mappings take no such guards */
        return guard_mprotect(p, n);
    }
    case RN__GUARD_MPROTECT: return guard_mprotect(p, n);
    case RN__GUARD_NONE: break;
    }
    return -ENOTSUP;
}

/* The system calls' argument; too large for a small goroutine stack. Whoever sets `iov_busy` owns
 * it; the others do without. */
static struct iovec iov[RN__GUARD_BATCH];
static atomic_flag iov_busy = ATOMIC_FLAG_INIT;

/* Up to RN__GUARD_BATCH guards in one call. The number that were made. */
static size_t guard_batch(char *p, size_t n, size_t stride, size_t count)
{
    /* Opened anew each time: the descriptor of a parent would be the wrong one after a fork. */
    long pidfd = rn__sys2(RN__SYS_PIDFD_OPEN, rn__sys1(SYS_getpid, 0), 0);
    if (pidfd < 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        iov[i] = (struct iovec){.iov_base = p + i * stride, .iov_len = n};
    long bytes = rn__sys5(RN__SYS_PROCESS_MADVISE, pidfd, iov, count, RN__MADV_GUARD_INSTALL, 0);
    rn__sys1(SYS_close, pidfd);
    return bytes > 0 ? (size_t)bytes / n : 0;
}

size_t rn__guard_many(char *p, size_t n, size_t stride, size_t count)
{
    size_t done = 0;
    if (rn__guard_kind() == RN__GUARD_MADVISE && count > 1 && !RUNNING_ON_VALGRIND &&
        !atomic_flag_test_and_set_explicit(&iov_busy, memory_order_acquire)) {
        while (done < count) {
            size_t want = count - done < RN__GUARD_BATCH ? count - done : RN__GUARD_BATCH;
            size_t got = guard_batch(p + done * stride, n, stride, want);
            done += got;
            if (got < want)
                break; /* the one that failed is tried alone below */
        }
        atomic_flag_clear_explicit(&iov_busy, memory_order_release);
    }
    while (done < count && rn__guard(p + done * stride, n) == 0)
        done++;
    return done;
}
