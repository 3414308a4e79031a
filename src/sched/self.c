/*
 * self.c - a goroutine's name, labels and own values.
 *
 * Invariants
 *  - They hang on the descriptor's rare part; a goroutine without them pays one look at its end.
 *  - A set of labels never changes: goroutines share it by counted references, a change makes a new one.
 *  - Values are dropped in the goroutine itself, newest first, after its function and its deferred calls;
 *    drop functions may make new ones, block, and end the goroutine.
 *  - Dumps read all of this without a lock; a name changes in place and stays within its 64 bytes.
 */
#include "worker.h"
#include <errno.h>
#include <runnel/self.h>
#include <stdlib.h>
#include <string.h>

/* Of the calling goroutine or thread; NULL without memory. */
static rn__self_data *self_data(void)
{
    rn__gext *x = rn__g_ext(rn__current());
    if (x->self == NULL) {
        RN__OWN_BEGIN();
        x->self = calloc(1, sizeof *x->self);
        RN__OWN_END();
    }
    return x->self;
}

/* The same if it is there. */
static rn__self_data *self_peek(void)
{
    const rn__gext *x = rn__running()->ext;
    return x != NULL ? x->self : NULL;
}

/* ------------------------------------------------------------------------------------------ name */

int rn_set_name(const char *name)
{
    rn__self_data *d = self_data();
    if (d == NULL)
        return -ENOMEM;
    if (name == NULL)
        name = "";
    size_t n = strlen(name);
    if (n > sizeof d->name - 1)
        n = sizeof d->name - 1;
    memcpy(d->name, name, n);
    memset(d->name + n, 0, sizeof d->name - n);
    d->named = true;
    return 0;
}

const char *rn__g_name(const rn__g *g)
{
    const rn__gext *x = g->ext;
    if (x == NULL)
        return NULL;
    if (x->self == NULL || !x->self->named)
        return x->name;
    return x->self->name[0] != '\0' ? x->self->name : NULL;
}

const char *rn_name(void)
{
    return rn__g_name(rn__current());
}

/* ---------------------------------------------------------------------------------------- labels */

static void labels_unref(rn__labels *l)
{
    /* acq_rel: the others' looks come before the free */
    if (l != NULL && atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) == 1) {
        RN__OWN_BEGIN();
        free(l);
        RN__OWN_END();
    }
}

void rn__labels_inherit(rn__g *g, const rn__g *from)
{
    const rn__self_data *d = from->ext->self;
    if (d == NULL || d->labels == NULL)
        return;
    rn__gext *x = rn__g_ext(g);
    RN__OWN_BEGIN();
    x->self = calloc(1, sizeof *x->self);
    RN__OWN_END();
    if (x->self == NULL)
        rn__fatal("out of memory for a goroutine's labels");
    /* relaxed: who takes a reference has one */
    atomic_fetch_add_explicit(&d->labels->refs, 1, memory_order_relaxed);
    x->self->labels = d->labels;
}

const char *rn__labels_next(const rn__labels *l, const char *at, const char **value)
{
    at = at == NULL ? l->text : *value + strlen(*value) + 1;
    if (at >= l->text + l->bytes)
        return NULL;
    *value = at + strlen(at) + 1;
    return at;
}

const char *rn_label(const char *key)
{
    const rn__self_data *d = self_peek();
    if (d == NULL || d->labels == NULL || key == NULL)
        return NULL;
    const char *value = NULL;
    for (const char *k = NULL; (k = rn__labels_next(d->labels, k, &value)) != NULL;) {
        if (strcmp(k, key) == 0)
            return value;
    }
    return NULL;
}

static char *append(char *to, const char *key, const char *value)
{
    size_t k = strlen(key) + 1, v = strlen(value) + 1;
    memcpy(to, key, k);
    memcpy(to + k, value, v);
    return to + k + v;
}

int rn_set_label(const char *key, const char *value)
{
    if (key == NULL || key[0] == '\0')
        return -EINVAL;
    rn__self_data *d = self_data();
    if (d == NULL)
        return -ENOMEM;
    rn__labels *old = d->labels;
    size_t room = (old != NULL ? old->bytes : 0) + strlen(key) + 1;
    room += value != NULL ? strlen(value) + 1 : 0;
    RN__OWN_BEGIN();
    rn__labels *l = malloc(sizeof *l + room);
    RN__OWN_END();
    if (l == NULL)
        return -ENOMEM;
    atomic_init(&l->refs, 1);
    char *to = l->text;
    const char *v = NULL;
    bool found = false;
    for (const char *k = NULL; old != NULL && (k = rn__labels_next(old, k, &v)) != NULL;) {
        bool same = strcmp(k, key) == 0;
        found |= same;
        if (!same)
            to = append(to, k, v);
        else if (value != NULL)
            to = append(to, key, value); /* it keeps its place */
    }
    if (!found && value != NULL)
        to = append(to, key, value);
    l->bytes = (size_t)(to - l->text);
    d->labels = l;
    labels_unref(old);
    return 0;
}

/* ---------------------------------------------------------------------------------------- values */

void *rn_local_at(rn_local_key *key, size_t size)
{
    rn__self_data *d = self_peek();
    for (rn__local *n = d != NULL ? d->locals : NULL; n != NULL; n = n->next) {
        if (n->key == key)
            return n->value;
    }
    d = self_data();
    RN__OWN_BEGIN();
    rn__local *n = d != NULL ? calloc(1, sizeof *n + size) : NULL;
    RN__OWN_END();
    if (n == NULL)
        rn__fatal("out of memory for a goroutine's own value of %zu bytes", size);
    n->key = key;
    n->next = d->locals;
    d->locals = n;
    return n->value;
}

/* ------------------------------------------------------------------------------------------- end */

void rn__self_end(rn__g *g)
{
    rn__self_data *d = g->ext->self;
    while (d != NULL) {
        RN__OWN_BEGIN();
        free(d->dropping); /* its function is over, also if it ended the goroutine */
        RN__OWN_END();
        rn__local *n = d->dropping = d->locals;
        if (n == NULL)
            break;
        d->locals = n->next;
        if (n->key->drop != NULL)
            n->key->drop(n->value);
    }
}

void rn__self_free(rn__gext *x)
{
    if (x->self == NULL)
        return;
    labels_unref(x->self->labels);
    RN__OWN_BEGIN();
    free(x->self);
    RN__OWN_END();
    x->self = NULL;
}

/* ------------------------------------------------------------------------------------ checkpoint */

int rn_checkpoint_wanted; /* relaxed: a hint; written by the watcher, or once for a replayed run */

void rn_checkpoint_slow(void)
{
    rn__worker *w = rn__self();
    if (w == NULL || w->hot.cur == NULL || w->on_system)
        return;
    if (rn__det()) {
        rn__hook_point(RN__EV_BLOCK, w->hot.cur, NULL);
        return;
    }
    /* relaxed, both: if we have switched since the watcher looked, nobody waits for us any more */
    if (atomic_load_explicit(&w->asked, memory_order_relaxed) ==
        atomic_load_explicit(&w->ticks, memory_order_relaxed))
        rn_yield();
}
