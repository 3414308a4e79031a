/*
 * map.h - a map that any number of goroutines and threads read and change at the same time.
 * Go: sync.Map.
 *
 *     static rn_map sessions = {.key_size = RN_MAP_STRINGS};
 *     rn_map_store(&sessions, "alice", s);
 *     void *v;
 *     if (rn_map_load(&sessions, "alice", &v)) ...
 *
 * Keys, by key_size:
 *     0               a key is the word itself: an integer, given as RN_MAP_KEY(n), or an address
 *     RN_MAP_STRINGS  a key points to a string, and is equal to every string with the same bytes
 *     n               a key points to n bytes, compared byte by byte: mind the padding of structs
 *
 * Who owns what
 *  - Strings and bytes are copied: the map owns its copies, the caller keeps his.
 *  - Values are the caller's, always: the map stores the pointer, NULL included, and never follows it.
 *    After a value has been removed or replaced, somebody who has loaded it before may still use it.
 *    Where that matters, readers use rn_map_with and whoever removes calls rn_map_settle before he frees.
 *  - What happens before a store is visible to whoever loads that value.
 *
 * Reading takes no lock and writes nothing that other threads read; writers of different keys seldom meet.
 *
 * Invariants
 *  - The zero value is an empty map of words. It must not be copied or moved after its first use.
 *  - Each operation on one key takes effect at one instant.
 *  - hash and equal, where given, must not block, panic, or use the map.
 */
#ifndef RUNNEL_MAP_H
#define RUNNEL_MAP_H

#include <runnel/base.h>

RN_EXTERN_C_BEGIN

struct rn__map;

#define RN_MAP_STRINGS ((size_t)-1)

/* An integer as a key of a map of words. */
#define RN_MAP_KEY(n)  ((const void *)(uintptr_t)(n))

/* A map. All members may be left zero; none may be changed after the first use. */
typedef struct rn_map {
    size_t key_size RN_OPTIONAL; /* what keys are, see above */
    /* both or none: another idea of equality for strings or bytes; equal keys have equal hashes. With
     * key_size 0 keys are addresses of what these two look at, which must then stay where it is until
     * the key has been removed and rn_map_settle has returned */
    uint64_t (*hash)(const void *key) RN_OPTIONAL;
    bool (*equal)(const void *a, const void *b) RN_OPTIONAL;
    struct rn__map *rn_impl RN_OPTIONAL; /* private; made by the first store */
} rn_map;

/* Whether key is there, and in *value, which may be NULL, what it has; NULL if it is not there. Never
 * waits. Go: m.Load(key). */
RN_API bool rn_map_load(rn_map *m, const void *key, void **value);

/* Sets key's value. Out of memory is fatal, as everywhere in Go. Go: m.Store(key, value). */
RN_API void rn_map_store(rn_map *m, const void *key, void *value);

/* The value that is there, or value, now stored; *actual, which may be NULL, is what the map has now.
 * True if it was there. Go: m.LoadOrStore(key, value). */
RN_API bool rn_map_load_or_store(rn_map *m, const void *key, void *value, void **actual);

/* Sets key's value; *previous, which may be NULL, is what it had, NULL if it was not there. True if it
 * was. Go: m.Swap(key, value). */
RN_API bool rn_map_swap(rn_map *m, const void *key, void *value, void **previous);

/* Removes key; *value, which may be NULL, is what it had, NULL if it was not there. True if it was.
 * Go: m.LoadAndDelete(key). */
RN_API bool rn_map_load_and_delete(rn_map *m, const void *key, void **value);

/* Removes key. True if it was there. Go: m.Delete(key). */
RN_API bool rn_map_delete(rn_map *m, const void *key);

/* Replaces the value by `fresh`, or removes the key, if the value is `old`; true if so. An absent key
 * equals no value. Go: m.CompareAndSwap(key, old, new), m.CompareAndDelete(key, old). */
RN_API bool rn_map_compare_and_swap(rn_map *m, const void *key, void *old, void *fresh);
RN_API bool rn_map_compare_and_delete(rn_map *m, const void *key, void *old);

/*
 * Calls fn(key, value, arg) for each key, until it returns false. No key comes twice; a key that is
 * stored or removed meanwhile comes or does not. fn may block, panic and use the map. A key that points to
 * the map's copy does so until fn returns. Go: m.Range(fn).
 */
RN_API void rn_map_range(rn_map *m, bool (*fn)(const void *key, void *value, void *arg), void *arg);

/* Removes all keys that are there when it is called; others may see it half done. Go: m.Clear(). */
RN_API void rn_map_clear(rn_map *m);

/* The number of keys, exact while nobody changes the map. */
RN_API size_t rn_map_len(const rn_map *m);

/*
 * Calls fn(value, arg) if key is there, and says whether it is. While fn runs, rn_map_settle does not
 * return: it may follow the value, and for instance count a reference. fn must be short; it must not
 * block, panic, or wait for goroutines.
 */
RN_API bool rn_map_with(rn_map *m, const void *key, void (*fn)(void *value, void *arg), void *arg);

/* Returns when every rn_map_with, of any map, that was running when it was called has returned: what was
 * removed before may now be freed. May let other goroutines run. Fatal inside rn_map_with. */
RN_API void rn_map_settle(void);

/* Frees what the map holds, not the values. Nobody may be using it. It is empty and ready afterwards. */
RN_API void rn_map_destroy(rn_map *m);

RN_EXTERN_C_END

#endif
