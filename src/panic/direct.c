/*
 * direct.c - is it the deferred function itself that calls recover()?
 *
 * Its return address says so, unless the compiler has inlined or tail-called a helper, which then
 * returns to the same place. The macro passes the name of the function it is written in; the symbol
 * table knows the names of the deferred function. A C++ lambda that is deferred is called by a
 * function that the compiler made, which is no helper.
 *
 * Invariants
 *  - Without symbols the answer is yes: refusing a rightful recover would be worse.
 *  - Answers are remembered in a lossy table, so the symbol table is read once per pair.
 */
#include "dump.h"
#include "record.h"
#include <string.h>

enum { SLOTS = 64 };

/* Each slot is a hash of (function, name) with the answer in its lowest bit. relaxed: a slot is
 * whole in itself, and a lost one is only computed again. */
static _Atomic(uint64_t) slot[SLOTS];

/* "d", "d.constprop.0" and the C++ forms "_Z1dPv", "_ZL1dPv", "_ZN2ns1dEPv". */
static bool symbol_is(const char *symbol, void *arg)
{
    const char *name = arg;
    size_t n = strlen(name);
    if (strncmp(symbol, "_Z", 2) != 0)
        return rn__base_length(symbol) == n && memcmp(symbol, name, n) == 0;
    if (name[0] == 'o' && strcmp(name, "operator()") == 0)
        return true; /* a lambda: its symbol does not hold that name */
    for (const char *s = symbol + 2; (s = strstr(s, name)) != NULL; s++) {
        size_t digits = 0, value = 0;
        while (s - digits > symbol && s[-(ptrdiff_t)digits - 1] >= '0' &&
               s[-(ptrdiff_t)digits - 1] <= '9')
            digits++;
        for (size_t i = digits; i > 0; i--)
            value = value * 10 + (size_t)(s[-(ptrdiff_t)i] - '0');
        if (value == n)
            return true;
    }
    return false;
}

/* The function by which a lambda becomes a pointer: g++ calls it _FUN, clang __invoke. */
static bool symbol_wraps(const char *symbol, void *arg)
{
    (void)arg;
    return strncmp(symbol, "_Z", 2) == 0 &&
           (strstr(symbol, "4_FUN") != NULL || strstr(symbol, "8__invoke") != NULL);
}

struct question {
    uintptr_t fn;
    uintptr_t ret; /* into the caller of the one that asks; 0: by name */
    const char *name;
    bool yes;
};

static bool ask_name(const char *symbol, void *arg)
{
    struct question *q = arg;
    q->yes = symbol_is(symbol, (void *)(uintptr_t)q->name);
    return q->yes;
}

static bool ask_wraps(const char *symbol, void *arg)
{
    struct question *q = arg;
    q->yes = symbol_wraps(symbol, NULL);
    return q->yes;
}

static void look_up(void *arg)
{
    struct question *q = arg;
    if (q->ret == 0) {
        if (rn__symbols_at(q->fn, ask_name, q) == 0)
            q->yes = true;
        return;
    }
    rn__symbols_at(q->fn, ask_wraps, q);
    rn__place p;
    rn__place_of(q->ret, false, &p);
    q->yes = q->yes && p.func != NULL && q->ret - p.offset == q->fn;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = a * UINT64_C(0x9e3779b97f4a7c15) ^ (b + (a << 7)) * UINT64_C(0xc2b2ae3d27d4eb4f);
    return h ^ h >> 29;
}

static bool answer(struct question *q, uintptr_t key)
{
    uint64_t h = mix(q->fn, key) | 1;
    _Atomic(uint64_t) *s = &slot[h >> 58];
    uint64_t known = atomic_load_explicit(s, memory_order_relaxed);
    if (RN_LIKELY((known | 1) == h))
        return (known & 1) != 0;
    rn__roomy(rn__current(), look_up, q);
    atomic_store_explicit(s, q->yes ? h : h ^ 1, memory_order_relaxed);
    return q->yes;
}

bool rn__is_named(void (*fn)(void *), const char *name)
{
    struct question q = {.fn = (uintptr_t)fn, .name = name};
    return answer(&q, (uintptr_t)name);
}

bool rn__is_wrapped(void (*fn)(void *), const void *ret)
{
    struct question q = {.fn = (uintptr_t)fn, .ret = (uintptr_t)ret};
    return answer(&q, (uintptr_t)ret);
}
