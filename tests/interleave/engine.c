/*
 * engine.c - the explorer: a depth-first search over saved states.
 *
 * Invariants
 *  - `E` points to memory outside of the saved data; everything else that is static here belongs to
 *    the state.
 *  - The search holds one saved state per choice that is still open. A state with one possible step
 *    is not saved, only remembered as seen.
 */
#define _GNU_SOURCE 1
#include "engine.h"
#include "../../src/platform/platform.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    STACK = 32 << 10, /* per thread */
    HEAP = 64 << 10,  /* il_malloc */
    BUFFERED = 8,     /* stores in one store buffer */
    PATH = 1 << 16,   /* steps on one path */
    EXCLUDED = 4,     /* il_exclude */
    MAX_ACTIONS = 64, /* open choices of one state */
    MAX_STATES = 40000000,
};

enum { RUN, SPIN, PARKED, CHOICE, DONE };

struct buffered {
    volatile void *addr;
    uint64_t value;
    size_t size;
};

/* Part of the state. */
struct thread {
    rn__ctx ctx;               /* saved while it does not run */
    const volatile void *seen; /* what it accessed last */
    size_t seen_size;
    uint64_t spin_value; /* SPIN: goes on when *seen differs */
    uint32_t choice;     /* CHOICE: of how many; afterwards, which */
    uint8_t state;
    uint8_t woken; /* PARKED: goes on */
    uint8_t nbuffered;
    struct buffered buffer[BUFFERED];
};
static struct thread thread[IL_THREADS];
static size_t heap_used;
static int nthreads;

struct block { /* in front of each block of the heap */
    size_t size;
    size_t dead;
};

struct step { /* for the report only */
    const char *file;
    int line;
    int8_t thread;
    uint8_t op;
    uint16_t choice;
};

struct frame {
    size_t saved;  /* offset of the state in E->store */
    uint32_t path; /* length of the path to it */
    uint16_t next, n;
    struct {
        int8_t thread;
        uint8_t flush;
        uint16_t choice;
    } action[MAX_ACTIONS];
};

/* Not part of the state. */
struct explorer {
    rn__ctx ctx;
    _Atomic(uint64_t) nowhere;
    const il_case *c;
    int self;  /* the running thread; -1: none */
    int mix;   /* the variant */
    bool skip; /* it is left out */
    bool failed;
    char why[512];
    char *stacks, *heap;
    char *store; /* saved states, LIFO */
    size_t store_used;
    char *pristine; /* the data as it was before the first case */
    struct {
        char *lo, *hi;
    } piece[EXCLUDED + 1]; /* the data without what was excluded, in order */
    int npieces;
    struct frame *frame;
    uint32_t depth, path_len;
    struct step path[PATH];
    uint64_t (*table)[2]; /* hashes of states seen; {0, 0} is free */
    uint64_t mask, seen, ends;
    uint64_t all_seen, all_ends; /* of all variants */
};
static struct explorer *E;

extern char __data_start[], _end[];

static void *area(size_t n)
{
    void *p =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    return p;
}

static char *stack_hi(int t)
{
    return E->stacks + (size_t)(t + 1) * STACK;
}

/* ------------------------------------------------------------------------- save, restore, hash */

/* Calls fn for each piece of memory that belongs to the state. */
static inline void each_piece(void (*fn)(char *p, size_t n, void *arg), void *arg)
{
    for (int i = 0; i < E->npieces; i++)
        fn(E->piece[i].lo, (size_t)(E->piece[i].hi - E->piece[i].lo), arg);
    fn(E->heap, heap_used, arg);
    for (int t = 0; t < nthreads; t++)
        if (thread[t].state != DONE)
            fn(thread[t].ctx.sp, (size_t)(stack_hi(t) - (char *)thread[t].ctx.sp), arg);
}

static void save_piece(char *p, size_t n, void *arg)
{
    (void)arg;
    memcpy(E->store + E->store_used, p, n);
    E->store_used += n;
}

static void restore_piece(char *p, size_t n, void *arg)
{
    size_t *at = arg;
    memcpy(p, E->store + *at, n);
    *at += n;
}

/* Two lanes of multiply and shift over 8 bytes at a time; every piece is a multiple of that, but for
 * the data, whose last bytes are padding. */
static void hash_piece(char *p, size_t n, void *arg)
{
    uint64_t *h = arg, a = h[0], b = h[1];
    for (size_t i = 0; i + 8 <= n; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        a = (a ^ w) * UINT64_C(0x9E3779B97F4A7C15);
        a ^= a >> 29;
        b = (b + w) * UINT64_C(0xD6E8FEB86659FD93);
        b ^= b >> 32;
    }
    h[0] = a;
    h[1] = b;
}

/* Whether this state is new; then it is not any more. */
static bool remember(void)
{
    uint64_t h[2] = {1, 2};
    each_piece(hash_piece, h);
    h[1] |= 1;
    if (E->table == NULL || E->seen * 2 > E->mask) {
        uint64_t(*old)[2] = E->table, old_mask = E->mask;
        E->mask = old != NULL ? old_mask * 2 + 1 : (1 << 12) - 1;
        E->table = area((E->mask + 1) * sizeof *E->table);
        for (uint64_t i = 0; old != NULL && i <= old_mask; i++) {
            if (old[i][1] == 0)
                continue;
            uint64_t j = old[i][0] & E->mask;
            while (E->table[j][1] != 0)
                j = (j + 1) & E->mask;
            memcpy(E->table[j], old[i], sizeof *old);
        }
        if (old != NULL)
            munmap(old, (old_mask + 1) * sizeof *old);
    }
    uint64_t j = h[0] & E->mask;
    for (; E->table[j][1] != 0; j = (j + 1) & E->mask)
        if (E->table[j][0] == h[0] && E->table[j][1] == h[1])
            return false;
    memcpy(E->table[j], h, sizeof h);
    E->seen++;
    return true;
}

/* -------------------------------------------------------------------------- from inside threads */

int il_self(void)
{
    return E->self;
}

int il_mix(void)
{
    return E->mix;
}

void il_skip(void)
{
    E->skip = true;
}

static void to_explorer(void)
{
    rn__switch(&thread[E->self].ctx, &E->ctx, &E->nowhere, 0);
}

void il_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(E->why, sizeof E->why, fmt, ap);
    va_end(ap);
    if (E->ctx.sp == NULL) { /* in setup */
        printf("FAIL  %s: %s\n", E->c->name, E->why);
        exit(2);
    }
    E->failed = true;
    if (E->self >= 0)
        to_explorer();
    else
        rn__switch(&(rn__ctx){0}, &E->ctx, &E->nowhere, 0); /* out of final */
    __builtin_unreachable();
}

/* Memory that the code under test must not touch any more: freed blocks, and the parts of stacks that
 * calls have left. */
static void check_alive(const volatile void *addr)
{
    const char *p = (const char *)(uintptr_t)addr;
    if (p >= E->heap && p < E->heap + heap_used) {
        const char *b = E->heap;
        for (;;) {
            const struct block *h = (const struct block *)(const void *)b;
            const char *next = b + sizeof *h + h->size;
            if (p < next) {
                if (h->dead || p < b + sizeof *h)
                    il_fail("access to freed memory");
                return;
            }
            b = next;
        }
    }
    if (p >= E->stacks && p < E->stacks + (size_t)IL_THREADS * STACK) {
        int t = (int)((p - E->stacks) / STACK);
        const char *sp = t == E->self ? (const char *)__builtin_frame_address(0)
                                      : (const char *)thread[t].ctx.sp;
        if (thread[t].state == DONE || p < sp)
            il_fail("access to a place on thread %d's stack that it has left", t);
    }
}

bool il_relaxed_points(void)
{
    return E->c->fine;
}

void il_point(int op, const volatile void *addr, size_t size, const char *file, int line)
{
    (void)size;
    if (E->self < 0 || (addr != NULL && il_quiet(addr)))
        return;
    to_explorer();
    struct step *s = &E->path[E->path_len - 1]; /* the step that begins now */
    s->file = file;
    s->line = line;
    s->op = (uint8_t)op;
    if (addr != NULL)
        check_alive(addr);
}

static uint64_t read_word(const volatile void *addr, size_t size)
{
    uint64_t v = 0;
    memcpy(&v, (const void *)(uintptr_t)addr, size); /* little-endian; sizes up to 8 */
    return v;
}

uint64_t il_load(const volatile void *addr, size_t size)
{
    if (E->self < 0)
        return read_word(addr, size);
    struct thread *t = &thread[E->self];
    t->seen = addr;
    t->seen_size = size;
    for (int i = t->nbuffered - 1; i >= 0; i--)
        if (t->buffer[i].addr == addr)
            return t->buffer[i].value;
    return read_word(addr, size);
}

static void flush_one(struct thread *t)
{
    struct buffered *b = &t->buffer[0];
    memcpy((void *)(uintptr_t)b->addr, &b->value, b->size);
    t->nbuffered--;
    memmove(&t->buffer[0], &t->buffer[1], sizeof *b * t->nbuffered);
    memset(&t->buffer[t->nbuffered], 0, sizeof *b);
}

void il_drain(void)
{
    if (E->self >= 0)
        while (thread[E->self].nbuffered > 0)
            flush_one(&thread[E->self]);
}

void il_drain_all(void)
{
    for (int t = 0; t < nthreads; t++)
        while (thread[t].nbuffered > 0)
            flush_one(&thread[t]);
}

void il_store(volatile void *addr, size_t size, uint64_t value, int order)
{
    bool quiet = E->self < 0 || il_quiet(addr);
    if (quiet || !E->c->tso || order == 5 /* seq_cst */) {
        if (!quiet)
            il_drain();
        memcpy((void *)(uintptr_t)addr, &value, size);
        return;
    }
    struct thread *t = &thread[E->self];
    if (t->nbuffered == BUFFERED)
        flush_one(t);
    t->buffer[t->nbuffered++] = (struct buffered){addr, value, size};
}

void il_seen(const volatile void *addr, size_t size)
{
    if (E->self >= 0) {
        thread[E->self].seen = addr;
        thread[E->self].seen_size = size;
    }
}

void il_spin(void)
{
    struct thread *t = &thread[E->self];
    if (t->seen == NULL)
        return;
    t->spin_value = read_word(t->seen, t->seen_size);
    t->state = SPIN;
    to_explorer();
    t->state = RUN;
}

unsigned il_choose(unsigned n)
{
    if (n <= 1 || E->self < 0)
        return 0;
    struct thread *t = &thread[E->self];
    t->state = CHOICE;
    t->choice = n;
    to_explorer();
    t->state = RUN;
    return t->choice;
}

void il_park(volatile void *unlock, uint64_t value)
{
    struct thread *t = &thread[E->self];
    if (unlock != NULL)
        il_store(unlock, sizeof value, value, 3 /* release */);
    t->state = PARKED;
    to_explorer();
    t->state = RUN;
    t->woken = 0;
}

void il_wake(int t)
{
    if (thread[t].state != PARKED || thread[t].woken)
        il_fail("thread %d is woken without being parked", t);
    thread[t].woken = 1;
}

bool il_parked(int t)
{
    return thread[t].state == PARKED && !thread[t].woken;
}

bool il_done(int t)
{
    return thread[t].state == DONE;
}

void il_end(void)
{
    thread[E->self].state = DONE; /* what it has stored comes out in its own time */
    to_explorer();
    __builtin_unreachable();
}

static void entry(void)
{
    E->c->body(E->self);
    il_end();
}

/* ---------------------------------------------------------------------------------- the heap */

void *il_aligned_alloc(size_t align, size_t n)
{
    struct block *b = (struct block *)(void *)(E->heap + heap_used);
    size_t pad = -(heap_used + sizeof *b) & (align - 1);
    n = (n + pad + 15) & ~(size_t)15;
    if (heap_used + sizeof *b + n > HEAP)
        return NULL;
    *b = (struct block){n, 0};
    heap_used += sizeof *b + n;
    memset(b + 1, 0xA5, n);
    return (char *)(b + 1) + pad;
}

void *il_malloc(size_t n)
{
    return il_aligned_alloc(16, n);
}

void *il_calloc(size_t n, size_t size)
{
    void *p = il_malloc(n * size);
    return p != NULL ? memset(p, 0, n * size) : NULL;
}

void il_free(void *p)
{
    for (char *b = E->heap; p != NULL;
         b += sizeof(struct block) + ((struct block *)(void *)b)->size) {
        struct block *h = (struct block *)(void *)b;
        if (b >= E->heap + heap_used)
            il_fail("free of what was not allocated");
        if ((char *)p >= b + sizeof *h && (char *)p < b + sizeof *h + h->size) {
            if (h->dead)
                il_fail("freed twice");
            h->dead = 1;
            memset(h + 1, 0xDD, h->size);
            return;
        }
    }
}

/* --------------------------------------------------------------------------------- the search */

static bool enabled(const struct thread *t)
{
    switch (t->state) {
    case RUN: return true;
    case PARKED: return t->woken;
    case SPIN: return read_word(t->seen, t->seen_size) != t->spin_value;
    default: return false;
    }
}

/* Lists what can happen next in the present state. */
static void list_actions(struct frame *f)
{
    f->next = f->n = 0;
    for (int t = 0; t < nthreads; t++) {
        if (thread[t].state != CHOICE)
            continue;
        for (uint32_t i = 0; i < thread[t].choice && f->n < MAX_ACTIONS; i++, f->n++) {
            f->action[f->n].thread = (int8_t)t;
            f->action[f->n].choice = (uint16_t)i;
            f->action[f->n].flush = 0;
        }
        return; /* concerns nobody else: no need to mix it with the steps of others */
    }
    for (int t = 0; t < nthreads; t++) {
        for (uint8_t flush = 0; flush < 2; flush++) {
            if (flush ? thread[t].nbuffered == 0 : !enabled(&thread[t]))
                continue;
            f->action[f->n].thread = (int8_t)t;
            f->action[f->n].choice = 0;
            f->action[f->n++].flush = flush;
        }
    }
}

static void take(int t, bool flush, uint32_t choice)
{
    if (E->path_len == PATH)
        il_fail("more than %d steps on one path", PATH);
    E->path[E->path_len++] =
        (struct step){flush ? "store buffer" : "", 0, (int8_t)t, 0, (uint16_t)choice};
    if (flush) {
        flush_one(&thread[t]);
        return;
    }
    if (thread[t].state == CHOICE)
        thread[t].choice = choice;
    E->self = t;
    il_enter(t);
    rn__switch(&E->ctx, &thread[t].ctx, &E->nowhere, 0);
    E->self = -1;
    il_enter(-1);
}

static void final_entry(void)
{
    for (int t = 0; t < nthreads; t++)
        if (thread[t].state == SPIN)
            il_fail("thread %d waits for a lock that nobody will release", t);
    E->c->final();
    rn__switch(&(rn__ctx){0}, &E->ctx, &E->nowhere, 0);
}

/* Runs the check on a stack of its own, so that il_fail may leave it. */
static void check_end(void)
{
    static rn__ctx ctx;
    E->ends++;
    rn__ctx_init(&ctx, stack_hi(IL_THREADS), final_entry);
    rn__switch(&E->ctx, &ctx, &E->nowhere, 0);
}

static void report(void)
{
    static const char *const op[] = {"load", "store", "rmw", "fence", "ready", "park", ""};
    printf("FAIL  %-24s %s\n", E->c->name, E->why);
    if (E->c->mixes != 0)
        printf("    variant %d\n", E->mix);
    static const char *const state[] = {"runs", "waits for a lock", "parked", "chooses", "ended"};
    for (int t = 0; t < nthreads; t++)
        printf("    thread %d %s%s\n", t, state[thread[t].state], thread[t].woken ? ", woken" : "");
    for (uint32_t i = 0; i < E->path_len; i++) {
        const struct step *s = &E->path[i];
        const char *file = strrchr(s->file, '/');
        printf("    thread %d  %s:%d %s", s->thread, file != NULL ? file + 1 : s->file, s->line,
               op[s->op]);
        printf(s->choice != 0 ? "  chose %d\n" : "\n", s->choice);
    }
}

/* The code under test went astray: that is a verdict too. */
static void on_fault(int sig)
{
    snprintf(E->why, sizeof E->why, "thread %d crashed with signal %d", E->self, sig);
    report();
    fflush(stdout);
    _exit(1);
}

static void catch_faults(void)
{
    struct sigaction sa = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK | SA_RESETHAND};
    stack_t alt = {.ss_sp = area(64 << 10), .ss_size = 64 << 10};
    sigaltstack(&alt, NULL);
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    sigaction(SIGILL, &sa, NULL);
}

static void search(void)
{
    struct frame next;
    E->depth = E->path_len = 0;
    remember();
    list_actions(&next);
    for (;;) {
        /* here the state is the one that `next` was listed for, and it is new */
        if (next.n == 0) {
            check_end();
            if (E->failed)
                return;
        } else {
            if (next.n > 1) {
                struct frame *f = &E->frame[E->depth++];
                *f = next;
                f->saved = E->store_used;
                f->path = E->path_len;
                each_piece(save_piece, NULL);
                f->next = 1;
            }
            take(next.action[0].thread, next.action[0].flush, next.action[0].choice);
            if (E->failed)
                return;
            if (remember()) {
                list_actions(&next);
                continue;
            }
        }
        for (;;) {
            if (E->depth == 0)
                return;
            if (E->seen > MAX_STATES) {
                E->failed = true;
                snprintf(E->why, sizeof E->why, "not finished after %d states", MAX_STATES);
                E->path_len = 0;
                return;
            }
            struct frame *f = &E->frame[E->depth - 1];
            size_t at = f->saved;
            uint16_t i = f->next++;
            each_piece(restore_piece, &at); /* the data first: it says how long the rest is */
            E->path_len = f->path;
            next.action[0] = f->action[i];
            if (f->next == f->n) {
                E->store_used = f->saved;
                E->depth--;
            }
            take(next.action[0].thread, next.action[0].flush, next.action[0].choice);
            if (E->failed)
                return;
            if (remember()) {
                list_actions(&next);
                break;
            }
        }
    }
}

void il_exclude(void *p, size_t n)
{
    char *lo = p, *hi = lo + n;
    lo += -(uintptr_t)lo & 7; /* pieces are whole words */
    hi -= (uintptr_t)hi & 7;
    for (int i = 0; i < E->npieces; i++) {
        if (lo < E->piece[i].lo || hi > E->piece[i].hi)
            continue;
        if (E->npieces > EXCLUDED) {
            printf("too many exclusions\n");
            exit(2);
        }
        for (int k = E->npieces++; k > i; k--)
            E->piece[k] = E->piece[k - 1];
        E->piece[i].hi = lo;
        E->piece[i + 1].lo = hi;
        return;
    }
}

static void start_up(void)
{
    size_t data = (size_t)(_end - __data_start);
    struct explorer *e = area(sizeof *e);
    e->stacks = area((size_t)(IL_THREADS + 1) * STACK);
    e->heap = area(HEAP);
    e->store = area((size_t)8 << 30);
    e->frame = area(PATH * sizeof *e->frame);
    e->pristine = area(data);
    E = e;
    E->piece[0].lo = __data_start;
    E->piece[0].hi = _end;
    E->npieces = 1;
    il_begin();
    catch_faults();
    memcpy(E->pristine, __data_start, data);
}

/* One variant from the start. False if a violation was found. */
static bool explore_mix(int mix)
{
    memcpy(__data_start, E->pristine, (size_t)(_end - __data_start));
    if (E->table != NULL)
        memset(E->table, 0, (E->mask + 1) * sizeof *E->table);
    E->mix = mix;
    E->self = -1;
    E->failed = E->skip = false;
    E->ctx.sp = NULL;
    E->seen = E->ends = E->store_used = 0;
    E->path_len = 0;
    nthreads = E->c->threads;
    E->c->setup();
    if (E->skip)
        return true;
    for (int t = 0; t < nthreads && !E->failed; t++) {
        rn__ctx_init(&thread[t].ctx, stack_hi(t), entry);
        take(t, false, 0);
    }
    if (!E->failed)
        search();
    E->all_seen += E->seen;
    E->all_ends += E->ends;
    return !E->failed;
}

bool il_explore(const il_case *c)
{
    if (E == NULL)
        start_up();
    if (E->table != NULL)
        munmap(E->table, (E->mask + 1) * sizeof *E->table);
    E->table = NULL;
    E->c = c;
    E->all_seen = E->all_ends = 0;
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    int mixes = c->mixes != 0 ? c->mixes : 1;
    for (int i = 0; i < mixes; i++) {
        if (!explore_mix(i)) {
            report();
            return false;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &t1);
    printf("ok    %-24s %9llu states, %llu ends, %.1f s\n", c->name,
           (unsigned long long)E->all_seen, (unsigned long long)E->all_ends,
           (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) * 1e-9);
    fflush(stdout);
    return true;
}
