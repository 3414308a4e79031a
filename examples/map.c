/*
 * map.c - a map that everybody reads and changes, and values that are freed at the right time.
 *
 * Go idiom: sync.Map: LoadOrStore to make something once per key, Range to see all.
 * Rule: the map owns copies of its keys; the values are yours. A reader may still be looking at a value that
 * has just been removed. So readers count a reference inside of rn_map_with, and whoever removes a value
 * calls rn_map_settle before giving up the map's reference. In Go the garbage collector does that.
 */
#include <runnel.h>
#include <stdio.h>
#include <stdlib.h>

struct session {
    _Atomic(int) refs; /* one is the map's */
    _Atomic(int) hits;
};

static rn_map sessions = {.key_size = RN_MAP_STRINGS};
static _Atomic(int) made, freed;

static struct session *new_session(void)
{
    struct session *s = calloc(1, sizeof *s);
    if (s == NULL)
        panic("no memory");
    s->refs = 1;
    made++;
    return s;
}

static void unref(struct session *s)
{
    if (--s->refs == 0) {
        free(s);
        freed++;
    }
}

static void take_ref(void *value, void *arg)
{
    struct session *s = value;
    s->refs++;
    *(struct session **)arg = s;
}

/* The session of that name, made if need be; with a reference for the caller. */
static struct session *get(const char *name)
{
    for (;;) {
        struct session *s;
        if (rn_map_with(&sessions, name, take_ref, &s))
            return s;
        s = new_session();
        if (rn_map_load_or_store(&sessions, name, s, NULL))
            unref(s); /* somebody was faster */
    }
}

static void visitor(int id, rn_waitgroup *wg)
{
    static const char *const names[] = {"ann", "bob", "eve"};
    for (int i = 0; i < 300; i++) {
        struct session *s = get(names[(i + id) % 3]);
        s->hits++;
        if (i % 10 == 0)
            rn_yield(); /* holding a reference, not the map */
        unref(s);
    }
    rn_waitgroup_done(wg);
}
GO_FUNC(visitor, int, rn_waitgroup *);

static bool add_hits(const void *name, void *value, void *total)
{
    (void)name;
    *(int *)total += ((struct session *)value)->hits;
    return true;
}

int main(void)
{
    rn_waitgroup wg = {0};
    rn_waitgroup_add(&wg, 4);
    for (int i = 0; i < 4; i++)
        go(visitor, i, &wg);
    rn_waitgroup_wait(&wg);

    int total = 0;
    rn_map_range(&sessions, add_hits, &total);
    printf("%zu sessions, %d hits\n", rn_map_len(&sessions), total);

    void *eve;
    if (rn_map_load_and_delete(&sessions, "eve", &eve)) {
        rn_map_settle(); /* nobody is about to take a reference any more */
        unref(eve);
    }
    printf("eve: %s\n", rn_map_load(&sessions, "eve", NULL) ? "there" : "gone");

    for (int i = 0; i < 2; i++) {
        void *s;
        if (rn_map_load_and_delete(&sessions, i == 0 ? "ann" : "bob", &s)) {
            rn_map_settle();
            unref(s);
        }
    }
    printf("all freed: %s\n", made == freed ? "yes" : "no");
    rn_map_destroy(&sessions);
    return 0;
}
