/*
 * cfi.c - from a frame to its caller's, by the tables that compilers write for exceptions
 * (.eh_frame), for the stack of a goroutine that is parked.
 *
 * libgcc's unwinder would do it as well, but it reads whatever address comes out. A parked
 * goroutine may be resumed by another thread while we look, so that what comes out is nonsense.
 *
 * Invariants
 *  - Memory is read only between the bounds of the goroutine's stack, which stays mapped.
 *  - The stack pointer only ever rises, so a walk ends.
 *  - Rules given as expressions are not followed: compilers write them for frames that realign or
 *    for PLT entries, and nothing parks in the latter.
 */
#include "dump.h"
#include <string.h>

#if defined(__x86_64__)
enum { REG_SP = 7, REG_RA = 16 };
#elif defined(__aarch64__)
enum { REG_SP = 31, REG_RA = 30 };
#else
enum { REG_SP = 2, REG_RA = 1 };
#endif

/* ---------------------------------------------------------------------------- finding the rules */

enum {
    PE_absptr = 0,
    PE_udata2 = 2,
    PE_udata4 = 3,
    PE_udata8 = 4,
    PE_sdata2 = 0xa,
    PE_sdata4 = 0xb,
    PE_sdata8 = 0xc,
    PE_pcrel = 0x10,
    PE_datarel_sdata4 = 0x3b,
    PE_omit = 0xff,
};

typedef struct rules {
    uint64_t begin, end; /* code that they are for */
    uint64_t code_align;
    int64_t data_align;
    uint64_t ra;       /* register that stands for the return address */
    rn__reader common; /* instructions of the CIE */
    rn__reader own;    /* instructions of the FDE */
} rules;

/* A pointer in one of the encodings; `base` is the address of the table's first byte. */
static uint64_t encoded(rn__reader *r, unsigned enc, const rn__unwind_tables *t)
{
    uint64_t at = t->frame_addr + (uint64_t)(r->p - t->frame.p), v;
    switch (enc & 0xf) {
    case PE_udata2: v = rn__get(r, 2); break;
    case PE_udata4: v = rn__get(r, 4); break;
    case PE_absptr:
    case PE_udata8:
    case PE_sdata8: v = rn__get(r, 8); break;
    case PE_sdata2: v = (uint64_t)(int16_t)rn__get(r, 2); break;
    case PE_sdata4: v = (uint64_t)(int32_t)rn__get(r, 4); break;
    default: r->bad = true; return 0;
    }
    return (enc & 0x70) == PE_pcrel ? v + at : v;
}

/* One entry of .eh_frame at an offset: its bytes, and its second word with that word's offset. */
static bool entry(const rn__unwind_tables *t, uint64_t off, rn__reader *r, uint64_t *id,
                  uint64_t *id_at)
{
    if (off >= t->frame.n)
        return false;
    *r = (rn__reader){t->frame.p + off, t->frame.p + t->frame.n, false};
    uint64_t n = rn__get(r, 4);
    if (n == 0 || n >= 0xffffffff || n > (size_t)(r->end - r->p))
        return false; /* the end, a 64-bit entry (nobody writes them), or nonsense */
    r->end = r->p + n;
    *id_at = (uint64_t)(r->p - t->frame.p);
    *id = rn__get(r, 4);
    return !r->bad;
}

/* The CIE; *enc gets the encoding of code addresses, *sized whether FDEs have augmentation data. */
static bool read_common(const rn__unwind_tables *t, uint64_t off, rules *u, unsigned *enc,
                        bool *sized)
{
    rn__reader r;
    uint64_t id, at;
    if (!entry(t, off, &r, &id, &at) || id != 0)
        return false;
    unsigned version = (unsigned)rn__get(&r, 1);
    const char *aug = rn__string(&r);
    u->code_align = rn__uleb(&r);
    u->data_align = rn__sleb(&r);
    u->ra = version == 1 ? rn__get(&r, 1) : rn__uleb(&r);
    *enc = PE_absptr;
    *sized = aug[0] == 'z';
    if (*sized) {
        uint64_t n = rn__uleb(&r);
        if (n > (size_t)(r.end - r.p))
            return false;
        rn__reader x = {r.p, r.p + n, false};
        r.p += n;
        for (aug++; *aug != '\0' && !x.bad; aug++) {
            if (*aug == 'R')
                *enc = (unsigned)rn__get(&x, 1);
            else if (*aug == 'P')
                encoded(&x, (unsigned)rn__get(&x, 1), t);
            else if (*aug == 'L')
                rn__get(&x, 1);
        }
    } else if (aug[0] != '\0') {
        return false;
    }
    u->common = r;
    return !r.bad && u->ra < RN__CFI_REGS;
}

static bool read_rules(const rn__unwind_tables *t, uint64_t off, rules *u)
{
    rn__reader r;
    uint64_t back, at;
    unsigned enc;
    bool sized;
    if (!entry(t, off, &r, &back, &at) || back == 0 || back > at ||
        !read_common(t, at - back, u, &enc, &sized))
        return false;
    u->begin = encoded(&r, enc, t);
    u->end = u->begin + encoded(&r, enc & 0xf, t);
    if (sized)
        rn__skip(&r, rn__uleb(&r));
    u->own = r;
    return !r.bad;
}

static bool covers(const rn__unwind_tables *t, uint64_t off, rules *u)
{
    return read_rules(t, off, u) && t->pc >= u->begin && t->pc < u->end;
}

/* The whole table from the front, for files without the sorted one: some static programs. The
 * answers are remembered, since all goroutines of a program stand in the same few functions. */
static bool search_rules(const rn__unwind_tables *t, rules *u)
{
    enum { SLOTS = 256 };
    static _Atomic(uint64_t) slot[SLOTS]; /* relaxed: what is found there is checked */
    _Atomic(uint64_t) *known = &slot[(t->pc ^ t->pc >> 8) % SLOTS];
    if (covers(t, atomic_load_explicit(known, memory_order_relaxed), u))
        return true;
    rn__reader r;
    uint64_t id, at;
    for (uint64_t off = 0; entry(t, off, &r, &id, &at); off = (uint64_t)(r.end - t->frame.p)) {
        if (id != 0 && covers(t, off, u)) {
            atomic_store_explicit(known, off, memory_order_relaxed);
            return true;
        }
    }
    return false;
}

/* Looks code up in the sorted table of .eh_frame_hdr. */
static bool find_rules(const rn__unwind_tables *t, rules *u)
{
    rn__reader r = {t->hdr.p, t->hdr.p + t->hdr.n, false};
    unsigned version = (unsigned)rn__get(&r, 1), ptr = (unsigned)rn__get(&r, 1);
    unsigned count = (unsigned)rn__get(&r, 1), table = (unsigned)rn__get(&r, 1);
    if (r.bad || version != 1 || (ptr & 0xf) != PE_sdata4 || count != PE_udata4 ||
        table != PE_datarel_sdata4)
        return search_rules(t, u);
    rn__get(&r, 4);
    uint64_t n = rn__get(&r, 4), lo = 0, hi = n;
    if (r.bad || n > (size_t)(r.end - r.p) / 8)
        return search_rules(t, u);
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        rn__reader e = {r.p + mid * 8, r.end, false};
        if (t->hdr_addr + (uint64_t)(int32_t)rn__get(&e, 4) <= t->pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0)
        return false;
    rn__reader e = {r.p + (lo - 1) * 8 + 4, r.end, false};
    uint64_t fde = t->hdr_addr + (uint64_t)(int32_t)rn__get(&e, 4);
    return covers(t, fde - t->frame_addr, u);
}

/* ---------------------------------------------------------------------------- running the rules */

enum rule_kind { SAME, UNDEFINED, AT_OFFSET, IS_OFFSET, IN_REGISTER, UNKNOWN };
typedef struct rule {
    enum rule_kind kind;
    int64_t n; /* offset from the CFA, or a register */
} rule;

typedef struct row {
    rule reg[RN__CFI_REGS];
    uint64_t cfa_reg;
    int64_t cfa_off;
    bool cfa_known; /* register and offset, not an expression */
    bool signed_ra; /* the return address carries an authentication code (AArch64) */
} row;

enum { REMEMBER = 4 };

static void set(row *w, uint64_t reg, enum rule_kind kind, int64_t n)
{
    if (reg < RN__CFI_REGS)
        w->reg[reg] = (rule){kind, n};
}

static void set_cfa(row *w, uint64_t reg, int64_t off)
{
    w->cfa_reg = reg;
    w->cfa_off = off;
    w->cfa_known = reg < RN__CFI_REGS;
}

/* Runs instructions up to the row for pc. `first` is the row that the CIE made; NULL while it is
 * being made. */
static bool run(rn__reader r, const rules *u, uint64_t pc, const row *first, row *w)
{
    row saved[REMEMBER];
    unsigned nsaved = 0;
    uint64_t loc = u->begin;
    while (r.p < r.end && !r.bad) {
        unsigned op = (unsigned)rn__get(&r, 1), low = op & 63;
        uint64_t reg, adv = 0;
        if (op >> 6 == 1) {
            adv = low;
        } else if (op >> 6 == 2) {
            set(w, low, AT_OFFSET, (int64_t)rn__uleb(&r) * u->data_align);
        } else if (op >> 6 == 3) {
            if (first != NULL && low < RN__CFI_REGS)
                w->reg[low] = first->reg[low];
        } else {
            switch (op) {
            case 0x00: break;                       /* nop */
            case 0x02: adv = rn__get(&r, 1); break; /* advance_loc1, 2, 4 */
            case 0x03: adv = rn__get(&r, 2); break;
            case 0x04: adv = rn__get(&r, 4); break;
            case 0x05: /* offset_extended */
                reg = rn__uleb(&r);
                set(w, reg, AT_OFFSET, (int64_t)rn__uleb(&r) * u->data_align);
                break;
            case 0x06: /* restore_extended */
                reg = rn__uleb(&r);
                if (first != NULL && reg < RN__CFI_REGS)
                    w->reg[reg] = first->reg[reg];
                break;
            case 0x07: set(w, rn__uleb(&r), UNDEFINED, 0); break;
            case 0x08: set(w, rn__uleb(&r), SAME, 0); break;
            case 0x09: /* register */
                reg = rn__uleb(&r);
                set(w, reg, IN_REGISTER, (int64_t)rn__uleb(&r));
                break;
            case 0x0a: /* remember_state */
                if (nsaved == REMEMBER)
                    return false;
                saved[nsaved++] = *w;
                break;
            case 0x0b: /* restore_state */
                if (nsaved == 0)
                    return false;
                *w = saved[--nsaved];
                break;
            case 0x0c: /* def_cfa */
                reg = rn__uleb(&r);
                set_cfa(w, reg, (int64_t)rn__uleb(&r));
                break;
            case 0x0d: set_cfa(w, rn__uleb(&r), w->cfa_off); break;
            case 0x0e: w->cfa_off = (int64_t)rn__uleb(&r); break;
            case 0x0f: /* def_cfa_expression */
                w->cfa_known = false;
                rn__skip(&r, rn__uleb(&r));
                break;
            case 0x10: /* expression, val_expression */
            case 0x16:
                set(w, rn__uleb(&r), UNKNOWN, 0);
                rn__skip(&r, rn__uleb(&r));
                break;
            case 0x11: /* offset_extended_sf */
                reg = rn__uleb(&r);
                set(w, reg, AT_OFFSET, rn__sleb(&r) * u->data_align);
                break;
            case 0x12: /* def_cfa_sf */
                reg = rn__uleb(&r);
                set_cfa(w, reg, rn__sleb(&r) * u->data_align);
                break;
            case 0x13: w->cfa_off = rn__sleb(&r) * u->data_align; break;
            case 0x14: /* val_offset, val_offset_sf */
                reg = rn__uleb(&r);
                set(w, reg, IS_OFFSET, (int64_t)rn__uleb(&r) * u->data_align);
                break;
            case 0x15:
                reg = rn__uleb(&r);
                set(w, reg, IS_OFFSET, rn__sleb(&r) * u->data_align);
                break;
            case 0x2d: w->signed_ra = !w->signed_ra; break; /* AARCH64_negate_ra_state */
            case 0x2e: rn__uleb(&r); break;                 /* GNU_args_size */
            default: return false;
            }
        }
        loc += adv * u->code_align;
        if (loc > pc)
            break;
    }
    return !r.bad;
}

/* Frames have poisoned parts between their variables, and a parked one's are not ours to avoid. */
__attribute__((no_sanitize("address"))) static bool load(uintptr_t at, uintptr_t lo, uintptr_t hi,
                                                         uintptr_t *v)
{
    if (at < lo || at > hi - sizeof *v || at % sizeof *v != 0)
        return false;
    *v = *(const volatile uintptr_t *)at;
    return true;
}

static bool recover_reg(const rule *how, const rn__frame *f, uintptr_t cfa, uintptr_t lo,
                        uintptr_t hi, uintptr_t *v)
{
    switch (how->kind) {
    case SAME: return true;
    case AT_OFFSET: return load(cfa + (uintptr_t)how->n, lo, hi, v);
    case IS_OFFSET: *v = cfa + (uintptr_t)how->n; return true;
    case IN_REGISTER:
        if ((uint64_t)how->n >= RN__CFI_REGS)
            return false;
        *v = f->reg[how->n];
        return true;
    case UNDEFINED:
    case UNKNOWN: break;
    }
    return false;
}

bool rn__cfi_step(rn__frame *f, bool exact, uintptr_t lo, uintptr_t hi)
{
    rn__unwind_tables t;
    rules u;
    if (!rn__unwind_tables_of(exact ? f->pc : f->pc - 1, &t) || !find_rules(&t, &u))
        return false;
    row first, w;
    memset(&first, 0, sizeof first); /* kind SAME */
    if (!run(u.common, &u, UINT64_MAX, NULL, &first))
        return false;
    w = first;
    if (!run(u.own, &u, t.pc, &first, &w) || !w.cfa_known)
        return false;
    uintptr_t cfa = f->reg[w.cfa_reg] + (uintptr_t)w.cfa_off;
    rn__frame up = *f;
    uintptr_t ra = f->reg[REG_RA];
    if (!recover_reg(&w.reg[u.ra], f, cfa, lo, hi, &ra))
        return false; /* undefined: the outermost frame says so */
    for (unsigned i = 0; i < RN__CFI_REGS; i++)
        if (i != u.ra && !recover_reg(&w.reg[i], f, cfa, lo, hi, &up.reg[i]))
            up.reg[i] = 0; /* only matters if a caller's CFA hangs on it, and then bounds stop us */
    if (w.signed_ra)
        ra &= UINT64_C(0x0000ffffffffffff);
    up.reg[REG_SP] = cfa;
    up.reg[u.ra] = ra;
    up.pc = ra;
    if (ra == 0 || cfa <= f->reg[REG_SP] || cfa > hi)
        return false;
    *f = up;
    return true;
}

/* Called by rn__call_unwinding, whose unwind rules lead on into the parked context. They are
 * relative to one callee-saved register, which holds the context's stack pointer; whichever it
 * is. */
struct start {
    uintptr_t sp;
    rn__frame *f;
};
__attribute__((noinline)) static void take_start(void *arg)
{
    struct start *s = arg;
    for (unsigned i = 0; i < RN__CFI_REGS; i++)
        s->f->reg[i] = s->sp;
    s->f->reg[REG_SP] = s->sp - 1; /* the context's own frames begin above it */
    s->f->pc = (uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0));
}

bool rn__cfi_parked(rn__frame *f, const rn__ctx *ctx, uintptr_t lo, uintptr_t hi)
{
    struct start s = {(uintptr_t)ctx->sp, f};
    rn__call_unwinding(ctx, take_start, &s);
    return rn__cfi_step(f, false, lo, hi);
}
