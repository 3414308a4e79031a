/*
 * symbols.c - file and line of every function of this program, as runnel's own reader sees them.
 *
 * Prints for each function in the symbol table "ADDRESS NAME FILE:LINE" in the file's addresses;
 * symbols.sh compares that with addr2line.
 *
 * Invariants
 *  - Nothing is asked of the dynamic linker: the load address is that of this program's ELF header.
 */
#define _GNU_SOURCE
#include "../../src/panic/dump.h"
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern const char __ehdr_start[];

int main(int argc, char **argv)
{
    rn_goid(); /* starts the runtime, so that all of it is linked */
    int fd = open("/proc/self/exe", O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return 1;
    const char *f = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (f == MAP_FAILED)
        return 1;
    const Elf64_Ehdr *eh = (const void *)f;
    const Elf64_Shdr *sh = (const void *)(f + eh->e_shoff);
    uintptr_t base = eh->e_type == ET_DYN ? (uintptr_t)__ehdr_start : 0;
    uintptr_t step = argc > 1 ? (uintptr_t)atoi(argv[1]) : 0; /* 0: only each function's start */
    int n = 0;
    for (int i = 0; i < eh->e_shnum; i++) {
        if (sh[i].sh_type != SHT_SYMTAB)
            continue;
        const Elf64_Sym *sym = (const void *)(f + sh[i].sh_offset);
        const char *names = f + sh[sh[i].sh_link].sh_offset;
        for (size_t k = 0; k < sh[i].sh_size / sizeof *sym; k++) {
            if (ELF64_ST_TYPE(sym[k].st_info) != STT_FUNC || sym[k].st_size == 0 ||
                sym[k].st_shndx == SHN_UNDEF)
                continue;
            for (uintptr_t off = 0; off < sym[k].st_size; off += step) {
                rn__place p;
                char path[1024];
                rn__place_of(base + sym[k].st_value + off, true, &p);
                rn__place_path(&p, path, sizeof path);
                printf("0x%lx %s %s:%u%s\n", (unsigned long)(sym[k].st_value + off),
                       names + sym[k].st_name, path[0] != '\0' ? path : "??", p.line,
                       p.func == NULL || p.offset != off ? " WRONG-FUNCTION" : "");
                n++;
                if (step == 0)
                    break;
            }
        }
    }
    return n > 100 ? 0 : 1;
}
