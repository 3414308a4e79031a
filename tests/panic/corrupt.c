/*
 * corrupt.c - a damaged program file must not harm the report: back-traces lose names, nothing
 * more.
 *
 * Invariants
 *  - Damage is done only to what the kernel does not load (symbols, line tables, section
 *    headers), so the program itself runs as before; and to tables in memory, in blocks that end
 *    where a sanitizer or a page would notice one byte too many.
 *  - The damage comes from a fixed seed: a failure can be repeated.
 */
// runnel-test: not=emulated
#include "test.h"
#include "../../src/panic/dump.h"
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

static unsigned char *read_self(size_t *n)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat st;
    CHECK(fd >= 0 && fstat(fd, &st) == 0);
    *n = (size_t)st.st_size;
    unsigned char *p = malloc(*n);
    CHECK(p != NULL && pread(fd, p, *n, 0) == (ssize_t)*n);
    close(fd);
    return p;
}

/* Where the part of the file begins that no segment loads. */
static size_t loaded_end(const unsigned char *f)
{
    Elf64_Ehdr eh;
    memcpy(&eh, f, sizeof eh);
    size_t end = 0;
    for (int i = 0; i < eh.e_phnum; i++) {
        Elf64_Phdr ph;
        memcpy(&ph, f + eh.e_phoff + (size_t)i * eh.e_phentsize, sizeof ph);
        if (ph.p_type == PT_LOAD && ph.p_offset + ph.p_filesz > end)
            end = ph.p_offset + ph.p_filesz;
    }
    return end;
}

__attribute__((noinline)) static void fails(void)
{
    panic("boom");
}
static void waits(void *p)
{
    (void)p;
    chan_select();
    __asm__ volatile("");
}
CHILD(dies)
{
    go1(waits, NULL);
    WAIT_PARKED(1, SELECT_NO_CASES, NULL);
    fails();
}

/* Runs the program in f: its report must be there, whatever the names in it are. */
static void run(const unsigned char *f, size_t n, uint64_t seed)
{
    int exe = memfd_create("damaged", MFD_CLOEXEC), err = memfd_create("err", 0);
    CHECK(write(exe, f, n) == (ssize_t)n);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(err, 2);
        char *args[] = {(char[]){"test"}, (char[]){"--child"}, (char[]){"dies"}, NULL};
        setenv("RUNNEL_TRACEBACK", "all", 1);
        fexecve(exe, args, environ);
        _exit(127);
    }
    close(exe);
    int status = test_reap(pid, 60);
    char text[65536];
    test_slurp(err, text, sizeof text);
    if (status != 2 || strncmp(text, "panic: boom\n\ngoroutine 1 [running]:\n", 35) != 0 ||
        strstr(text, "[select (no cases)]:\n") == NULL)
        test_fail(__FILE__, __LINE__, "seed %llu: status %d, stderr:\n%s", (unsigned long long)seed,
                  status, text);
}

ITEM(116, "damaged section headers, symbols and line tables")
{
    size_t n;
    unsigned char *f = read_self(&n), *g = malloc(n);
    size_t from = loaded_end(f);
    CHECK(g != NULL && from < n);
    Elf64_Ehdr eh;
    memcpy(&eh, f, sizeof eh);
    int rounds = (int)test_scale(60, 20) / TEST_SLOW;
    for (int seed = 0; seed < rounds; seed++) {
        uint64_t state = (uint64_t)seed;
        memcpy(g, f, n);
        /* a few bytes anywhere, or many in the section headers, or the file is cut off */
        size_t lo = seed % 3 == 1 ? eh.e_shoff : from, hits = seed % 3 == 1 ? 40 : 4000, len = n;
        for (size_t i = 0; i < hits; i++)
            g[lo + test_random(&state) % (n - lo)] = (unsigned char)test_random(&state);
        if (seed % 3 == 2) {
            memcpy(g, f, n);
            len = from + test_random(&state) % (n - from);
        }
        run(g, len, (uint64_t)seed);
    }
    free(f);
    free(g);
}

/* A copy that ends where its block ends. */
static rn__bytes copy(const unsigned char *f, const char *section)
{
    Elf64_Ehdr eh;
    memcpy(&eh, f, sizeof eh);
    const Elf64_Shdr *sh = (const void *)(f + eh.e_shoff);
    const char *names = (const char *)f + sh[eh.e_shstrndx].sh_offset;
    for (int i = 0; i < eh.e_shnum; i++) {
        if (strcmp(names + sh[i].sh_name, section) != 0)
            continue;
        unsigned char *p = malloc(sh[i].sh_size);
        CHECK(p != NULL);
        memcpy(p, f + sh[i].sh_offset, sh[i].sh_size);
        return (rn__bytes){p, sh[i].sh_size};
    }
    return (rn__bytes){NULL, 0};
}

ITEM(116, "damaged line tables in memory: lookups stay inside, and end")
{
    size_t n;
    unsigned char *f = read_self(&n);
    rn__lines good = {.line = copy(f, ".debug_line"),
                      .line_str = copy(f, ".debug_line_str"),
                      .str = copy(f, ".debug_str")};
    if (good.line.n == 0)
        return; /* built without -g */
    Elf64_Ehdr eh;
    memcpy(&eh, f, sizeof eh);
    /* around our own code: the entry may be surrounded by that of a sanitizer, which has no lines */
    extern const char __ehdr_start[];
    uint64_t base = eh.e_type == ET_DYN ? (uint64_t)(uintptr_t)__ehdr_start : 0;
    uint64_t here = (uint64_t)(uintptr_t)read_self - base;
    int found = 0;
    for (int seed = 0; seed < test_scale(200, 50) / TEST_SLOW; seed++) {
        uint64_t state = (uint64_t)seed;
        unsigned char *bytes = malloc(good.line.n);
        CHECK(bytes != NULL);
        memcpy(bytes, good.line.p, good.line.n);
        size_t cut = seed % 4 == 3 ? test_random(&state) % good.line.n : 0;
        for (int i = 0; seed > 0 && i < 1 << (seed % 12); i++)
            bytes[test_random(&state) % good.line.n] = (unsigned char)test_random(&state);
        rn__lines l = good;
        l.line = (rn__bytes){bytes + cut, good.line.n - cut};
        for (int i = 0; i < 100; i++) {
            rn__place p = {0};
            char path[256];
            uint64_t addr = here + test_random(&state) % 100000;
            if (rn__line_of(&l, addr, addr - 1000, NULL, &p)) {
                rn__place_path(&p, path, sizeof path);
                found += path[0] != '\0';
            }
        }
        if (l.range != NULL)
            munmap(l.range, l.nrange * sizeof *l.range);
        free(bytes);
    }
    free((void *)(uintptr_t)good.line.p);
    free((void *)(uintptr_t)good.line_str.p);
    free((void *)(uintptr_t)good.str.p);
    free(f);
    CHECK(found > 100); /* the undamaged first round alone finds most */
}

ITEM(104, "nonsense on a parked stack: the walk stays inside of it, and ends")
{
    uintptr_t stack[512];
    uint64_t state = 1;
    for (int round = 0; round < 20000; round++) {
        rn__frame frame;
        for (size_t i = 0; i < 512; i++) {
            /* code of this program, addresses of the stack itself, or anything */
            uint64_t r = test_random(&state);
            stack[i] = r % 3 == 0   ? (uintptr_t)&run + r / 3 % 5000
                       : r % 3 == 1 ? (uintptr_t)&stack[r / 3 % 512]
                                    : (uintptr_t)r;
        }
        rn__ctx ctx = {.sp = &stack[test_random(&state) % 64]};
        int steps = 0;
        if (rn__cfi_parked(&frame, &ctx, (uintptr_t)stack, (uintptr_t)&stack[512]))
            while (rn__cfi_step(&frame, false, (uintptr_t)stack, (uintptr_t)&stack[512]))
                CHECK(++steps < 512);
    }
}

TEST_MAIN
