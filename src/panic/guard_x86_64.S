/*
 * guard_x86_64.S - where a panic may come back to, and how deferred functions are called.
 *
 * Invariants
 *  - regs holds, in this order: rbx rbp r12 r13 r14 r15, the caller's rsp after the return, rip.
 *    Eight words: RN_GUARD_WORDS of runnel/panic.h.
 *  - While panicking, deferred functions are called from rn__call_deferred only, so that a function
 *    whose return address is rn__deferred_return was deferred, and not called by one that was.
 */
    .text

/* int rn_guard_save_regs(void **regs): 0 now, 1 after rn__guard_jump */
    .globl  rn_guard_save_regs
    .type   rn_guard_save_regs, @function
    .p2align 4
rn_guard_save_regs:
    .cfi_startproc
    endbr64
    movq    %rbx, (%rdi)
    movq    %rbp, 8(%rdi)
    movq    %r12, 16(%rdi)
    movq    %r13, 24(%rdi)
    movq    %r14, 32(%rdi)
    movq    %r15, 40(%rdi)
    leaq    8(%rsp), %rax
    movq    %rax, 48(%rdi)
    movq    (%rsp), %rax
    movq    %rax, 56(%rdi)
    xorl    %eax, %eax
    retq
    .cfi_endproc
    .size   rn_guard_save_regs, . - rn_guard_save_regs

/* noreturn void rn__guard_jump(void **regs) */
    .globl  rn__guard_jump
    .hidden rn__guard_jump
    .type   rn__guard_jump, @function
    .p2align 4
rn__guard_jump:
    .cfi_startproc
    endbr64
    movq    (%rdi), %rbx
    movq    8(%rdi), %rbp
    movq    16(%rdi), %r12
    movq    24(%rdi), %r13
    movq    32(%rdi), %r14
    movq    40(%rdi), %r15
    movq    48(%rdi), %rsp
    movl    $1, %eax
    notrack jmp *56(%rdi)
    .cfi_endproc
    .size   rn__guard_jump, . - rn__guard_jump

/* void rn__call_deferred(void (*fn)(void *), void *arg) */
    .globl  rn__call_deferred
    .hidden rn__call_deferred
    .type   rn__call_deferred, @function
    .globl  rn__deferred_return
    .hidden rn__deferred_return
    .p2align 4
rn__call_deferred:
    .cfi_startproc
    endbr64
    subq    $8, %rsp
    .cfi_adjust_cfa_offset 8
    movq    %rdi, %rax
    movq    %rsi, %rdi
    callq   *%rax
rn__deferred_return:
    addq    $8, %rsp
    .cfi_adjust_cfa_offset -8
    retq
    .cfi_endproc
    .size   rn__call_deferred, . - rn__call_deferred

    .section .note.GNU-stack,"",@progbits
