/*
 * errno.h - an errno that is right after a goroutine has moved to another thread.
 *
 * libc declares the function behind `errno` as one that always returns the same address, and so
 * compilers call it once per function and keep the address. A goroutine that parks between two uses
 * may then read or write another thread's errno. This header replaces the macro by a call that the
 * compiler has to make each time. Define RN_KEEP_ERRNO before the first runnel header to keep
 * libc's.
 *
 * Invariants
 *  - rn_errno_location() returns the address that belongs to the thread the caller runs on now; it
 *    is valid until the next operation that may park. Hence it must not be declared const or pure.
 *  - runnel itself never reports through errno: its functions return negative errno values.
 */
#ifndef RUNNEL_ERRNO_H
#define RUNNEL_ERRNO_H

#include <errno.h>
#include <runnel/base.h>

RN_EXTERN_C_BEGIN

/* The current thread's errno. Never blocks, never fails. */
RN_API int *rn_errno_location(void);

RN_EXTERN_C_END

#ifndef RN_KEEP_ERRNO
#undef errno
#define errno (*rn_errno_location())
#endif

#endif
