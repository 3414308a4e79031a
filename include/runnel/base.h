/*
 * base.h - what every public runnel header stands on: attributes, time units, the source position.
 *
 * Invariants
 *  - Nothing here allocates, blocks or needs the runtime.
 *  - Time is int64_t nanoseconds everywhere. Durations are relative; a parameter called `deadline`
 *    is absolute on rn_now(). RN_NEVER waits for ever; a deadline in the past means "try".
 *  - Errors are negative errno values returned by the function, never through `errno`: a goroutine
 *    may wake on another thread, and compilers keep the address of `errno` across calls.
 */
#ifndef RUNNEL_BASE_H
#define RUNNEL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RN_VERSION_MAJOR 0
#define RN_VERSION_MINOR 1
#define RN_VERSION_PATCH 0
#define RN_VERSION       "0.1.0"

#ifdef __cplusplus
#define RN_EXTERN_C_BEGIN extern "C" {
#define RN_EXTERN_C_END   }
#else
#define RN_EXTERN_C_BEGIN
#define RN_EXTERN_C_END
#endif

/* The library is built with hidden visibility; these are its doors. */
#define RN_API         __attribute__((visibility("default")))
#define RN_COLD        __attribute__((cold))
#define RN_NONNULL     __attribute__((nonnull))
#define RN_UNUSED      __attribute__((unused))
#define RN_LIKELY(x)   __builtin_expect(!!(x), 1)
#define RN_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Marks members that an initializer may leave out and that are zero then. In C++ that has to be
 * said, or g++ warns about `{.name = "x"}`; C++11 cannot say it. */
#if defined(__cplusplus) && __cplusplus >= 201402L
#define RN_OPTIONAL = {}
#else
#define RN_OPTIONAL
#endif

#define RN_STR_(x)    #x
#define RN_STR(x)     RN_STR_(x)
#define RN_CAT_(a, b) a##b
#define RN_CAT(a, b)  RN_CAT_(a, b)

/* A name that starts with x and that no other use gives again, for what macros declare. clang 22
 * and later call __COUNTER__ an extension in pedantic mode; uses on different lines differ there. */
#if defined(__clang__) && __clang_major__ >= 22
#define RN_UNIQUE(x) RN_CAT(RN_CAT(x, _), __LINE__)
#else
#define RN_UNIQUE(x) RN_CAT(RN_CAT(x, _), __COUNTER__)
#endif

/* "file:line" of the place where the macro is used; a string literal that lives for ever. */
#define RN_HERE  __FILE__ ":" RN_STR(__LINE__)

#define RN_NS    INT64_C(1)
#define RN_US    (INT64_C(1000) * RN_NS)
#define RN_MS    (INT64_C(1000) * RN_US)
#define RN_SEC   (INT64_C(1000) * RN_MS)
#define RN_MIN   (INT64_C(60) * RN_SEC)
#define RN_HOUR  (INT64_C(60) * RN_MIN)
#define RN_NEVER INT64_MAX

/* The element that carries no data (Go: struct{}). A channel of it has no buffer, whatever its
 * capacity. It has a member because ISO C has no empty struct; runnel treats the type as size 0. */
typedef struct rn_unit {
    char rn_none; /* never read or written by runnel */
} rn_unit;

#endif
