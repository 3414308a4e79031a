/*
 * guard_aarch64.S - where a panic may come back to, and how deferred functions are called.
 *
 * Invariants
 *  - regs holds, in this order: x19 to x30, sp, an unused word, d8 to d15. 22 words:
 *    RN_GUARD_WORDS of runnel/panic.h.
 *  - While panicking, deferred functions are called from rn__call_deferred only, so that a function
 *    whose return address is rn__deferred_return was deferred, and not called by one that was.
 */
    .text

/* int rn_guard_save_regs(void **regs): 0 now, 1 after rn__guard_jump */
    .globl  rn_guard_save_regs
    .type   rn_guard_save_regs, %function
    .p2align 4
rn_guard_save_regs:
    .cfi_startproc
    hint    #34                         /* bti c */
    stp     x19, x20, [x0]
    stp     x21, x22, [x0, #16]
    stp     x23, x24, [x0, #32]
    stp     x25, x26, [x0, #48]
    stp     x27, x28, [x0, #64]
    stp     x29, x30, [x0, #80]
    mov     x1, sp
    str     x1, [x0, #96]
    stp     d8, d9, [x0, #112]
    stp     d10, d11, [x0, #128]
    stp     d12, d13, [x0, #144]
    stp     d14, d15, [x0, #160]
    mov     w0, #0
    ret
    .cfi_endproc
    .size   rn_guard_save_regs, . - rn_guard_save_regs

/* noreturn void rn__guard_jump(void **regs) */
    .globl  rn__guard_jump
    .hidden rn__guard_jump
    .type   rn__guard_jump, %function
    .p2align 4
rn__guard_jump:
    .cfi_startproc
    hint    #34
    ldp     x19, x20, [x0]
    ldp     x21, x22, [x0, #16]
    ldp     x23, x24, [x0, #32]
    ldp     x25, x26, [x0, #48]
    ldp     x27, x28, [x0, #64]
    ldp     x29, x30, [x0, #80]
    ldr     x1, [x0, #96]
    ldp     d8, d9, [x0, #112]
    ldp     d10, d11, [x0, #128]
    ldp     d12, d13, [x0, #144]
    ldp     d14, d15, [x0, #160]
    mov     sp, x1
    mov     w0, #1
    ret
    .cfi_endproc
    .size   rn__guard_jump, . - rn__guard_jump

/* void rn__call_deferred(void (*fn)(void *), void *arg) */
    .globl  rn__call_deferred
    .hidden rn__call_deferred
    .type   rn__call_deferred, %function
    .globl  rn__deferred_return
    .hidden rn__deferred_return
    .p2align 4
rn__call_deferred:
    .cfi_startproc
    hint    #34
    stp     x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov     x29, sp
    mov     x2, x0
    mov     x0, x1
    blr     x2
rn__deferred_return:
    ldp     x29, x30, [sp], #16
    .cfi_restore x30
    .cfi_restore x29
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size   rn__call_deferred, . - rn__call_deferred

    .section .note.GNU-stack,"",%progbits
