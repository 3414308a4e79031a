/*
 * annotate.h - what the sanitizers are told: happens-before edges and changes of stacks.
 *
 * Invariants
 *  - The library itself is not instrumented by ThreadSanitizer; the edges named here are the only
 *    ones that a race detector sees, so they must be exactly the language's (semantics items 40-42).
 *  - Without a sanitizer everything here is nothing.
 */
#ifndef RN_ANNOTATE_H
#define RN_ANNOTATE_H

#include "platform.h"

#if RN__TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_set_fiber_name(void *fiber, const char *name);
#define RN__HB_RELEASE(p) __tsan_release((void *)(uintptr_t)(p))
#define RN__HB_ACQUIRE(p) __tsan_acquire((void *)(uintptr_t)(p))
/* Around calls of malloc, free and other intercepted functions for the library's own memory: their
 * order is the library's business. No switch in between. */
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define RN__OWN_BEGIN() \
    (AnnotateIgnoreReadsBegin(__FILE__, __LINE__), AnnotateIgnoreWritesBegin(__FILE__, __LINE__))
#define RN__OWN_END() \
    (AnnotateIgnoreReadsEnd(__FILE__, __LINE__), AnnotateIgnoreWritesEnd(__FILE__, __LINE__))
#else
#define RN__OWN_BEGIN()   ((void)0)
#define RN__OWN_END()     ((void)0)
#define RN__HB_RELEASE(p) ((void)0)
#define RN__HB_ACQUIRE(p) ((void)0)
#endif

#if RN__ASAN
void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size);
void __asan_handle_no_return(void);
void __asan_unpoison_memory_region(void const volatile *addr, size_t size);
void __lsan_register_root_region(const void *p, size_t n);
void __lsan_unregister_root_region(const void *p, size_t n);
#endif

#endif
