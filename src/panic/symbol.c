/*
 * symbol.c - from a code address to the function, and through dwarf_line.c to file and line.
 *
 * Invariants
 *  - lock guards everything here and in image.c. It is waited for only so long: a signal may have
 *    interrupted its holder, and a report without names is better than none.
 *  - The strings handed out live as long as the process.
 */
#include "image.h"
#include "../platform/lock.h"
#include <elf.h>
#include <string.h>

enum {
    CACHE = 512, /* looked-up addresses */
};

static rn__lock lock;
static rn__place cache[CACHE];

static bool lock_patiently(void)
{
    for (int i = 0; i < 1000; i++) {
        if (rn__lock_try(&lock))
            return true;
        rn__spin(100000);
    }
    return false;
}

void rn__places_refresh(void)
{
    if (!lock_patiently())
        return;
    rn__read_maps();
    rn__lock_drop(&lock);
}

/* -------------------------------------------------------------------------------------- symbols */

static bool symbol_at(const rn__image *im, size_t i, Elf64_Sym *s, const char **name)
{
    memcpy(s, im->syms.p + i * sizeof *s, sizeof *s);
    unsigned type = ELF64_ST_TYPE(s->st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
        return false;
    if (s->st_shndx == SHN_UNDEF || s->st_name >= im->names.n)
        return false;
    *name = (const char *)im->names.p + s->st_name;
    return (*name)[0] != '\0' && (*name)[0] != '$'; /* "$x" marks code on ARM and RISC-V */
}

/* The function around addr; a label of unknown kind only if there is no function. */
static void find_symbol(const rn__image *im, uint64_t addr, rn__place *out)
{
    uint64_t best = 0;
    bool typed = false;
    for (size_t i = 0; i < im->syms.n / sizeof(Elf64_Sym); i++) {
        Elf64_Sym s;
        const char *name;
        if (!symbol_at(im, i, &s, &name) || s.st_value > addr)
            continue;
        bool is_func = ELF64_ST_TYPE(s.st_info) != STT_NOTYPE;
        if (s.st_size != 0 ? addr - s.st_value >= s.st_size : is_func)
            continue;
        if (out->func != NULL && (is_func == typed ? s.st_value <= best : typed))
            continue;
        best = s.st_value;
        typed = is_func;
        out->func = name;
        out->offset = addr - s.st_value;
    }
}

size_t rn__base_length(const char *symbol)
{
    size_t n = 1;
    while (symbol[0] != '\0' && symbol[n] != '\0' && symbol[n] != '.')
        n++;
    return n;
}

bool rn__unwind_tables_of(uintptr_t pc, rn__unwind_tables *out)
{
    if (!lock_patiently())
        return false;
    rn__module *m = rn__module_of(pc);
    rn__image *im = m != NULL ? rn__image_of(m) : NULL;
    bool ok = im != NULL && rn__file_address(im, m, pc, &im->unwind.pc);
    if (ok)
        *out = im->unwind;
    rn__lock_drop(&lock);
    return ok;
}

int rn__symbols_at(uintptr_t pc, bool (*fn)(const char *symbol, void *arg), void *arg)
{
    int n = 0;
    if (!lock_patiently())
        return 0;
    rn__module *m = rn__module_of(pc);
    rn__image *im = m != NULL ? rn__image_of(m) : NULL;
    uint64_t addr;
    if (im != NULL && rn__file_address(im, m, pc, &addr)) {
        for (size_t i = 0; i < im->syms.n / sizeof(Elf64_Sym); i++) {
            Elf64_Sym s;
            const char *name;
            if (!symbol_at(im, i, &s, &name) || s.st_value != addr)
                continue;
            n++;
            if (fn(name, arg))
                break;
        }
    }
    rn__lock_drop(&lock);
    return n;
}

void rn__place_path(const rn__place *p, char *buf, size_t n)
{
    const char *part[3] = {p->base, p->dir, p->name};
    int first = 2;
    size_t at = 0;
    buf[0] = '\0';
    if (p->name == NULL)
        return;
    while (first > 0 && part[first][0] != '/' && part[first - 1] != NULL)
        first--;
    for (int i = first; i < 3; i++) {
        for (const char *s = part[i]; *s != '\0' && at < n - 2; s++)
            buf[at++] = *s;
        if (i < 2 && at > 0 && buf[at - 1] != '/')
            buf[at++] = '/';
    }
    buf[at] = '\0';
}

/* This library's source folder, as the line tables write it; the lock is held. */
static char own_folder[1024];
static size_t own_folder_n;

static bool in_own_folder(const rn__place *p)
{
    static char path[1024];
    rn__place_path(p, path, sizeof path);
    return own_folder_n > 0 && strncmp(path, own_folder, own_folder_n) == 0;
}

/* A header of runnel (.../runnel/chan.h) or, inlined at link time, one of its sources. */
static bool is_runnels(const rn__place *p)
{
    static char path[1024];
    rn__place_path(p, path, sizeof path);
    char *dir = strstr(path, "/runnel/");
    for (char *next; dir != NULL && (next = strstr(dir + 1, "/runnel/")) != NULL;)
        dir = next;
    const char *dot = strrchr(path, '.');
    bool header = dir != NULL && strchr(dir + 8, '/') == NULL && dot != NULL &&
                  (strcmp(dot, ".h") == 0 || strcmp(dot, ".hpp") == 0);
    return header || in_own_folder(p);
}

/* Learns the folder from where the tables put this function. */
static void learn_own_folder(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    uintptr_t here = (uintptr_t)&rn__places_refresh;
    rn__module *m = rn__module_of(here);
    rn__image *im = m != NULL ? rn__image_of(m) : NULL;
    rn__place p = {0};
    uint64_t addr;
    if (im == NULL || !rn__file_address(im, m, here, &addr) ||
        !rn__line_of(&im->lines, addr, addr, NULL, &p))
        return;
    rn__place_path(&p, own_folder, sizeof own_folder);
    const char *tail = strstr(own_folder, "panic/symbol.c");
    if (tail != NULL)
        own_folder_n = (size_t)(tail - own_folder);
}

static void look_up(uintptr_t at, rn__place *out)
{
    *out = (rn__place){.pc = at};
    rn__module *m = rn__module_of(at);
    if (m == NULL)
        return;
    out->module = m->path;
    out->offset = at - m->lo + m->file_off;
    rn__image *im = rn__image_of(m);
    uint64_t addr;
    if (im == NULL || !rn__file_address(im, m, at, &addr))
        return;
    learn_own_folder();
    find_symbol(im, addr, out);
    /* Whose function it is, its first line says: others may be inlined. */
    rn__place first = {0};
    uint64_t begin = out->func != NULL ? addr - out->offset : addr;
    out->own = rn__line_of(&im->lines, begin, begin, NULL, &first) && in_own_folder(&first);
    if (rn__line_of(&im->lines, addr, begin, out->own ? NULL : is_runnels, out))
        out->inlined = !out->own && is_runnels(out);
}

void rn__place_of(uintptr_t pc, bool exact, rn__place *out)
{
    uintptr_t at = exact ? pc : pc - 1; /* inside the call */
    if (!lock_patiently()) {
        *out = (rn__place){.pc = pc};
        return;
    }
    rn__place *c = &cache[(at ^ at >> 9) % CACHE];
    if (c->pc != at || c->module == NULL)
        look_up(at, c);
    *out = *c;
    out->pc = pc;
    if (!exact)
        out->offset++;
    rn__lock_drop(&lock);
}
