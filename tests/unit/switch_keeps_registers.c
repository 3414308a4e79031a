/*
 * A context switch gives back every callee-saved register, integer and floating point, as it was;
 * stores the unlock word and returns ctx.ret; and the other ways of entering a stack do what they say.
 * Bare switches, of which AddressSanitizer is not told.
 *
 * runnel-test: not=address
 */
#include "unit.h"

/*
 * int switch_with(rn__ctx *from, rn__ctx *to, _Atomic uint64_t *unlock, uint64_t value,
 *                 const uint64_t *in, uint64_t *out)
 * Fills the callee-saved registers from `in`, switches, and on being resumed stores them to `out`.
 */
int switch_with(rn__ctx *from, rn__ctx *to, _Atomic(uint64_t) *unlock, uint64_t value,
                const uint64_t *in, uint64_t *out);

#if defined(__x86_64__)
enum { REGS = 6 };
__asm__(".text\n.globl switch_with\n.hidden switch_with\n"
        ".type switch_with, @function\nswitch_with:\n"
        "endbr64\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "push %r9\n"
        "mov (%r8), %rbp\nmov 8(%r8), %rbx\nmov 16(%r8), %r12\n"
        "mov 24(%r8), %r13\nmov 32(%r8), %r14\nmov 40(%r8), %r15\n"
        "call rn__switch\n"
        "pop %r9\n"
        "mov %rbp, (%r9)\nmov %rbx, 8(%r9)\nmov %r12, 16(%r9)\n"
        "mov %r13, 24(%r9)\nmov %r14, 32(%r9)\nmov %r15, 40(%r9)\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\n"
        "movzbl %al, %eax\n"
        "ret\n.size switch_with, . - switch_with\n");
#elif defined(__aarch64__)
enum { REGS = 19 }; /* x19-x29, d8-d15 */
__asm__(".text\n.globl switch_with\n.hidden switch_with\n"
        ".type switch_with, %function\nswitch_with:\n"
        "hint #34\n"
        "stp x29, x30, [sp, #-176]!\nstp x19, x20, [sp, #16]\nstp x21, x22, [sp, #32]\n"
        "stp x23, x24, [sp, #48]\nstp x25, x26, [sp, #64]\nstp x27, x28, [sp, #80]\n"
        "stp d8, d9, [sp, #96]\nstp d10, d11, [sp, #112]\nstp d12, d13, [sp, #128]\n"
        "stp d14, d15, [sp, #144]\nstr x5, [sp, #160]\n"
        "ldp x19, x20, [x4]\nldp x21, x22, [x4, #16]\nldp x23, x24, [x4, #32]\n"
        "ldp x25, x26, [x4, #48]\nldp x27, x28, [x4, #64]\nldr x29, [x4, #80]\n"
        "ldp d8, d9, [x4, #88]\nldp d10, d11, [x4, #104]\nldp d12, d13, [x4, #120]\n"
        "ldp d14, d15, [x4, #136]\n"
        "bl rn__switch\n"
        "ldr x5, [sp, #160]\n"
        "stp x19, x20, [x5]\nstp x21, x22, [x5, #16]\nstp x23, x24, [x5, #32]\n"
        "stp x25, x26, [x5, #48]\nstp x27, x28, [x5, #64]\nstr x29, [x5, #80]\n"
        "stp d8, d9, [x5, #88]\nstp d10, d11, [x5, #104]\nstp d12, d13, [x5, #120]\n"
        "stp d14, d15, [x5, #136]\n"
        "ldp x19, x20, [sp, #16]\nldp x21, x22, [sp, #32]\n"
        "ldp x23, x24, [sp, #48]\nldp x25, x26, [sp, #64]\nldp x27, x28, [sp, #80]\n"
        "ldp d8, d9, [sp, #96]\nldp d10, d11, [sp, #112]\nldp d12, d13, [sp, #128]\n"
        "ldp d14, d15, [sp, #144]\nldp x29, x30, [sp], #176\n"
        "and w0, w0, #255\n"
        "ret\n.size switch_with, . - switch_with\n");
#elif defined(__riscv)
enum { REGS = 24 }; /* s0-s11, fs0-fs11 */
#define EACH(op, base)                                                                             \
    op " s0, 0(" base ")\n" op " s1, 8(" base ")\n" op " s2, 16(" base ")\n" op " s3, 24(" base    \
       ")\n" op " s4, 32(" base ")\n" op " s5, 40(" base ")\n" op " s6, 48(" base ")\n" op         \
       " s7, 56(" base ")\n" op " s8, 64(" base ")\n" op " s9, 72(" base ")\n" op " s10, 80(" base \
       ")\n" op " s11, 88(" base ")\nf" op " fs0, 96(" base ")\nf" op " fs1, 104(" base ")\nf" op  \
       " fs2, 112(" base ")\nf" op " fs3, 120(" base ")\nf" op " fs4, 128(" base ")\nf" op         \
       " fs5, 136(" base ")\nf" op " fs6, 144(" base ")\nf" op " fs7, 152(" base ")\nf" op         \
       " fs8, 160(" base ")\nf" op " fs9, 168(" base ")\nf" op " fs10, 176(" base ")\nf" op        \
       " fs11, 184(" base ")\n"
__asm__(".text\n.globl switch_with\n.hidden switch_with\n"
        ".type switch_with, @function\nswitch_with:\n"
        "addi sp, sp, -208\n" EACH("sd", "sp") "sd ra, 192(sp)\nsd a5, 200(sp)\n" EACH(
            "ld", "a4") "call rn__switch\n"
                        "ld a5, 200(sp)\n" EACH("sd", "a5")
                            EACH("ld", "sp") "ld ra, 192(sp)\naddi sp, sp, 208\n"
                                             "andi a0, a0, 255\n"
                                             "ret\n.size switch_with, . - switch_with\n");
#endif

enum { ROUNDS = 1000, STACK = 256 << 10 };

static rn__ctx here, there;
static _Atomic(uint64_t) word;
static char *stack;
static char *stack_top;

static bool on_stack(const void *p)
{
    return (const char *)p >= stack && (const char *)p < stack_top;
}

static void fill(uint64_t *regs, uint64_t seed)
{
    /* Ordinary doubles too, whatever the bits: no arithmetic is done on them. */
    for (int i = 0; i < REGS; i++)
        regs[i] = seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)i * UINT64_C(0x0101010101010101);
}

static uint64_t echoes;

static void echo(void)
{
    uint64_t in[REGS], out[REGS], probe = 0;
    CHECK(on_stack(&probe));
    CHECK_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
    for (;;) {
        fill(in, ~echoes);
        memset(out, 0, sizeof out);
        here.ret = (int64_t)(echoes % 2);
        echoes++;
        int ret = switch_with(&there, &here, &word, echoes * 3, in, out);
        CHECK_EQ(ret, 1);
        CHECK(memcmp(in, out, sizeof in) == 0);
    }
}

static bool commit_saw_stack;
static int commits;

static void commit(void *arg)
{
    char probe = 0;
    CHECK(arg == &commits);
    commit_saw_stack = on_stack(&probe);
    CHECK(there.sp != NULL && here.sp != NULL);
    commits++;
}

static rn__ctx bouncer;
static void bounce(void)
{
    for (;;) {
        CHECK(commit_saw_stack); /* whoever switched to us ran it on our stack */
        here.ret = 1;
        CHECK(!rn__switch_call(&bouncer, &here, commit, &commits));
    }
}

static void say_stack(void *arg)
{
    char probe = 0;
    *(bool *)arg = on_stack(&probe);
}

/* Restarting: the second entry finds the stack empty again. */
static uintptr_t first_sp, second_sp;
static void second_entry(void)
{
    second_sp = (uintptr_t)__builtin_frame_address(0);
    here.ret = 0;
    rn__ctx gone;
    rn__switch(&gone, &here, &word, 0);
}
static void first_entry(void)
{
    char deep[1000];
    memset(deep, 1, sizeof deep);
    __asm__ volatile("" ::"r"(deep) : "memory");
    first_sp = (uintptr_t)__builtin_frame_address(0);
    rn__ctx_restart(stack_top, second_entry);
}

int main(void)
{
    stack = rn__reserve(STACK, 1);
    CHECK(stack != NULL);
    stack_top = stack + STACK;

    uint64_t in[REGS], out[REGS];
    rn__ctx_init(&there, stack_top, echo);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        fill(in, i);
        memset(out, 0, sizeof out);
        there.ret = 1;
        int ret = switch_with(&here, &there, &word, 77, in, out);
        CHECK_EQ(ret, i % 2);
        CHECK_EQ(echoes, i + 1);
        CHECK_EQ(atomic_load(&word), (i + 1) * 3);
        CHECK(memcmp(in, out, sizeof in) == 0);
    }

    rn__ctx_init(&bouncer, stack_top, bounce);
    for (int i = 0; i < ROUNDS; i++) {
        bouncer.ret = 0;
        commit_saw_stack = false;
        CHECK(rn__switch_call(&here, &bouncer, commit, &commits));
        CHECK_EQ(commits, 2 * i + 2);
        CHECK(!commit_saw_stack); /* the last commit was the bouncer's, on the stack of main */
    }

    bool on = false;
    rn__call_on(stack_top, say_stack, &on);
    CHECK(on);

    rn__ctx_init(&there, stack_top, first_entry);
    rn__switch(&here, &there, &word, 0);
    CHECK(second_sp != 0 && second_sp >= first_sp && second_sp + 256 > (uintptr_t)stack_top);
    return 0;
}
