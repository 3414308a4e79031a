/*
 * raw.h - system calls without libc; for this folder, and the poller in io/.
 *
 * Invariants
 *  - `errno` is neither read nor written. libc's wrapper would look up its address, and a compiler
 *    that inlines it next to a context switch may keep that address while the goroutine moves to
 *    another thread.
 *  - The result is the kernel's: a value, or a negative errno.
 */
#ifndef RN_PLATFORM_RAW_H
#define RN_PLATFORM_RAW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if !defined(__linux__) || !defined(__LP64__)
#error "runnel runs on 64-bit Linux"
#endif

static inline long rn__sys6(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return x0;
#elif defined(__riscv)
    register long a7 __asm__("a7") = nr;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;
    register long a5 __asm__("a5") = f;
    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
                     : "memory");
    return a0;
#else
#error "no system call sequence for this CPU: add one here and a switch_CPU.S"
#endif
}

#define rn__sys1(nr, a)          rn__sys6(nr, (long)(a), 0, 0, 0, 0, 0)
#define rn__sys2(nr, a, b)       rn__sys6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define rn__sys3(nr, a, b, c)    rn__sys6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define rn__sys4(nr, a, b, c, d) rn__sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define rn__sys5(nr, a, b, c, d, e) \
    rn__sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* Reads at most n - 1 bytes of a small file (of /proc, /sys) into buf and ends them with a NUL.
 * The length, or a negative errno. */
long rn__read_file(const char *path, char *buf, size_t n);

/* The number at *p, which is moved behind it; -1 without one. */
int64_t rn__parse_number(const char **p);

/* CPUs that the cgroup of this process may use, rounded up; 0: no limit. proc_cgroup is
 * "/proc/self/cgroup" and sysfs "/sys/fs/cgroup", but for tests. */
int rn__cgroup_cpus(const char *proc_cgroup, const char *sysfs);

#endif
