/*
 * errno.c - the address of the current thread's errno, asked anew at each call.
 *
 * Invariants
 *  - No compiler may conclude that two calls return the same address: a goroutine may have changed
 *    its thread between them. The function is therefore neither inlined nor cloned, and the empty
 *    asm with a memory clobber keeps link-time optimization from inferring "const" from the libc
 *    function that it calls.
 */
#include <errno.h>
#define RN_KEEP_ERRNO
#include <runnel/errno.h>

#if defined(__clang__)
__attribute__((noinline))
#else
__attribute__((noinline, noclone))
#endif
int *rn_errno_location(void)
{
    __asm__ volatile("" ::: "memory");
    return &errno;
}
