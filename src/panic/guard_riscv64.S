/*
 * guard_riscv64.S - where a panic may come back to, and how deferred functions are called.
 *
 * Invariants
 *  - regs holds, in this order: s0 to s11, ra, sp, fs0 to fs11 (with hardware doubles). 26 words:
 *    RN_GUARD_WORDS of runnel/panic.h.
 *  - While panicking, deferred functions are called from rn__call_deferred only, so that a function
 *    whose return address is rn__deferred_return was deferred, and not called by one that was.
 */
    .text

    .macro  each_register op, fop, base
    \op     s0, 0(\base)
    \op     s1, 8(\base)
    \op     s2, 16(\base)
    \op     s3, 24(\base)
    \op     s4, 32(\base)
    \op     s5, 40(\base)
    \op     s6, 48(\base)
    \op     s7, 56(\base)
    \op     s8, 64(\base)
    \op     s9, 72(\base)
    \op     s10, 80(\base)
    \op     s11, 88(\base)
    \op     ra, 96(\base)
    \op     sp, 104(\base)
#ifdef __riscv_float_abi_double
    \fop    fs0, 112(\base)
    \fop    fs1, 120(\base)
    \fop    fs2, 128(\base)
    \fop    fs3, 136(\base)
    \fop    fs4, 144(\base)
    \fop    fs5, 152(\base)
    \fop    fs6, 160(\base)
    \fop    fs7, 168(\base)
    \fop    fs8, 176(\base)
    \fop    fs9, 184(\base)
    \fop    fs10, 192(\base)
    \fop    fs11, 200(\base)
#endif
    .endm

/* int rn_guard_save_regs(void **regs): 0 now, 1 after rn__guard_jump */
    .globl  rn_guard_save_regs
    .type   rn_guard_save_regs, @function
    .p2align 2
rn_guard_save_regs:
    .cfi_startproc
    each_register sd, fsd, a0
    li      a0, 0
    ret
    .cfi_endproc
    .size   rn_guard_save_regs, . - rn_guard_save_regs

/* noreturn void rn__guard_jump(void **regs) */
    .globl  rn__guard_jump
    .hidden rn__guard_jump
    .type   rn__guard_jump, @function
    .p2align 2
rn__guard_jump:
    .cfi_startproc
    each_register ld, fld, a0
    li      a0, 1
    ret
    .cfi_endproc
    .size   rn__guard_jump, . - rn__guard_jump

/* void rn__call_deferred(void (*fn)(void *), void *arg) */
    .globl  rn__call_deferred
    .hidden rn__call_deferred
    .type   rn__call_deferred, @function
    .globl  rn__deferred_return
    .hidden rn__deferred_return
    .p2align 2
rn__call_deferred:
    .cfi_startproc
    addi    sp, sp, -16
    .cfi_def_cfa_offset 16
    sd      ra, 8(sp)
    .cfi_offset ra, -8
    mv      t0, a0
    mv      a0, a1
    jalr    t0
rn__deferred_return:
    ld      ra, 8(sp)
    .cfi_restore ra
    addi    sp, sp, 16
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size   rn__call_deferred, . - rn__call_deferred

    .section .note.GNU-stack,"",@progbits
