/*
 * stdatomic.h - stands in for the compiler's header when the library's sources are compiled for the
 * interleaving test: every atomic access first asks the explorer who runs next.
 *
 * Invariants
 *  - All threads of the test are coroutines of one real thread, so an access that follows the call
 *    into the explorer is indivisible by itself; memory orders matter only to the store buffer.
 *  - Under il_tso a store weaker than seq_cst goes into the thread's store buffer, as on x86; a load
 *    looks there first; read-modify-writes, seq_cst stores and seq_cst fences empty it.
 */
#ifndef IL_STDATOMIC_H
#define IL_STDATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    memory_order_relaxed,
    memory_order_consume,
    memory_order_acquire,
    memory_order_release,
    memory_order_acq_rel,
    memory_order_seq_cst
} memory_order;

enum il_op { IL_LOAD, IL_STORE, IL_RMW, IL_FENCE, IL_READY, IL_PARK, IL_PLAIN };

/* Gives the explorer a chance to run others. Returns when it is this thread's turn again. Relaxed loads
 * and stores are points only in cases that ask for it: see il_case. */
bool il_relaxed_points(void);
void il_point(int op, const volatile void *addr, size_t size, const char *file, int line);
/* The value that this thread sees: from its store buffer, else from memory. */
uint64_t il_load(const volatile void *addr, size_t size);
/* Stores, or puts into the store buffer. */
void il_store(volatile void *addr, size_t size, uint64_t value, int order);
/* Empties the store buffer of this thread. */
void il_drain(void);
/* Tells the explorer what a read-modify-write left behind; for the wait after a failed try. NULL: a
 * compare-exchange failed, because the word has just changed: to look again is no waiting. */
void il_seen(const volatile void *addr, size_t size);

/* To and from the 64 bits that the explorer handles; pointers and bool included. */
#define IL_BITS(v)         ((uint64_t)(uintptr_t)(v))
#define IL_TYPE(p)         __typeof__((void)0, *(p))
#define IL_AT(op, p)       il_point((op), (p), sizeof *(p), __FILE__, __LINE__)

#define atomic_init(p, v)  ((void)(*(p) = (v)))
#define ATOMIC_VAR_INIT(v) (v)
#define kill_dependency(y) (y)

#define atomic_load_explicit(p, order)                              \
    __extension__({                                                 \
        __auto_type il_p = (p);                                     \
        if ((order) != memory_order_relaxed || il_relaxed_points()) \
            IL_AT(IL_LOAD, il_p);                                   \
        (IL_TYPE(il_p)) il_load(il_p, sizeof *il_p);                \
    })
#define atomic_store_explicit(p, v, order)                          \
    __extension__({                                                 \
        __auto_type il_p = (p);                                     \
        IL_TYPE(il_p) il_v = (v);                                   \
        if ((order) != memory_order_relaxed || il_relaxed_points()) \
            IL_AT(IL_STORE, il_p);                                  \
        il_store(il_p, sizeof *il_p, IL_BITS(il_v), (int)(order));  \
    })

/* old is the value before, new the expression for the value after. */
#define IL_RMW_OP(p, v, expr)          \
    __extension__({                    \
        __auto_type il_p = (p);        \
        __auto_type il_v = (v);        \
        IL_AT(IL_RMW, il_p);           \
        il_drain();                    \
        IL_TYPE(il_p) il_old = *il_p;  \
        *il_p = (IL_TYPE(il_p))(expr); \
        il_seen(il_p, sizeof *il_p);   \
        il_old;                        \
    })
#define atomic_exchange_explicit(p, v, order)  IL_RMW_OP(p, v, ((void)(order), il_v))
#define atomic_fetch_add_explicit(p, v, order) IL_RMW_OP(p, v, ((void)(order), il_old + il_v))
#define atomic_fetch_sub_explicit(p, v, order) IL_RMW_OP(p, v, ((void)(order), il_old - il_v))
#define atomic_fetch_or_explicit(p, v, order)  IL_RMW_OP(p, v, ((void)(order), il_old | il_v))
#define atomic_fetch_and_explicit(p, v, order) IL_RMW_OP(p, v, ((void)(order), il_old & il_v))
#define atomic_fetch_xor_explicit(p, v, order) IL_RMW_OP(p, v, ((void)(order), il_old ^ il_v))

#define atomic_compare_exchange_strong_explicit(p, e, d, yes, no) \
    __extension__({                                               \
        __auto_type il_p = (p);                                   \
        __auto_type il_e = (e);                                   \
        IL_TYPE(il_p) il_d = (d);                                 \
        IL_AT(IL_RMW, il_p);                                      \
        il_drain();                                               \
        bool il_ok = *il_p == *il_e;                              \
        if (il_ok)                                                \
            *il_p = il_d;                                         \
        else                                                      \
            *il_e = *il_p;                                        \
        il_seen(il_ok ? il_p : NULL, sizeof *il_p);               \
        (void)(yes), (void)(no);                                  \
        il_ok;                                                    \
    })
/* A weak one that fails without reason only repeats a loop: not explored. */
#define atomic_compare_exchange_weak_explicit atomic_compare_exchange_strong_explicit

#define atomic_thread_fence(order)                                       \
    ((order) == memory_order_seq_cst                                     \
         ? (il_point(IL_FENCE, NULL, 0, __FILE__, __LINE__), il_drain()) \
         : (void)0)
#define atomic_signal_fence(order) ((void)(order))

#define atomic_load(p)             atomic_load_explicit(p, memory_order_seq_cst)
#define atomic_store(p, v)         atomic_store_explicit(p, v, memory_order_seq_cst)
#define atomic_exchange(p, v)      atomic_exchange_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_add(p, v)     atomic_fetch_add_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_sub(p, v)     atomic_fetch_sub_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_or(p, v)      atomic_fetch_or_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_and(p, v)     atomic_fetch_and_explicit(p, v, memory_order_seq_cst)
#define atomic_compare_exchange_strong(p, e, d) \
    atomic_compare_exchange_strong_explicit(p, e, d, memory_order_seq_cst, memory_order_seq_cst)
#define atomic_compare_exchange_weak(p, e, d) \
    atomic_compare_exchange_strong_explicit(p, e, d, memory_order_seq_cst, memory_order_seq_cst)

typedef _Atomic(bool) atomic_bool;
typedef _Atomic(int) atomic_int;
typedef _Atomic(unsigned) atomic_uint;
typedef _Atomic(size_t) atomic_size_t;

#endif
