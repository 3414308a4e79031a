/*
 * musl_unwind.c - lets gcc's unwinder, built for glibc, work in a program linked with musl.
 *
 * Debian's musl-gcc links the system's libgcc_eh, which asks glibc 2.35's _dl_find_object where an
 * address has its unwind tables. On a system that is musl throughout, libgcc does not ask for it
 * and this file is not needed.
 *
 * Invariants
 *  - Answers from dl_iterate_phdr alone; takes no memory, keeps no state.
 */
#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* As in glibc's <dlfcn.h>, on CPUs whose tables need no base address. */
struct dl_find_object {
    unsigned long long flags;
    void *map_start; /* the segment that holds the address */
    void *map_end;   /* its end */
    void *link_map;  /* not asked for by the unwinder */
    void *eh_frame;  /* what PT_GNU_EH_FRAME points to */
    unsigned long long rest[7];
};

struct search {
    uintptr_t address;
    struct dl_find_object *result;
};

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    const struct search *s = arg;
    const ElfW(Phdr) *holds = NULL, *tables = NULL;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && s->address >= start && s->address - start < p->p_memsz)
            holds = p;
        if (p->p_type == PT_GNU_EH_FRAME)
            tables = p;
    }
    if (holds == NULL || tables == NULL)
        return 0;
    uintptr_t start = info->dlpi_addr + holds->p_vaddr;
    s->result->map_start = (void *)start;
    s->result->map_end = (void *)(start + holds->p_memsz);
    s->result->eh_frame = (void *)(info->dlpi_addr + tables->p_vaddr);
    return 1;
}

int _dl_find_object(void *address, struct dl_find_object *result);
int _dl_find_object(void *address, struct dl_find_object *result)
{
    struct search s = {(uintptr_t)address, result};
    return dl_iterate_phdr(look, &s) == 1 ? 0 : -1;
}
