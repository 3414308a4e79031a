/*
 * dump.c - goroutines as Go prints them: state, back-trace, creation.
 *
 * What C adds fits Go's grammar, so that tools for Go's dumps read ours: the operation on which a
 * goroutine waits is its first frame, with the object as its argument.
 *
 * Invariants
 *  - Descriptors are read while their goroutines may run: each field is read once into the line being
 *    printed, and a torn picture is printed rather than waited for.
 *  - runnel's own frames are hidden: above the first frame of the program always, between the
 *    program's frames except where Go shows its own (panic, Goexit) and rn_try.
 *    RUNNEL_TRACEBACK=system shows all.
 */
#include "dump.h"
#include <string.h>

void (*rn__describe_object)(enum rn__reason reason, const void *obj, char *buf, size_t n);

enum { LEVEL_SYSTEM = 3, PATH_BYTES = 1024, FRAMES_LEADING = 24 };

/* --------------------------------------------------------------------------------- whose code is it */

/* Writes the source file of a place as one path, cut at n bytes. */
static void source_path(const rn__place *p, char *buf, size_t n)
{
    const char *part[3] = {p->base, p->dir, p->name};
    int first = 2;
    while (first > 0 && part[first][0] != '/' && part[first - 1] != NULL)
        first--;
    size_t at = 0;
    for (int i = first; i < 3; i++) {
        for (const char *s = part[i]; *s != '\0' && at < n - 2; s++)
            buf[at++] = *s;
        if (i < 2 && at > 0 && buf[at - 1] != '/')
            buf[at++] = '/';
    }
    buf[at] = '\0';
}

/* Length of the path of this library's source folder in `path`, which names this very file. */
static size_t own_folder(char *path, size_t n)
{
    rn__place here;
    rn__place_of((uintptr_t)&rn__dump_g, true, &here);
    if (here.name == NULL)
        return 0;
    source_path(&here, path, n);
    const char *tail = strstr(path, "panic/dump.c");
    return tail != NULL ? (size_t)(tail - path) : 0;
}

static bool has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool named(const rn__place *p, const char *name)
{
    return p->func != NULL && rn__base_length(p->func) == strlen(name) && has_prefix(p->func, name);
}

/* What a thread stands on before the program's first function: libc's, often without a name. */
static bool is_base(const rn__place *p)
{
    if (p->func == NULL)
        return p->module != NULL && strstr(p->module, "/libc.so") != NULL;
    return p->func != NULL &&
           (has_prefix(p->func, "__libc_start") || named(p, "_start") || named(p, "start_thread") ||
            has_prefix(p->func, "__clone") || named(p, "clone") || named(p, "clone3"));
}

/* A door of the library: its public functions, but for the one that reports themselves go through. */
static bool is_api(const rn__place *p)
{
    return p->func != NULL && has_prefix(p->func, "rn_") && p->func[3] != '_' &&
           !named(p, "rn_on_system_stack");
}

static bool is_own(const rn__place *p)
{
    static char folder[PATH_BYTES];
    static size_t folder_n;
    static _Atomic(bool) known;
    if (p->func != NULL && has_prefix(p->func, "rn_"))
        return true;
    if (p->module != NULL && strstr(p->module, "/librunnel.so") != NULL)
        return true;
    if (p->name == NULL)
        return false;
    if (!atomic_load_explicit(&known, memory_order_acquire)) {
        /* two threads may both do this and write the same; release publishes what they wrote */
        folder_n = own_folder(folder, sizeof folder);
        atomic_store_explicit(&known, true, memory_order_release);
    }
    char path[PATH_BYTES];
    source_path(p, path, sizeof path);
    return folder_n > 0 && strncmp(path, folder, folder_n) == 0;
}

static bool raises_panic(const rn__place *p)
{
    return named(p, "rn_panic_at") || named(p, "rn_panic_value_at") || named(p, "rn_repanic") ||
           named(p, "rn__panic_runtime");
}

/* ------------------------------------------------------------------------------------- one frame */

static void print_frame(rn__out *o, const rn__place *p, const char *name, const char *site)
{
    if (name != NULL)
        rn__out_str(o, name);
    else if (p->func != NULL)
        rn__out_bytes(o, p->func, rn__base_length(p->func));
    else
        rn__out_str(o, "??");
    rn__out_str(o, "(...)\n\t");
    if (p->name != NULL) {
        char path[PATH_BYTES];
        source_path(p, path, sizeof path);
        rn__out_str(o, path);
        rn__out_str(o, ":");
        rn__out_u64(o, p->line);
    } else if (site != NULL) {
        rn__out_str(o, site);
    } else {
        rn__out_str(o, p->module != NULL ? p->module : "??");
    }
    rn__out_str(o, " +");
    rn__out_hex(o, p->offset);
    rn__out_str(o, "\n");
}

/* How many frames at the top are the library's. It is entered through a function of its API; what
 * stands above the last of those in a row is its own, even if it has no name or line that says so. */
static size_t leading(const rn__trace *t, size_t kept)
{
    size_t api = 0;
    rn__place p;
    for (size_t i = 0; i < kept && i < FRAMES_LEADING; i++) {
        rn__place_of(rn__trace_pc(t, i), t->exact && i == 0, &p);
        if (is_api(&p))
            api = i + 1;
        else if (api > 0 && !is_own(&p))
            break;
    }
    if (api > 0)
        return api;
    size_t own = 0;
    for (; own < kept; own++) {
        rn__place_of(rn__trace_pc(t, own), t->exact && own == 0, &p);
        if (!is_own(&p))
            break;
    }
    return own;
}

/* Where the frames of libc's and the library's own base begin. */
static size_t trailing(const rn__trace *t, size_t kept)
{
    rn__place p;
    while (kept > 0) {
        rn__place_of(rn__trace_pc(t, kept - 1), t->exact && kept == 1, &p);
        if (!is_base(&p))
            break;
        kept--;
    }
    return kept;
}

/* site: "file:line" of the operation at the top, for a program without line information. */
static void print_trace(rn__out *o, const rn__trace *t, const char *site)
{
    size_t elided, kept = rn__trace_kept(t, &elided);
    bool all = rn__cfg.traceback >= LEVEL_SYSTEM;
    bool machinery = false; /* between a deferred call and the panic that calls it */
    size_t end = all ? kept : trailing(t, kept);
    for (size_t i = all ? 0 : leading(t, kept); i < end; i++) {
        rn__place p;
        rn__place_of(rn__trace_pc(t, i), t->exact && i == 0, &p);
        if (i == RN__WALK_INNER && elided > 0) {
            rn__out_str(o, "...");
            rn__out_u64(o, elided);
            rn__out_str(o, " frames elided...\n");
        }
        if (all) {
            print_frame(o, &p, NULL, NULL);
            continue;
        }
        if (raises_panic(&p)) {
            print_frame(o, &p, "panic", NULL);
            machinery = false;
        } else if (named(&p, "rn_goexit")) {
            print_frame(o, &p, NULL, NULL);
            machinery = false;
        } else if (named(&p, "rn_try")) {
            print_frame(o, &p, NULL, NULL);
        } else if (named(&p, "rn__call_deferred")) {
            machinery = true;
        } else if (!machinery && !is_own(&p)) {
            print_frame(o, &p, NULL, site);
            site = NULL;
        }
    }
}

/* ---------------------------------------------------------------------------- the operation waited on */

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
    case RN__WAIT_SEMACQUIRE: return "rn_sem_acquire";
    case RN__WAIT_MUTEX_LOCK: return "rn_mutex_lock";
    case RN__WAIT_RWMUTEX_RLOCK: return "rn_rwmutex_rlock";
    case RN__WAIT_RWMUTEX_LOCK: return "rn_rwmutex_lock";
    case RN__WAIT_COND_WAIT: return "rn_cond_wait";
    case RN__WAIT_WAITGROUP_WAIT: return "rn_waitgroup_wait";
    case RN__WAIT_ONCE: return "rn_once_do";
    default: return NULL;
    }
}

static void print_operation(rn__out *o, enum rn__reason r, const void *obj, const char *site)
{
    const char *op = operation(r);
    if (op == NULL)
        return;
    char text[256] = "";
    if (rn__describe_object != NULL)
        rn__describe_object(r, obj, text, sizeof text);
    if (text[0] == '\0' && obj != NULL)
        rn__format_hex(text, (uintptr_t)obj);
    rn__out_str(o, op);
    rn__out_str(o, "(");
    rn__out_str(o, text);
    rn__out_str(o, ")\n\t");
    rn__out_str(o, site != NULL ? site : "??");
    rn__out_str(o, "\n");
}

/* ---------------------------------------------------------------------------------------- header */

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

static void print_header(rn__out *o, const rn__g *g, unsigned status)
{
    rn__out_str(o, rn__is_foreign(g) ? "thread " : "goroutine ");
    rn__out_u64(o, g->id);
    rn__out_str(o, " [");
    const char *text = status == RN__RUNNING ? "running" : "runnable";
    if (status == RN__WAITING)
        text = g->reason != RN__WAIT_NONE ? rn__reason_text(g->reason) : "waiting";
    rn__out_str(o, text);
    if (status == RN__WAITING && g->since != 0 && rn__clock() - g->since >= RN_MIN) {
        rn__out_str(o, ", ");
        rn__out_u64(o, (uint64_t)((rn__clock() - g->since) / RN_MIN));
        rn__out_str(o, " minutes");
    }
    const rn__gext *x = g->ext;
    if (x != NULL && x->locks > 0)
        rn__out_str(o, ", locked to thread");
    rn__out_str(o, "]");
    if (x != NULL && x->name != NULL) {
        rn__out_str(o, " {name: ");
        if (needs_quotes(x->name))
            print_quoted(o, x->name);
        else
            rn__out_str(o, x->name);
        rn__out_str(o, "}");
    }
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

/* ----------------------------------------------------------------------------------- a goroutine */

static void print_fresh(rn__out *o, const rn__g *g)
{
    rn__place p;
    rn__place_of((uintptr_t)g->fn, true, &p);
    print_frame(o, &p, g->where != NULL ? g->where->fname : NULL, NULL);
}

void rn__dump_g(rn__out *o, rn__g *g, enum rn__dump_how how)
{
    rn__trace t;
    unsigned status = atomic_load_explicit(&g->status, memory_order_relaxed);
    if (how != RN__DUMP_OTHER)
        status = RN__RUNNING; /* whatever the descriptor says already or still */
    enum rn__reason reason = g->reason;
    const char *site = g->site;
    print_header(o, g, status);
    if (status == RN__WAITING)
        print_operation(o, reason, g->obj, site);
    if (how != RN__DUMP_OTHER) {
        rn__walk_self(&t, how == RN__DUMP_INTERRUPTED);
        print_trace(o, &t, NULL);
    } else if (rn__is_foreign(g)) {
        rn__out_str(o, "\tthread of the program; stack unavailable\n");
    } else if (status == RN__RUNNING) {
        rn__out_str(o, "\tgoroutine running on other thread; stack unavailable\n");
    } else if (g->stack == NULL) {
        print_fresh(o, g);
    } else if (rn__walk_parked(g, &t)) {
        print_trace(o, &t, site);
    } else {
        rn__out_str(o, "\tstack unavailable\n");
    }
    print_creation(o, g);
}

struct others {
    rn__out *o;
    const rn__g *except;
};

static void dump_other(rn__g *g, void *arg)
{
    struct others *d = arg;
    unsigned status = atomic_load_explicit(&g->status, memory_order_relaxed);
    if (g == d->except || status == RN__DEAD || g->reason == RN__WAIT_GOEXIT_MAIN)
        return;
    if ((g->flags & RN__G_SYSTEM) != 0 && rn__cfg.traceback < LEVEL_SYSTEM)
        return;
    rn__out_str(d->o, "\n");
    rn__dump_g(d->o, g, RN__DUMP_OTHER);
}

void rn__dump_others(rn__out *o, const rn__g *except)
{
    struct others d = {o, except};
    rn__for_each_g(dump_other, &d);
    rn__for_each_foreign(dump_other, &d);
}

/* -------------------------------------------------------------------------------------- on request */

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
    rn__dump_g(&o, r->g, RN__DUMP_SELF);
    if (r->all)
        rn__dump_others(&o, r->g);
    rn__out_flush(&o);
}

void rn_dump(int fd, bool all)
{
    struct request r = {rn__current(), fd, all};
    rn__roomy(r.g, dump_request, &r);
}
