/*
 * image.c - which file the code at an address comes from, and the tables in that file.
 *
 * /proc/self/maps says which file it is; the file, mapped read-only, holds the tables. No external
 * program, no lock of the dynamic linker.
 *
 * Invariants
 *  - Everything here is called with symbol.c's lock held.
 *  - Mapped files stay mapped, so the strings in them live as long as the process.
 *  - A file is only believed if its first bytes are those in memory: it may have been replaced.
 *  - Every offset and length that a file states is checked against the file's size.
 */
#include "image.h"
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
    CHECKED_BYTES = 512, /* of the file's head, compared with memory */
};

static rn__module modules[MODULES];
static size_t nmodules;
static rn__image images[IMAGES];
static size_t nimages;
static char paths[PATHS];
static size_t npaths;
static bool maps_read;

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
    rn__module *mod = &modules[nmodules];
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

void rn__read_maps(void)
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

rn__module *rn__module_of(uintptr_t pc)
{
    if (!maps_read)
        rn__read_maps();
    for (size_t i = 0; i < nmodules; i++)
        if (pc >= modules[i].lo && pc < modules[i].hi)
            return &modules[i];
    return NULL;
}

/* ------------------------------------------------------------------------------------ ELF files */

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

static bool believable(rn__bytes f, const rn__module *m)
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

static void read_sections(rn__image *im)
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

rn__image *rn__image_of(rn__module *m)
{
    if (m->img != NULL)
        return m->img;
    for (size_t i = 0; i < nimages; i++)
        if (images[i].path == m->path)
            return m->img = &images[i];
    if (nimages == IMAGES)
        return NULL;
    rn__image *im = m->img = &images[nimages++];
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
bool rn__file_address(const rn__image *im, const rn__module *m, uintptr_t pc, uint64_t *addr)
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
