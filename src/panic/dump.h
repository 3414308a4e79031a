/*
 * dump.h - the pieces of which reports are made: output, names of code addresses, back-traces, the
 * one-report-only gate. Private to panic/.
 *
 * Invariants
 *  - All of it may be called in a signal handler and with any lock of the program held: no
 *    malloc, no stdio; memory comes from mmap or is static.
 *  - Whatever a file, a table or a stack holds, nothing reads outside of the file, the table or
 *    the stack.
 */
#ifndef RN_PANIC_DUMP_H
#define RN_PANIC_DUMP_H

#include "panic.h"

/* ------------------------------------------------------------------------------- out.c: writing */

enum { RN__OUT_BYTES = 2048 };
typedef struct rn__out {
    int fd;
    unsigned n; /* bytes in buf */
    char buf[RN__OUT_BYTES];
} rn__out;

void rn__out_flush(rn__out *o);
void rn__out_bytes(rn__out *o, const char *s, size_t n);
void rn__out_str(rn__out *o, const char *s);
void rn__out_u64(rn__out *o, uint64_t v);
void rn__out_hex(rn__out *o, uint64_t v);
/* As Go prints the text of a panic: a tab behind each newline. */
void rn__out_indented(rn__out *o, const char *s);

/* "0x1f" with a NUL; room for 19 bytes. */
void rn__format_hex(char *buf, uint64_t v);

/* ---------------------------------------------------------------------- symbol.c: code to names */

/* A piece of a mapped file. */
typedef struct rn__bytes {
    const uint8_t *p;
    size_t n;
} rn__bytes;

typedef struct rn__place {
    uintptr_t pc;
    const char *func;   /* symbol, as in the file; NULL: unknown */
    uintptr_t offset;   /* of pc in it, or in the module */
    const char *module; /* path of the file that the code comes from; NULL: unknown */
    const char *base;   /* where dir starts, if that is relative; may be NULL */
    const char *dir;    /* where name starts, if that is relative; may be NULL */
    const char *name;   /* source file; NULL: no line information */
    uint32_t line;
    bool own;     /* a function from this library's source files */
    bool inlined; /* the line is runnel's, inlined into a function of the program */
} rn__place;

/* Looks pc up. exact: pc is the instruction itself; else it is a return address, and the call
 * before it is meant. All strings live as long as the process. */
void rn__place_of(uintptr_t pc, bool exact, rn__place *out);

/* Writes the source file of a place as one path, cut at n bytes; "" if it is unknown. */
void rn__place_path(const rn__place *p, char *buf, size_t n);

/* Reads the list of loaded files again; once per report. */
void rn__places_refresh(void);

/* The length of a symbol without what the compiler appended (".constprop.0"). */
size_t rn__base_length(const char *symbol);

/* The unwind tables of the file that the code at pc comes from, and pc's address in that file. Both
 * tables are empty if the file has none. False: no such file. */
typedef struct rn__unwind_tables {
    rn__bytes hdr, frame;          /* .eh_frame_hdr, .eh_frame */
    uint64_t hdr_addr, frame_addr; /* where they are, in the file's addresses */
    uint64_t pc;                   /* in the file's addresses */
} rn__unwind_tables;
bool rn__unwind_tables_of(uintptr_t pc, rn__unwind_tables *out);

/* Calls fn for each symbol that starts exactly at addr, until it returns true. The number of
 * calls. */
int rn__symbols_at(uintptr_t addr, bool (*fn)(const char *symbol, void *arg), void *arg);

/* ------------------------------------------------------------- dwarf_line.c: addresses to lines */

typedef struct rn__line_range {
    uint64_t lo, hi; /* addresses of one sequence, as in the file */
    uint64_t unit;   /* offset of its line program */
} rn__line_range;

typedef struct rn__lines {
    rn__bytes line, line_str, str; /* .debug_line, .debug_line_str, .debug_str; empty if missing */
    rn__line_range *range;         /* sorted by lo; mmap'ed at the first use */
    size_t nrange;
    bool indexed; /* range is made, or cannot be */
} rn__lines;

/* Fills base, dir, name and line. skip(place) may refuse a file: then the nearest line before it,
 * in code from `from` on, that stands in another file is taken, if there is one. skip may be
 * NULL. */
bool rn__line_of(rn__lines *l, uint64_t addr, uint64_t from, bool (*skip)(const rn__place *),
                 rn__place *out);

/* ------------------------------------------------------------------- bytes.c: reading, sorting */

/* Reads a table from the front; never outside of it. Past the end it yields zeros and says bad. */
typedef struct rn__reader {
    const uint8_t *p, *end;
    bool bad;
} rn__reader;
uint64_t rn__get(rn__reader *r, unsigned bytes);
void rn__skip(rn__reader *r, uint64_t n);
uint64_t rn__uleb(rn__reader *r);
int64_t rn__sleb(rn__reader *r);
/* Up to the NUL, which is skipped; "" if there is none. */
const char *rn__string(rn__reader *r);

/* Sorts records by the uint64_t that each begins with. */
void rn__sort(void *records, size_t n, size_t size);

/* ----------------------------------------------------------------- cfi.c: one frame to the next */

enum { RN__CFI_REGS = 34 };
typedef struct rn__frame {
    uintptr_t pc;
    uintptr_t reg[RN__CFI_REGS]; /* by DWARF number; the stack pointer among them */
} rn__frame;

/* Goes to the caller's frame. Memory is only read in [lo, hi). exact: pc is not a return address.
 * False at the outermost frame, and where the tables do not lead further. */
bool rn__cfi_step(rn__frame *f, bool exact, uintptr_t lo, uintptr_t hi);
/* The frame at which a context that is not running will go on. */
bool rn__cfi_parked(rn__frame *f, const rn__ctx *ctx, uintptr_t lo, uintptr_t hi);

/* -------------------------------------------------------------------------- walk.c: back-traces */

enum { RN__WALK_INNER = 60, RN__WALK_OUTER = 60 };
typedef struct rn__trace {
    uintptr_t
        pc[RN__WALK_INNER + RN__WALK_OUTER]; /* the first ones, then a ring of the last ones */
    size_t n;                                /* frames found, kept or not */
    bool exact; /* the first pc is the instruction itself, not a return address */
} rn__trace;

/* The caller's own stack. interrupted: called in a signal handler; the trace begins with what the
 * signal interrupted. */
void rn__walk_self(rn__trace *t, bool interrupted);
/* A goroutine that is not running; false if its stack cannot be read. */
bool rn__walk_parked(const rn__g *g, rn__trace *t);
/* How many frames were kept, how many lie unkept behind the first RN__WALK_INNER, and the i-th
 * kept. */
size_t rn__trace_kept(const rn__trace *t, size_t *elided);
uintptr_t rn__trace_pc(const rn__trace *t, size_t i);

/* ----------------------------------------------------------------------- frames.c: showing them */

/* How many frames at the top are the library's. */
size_t rn__leading(const rn__trace *t, size_t kept);
/* Prints frames from `from` on; false if there was none to print. site: "file:line" of the
 * operation at the top, for a program without line information; may be NULL. */
bool rn__print_trace(rn__out *o, const rn__trace *t, size_t from, const char *site);
/* One frame. name: instead of the symbol; may be NULL, as may site. */
void rn__print_frame(rn__out *o, const rn__place *p, const char *name, const char *site);
/* "file:line", or what comes nearest to it. */
void rn__print_source(rn__out *o, const rn__place *p, const char *site);
/* Whether a place is the library's own code. */
bool rn__is_own(const rn__place *p);

/* --------------------------------------------------------------------------- dump.c: goroutines */

/* "goroutine N [status...]:", its back-trace and creation. how: where its stack is. site: what it
 * does there, for a program without line information; may be NULL. */
enum rn__dump_how { RN__DUMP_SELF, RN__DUMP_INTERRUPTED, RN__DUMP_OTHER };
void rn__dump_g(rn__out *o, rn__g *g, enum rn__dump_how how, const char *site);
/* All others, foreign threads too, each after a blank line. */
void rn__dump_others(rn__out *o, const rn__g *except);

/* ----------------------------------------------------------------- report.c: how a program dies */

/* Makes the caller the one that reports; a second thread waits here until the process is gone, a
 * second call of the same thread exits at once. */
void rn__dying_enter(void);
/* Writes out what stdio holds, if no lock is held. Not from signal handlers. */
void rn__flush_stdio(void);
/* Exits with status 2, or by SIGABRT under RUNNEL_TRACEBACK=crash. */
__attribute__((noreturn)) void rn__dying_exit(rn__out *o);
/* The buffer of the one report. */
rn__out *rn__dying_out(void);
/* Prints the running panics of g, oldest first; false if there are none. */
bool rn__print_panics(rn__out *o, rn__g *g);

#endif
