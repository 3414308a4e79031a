/*
 * slab.c - areas of stack slots, and which slot an address belongs to.
 *
 * An area is one mapping: many slots of one class, then two bitmaps. Slots are handed out from the
 * low end by counting up, so an area costs nothing but address space until it is used; a class whose
 * newest area is used up gets another one of double the size.
 *
 * Why cold slots are kept in bitmaps and not in a list: a list would run through the headers, and
 * the headers lie in the one page that most goroutines have touched. Keeping that page would make
 * trimming free nothing. With bitmaps a trimmed stack costs no memory but its page-table entries,
 * neighbours are found at once, and one call gives back many of them.
 *
 * Invariants
 *  - The table of areas only grows; an entry is complete before the count includes it, and its
 *    bounds never change. So rn__stack_find needs no lock and may run in a signal handler.
 *  - In an area the first `guarded` slots have a guard, the others (those of packed classes, and all
 *    after the first guard that failed) a canary.
 *  - The lock of a class guards everything below `lo`, `hi` and `klass` of its areas. Memory is
 *    given back and headers are written without it: the slot then belongs to whoever does so.
 */
#include "slab.h"
#include "../platform/lock.h"

#if RN__VALGRIND
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(lo, hi) 0
#define VALGRIND_STACK_DEREGISTER(id)   (void)(id)
#endif

typedef struct area {
    char *lo;           /* first slot */
    char *hi;           /* end of the slots */
    unsigned klass;     /* of all slots here */
    struct area *older; /* the class's area before this one */
    uint64_t *cold;     /* bit per slot: free, takeable */
    uint64_t *dirty;    /* bit per slot: cold, and its memory is not given back yet */
    uint32_t slots;     /* number of slots */
    uint32_t used;      /* slots that have been handed out at least once */
    uint32_t ready;     /* slots whose guard has been tried; >= used */
    uint32_t guarded;   /* slots that have a guard */
    uint32_t n_cold;    /* bits set in cold */
    uint32_t n_dirty;   /* bits set in dirty */
    uint32_t cold_hint; /* no cold slot below */
    uint32_t dirty_lo;  /* dirty slots lie in [dirty_lo, dirty_hi) */
    uint32_t dirty_hi;
} area;

enum {
    MAX_AREAS = 1024,
    CANARY_BYTES = 16,
    COLOURS = 16,      /* different distances of the tops from the ends of their slots */
    FIRST_GUARDS = 4,  /* guards made ahead at first, then as many as there are stacks already, */
    MOST_GUARDS = 64,  /* up to this number: less than 50 us under the lock */
    DISCARD_RUN = 1024 /* slots per call, so that they come back soon */
};
static const size_t first_area = (size_t)16 << 20;
static const size_t largest_area = (size_t)16 << 30;

static area areas[MAX_AREAS];
static _Atomic(uint32_t) n_areas; /* release on growth, acquire on reading: entries are complete */
static rn__lock areas_lock;       /* guards growth; taken under a class's lock; no system call */

typedef struct slab {
    _Alignas(RN__CACHELINE) rn__lock lock;
    area *newest;  /* area with untouched slots, if there are any; the others follow `older` */
    size_t n_cold; /* sum over the areas */
    size_t next;   /* bytes of the next area */
} slab;
static slab slabs[RN__STACK_MAX_CLASS + 1];

/* ------------------------------------------------------------------------------- slot geometry */

static size_t slot_bytes(unsigned klass)
{
    return (size_t)1 << klass;
}

static bool is_packed(unsigned klass)
{
    return klass <= RN__STACK_PACKED_CLASS;
}

size_t rn__slab_guard_bytes(unsigned klass)
{
    /* A sixteenth of the slot: large frames may step over a small guard, and large stacks have
     * large frames. */
    size_t page = rn__page_size();
    size_t n = slot_bytes(klass) / 16;
    n = n > (size_t)64 << 10 ? (size_t)64 << 10 : n;
    return n < page ? page : n;
}

static char *slot_at(const area *a, uint32_t i)
{
    return a->lo + ((size_t)i << a->klass);
}

/*
 * How far below its slot's end the top of stack i lies. Without this the hot ends of all stacks would
 * fall into the same few sets of the first-level cache, where a dozen of them push each other out. What
 * a goroutine that waits has used stays within the slot's last page.
 */
static size_t colour(unsigned klass, uint32_t i)
{
    return is_packed(klass) || RN__TSAN ? 0 : (size_t)(i % COLOURS) * RN__CACHELINE;
}

/* ------------------------------------------------------------------------------------ canaries */

/* Different for every slot, so a copied stack does not carry a valid one. */
static uint64_t canary_word(const char *slot)
{
    return ((uint64_t)(uintptr_t)slot * UINT64_C(0x9e3779b97f4a7c15)) ^
           UINT64_C(0x72756e6e656c7c00);
}

static void canary_write(char *slot)
{
    volatile uint64_t *w = (volatile uint64_t *)(void *)slot;
    w[0] = canary_word(slot);
    w[1] = ~canary_word(slot);
}

bool rn__stack_smashed_slow(const rn__stack *s)
{
    const char *slot = s->lo - CANARY_BYTES;
    const volatile uint64_t *w = (const volatile uint64_t *)(const void *)slot;
    return w[0] != canary_word(slot) || w[1] != ~canary_word(slot);
}

/* --------------------------------------------------------------------------------------- areas */

static const area *find_area(const char *p)
{
    uint32_t n = atomic_load_explicit(&n_areas, memory_order_acquire);
    for (uint32_t i = 0; i < n; i++) {
        if (p >= areas[i].lo && p < areas[i].hi)
            return &areas[i];
    }
    return NULL;
}

bool rn__stack_find(const void *p, char **slot_lo, char **slot_hi)
{
    const area *a = find_area(p);
    if (a == NULL)
        return false;
    *slot_lo = slot_at(a, (uint32_t)((size_t)((const char *)p - a->lo) >> a->klass));
    *slot_hi = *slot_lo + slot_bytes(a->klass);
    return true;
}

/* Maps an area, smaller ones if need be, and makes it the newest. Under the class's lock. */
static bool grow(slab *sl, unsigned klass)
{
    rn__stack_configure();
    size_t slot = slot_bytes(klass);
    size_t bytes = sl->next != 0 ? sl->next : first_area;
    for (; bytes >= slot || bytes >= first_area; bytes /= 2) {
        size_t n = bytes < slot ? 1 : bytes / slot;
        size_t map_words = (n + 63) / 64;
        size_t all = n * slot + 2 * map_words * sizeof(uint64_t);
        char *p = rn__reserve(all, is_packed(klass) ? (size_t)2 << 20 : 1);
        if (p == NULL)
            continue;
        if (!is_packed(klass))
            rn__no_huge_pages(p, all);
        rn__lock_take(&areas_lock);
        /* relaxed: only written under this lock */
        uint32_t count = atomic_load_explicit(&n_areas, memory_order_relaxed);
        if (count < MAX_AREAS) {
            area *a = &areas[count];
            *a = (area){.lo = p,
                        .hi = p + n * slot,
                        .klass = klass,
                        .older = sl->newest,
                        .cold = (uint64_t *)(void *)(p + n * slot),
                        .slots = (uint32_t)n};
            a->dirty = a->cold + map_words;
            a->ready = is_packed(klass) ? a->slots : 0;
            atomic_store_explicit(&n_areas, count + 1, memory_order_release);
            sl->newest = a;
        }
        rn__lock_drop(&areas_lock);
        if (count == MAX_AREAS) {
            rn__release(p, all);
            return false;
        }
        sl->next = 2 * n * slot < largest_area ? 2 * n * slot : largest_area;
        return true;
    }
    return false;
}

/* -------------------------------------------------------------------------------- taking a slot */

static bool test_bit(const uint64_t *map, uint32_t i)
{
    return (map[i / 64] >> (i % 64) & 1) != 0;
}
static void set_bit(uint64_t *map, uint32_t i)
{
    map[i / 64] |= UINT64_C(1) << (i % 64);
}
static void clear_bit(uint64_t *map, uint32_t i)
{
    map[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* Takes slot i out of the bitmaps. */
static void uncool(slab *sl, area *a, uint32_t i)
{
    clear_bit(a->cold, i);
    a->n_cold--;
    sl->n_cold--;
    if (test_bit(a->dirty, i)) {
        clear_bit(a->dirty, i);
        a->n_dirty--;
    }
}

/* Tries the guards of some more slots, so that the next ones are cheap. */
static void make_guards(area *a)
{
    uint32_t n = a->used < FIRST_GUARDS ? FIRST_GUARDS : a->used;
    n = n < MOST_GUARDS ? n : MOST_GUARDS;
    n = n < a->slots - a->ready ? n : a->slots - a->ready;
    uint32_t made = (uint32_t)rn__guard_many(slot_at(a, a->ready), rn__slab_guard_bytes(a->klass),
                                             slot_bytes(a->klass), n);
    a->guarded = a->ready + made;
    a->ready = made == n ? a->ready + n : a->slots;
}

/* The lowest cold slot: low addresses stay in use, high ones become contiguous and cold. */
static area *take_cold(slab *sl, uint32_t *index)
{
    area *a = sl->newest;
    while (a->n_cold == 0)
        a = a->older;
    uint32_t w = a->cold_hint / 64;
    while (a->cold[w] == 0)
        w++;
    uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(a->cold[w]);
    uncool(sl, a, i);
    a->cold_hint = i;
    *index = i;
    return a;
}

static area *take_untouched(slab *sl, unsigned klass, uint32_t *index)
{
    if (sl->newest == NULL || sl->newest->used == sl->newest->slots) {
        if (!grow(sl, klass))
            return NULL;
    }
    area *a = sl->newest;
    if (a->used == a->ready)
        make_guards(a);
    *index = a->used++;
    return a;
}

rn__stack *rn__slab_take(unsigned klass)
{
    slab *sl = &slabs[klass];
    uint32_t i = 0;
    rn__lock_take(&sl->lock);
    area *a = sl->n_cold > 0 ? take_cold(sl, &i) : take_untouched(sl, klass, &i);
    bool guarded = a != NULL && i < a->guarded;
    rn__lock_drop(&sl->lock);
    if (a == NULL)
        return NULL;
    char *slot = slot_at(a, i);
    rn__stack *s = (rn__stack *)(void *)(slot + slot_bytes(klass) - colour(klass, i)) - 1;
    s->next = NULL;
    s->batch = NULL;
    s->klass = klass;
    s->lo = slot + (guarded ? rn__slab_guard_bytes(klass) : CANARY_BYTES);
    if (!guarded)
        canary_write(slot);
    s->valgrind_id = (uint32_t)VALGRIND_STACK_REGISTER(s->lo, (char *)s);
    return s;
}

/* ------------------------------------------------------------------------------- cold slots */

/* Makes the slots [from, end) takeable. */
static void cool(slab *sl, area *a, uint32_t from, uint32_t end)
{
    for (uint32_t k = from; k < end; k++)
        set_bit(a->cold, k);
    if (from < a->cold_hint || a->n_cold == 0)
        a->cold_hint = from;
    a->n_cold += end - from;
    sl->n_cold += end - from;
}

void rn__slab_chill(rn__stack *s)
{
    VALGRIND_STACK_DEREGISTER(s->valgrind_id);
    slab *sl = &slabs[s->klass];
    /* The cast takes away the const of a lookup; the entry is guarded by the lock taken next. */
    area *a = (area *)(uintptr_t)find_area((char *)s);
    uint32_t i = (uint32_t)((size_t)((char *)s - a->lo) >> a->klass);
    rn__lock_take(&sl->lock);
    set_bit(a->dirty, i);
    if (a->n_dirty++ == 0) {
        a->dirty_lo = i;
        a->dirty_hi = i + 1;
    }
    a->dirty_lo = i < a->dirty_lo ? i : a->dirty_lo;
    a->dirty_hi = i >= a->dirty_hi ? i + 1 : a->dirty_hi;
    cool(sl, a, i, i + 1);
    rn__lock_drop(&sl->lock);
}

/* Slots that share a page, a power of two; memory can only be given back for all of them. */
static uint32_t slots_per_page(unsigned klass)
{
    size_t n = rn__page_size() >> klass;
    return n > 1 ? (uint32_t)n : 1;
}

/* Whether all slots [i, i+group) are cold, one of them at least dirty. */
static bool group_is_due(const area *a, uint32_t i, uint32_t group)
{
    uint64_t mask = ((UINT64_C(1) << group) - 1) << (i % 64); /* group <= 32: 64 KiB pages */
    return (a->cold[i / 64] & mask) == mask && (a->dirty[i / 64] & mask) != 0;
}

/* Takes the next run of due slots at or after `from` out of the bitmaps. False: there is none. */
static bool claim_run(slab *sl, area *a, uint32_t *from, uint32_t *end)
{
    uint32_t group = slots_per_page(a->klass);
    uint32_t i = *from;
    for (; i < a->dirty_hi && !group_is_due(a, i, group); i += group) {
        if (i % 64 == 0 && a->dirty[i / 64] == 0)
            i += 64 - group;
    }
    if (i >= a->dirty_hi)
        return false;
    *from = i;
    for (; i < a->dirty_hi && i - *from < DISCARD_RUN && group_is_due(a, i, group); i += group) {
        for (uint32_t k = i; k < i + group; k++)
            uncool(sl, a, k);
    }
    *end = i;
    return true;
}

bool rn__slab_discard(unsigned klass, size_t max)
{
    slab *sl = &slabs[klass];
    size_t done = 0;
    rn__lock_take(&sl->lock);
    for (area *a = sl->newest; a != NULL; a = a->older) {
        if (a->n_dirty == 0)
            continue;
        uint32_t at = a->dirty_lo & ~(slots_per_page(klass) - 1);
        uint32_t end = 0;
        while (done < max && claim_run(sl, a, &at, &end)) {
            rn__lock_drop(&sl->lock);
            rn__discard(slot_at(a, at), (size_t)(end - at) << klass);
            done += end - at;
            rn__lock_take(&sl->lock);
            cool(sl, a, at, end);
            at = end;
        }
    }
    rn__lock_drop(&sl->lock);
    return done >= max;
}

void rn__slab_counts(unsigned klass, size_t *used, size_t *cold)
{
    slab *sl = &slabs[klass];
    *used = 0;
    rn__lock_take(&sl->lock);
    for (area *a = sl->newest; a != NULL; a = a->older)
        *used += a->used;
    *cold = sl->n_cold;
    rn__lock_drop(&sl->lock);
}
