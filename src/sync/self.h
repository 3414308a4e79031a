/*
 * self.h - finds copies: a sync object that was copied or moved after its first use has two queues, or
 * none, and waits for ever somewhere else. Builds with RUNNEL_COPY_CHECK (CMake; on by default in Debug
 * builds) let each object remember its address at the first use and report any other address. Cond
 * does so in every build, as Go's does.
 *
 * Invariants
 *  - rn_self is 0 until the first use and then the object's address; only programs that copy make
 *    it anything else. It is written before the operation does anything, and decides nothing.
 *  - In other builds rn_self is there, so that programs fit either library, and never touched.
 */
#ifndef RN_SYNC_SELF_H
#define RN_SYNC_SELF_H

#include "../sched/sched.h"

/* Ends the program: `sync: Mutex is copied`, with both addresses. */
RN_COLD __attribute__((noreturn)) void rn__self_copied(const char *what, const void *obj,
                                                       uintptr_t self, const char *site);

#if defined(RUNNEL_COPY_CHECK) && RUNNEL_COPY_CHECK
#define RN__SELF_CHECK(obj, what, site) rn__self_check(&(obj)->rn_self, (obj), (what), (site))
static inline void rn__self_check(uintptr_t *at, const void *obj, const char *what,
                                  const char *site)
{
    /* relaxed: all who write it write the same */
    uintptr_t self = __atomic_load_n(at, __ATOMIC_RELAXED);
    if (RN_UNLIKELY(self == 0))
        __atomic_store_n(at, (uintptr_t)obj, __ATOMIC_RELAXED);
    else if (RN_UNLIKELY(self != (uintptr_t)obj))
        rn__self_copied(what, obj, self, site);
}
#else
#define RN__SELF_CHECK(obj, what, site) ((void)0)
#endif

#endif
