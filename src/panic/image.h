/*
 * image.h - the files that the process's code comes from; between image.c and symbol.c only.
 *
 * Invariants
 *  - Tables are empty (n is 0) where a file has none or none that can be read.
 */
#ifndef RN_PANIC_IMAGE_H
#define RN_PANIC_IMAGE_H

#include "dump.h"

/* A file. */
typedef struct rn__image {
    const char *path;
    rn__bytes file;  /* all of it; n is 0 if it cannot be used */
    rn__bytes syms;  /* .symtab, else .dynsym */
    rn__bytes names; /* its strings; the last byte is NUL */
    rn__lines lines;
    rn__unwind_tables unwind; /* all but pc */
} rn__image;

/* An executable mapping. */
typedef struct rn__module {
    uintptr_t lo, hi;
    uint64_t file_off; /* of lo in the file */
    uintptr_t head;    /* where the file's first bytes are mapped readable; 0: nowhere */
    const char *path;
    rn__image *img; /* NULL until somebody asks for a name in it */
} rn__module;

/* Reads the list of mappings again. */
void rn__read_maps(void);

/* The mapping that holds pc; NULL: none that comes from a file. */
rn__module *rn__module_of(uintptr_t pc);

/* Its file; NULL when there are too many. */
rn__image *rn__image_of(rn__module *m);

/* The address that the file's tables use for pc; false if the file is of no use. */
bool rn__file_address(const rn__image *im, const rn__module *m, uintptr_t pc, uint64_t *addr);

#endif
