/*
 * frames.c - which frames of a back-trace are shown, and how.
 *
 * Invariants
 *  - runnel's own frames are hidden: above the first frame of the program always, between the
 *    program's frames except where Go shows its own (panic, Goexit) and rn_try.
 *    RUNNEL_TRACEBACK=system shows all.
 *  - A frame is two lines in Go's form, "function(...)" and "\tfile:line +0xOFFSET".
 */
#include "dump.h"
#include <string.h>

enum { LEVEL_SYSTEM = 3, PATH_BYTES = 1024, FRAMES_LEADING = 24 };

/* ----------------------------------------------------------------------------- whose code is it */

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

/* The function that GO_FUNC makes for a function: what follows is that function's name. */
static const char go_prefix[] = "rn_go_run_";

/* Public functions that call the program back: above them stands the program, not the library. */
static bool calls_back(const rn__place *p)
{
    return p->func != NULL &&
           (named(p, "rn_try") || named(p, "rn_run") || named(p, "rn_on_system_stack") ||
            named(p, "rn_function_leave") || has_prefix(p->func, "rn_once"));
}

/* A door of the library. */
static bool is_api(const rn__place *p)
{
    return p->func != NULL && has_prefix(p->func, "rn_") && p->func[3] != '_' &&
           !has_prefix(p->func, go_prefix) && !calls_back(p);
}

bool rn__is_own(const rn__place *p)
{
    if (p->func != NULL && has_prefix(p->func, "rn_"))
        return !has_prefix(p->func, go_prefix);
    return p->own || (p->module != NULL && strstr(p->module, "/librunnel.so") != NULL);
}

static bool raises_panic(const rn__place *p)
{
    return named(p, "rn_panic_at") || named(p, "rn_panic_value_at") || named(p, "rn_repanic") ||
           named(p, "rn__panic_runtime");
}

/* ------------------------------------------------------------------------------------ one frame */

void rn__print_source(rn__out *o, const rn__place *p, const char *site)
{
    if (p->name != NULL && !p->inlined) {
        char path[PATH_BYTES];
        rn__place_path(p, path, sizeof path);
        rn__out_str(o, path);
        rn__out_str(o, ":");
        rn__out_u64(o, p->line);
    } else if (site != NULL) {
        rn__out_str(o, site);
    } else {
        rn__out_str(o, p->module != NULL && !p->inlined ? p->module : "??");
    }
}

/* name: instead of the symbol. site: "file:line" in case the tables do not know it. */
void rn__print_frame(rn__out *o, const rn__place *p, const char *name, const char *site)
{
    if (name == NULL)
        name = p->func;
    if (name != NULL)
        rn__out_bytes(o, name, rn__base_length(name));
    else
        rn__out_str(o, "??");
    rn__out_str(o, "(...)\n\t");
    rn__print_source(o, p, site);
    rn__out_str(o, " +");
    rn__out_hex(o, p->offset);
    rn__out_str(o, "\n");
}

/* The library is entered through a function of its API. What stands above the last of those in a
 * row is its own, also where no name and no line says so. */
size_t rn__leading(const rn__trace *t, size_t kept)
{
    size_t api = 0, own = 0;
    bool unbroken = true; /* all frames so far are known to be the library's */
    for (size_t i = 0; i < kept && i < FRAMES_LEADING; i++) {
        rn__place p;
        rn__place_of(rn__trace_pc(t, i), t->exact && i == 0, &p);
        bool is_own = rn__is_own(&p);
        if (!is_own && (api > 0 || p.name != NULL))
            break; /* the program's */
        unbroken = unbroken && is_own && !calls_back(&p);
        if (unbroken)
            own = i + 1;
        if (is_api(&p))
            api = i + 1;
    }
    return api > 0 ? api : own;
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

/* Whether GO_FUNC's function p has the program's own function inlined: then it stands for it. */
static bool stands_for(const rn__place *p, const char *shown)
{
    const char *name = p->func + strlen(go_prefix);
    size_t n = rn__base_length(name);
    return shown == NULL || rn__base_length(shown) != n || strncmp(name, shown, n) != 0;
}

/* Prints frames from `from` on; false if there was none to print. site: "file:line" of the
 * operation at the top. */
bool rn__print_trace(rn__out *o, const rn__trace *t, size_t from, const char *site)
{
    size_t elided, kept = rn__trace_kept(t, &elided);
    bool all = rn__cfg.traceback >= LEVEL_SYSTEM;
    size_t end = all ? kept : trailing(t, kept);
    bool machinery = false;   /* between a deferred call and the panic that calls it */
    const char *shown = NULL; /* the symbol of the last frame printed */
    bool any = false;
    for (size_t i = from; i < end; i++) {
        rn__place p;
        rn__place_of(rn__trace_pc(t, i), t->exact && i == 0, &p);
        if (i == RN__WALK_INNER && elided > 0) {
            rn__out_str(o, "...");
            rn__out_u64(o, elided);
            rn__out_str(o, " frames elided...\n");
        }
        const char *name = NULL;
        if (all) {
            machinery = false;
        } else if (raises_panic(&p)) {
            name = "panic";
            machinery = false;
        } else if (named(&p, "rn_goexit") || named(&p, "rn_try")) {
            machinery = false;
        } else if (p.func != NULL && has_prefix(p.func, go_prefix)) {
            name = p.func + strlen(go_prefix);
            if (!stands_for(&p, shown))
                continue;
        } else if (named(&p, "rn__call_deferred")) {
            machinery = true;
            continue;
        } else if (machinery || rn__is_own(&p)) {
            continue;
        }
        rn__print_frame(o, &p, name, site);
        shown = p.func;
        any = true;
        site = NULL;
    }
    return any;
}
