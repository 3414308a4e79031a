/*
 * dwarf_line.c - from an address to file and line: a rn__reader of .debug_line, DWARF 2 to 5.
 *
 * The section is a chain of units; each is a header with tables of directories and files, and a
 * byte-coded program whose run yields rows (address, file, line) in sequences of rising addresses.
 * The first question to a file runs all programs once and notes which unit covers which addresses;
 * later ones run one program.
 *
 * Invariants
 *  - Every read goes through a rn__reader, so it stays in the section. Loops end when it is bad.
 *  - Strings are only handed out if their NUL is inside of their section.
 */
#include "dump.h"
#include <string.h>
#include <sys/mman.h>

enum { RANGES_MAX = 1 << 22 }; /* sequences of one file; a corrupt one may claim anything */

/* The string at an offset of a section whose last byte is NUL. */
static const char *string_in(rn__bytes section, uint64_t off)
{
    return off < section.n ? (const char *)section.p + off : NULL;
}

/* --------------------------------------------------------------------------------------- header */

enum { FORMATS = 16 };
typedef struct unit {
    const rn__lines *all;
    uint64_t at;        /* offset of the unit in the section */
    rn__reader program; /* the byte code */
    rn__reader dirs;    /* at the tables' begin */
    uint64_t next;      /* offset of the next unit */
    unsigned version;
    unsigned word; /* 4 or 8: size of offsets */
    unsigned min_inst;
    int line_base;
    unsigned line_range;
    unsigned opcode_base;
    uint8_t operands[256]; /* of each standard opcode */
} unit;

/* False at the end of the section or when the rest of it makes no sense. A unit that we cannot
 * read has an empty program. */
static bool read_unit(const rn__lines *l, uint64_t at, unit *u)
{
    if (at >= l->line.n)
        return false;
    rn__reader r = {l->line.p + at, l->line.p + l->line.n, false};
    u->all = l;
    u->at = at;
    u->word = 4;
    uint64_t length = rn__get(&r, 4);
    if (length == 0xffffffff) {
        u->word = 8;
        length = rn__get(&r, 8);
    }
    if (r.bad || length > (size_t)(r.end - r.p))
        return false;
    r.end = r.p + length;
    u->next = (uint64_t)(r.end - l->line.p);
    u->program = (rn__reader){r.end, r.end, false};
    u->version = (unsigned)rn__get(&r, 2);
    if (u->version < 2 || u->version > 5)
        return true;
    if (u->version == 5) {
        rn__get(&r, 1); /* size of an address: set_address says it again */
        rn__get(&r, 1); /* size of a segment selector: none on our machines */
    }
    uint64_t header = rn__get(&r, u->word);
    if (r.bad || header > (size_t)(r.end - r.p))
        return true;
    const uint8_t *program = r.p + header;
    u->min_inst = (unsigned)rn__get(&r, 1);
    if (u->version >= 4)
        rn__get(&r, 1); /* operations per instruction: 1 on our machines */
    rn__get(&r, 1);     /* default of is_stmt */
    u->line_base = (int8_t)rn__get(&r, 1);
    u->line_range = (unsigned)rn__get(&r, 1);
    u->opcode_base = (unsigned)rn__get(&r, 1);
    for (unsigned i = 1; i < u->opcode_base; i++)
        u->operands[i] = (uint8_t)rn__get(&r, 1);
    if (r.bad || r.p > program || u->line_range == 0 || u->opcode_base == 0)
        return true;
    u->dirs = (rn__reader){r.p, program, false};
    u->program = (rn__reader){program, r.end, false};
    return true;
}

/* ---------------------------------------------------------------------------- the byte code */

enum {
    LNS_copy = 1,
    LNS_advance_pc,
    LNS_advance_line,
    LNS_set_file,
    LNS_set_column,
    LNS_negate_stmt,
    LNS_basic_block,
    LNS_const_add_pc,
    LNS_fixed_advance_pc,
    LNE_end_sequence = 1,
    LNE_set_address = 2,
};

typedef struct row {
    uint64_t addr, file, line;
    bool end; /* first address behind the sequence */
} row;

typedef struct machine {
    row now;
    rn__reader code;
} machine;

static void reset(machine *m)
{
    m->now = (row){.addr = 0, .file = 1, .line = 1, .end = false};
}

/* Runs to the next row; false at the end of the program. */
static bool next_row(const unit *u, machine *m)
{
    if (m->now.end)
        reset(m);
    while (m->code.p < m->code.end) {
        unsigned op = (unsigned)rn__get(&m->code, 1);
        if (op >= u->opcode_base) {
            op -= u->opcode_base;
            m->now.addr += (uint64_t)u->min_inst * (op / u->line_range);
            m->now.line += (uint64_t)(u->line_base + (int)(op % u->line_range));
            return true;
        }
        switch (op) {
        case 0: {
            uint64_t n = rn__uleb(&m->code);
            if (n == 0 || n > (size_t)(m->code.end - m->code.p))
                return false;
            rn__reader x = {m->code.p, m->code.p + n, false};
            m->code.p += n;
            op = (unsigned)rn__get(&x, 1);
            if (op == LNE_end_sequence) {
                m->now.end = true;
                return true;
            }
            if (op == LNE_set_address)
                m->now.addr = rn__get(&x, (unsigned)(n - 1 < 8 ? n - 1 : 8));
            break;
        }
        case LNS_copy: return true;
        case LNS_advance_pc: m->now.addr += u->min_inst * rn__uleb(&m->code); break;
        case LNS_advance_line: m->now.line += (uint64_t)rn__sleb(&m->code); break;
        case LNS_set_file: m->now.file = rn__uleb(&m->code); break;
        case LNS_const_add_pc:
            m->now.addr += (uint64_t)u->min_inst * ((255 - u->opcode_base) / u->line_range);
            break;
        case LNS_fixed_advance_pc: m->now.addr += rn__get(&m->code, 2); break;
        default:
            for (unsigned i = 0; i < u->operands[op]; i++)
                rn__uleb(&m->code);
        }
    }
    return false;
}

/* ----------------------------------------------------------------------------------- the index */

/* Calls nothing: fills at most cap ranges and returns how many there are. */
static size_t scan(const rn__lines *l, rn__line_range *out, size_t cap)
{
    size_t n = 0;
    unit u;
    for (uint64_t at = 0; read_unit(l, at, &u); at = u.next) {
        machine m = {.code = u.program};
        reset(&m);
        uint64_t lo = 0;
        bool inside = false;
        while (next_row(&u, &m)) {
            if (!inside)
                lo = m.now.addr;
            inside = !m.now.end;
            if (inside || lo == 0 || m.now.addr <= lo)
                continue; /* code that the linker dropped stands at address 0 */
            if (n < cap)
                out[n] = (rn__line_range){lo, m.now.addr, at};
            if (++n == RANGES_MAX)
                return n;
        }
    }
    return n;
}

static void make_index(rn__lines *l)
{
    l->indexed = true;
    size_t n = scan(l, NULL, 0);
    if (n == 0)
        return;
    void *p = mmap(NULL, n * sizeof *l->range, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0);
    if (p == MAP_FAILED)
        return;
    l->range = p;
    l->nrange = scan(l, l->range, n);
    rn__sort(l->range, l->nrange, sizeof *l->range);
}

static const rn__line_range *find_range(const rn__lines *l, uint64_t addr)
{
    size_t lo = 0, hi = l->nrange; /* the last one that begins at or before addr is below hi */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (l->range[mid].lo <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 && addr < l->range[lo - 1].hi ? &l->range[lo - 1] : NULL;
}

/* ----------------------------------------------------------------------------------- file names */

enum {
    LNCT_path = 1,
    LNCT_directory_index = 2,
    FORM_block2 = 3,
    FORM_block4 = 4,
    FORM_data2 = 5,
    FORM_data4 = 6,
    FORM_data8 = 7,
    FORM_string = 8,
    FORM_block = 9,
    FORM_block1 = 0xa,
    FORM_data1 = 0xb,
    FORM_strp = 0xe,
    FORM_udata = 0xf,
    FORM_sec_offset = 0x17,
    FORM_strx = 0x1a,
    FORM_data16 = 0x1e,
    FORM_line_strp = 0x1f,
    FORM_strx1 = 0x25,
    FORM_strx2 = 0x26,
    FORM_strx3 = 0x27,
    FORM_strx4 = 0x28,
};

/* One field of a version 5 table: a string, a number, or something to step over. */
static void field(const unit *u, rn__reader *r, uint64_t form, const char **s, uint64_t *v)
{
    switch (form) {
    case FORM_string: *s = rn__string(r); break;
    case FORM_line_strp: *s = string_in(u->all->line_str, rn__get(r, u->word)); break;
    case FORM_strp: *s = string_in(u->all->str, rn__get(r, u->word)); break;
    case FORM_udata:
    case FORM_strx: *v = rn__uleb(r); break;
    case FORM_data1:
    case FORM_strx1: *v = rn__get(r, 1); break;
    case FORM_data2:
    case FORM_strx2: *v = rn__get(r, 2); break;
    case FORM_strx3: *v = rn__get(r, 3); break;
    case FORM_data4:
    case FORM_strx4: *v = rn__get(r, 4); break;
    case FORM_data8: *v = rn__get(r, 8); break;
    case FORM_data16: rn__skip(r, 16); break;
    case FORM_sec_offset: rn__skip(r, u->word); break;
    case FORM_block: rn__skip(r, rn__uleb(r)); break;
    case FORM_block1: rn__skip(r, rn__get(r, 1)); break;
    case FORM_block2: rn__skip(r, rn__get(r, 2)); break;
    case FORM_block4: rn__skip(r, rn__get(r, 4)); break;
    default: r->bad = true; /* a form of unknown size: the rest cannot be read */
    }
}

/* Reads a version 5 table up to entry `want`; its path and directory. Leaves r behind the table. */
static void table5(const unit *u, rn__reader *r, uint64_t want, const char **path, uint64_t *dir)
{
    uint64_t format[FORMATS][2];
    unsigned n = (unsigned)rn__get(r, 1);
    for (unsigned i = 0; i < n; i++) {
        uint64_t type = rn__uleb(r), form = rn__uleb(r);
        if (i < FORMATS) {
            format[i][0] = type;
            format[i][1] = form;
        }
    }
    uint64_t count = rn__uleb(r);
    if (n > FORMATS || (n == 0 && count != 0))
        r->bad = true;
    for (uint64_t k = 0; k < count && !r->bad; k++) {
        for (unsigned i = 0; i < n && !r->bad; i++) {
            const char *s = NULL;
            uint64_t v = 0;
            field(u, r, format[i][1], &s, &v);
            if (k == want && format[i][0] == LNCT_path)
                *path = s;
            if (k == want && format[i][0] == LNCT_directory_index)
                *dir = v;
        }
    }
}

static void name_file5(const unit *u, uint64_t file, rn__place *out)
{
    rn__reader r = u->dirs;
    const char *base = NULL;
    uint64_t dir = 0, none;
    table5(u, &r, 0, &base, &none);
    table5(u, &r, file, &out->name, &dir);
    r = u->dirs;
    table5(u, &r, dir, &out->dir, &none);
    out->base = dir == 0 ? NULL : base;
}

/* Versions 2 to 4: both tables count from 1, and directory 0 is the compilation's, which only
 * .debug_info knows: such names stay relative. */
static void name_file4(const unit *u, uint64_t file, rn__place *out)
{
    rn__reader r = u->dirs;
    while (!r.bad && *rn__string(&r) != '\0')
        ;
    uint64_t dir = 0;
    for (uint64_t k = 1; !r.bad; k++) {
        const char *s = rn__string(&r);
        if (*s == '\0')
            return;
        uint64_t d = rn__uleb(&r);
        rn__uleb(&r); /* time */
        rn__uleb(&r); /* length */
        if (k == file && !r.bad) {
            out->name = s;
            dir = d;
            break;
        }
    }
    r = u->dirs;
    for (uint64_t k = 1; !r.bad && dir > 0; k++) {
        const char *s = rn__string(&r);
        if (*s == '\0')
            return;
        if (k == dir) {
            out->dir = s;
            return;
        }
    }
}

static void name_file(const unit *u, const row *r, rn__place *out)
{
    out->base = out->dir = out->name = NULL;
    if (u->version == 5)
        name_file5(u, r->file, out);
    else
        name_file4(u, r->file, out);
    out->line = (uint32_t)r->line;
}

/* The row that covers addr; *other gets the last one in [from, addr] of a file other than `not`. */
static bool find_row(const unit *u, uint64_t addr, uint64_t from, uint64_t not, row *found,
                     row *other)
{
    machine m = {.code = u->program};
    reset(&m);
    row last = {.end = true};
    other->end = true;
    while (next_row(u, &m)) {
        if (!last.end && last.addr <= addr && last.addr >= from && last.file != not )
            *other = last;
        if (!last.end && last.addr <= addr && addr < m.now.addr) {
            *found = last;
            return true;
        }
        if (m.now.end)
            other->end = true;
        last = m.now;
    }
    return false;
}

bool rn__line_of(rn__lines *l, uint64_t addr, uint64_t from, bool (*skip)(const rn__place *),
                 rn__place *out)
{
    if (!l->indexed)
        make_index(l);
    const rn__line_range *range = find_range(l, addr);
    unit u;
    row r, other;
    if (range == NULL || !read_unit(l, range->unit, &u) ||
        !find_row(&u, addr, from, UINT64_MAX, &r, &other))
        return false;
    name_file(&u, &r, out);
    if (out->name == NULL)
        return false;
    if (skip != NULL && skip(out) && find_row(&u, addr, from, r.file, &r, &other) && !other.end) {
        rn__place p = *out;
        name_file(&u, &other, &p);
        if (p.name != NULL && !skip(&p))
            *out = p;
    }
    return true;
}
