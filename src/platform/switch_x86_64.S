/*
 * switch_x86_64.S - the context switch for x86-64, System V ABI.
 *
 * Invariants
 *  - Only callee-saved registers are kept; MXCSR and the x87 control word are not (they belong to
 *    the thread, see the manual).
 *  - The switch ends in an indirect jump: a `ret` after a change of stacks always mispredicts.
 *  - The unlock store comes after the new stack pointer is loaded. A plain store is a release here.
 *  - No note claims support of CET, so the linker leaves shadow stacks off for the whole program:
 *    leaving by a jump would unbalance them. The landing pads are for indirect-branch tracking.
 *  - The frame at the saved stack pointer is, from low to high: r15 r14 r13 r12 rbx rbp rip.
 */
    .text

/* bool rn__switch(rn__ctx *from, rn__ctx *to, _Atomic uint64_t *unlock, uint64_t value) */
    .globl  rn__switch
    .hidden rn__switch
    .type   rn__switch, @function
    .p2align 5
rn__switch:
    .cfi_startproc
    endbr64
    pushq   %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq   %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq   %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq   %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq   %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq   %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    movq    %rsp, (%rdi)
    movq    (%rsi), %rsp
    movq    %rcx, (%rdx)
    movq    8(%rsi), %rax
    popq    %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    popq    %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    popq    %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    popq    %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    popq    %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq    %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    popq    %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    notrack jmp *%rcx
    .cfi_endproc
    .size   rn__switch, . - rn__switch

/* bool rn__switch_call(rn__ctx *from, rn__ctx *to, void (*commit)(void *), void *arg)
 * The saved frame is that of rn__switch. r12 carries `to` over the call; it is restored after it. */
    .globl  rn__switch_call
    .hidden rn__switch_call
    .type   rn__switch_call, @function
    .p2align 5
rn__switch_call:
    .cfi_startproc
    endbr64
    pushq   %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq   %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq   %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq   %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq   %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq   %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    movq    %rsp, (%rdi)
    movq    (%rsi), %rsp
    movq    %rsi, %r12
    movq    %rcx, %rdi
    subq    $8, %rsp                /* the frame is 7 words: align for the call */
    .cfi_adjust_cfa_offset 8
    callq   *%rdx
    addq    $8, %rsp
    .cfi_adjust_cfa_offset -8
    movq    8(%r12), %rax
    popq    %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    popq    %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    popq    %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    popq    %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    popq    %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq    %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    popq    %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    notrack jmp *%rcx
    .cfi_endproc
    .size   rn__switch_call, . - rn__switch_call

/* The base of every goroutine stack: unwinders stop here. rbx holds entry. */
    .type   rn__ctx_base, @function
    .p2align 4
rn__ctx_base:
    .cfi_startproc
    .cfi_undefined %rip
    endbr64
    xorl    %ebp, %ebp
    callq   *%rbx
    ud2
    .cfi_endproc
    .size   rn__ctx_base, . - rn__ctx_base

/* void rn__ctx_init(rn__ctx *ctx, void *top, void (*entry)(void)) */
    .globl  rn__ctx_init
    .hidden rn__ctx_init
    .type   rn__ctx_init, @function
    .p2align 4
rn__ctx_init:
    .cfi_startproc
    endbr64
    leaq    rn__ctx_base(%rip), %rax
    movq    %rax, -8(%rsi)
    movq    $0, -16(%rsi)           /* rbp */
    movq    %rdx, -24(%rsi)         /* rbx = entry */
    movq    $0, -32(%rsi)
    movq    $0, -40(%rsi)
    movq    $0, -48(%rsi)
    movq    $0, -56(%rsi)
    leaq    -56(%rsi), %rsi
    movq    %rsi, (%rdi)
    retq
    .cfi_endproc
    .size   rn__ctx_init, . - rn__ctx_init

/* void rn__ctx_restart(void *top, void (*entry)(void)) */
    .globl  rn__ctx_restart
    .hidden rn__ctx_restart
    .type   rn__ctx_restart, @function
    .p2align 4
rn__ctx_restart:
    .cfi_startproc
    .cfi_undefined %rip
    endbr64
    movq    %rdi, %rsp
    xorl    %ebp, %ebp
    callq   *%rsi
    ud2
    .cfi_endproc
    .size   rn__ctx_restart, . - rn__ctx_restart

/* void rn__call_on(void *top, void (*fn)(void *), void *arg) */
    .globl  rn__call_on
    .hidden rn__call_on
    .type   rn__call_on, @function
    .p2align 4
rn__call_on:
    .cfi_startproc
    endbr64
    pushq   %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq    %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq    %rdi, %rsp
    movq    %rdx, %rdi
    callq   *%rsi
    movq    %rbp, %rsp
    popq    %rbp
    .cfi_def_cfa %rsp, 8
    retq
    .cfi_endproc
    .size   rn__call_on, . - rn__call_on

/*
 * void rn__call_unwinding(const rn__ctx *ctx, void (*fn)(void *), void *arg)
 * While fn runs, the unwind rules of this frame name the registers saved at ctx->sp (kept in rbx), so
 * that an unwinder started in fn goes on in the frames of that context.
 */
    .globl  rn__call_unwinding
    .hidden rn__call_unwinding
    .type   rn__call_unwinding, @function
    .p2align 4
rn__call_unwinding:
    .cfi_startproc
    endbr64
    pushq   %rbx
    .cfi_def_cfa_offset 16
    .cfi_offset %rbx, -16
    movq    (%rdi), %rbx
    .cfi_remember_state
    .cfi_def_cfa %rbx, 56
    .cfi_offset %r15, -56
    .cfi_offset %r14, -48
    .cfi_offset %r13, -40
    .cfi_offset %r12, -32
    .cfi_offset %rbx, -24
    .cfi_offset %rbp, -16
    .cfi_offset %rip, -8
    movq    %rdx, %rdi
    callq   *%rsi
    .cfi_restore_state
    popq    %rbx
    .cfi_def_cfa_offset 8
    .cfi_restore %rbx
    retq
    .cfi_endproc
    .size   rn__call_unwinding, . - rn__call_unwinding

    .section .note.GNU-stack,"",@progbits
