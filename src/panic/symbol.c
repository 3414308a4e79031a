/*
 * symbol.c - from a code address to the function, and through dwarf_line.c to file and line.
 *
 * /proc/self/maps says which file an address comes from; the file itself, mapped read-only, holds the
 * symbol table and the line table. No external program, no dynamic-linker lock.
 *
 * Invariants
 *  - lock guards everything here. It is waited for only so long: a signal may have interrupted its
 *    holder, and a report without names is better than none.
 *  - Mapped files stay mapped, so the strings handed out live as long as the process.
 *  - A file is only believed if its first bytes are those in memory: it may have been replaced.
 *  - Every offset and length that a file states is checked against the file's size.
 */
#include "dump.h"
#include "../platform/lock.h"
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MODULES = 256,       /* executable mappings */
    IMAGES = 64,         /* files */
    PATHS = 32 << 10,    /* bytes of path names */
    CACHE = 512,         /* looked-up addresses */
    CHECKED_BYTES = 512, /* of the file's head, compared with memory */
};

typedef struct image {
    const char *path;
    rn__bytes file;  /* the whole file; n is 0 if it cannot be used */
    rn__bytes syms;  /* .symtab, else .dynsym: whole entries */
    rn__bytes names; /* its strings; the last byte is NUL */
    rn__lines lines;
    rn__unwind_tables unwind; /* all but pc */
} image;

typedef struct module {
    uintptr_t lo, hi;  /* executable mapping */
    uint64_t file_off; /* of lo in the file */
    uintptr_t head;    /* where the file's first bytes are mapped readable; 0: nowhere */
    const char *path;
    image *img; /* NULL until somebody asks for a name in it */
} module;

static rn__lock lock;
static module modules[MODULES];
static size_t nmodules;
static image images[IMAGES];
static size_t nimages;
static char paths[PATHS];
static size_t npaths;
static rn__place cache[CACHE];
static bool maps_read;

static bool lock_patiently(void)
{
    for (int i = 0; i < 1000; i++) {
        if (rn__lock_try(&lock))
            return true;
        rn__spin(100000);
    }
    return false;
}

/* ----------------------------------------------------------------------------- /proc/self/maps */

static const char *keep_path(const char *s)
{
    size_t n = strlen(s) + 1;
    for (size_t i = 0; i < npaths; i += strlen(paths + i) + 1)
        if (strcmp(paths + i, s) == 0)
            return paths + i;
    if (n > PATHS - npaths)
        return NULL;
    memcpy(paths + npaths, s, n);
    npaths += n;
    return paths + npaths - n;
}

static uint64_t parse_hex(const char **s)
{
    uint64_t v = 0;
    for (;; ++*s) {
        char c = **s;
        unsigned d;
        if (c >= '0' && c <= '9')
            d = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            d = (unsigned)(c - 'a') + 10;
        else
            return v;
        v = v << 4 | d;
    }
}

struct maps {
    char last[256]; /* path of the last readable mapping of offset 0 */
    uintptr_t head; /* where that is */
};

/* "LO-HI PERM OFFSET DEV INODE   PATH" */
static void take_line(struct maps *m, char *line)
{
    const char *s = line;
    uintptr_t lo = parse_hex(&s);
    if (*s++ != '-')
        return;
    uintptr_t hi = parse_hex(&s);
    if (s[0] != ' ' || strlen(s) < 6)
        return;
    bool read = s[1] == 'r', exec = s[3] == 'x';
    s += 6;
    uint64_t off = parse_hex(&s);
    const char *path = strchr(s, '/');
    if (path == NULL)
        return;
    char *gone = strstr(line, " (deleted)");
    if (gone != NULL)
        *gone = '\0';
    if (off == 0 && read && strlen(path) < sizeof m->last) {
        strcpy(m->last, path);
        m->head = lo;
    }
    if (!exec || nmodules == MODULES)
        return;
    module *mod = &modules[nmodules];
    mod->path = keep_path(path);
    if (mod->path == NULL)
        return;
    mod->lo = lo;
    mod->hi = hi;
    mod->file_off = off;
    mod->head = strcmp(m->last, path) == 0 ? m->head : 0;
    mod->img = NULL;
    nmodules++;
}

static void read_maps(void)
{
    static char buf[4096 + 1];
    static struct maps m;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    nmodules = 0;
    m = (struct maps){.head = 0};
    size_t have = 0;
    ssize_t k;
    while ((k = read(fd, buf + have, sizeof buf - 1 - have)) > 0) {
        have += (size_t)k;
        buf[have] = '\0';
        char *line = buf, *end;
        while ((end = strchr(line, '\n')) != NULL) {
            *end = '\0';
            take_line(&m, line);
            line = end + 1;
        }
        have -= (size_t)(line - buf);
        if (have == sizeof buf - 1)
            have = 0; /* a line longer than any path may be */
        memmove(buf, line, have);
    }
    close(fd);
    maps_read = true;
}

void rn__places_refresh(void)
{
    if (!lock_patiently())
        return;
    read_maps();
    rn__lock_drop(&lock);
}

static module *module_of(uintptr_t pc)
{
    if (!maps_read)
        read_maps();
    for (size_t i = 0; i < nmodules; i++)
        if (pc >= modules[i].lo && pc < modules[i].hi)
            return &modules[i];
    return NULL;
}

/* -------------------------------------------------------------------------------------- ELF files */

/* [off, off + n) of the file; empty if that is not all inside. */
static rn__bytes part(rn__bytes f, uint64_t off, uint64_t n)
{
    rn__bytes none = {NULL, 0};
    if (off > f.n || n > f.n - off)
        return none;
    return (rn__bytes){f.p + off, (size_t)n};
}

static rn__bytes map_file(const char *path)
{
    rn__bytes f = {NULL, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return f;
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > (off_t)sizeof(Elf64_Ehdr)) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED)
            f = (rn__bytes){p, (size_t)st.st_size};
    }
    close(fd);
    return f;
}

static bool believable(rn__bytes f, const module *m)
{
    static const unsigned char magic[] = {0x7f, 'E', 'L', 'F', ELFCLASS64};
    if (f.n < sizeof(Elf64_Ehdr) || memcmp(f.p, magic, sizeof magic) != 0)
        return false;
    size_t n = f.n < CHECKED_BYTES ? f.n : CHECKED_BYTES;
    return m->head == 0 || memcmp(f.p, (const void *)m->head, n) == 0;
}

/* Section i; false if there is none or it lies outside of the file. */
static bool section(rn__bytes f, unsigned i, Elf64_Shdr *sh)
{
    Elf64_Ehdr eh;
    memcpy(&eh, f.p, sizeof eh);
    if (i >= eh.e_shnum || eh.e_shentsize < sizeof *sh)
        return false;
    rn__bytes at = part(f, eh.e_shoff, (uint64_t)eh.e_shnum * eh.e_shentsize);
    if (at.n == 0)
        return false;
    memcpy(sh, at.p + (size_t)i * eh.e_shentsize, sizeof *sh);
    return true;
}

static rn__bytes contents(rn__bytes f, const Elf64_Shdr *sh)
{
    if (sh->sh_type == SHT_NOBITS || (sh->sh_flags & SHF_COMPRESSED) != 0)
        return (rn__bytes){NULL, 0};
    return part(f, sh->sh_offset, sh->sh_size);
}

/* A table of strings ends in a NUL, so that no string runs out of it. */
static rn__bytes strings(rn__bytes f, const Elf64_Shdr *sh)
{
    rn__bytes b = contents(f, sh);
    if (b.n > 0 && b.p[b.n - 1] != 0)
        b.n = 0;
    return b;
}

static void read_sections(image *im)
{
    Elf64_Ehdr eh;
    memcpy(&eh, im->file.p, sizeof eh);
    Elf64_Shdr names_sh;
    if (!section(im->file, eh.e_shstrndx, &names_sh))
        return;
    rn__bytes names = strings(im->file, &names_sh);
    bool full = false; /* .symtab was found */
    for (unsigned i = 0; i < eh.e_shnum; i++) {
        Elf64_Shdr sh, str;
        if (!section(im->file, i, &sh) || sh.sh_name >= names.n)
            continue;
        const char *name = (const char *)names.p + sh.sh_name;
        if ((sh.sh_type == SHT_SYMTAB || (sh.sh_type == SHT_DYNSYM && !full)) &&
            section(im->file, sh.sh_link, &str)) {
            im->syms = contents(im->file, &sh);
            im->names = strings(im->file, &str);
            full = sh.sh_type == SHT_SYMTAB;
        } else if (strcmp(name, ".debug_line") == 0) {
            im->lines.line = contents(im->file, &sh);
        } else if (strcmp(name, ".debug_line_str") == 0) {
            im->lines.line_str = strings(im->file, &sh);
        } else if (strcmp(name, ".debug_str") == 0) {
            im->lines.str = strings(im->file, &sh);
        } else if (strcmp(name, ".eh_frame") == 0) {
            im->unwind.frame = contents(im->file, &sh);
            im->unwind.frame_addr = sh.sh_addr;
        } else if (strcmp(name, ".eh_frame_hdr") == 0) {
            im->unwind.hdr = contents(im->file, &sh);
            im->unwind.hdr_addr = sh.sh_addr;
        }
    }
}

static image *image_of(module *m)
{
    if (m->img != NULL)
        return m->img;
    for (size_t i = 0; i < nimages; i++)
        if (images[i].path == m->path)
            return m->img = &images[i];
    if (nimages == IMAGES)
        return NULL;
    image *im = m->img = &images[nimages++];
    im->path = m->path;
    im->file = map_file(m->path);
    if (!believable(im->file, m))
        im->file = map_file("/proc/self/exe"); /* renamed or replaced since it was started? */
    if (believable(im->file, m))
        read_sections(im);
    else
        im->file.n = 0;
    return im;
}

/* The address that the file's tables use for pc. */
static bool file_address(const image *im, const module *m, uintptr_t pc, uint64_t *addr)
{
    if (im->file.n == 0)
        return false;
    Elf64_Ehdr eh;
    memcpy(&eh, im->file.p, sizeof eh);
    rn__bytes ph = part(im->file, eh.e_phoff, (uint64_t)eh.e_phnum * eh.e_phentsize);
    uint64_t off = pc - m->lo + m->file_off;
    for (size_t i = 0; ph.n > 0 && eh.e_phentsize >= sizeof(Elf64_Phdr) && i < eh.e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, ph.p + i * eh.e_phentsize, sizeof p);
        if (p.p_type == PT_LOAD && (p.p_flags & PF_X) && off >= p.p_offset &&
            off - p.p_offset < p.p_filesz) {
            *addr = off - p.p_offset + p.p_vaddr;
            return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------------------------------- symbols */

static bool symbol_at(const image *im, size_t i, Elf64_Sym *s, const char **name)
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
static void find_symbol(const image *im, uint64_t addr, rn__place *out)
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
    module *m = module_of(pc);
    image *im = m != NULL ? image_of(m) : NULL;
    bool ok = im != NULL && file_address(im, m, pc, &im->unwind.pc);
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
    module *m = module_of(pc);
    image *im = m != NULL ? image_of(m) : NULL;
    uint64_t addr;
    if (im != NULL && file_address(im, m, pc, &addr)) {
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

/* A header of runnel (.../runnel/chan.h): what it inlines stands for a statement of the program. */
static bool is_header(const rn__place *p)
{
    static char path[1024]; /* the lock is held */
    rn__place_path(p, path, sizeof path);
    char *dir = strstr(path, "/runnel/");
    for (char *next; dir != NULL && (next = strstr(dir + 1, "/runnel/")) != NULL;)
        dir = next;
    const char *dot = strrchr(path, '.');
    return dir != NULL && strchr(dir + 8, '/') == NULL && dot != NULL &&
           (strcmp(dot, ".h") == 0 || strcmp(dot, ".hpp") == 0);
}

static void look_up(uintptr_t pc, uintptr_t at, rn__place *out)
{
    *out = (rn__place){.pc = pc};
    module *m = module_of(at);
    if (m == NULL)
        return;
    out->module = m->path;
    out->offset = at - m->lo + m->file_off;
    image *im = image_of(m);
    uint64_t addr;
    if (im == NULL || !file_address(im, m, at, &addr))
        return;
    find_symbol(im, addr, out);
    rn__line_of(&im->lines, addr, out->func != NULL ? addr - out->offset : addr, is_header, out);
    out->in_header = is_header(out);
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
        look_up(at, at, c);
    *out = *c;
    out->pc = pc;
    if (!exact)
        out->offset++;
    rn__lock_drop(&lock);
}
