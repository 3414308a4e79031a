/*
 * dump.c - goroutines as Go prints them: state, back-trace, creation.
 *
 * What C adds fits Go's grammar, so that tools for Go's dumps read ours: the operation on which a
 * goroutine waits is its first frame, with the object as its argument.
 *
 * Invariants
 *  - Descriptors are read while their goroutines may run: each field is read once into the line
 *    being printed, and a torn picture is printed rather than waited for.
 */
#include "dump.h"
#include "../platform/annotate.h"
#include <string.h>
#include <sys/mman.h>

void (*rn__describe_object)(enum rn__reason reason, const void *obj, char *buf, size_t n);
void (*rn__describe_sync)(enum rn__reason reason, const void *obj, char *buf, size_t n);

enum { LEVEL_SYSTEM = 3 };

/* ---------------------------------------------------------------------- the operation waited on */

static const char *operation(enum rn__reason r)
{
    switch (r) {
    case RN__WAIT_CHAN_RECEIVE:
    case RN__WAIT_CHAN_RECEIVE_NIL: return "chan_recv";
    case RN__WAIT_CHAN_SEND:
    case RN__WAIT_CHAN_SEND_NIL: return "chan_send";
    case RN__WAIT_SELECT:
    case RN__WAIT_SELECT_NO_CASES: return "chan_select";
    case RN__WAIT_SLEEP: return "rn_sleep";
    case RN__WAIT_MUTEX_LOCK: return "rn_mutex_lock";
    case RN__WAIT_RWMUTEX_RLOCK: return "rn_rwmutex_rlock";
    case RN__WAIT_RWMUTEX_LOCK: return "rn_rwmutex_lock";
    case RN__WAIT_COND_WAIT: return "rn_cond_wait";
    case RN__WAIT_WAITGROUP_WAIT: return "rn_waitgroup_wait";
    case RN__WAIT_ONCE: return "rn_once_do";
    case RN__WAIT_SEM_ACQUIRE: return "rn_sem_acquire";
    case RN__WAIT_BARRIER_WAIT: return "rn_barrier_wait";
    default: return NULL;
    }
}

/* above: the place that called the operation, in case nobody noted the site; may be NULL. */
static void print_operation(rn__out *o, enum rn__reason r, const void *obj, const char *site,
                            const rn__place *above)
{
    const char *op = operation(r);
    if (op == NULL)
        return;
    char text[256] = "";
    if (rn__describe_object != NULL)
        rn__describe_object(r, obj, text, sizeof text);
    if (text[0] == '\0' && obj != NULL && rn__describe_sync != NULL)
        rn__describe_sync(r, obj, text, sizeof text);
    if (r == RN__WAIT_CHAN_RECEIVE_NIL || r == RN__WAIT_CHAN_SEND_NIL)
        memcpy(text, "nil", sizeof "nil");
    else if (text[0] == '\0' && obj != NULL)
        rn__format_hex(text, (uintptr_t)obj);
    rn__out_str(o, op);
    rn__out_str(o, "(");
    rn__out_str(o, text);
    rn__out_str(o, ")\n\t");
    rn__place unknown = {0};
    if (site != NULL)
        rn__out_str(o, site);
    else
        rn__print_source(o, above != NULL ? above : &unknown, NULL);
    rn__out_str(o, "\n");
}

/* --------------------------------------------------------------------------------------- header */

static bool needs_quotes(const char *s)
{
    for (; *s != '\0'; s++)
        if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9') &&
            *s != '.' && *s != '/' && *s != '_')
            return true;
    return false;
}

static void print_quoted(rn__out *o, const char *s)
{
    rn__out_str(o, "\"");
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            rn__out_str(o, "\\");
        if ((unsigned char)*s >= ' ') {
            rn__out_bytes(o, s, 1);
        } else {
            rn__out_str(o, "\\x");
            rn__out_bytes(o, &"0123456789abcdef"[*s >> 4 & 15], 1);
            rn__out_bytes(o, &"0123456789abcdef"[*s & 15], 1);
        }
    }
    rn__out_str(o, "\"");
}

static void print_word(rn__out *o, const char *s)
{
    if (needs_quotes(s) || *s == '\0')
        print_quoted(o, s);
    else
        rn__out_str(o, s);
}

/* ` {name: w3, request: 17}`, or nothing. */
static void print_labels(rn__out *o, const rn__g *g)
{
    const char *name = rn__g_name(g), *separator = " {";
    if (name != NULL) {
        rn__out_str(o, " {name: ");
        print_word(o, name);
        separator = ", ";
    }
    const rn__labels *l = g->ext != NULL && g->ext->self != NULL ? g->ext->self->labels : NULL;
    const char *value = NULL;
    for (const char *k = NULL; l != NULL && (k = rn__labels_next(l, k, &value)) != NULL;) {
        rn__out_str(o, separator);
        print_word(o, k);
        rn__out_str(o, ": ");
        print_word(o, value);
        separator = ", ";
    }
    if (separator[0] == ',')
        rn__out_str(o, "}");
}

static void print_header(rn__out *o, const rn__g *g, unsigned status)
{
    rn__out_str(o, rn__is_foreign(g) ? "thread " : "goroutine ");
    rn__out_u64(o, g->id);
    rn__out_str(o, " [");
    const char *text = status == RN__RUNNING ? "running" : "runnable";
    if (status == RN__WAITING)
        text = g->reason != RN__WAIT_NONE ? rn__reason_text(g->reason) : "waiting";
    rn__out_str(o, text);
    if (status == RN__WAITING && g->since != 0 && rn__now_outside() - g->since >= RN_MIN) {
        rn__out_str(o, ", ");
        rn__out_u64(o, (uint64_t)((rn__now_outside() - g->since) / RN_MIN));
        rn__out_str(o, " minutes");
    }
    const rn__gext *x = g->ext;
    if (x != NULL && x->locks > 0)
        rn__out_str(o, ", locked to thread");
    if (g->bubble != 0) {
        rn__out_str(o, ", synctest bubble ");
        rn__out_u64(o, g->bubble);
    }
    rn__out_str(o, "]");
    RN__OWN_BEGIN(); /* they may change meanwhile, which is not the user's race */
    print_labels(o, g);
    RN__OWN_END();
    rn__out_str(o, ":\n");
}

/* ------------------------------------------------------------------------------------- creation */

struct find {
    uint64_t id;
    bool found;
};
static void find_id(rn__g *g, void *arg)
{
    struct find *f = arg;
    if (g->id == f->id)
        f->found = true;
}

static void print_creation(rn__out *o, const rn__g *g)
{
    const rn_go_site *where = g->where;
    if (where == NULL || where->creator == NULL)
        return;
    struct find f = {g->parent, false};
    rn__for_each_foreign(find_id, &f);
    rn__out_str(o, "created by ");
    rn__out_str(o, where->creator);
    rn__out_str(o, f.found ? " in thread " : " in goroutine ");
    rn__out_u64(o, g->parent);
    rn__out_str(o, "\n\t");
    rn__out_str(o, where->site != NULL ? where->site : "??");
    rn__out_str(o, "\n");
}

/* ---------------------------------------------------------------------------------- a goroutine */

/* A goroutine without frames of its own: not started yet, or its function ended in a jump to what
 * it waits in. */
static void print_entry(rn__out *o, const rn__g *g, const char *site)
{
    rn__place p;
    rn__place_of((uintptr_t)g->fn, true, &p);
    const char *name = g->where != NULL ? g->where->fname : NULL;
    if (site == NULL || name == NULL) {
        rn__print_frame(o, &p, name, site);
        return;
    }
    rn__out_str(o, name);
    rn__out_str(o, "(...)\n\t");
    rn__out_str(o, site);
    rn__out_str(o, "\n");
}

static void dump_parked(rn__out *o, rn__g *g, unsigned status)
{
    enum rn__reason reason = g->reason;
    const char *site = status == RN__WAITING ? g->site : NULL;
    const void *obj = g->obj;
    rn__trace t;
    rn__place above;
    size_t from = 0, kept = 0, elided;
    bool walked = rn__walk_parked(g, &t);
    if (walked) {
        kept = rn__trace_kept(&t, &elided);
        from = rn__cfg.traceback >= LEVEL_SYSTEM ? 0 : rn__leading(&t, kept);
    }
    if (from < kept)
        rn__place_of(rn__trace_pc(&t, from), false, &above);
    if (from == kept || rn__is_own(&above))
        rn__place_of((uintptr_t)g->fn, true, &above);
    if (status == RN__WAITING)
        print_operation(o, reason, obj, site, &above);
    if (!walked)
        rn__out_str(o, "\tstack unavailable\n");
    else if (!rn__print_trace(o, &t, from, site))
        print_entry(o, g, site);
}

void rn__dump_g(rn__out *o, rn__g *g, enum rn__dump_how how, const char *site)
{
    unsigned status = atomic_load_explicit(&g->status, memory_order_relaxed);
    if (how != RN__DUMP_OTHER)
        status = RN__RUNNING; /* whatever the descriptor says already or still */
    print_header(o, g, status);
    if (how != RN__DUMP_OTHER) {
        rn__trace t;
        rn__walk_self(&t, how == RN__DUMP_INTERRUPTED);
        size_t elided, kept = rn__trace_kept(&t, &elided);
        rn__print_trace(o, &t, rn__cfg.traceback >= LEVEL_SYSTEM ? 0 : rn__leading(&t, kept), site);
    } else if (rn__is_foreign(g)) {
        if (status == RN__WAITING)
            print_operation(o, g->reason, g->obj, g->site, NULL);
        rn__out_str(o, "\tthread of the program; stack unavailable\n");
    } else if (status == RN__RUNNING) {
        rn__out_str(o, "\tgoroutine running on other thread; stack unavailable\n");
    } else if (g->stack == NULL) {
        print_entry(o, g, NULL);
    } else {
        dump_parked(o, g, status);
    }
    print_creation(o, g);
}

/* ---------------------------------------------------------------------------------- all of them */

/* Who is to be printed; in mmap'ed memory, so that they can be sorted by their numbers:
 * descriptors are reused, and walked in another order than goroutines are created. */
struct listed {
    uint64_t id;
    rn__g *g;
};
struct list {
    const rn__g *except;
    rn__out *o; /* without memory: where to print at once */
    struct listed *item;
    size_t n, cap;
};

static void list_one(rn__g *g, void *arg)
{
    struct list *l = arg;
    uint64_t id = g->id;
    unsigned status = atomic_load_explicit(&g->status, memory_order_relaxed);
    if (g == l->except || id == 0 || status == RN__DEAD || g->reason == RN__WAIT_GOEXIT_MAIN)
        return;
    if ((g->flags & RN__G_SYSTEM) != 0 && rn__cfg.traceback < LEVEL_SYSTEM)
        return;
    if (l->item != NULL && l->n < l->cap) {
        l->item[l->n] = (struct listed){id, g};
    } else if (l->o != NULL) {
        rn__out_str(l->o, "\n");
        rn__dump_g(l->o, g, RN__DUMP_OTHER, NULL);
    }
    l->n++;
}

void rn__dump_others(rn__out *o, const rn__g *except)
{
    struct list l = {.except = except};
    rn__for_each_g(list_one, &l);
    size_t cap = l.n, bytes = cap * sizeof *l.item;
    if (cap > 0) {
        void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        l = (struct list){.except = except, .o = o, .item = p != MAP_FAILED ? p : NULL, .cap = cap};
        rn__for_each_g(list_one, &l);
    }
    size_t n = l.n < cap ? l.n : cap;
    if (l.item != NULL) {
        rn__sort(l.item, n, sizeof *l.item);
        for (size_t i = 0; i < n; i++) {
            if (l.item[i].g->id != l.item[i].id)
                continue; /* it has ended meanwhile */
            rn__out_str(o, "\n");
            rn__dump_g(o, l.item[i].g, RN__DUMP_OTHER, NULL);
        }
        munmap(l.item, bytes);
    }
    struct list threads = {.except = except, .o = o};
    rn__for_each_foreign(list_one, &threads);
}

/* ----------------------------------------------------------------------------------- on request */

void rn__dump_list(int fd, rn__g *const *g, size_t n)
{
    rn__out o = {.fd = fd};
    rn__places_refresh();
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            rn__out_str(&o, "\n");
        rn__dump_g(&o, g[i], RN__DUMP_OTHER, NULL);
    }
    rn__out_flush(&o);
}

struct request {
    rn__g *g;
    int fd;
    bool all;
};

static void dump_request(void *arg)
{
    struct request *r = arg;
    rn__out o = {.fd = r->fd};
    rn__places_refresh();
    rn__dump_g(&o, r->g, RN__DUMP_SELF, NULL);
    if (r->all)
        rn__dump_others(&o, r->g);
    rn__out_flush(&o);
}

void rn_dump(int fd, bool all)
{
    struct request r = {rn__current(), fd, all};
    rn__roomy(r.g, dump_request, &r);
}
