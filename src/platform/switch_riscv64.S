/*
 * switch_riscv64.S - the context switch for 64-bit RISC-V, with or without double floats in registers.
 *
 * Invariants
 *  - Only callee-saved registers are kept: ra, s0-s11 and, where the ABI has them, fs0-fs11. fcsr
 *    belongs to the thread.
 *  - The switch ends in a jump through t2: not a return, which after a change of stacks would always
 *    mispredict, and the register whose jumps need no landing pad (Zicfilp).
 *  - The unlock store is a fence and a store, after the new stack pointer is loaded.
 *  - The frame at the saved stack pointer is, from low to high: ra s0 ... s11 fs0 ... fs11, padded to
 *    a multiple of 16.
 */
#if defined(__riscv_float_abi_double)
#define HAS_FP 1
#define FRAME 208
#elif defined(__riscv_float_abi_soft)
#define HAS_FP 0
#define FRAME 112
#else
#error "only the ABIs lp64d and lp64"
#endif

/* X(register, offset) for each saved register. */
.macro each_saved op
    \op ra, 0
    \op s0, 8
    \op s1, 16
    \op s2, 24
    \op s3, 32
    \op s4, 40
    \op s5, 48
    \op s6, 56
    \op s7, 64
    \op s8, 72
    \op s9, 80
    \op s10, 88
    \op s11, 96
.endm
.macro each_saved_fp op
#if HAS_FP
    \op fs0, 104
    \op fs1, 112
    \op fs2, 120
    \op fs3, 128
    \op fs4, 136
    \op fs5, 144
    \op fs6, 152
    \op fs7, 160
    \op fs8, 168
    \op fs9, 176
    \op fs10, 184
    \op fs11, 192
#endif
.endm

.macro save reg, at
    sd      \reg, \at(sp)
    .cfi_rel_offset \reg, \at
.endm
.macro save_fp reg, at
    fsd     \reg, \at(sp)
    .cfi_rel_offset \reg, \at
.endm
.macro load reg, at
    ld      \reg, \at(sp)
.endm
.macro load_fp reg, at
    fld     \reg, \at(sp)
.endm
.macro forget reg, at
    .cfi_restore \reg
.endm
.macro zero reg, at
    sd      zero, \at(a1)
.endm
.macro saved_there reg, at
    .cfi_offset \reg, \at - FRAME
.endm

.macro save_frame
    addi    sp, sp, -FRAME
    .cfi_adjust_cfa_offset FRAME
    each_saved save
    each_saved_fp save_fp
.endm

/* Loads the frame and goes on where it was saved. The unwind rules stay those of the frame until it
 * is taken off. */
.macro resume_frame
    each_saved load
    each_saved_fp load_fp
    mv      t2, ra
    addi    sp, sp, FRAME
    .cfi_adjust_cfa_offset -FRAME
    each_saved forget
    each_saved_fp forget
    jr      t2
.endm

.macro function name
    .globl  \name
    .hidden \name
    .type   \name, @function
    .p2align 4
\name:
    .cfi_startproc
.endm

.macro end name
    .cfi_endproc
    .size   \name, . - \name
.endm

    .text

/* bool rn__switch(rn__ctx *from, rn__ctx *to, _Atomic uint64_t *unlock, uint64_t value) */
function rn__switch
    save_frame
    sd      sp, 0(a0)
    ld      sp, 0(a1)
    fence   rw, w
    sd      a3, 0(a2)
    ld      a0, 8(a1)
    resume_frame
end rn__switch

/* bool rn__switch_call(rn__ctx *from, rn__ctx *to, void (*commit)(void *), void *arg)
 * s1 carries `to` over the call; it is restored after it. */
function rn__switch_call
    save_frame
    sd      sp, 0(a0)
    ld      sp, 0(a1)
    mv      s1, a1
    mv      a0, a3
    mv      t2, a2
    jalr    t2
    ld      a0, 8(s1)
    resume_frame
end rn__switch_call

/* The base of every goroutine stack: unwinders stop here. s1 holds entry. */
    .type   rn__ctx_base, @function
    .p2align 4
rn__ctx_base:
    .cfi_startproc
    .cfi_undefined ra
    mv      t2, s1
    jalr    t2
    unimp
end rn__ctx_base

/* void rn__ctx_init(rn__ctx *ctx, void *top, void (*entry)(void)) */
function rn__ctx_init
    addi    a1, a1, -FRAME
    each_saved zero
    each_saved_fp zero
    lla     t0, rn__ctx_base
    sd      t0, 0(a1)               /* ra */
    sd      a2, 16(a1)              /* s1 = entry */
    sd      a1, 0(a0)
    ret
end rn__ctx_init

/* void rn__ctx_restart(void *top, void (*entry)(void)) */
function rn__ctx_restart
    .cfi_undefined ra
    mv      sp, a0
    mv      s0, zero
    mv      t2, a1
    jalr    t2
    unimp
end rn__ctx_restart

/* void rn__call_on(void *top, void (*fn)(void *), void *arg) */
function rn__call_on
    addi    sp, sp, -16
    .cfi_def_cfa_offset 16
    sd      s0, 0(sp)
    .cfi_offset s0, -16
    sd      ra, 8(sp)
    .cfi_offset ra, -8
    mv      s0, sp
    .cfi_def_cfa_register s0
    mv      sp, a0
    mv      a0, a2
    mv      t2, a1
    jalr    t2
    mv      sp, s0
    .cfi_def_cfa_register sp
    ld      s0, 0(sp)
    .cfi_restore s0
    ld      ra, 8(sp)
    .cfi_restore ra
    addi    sp, sp, 16
    .cfi_def_cfa_offset 0
    ret
end rn__call_on

/*
 * void rn__call_unwinding(const rn__ctx *ctx, void (*fn)(void *), void *arg)
 * While fn runs, the unwind rules of this frame name the registers saved at ctx->sp (kept in s1), so
 * that an unwinder started in fn goes on in the frames of that context.
 */
function rn__call_unwinding
    addi    sp, sp, -16
    .cfi_def_cfa_offset 16
    sd      s1, 0(sp)
    .cfi_offset s1, -16
    sd      ra, 8(sp)
    .cfi_offset ra, -8
    ld      s1, 0(a0)
    .cfi_remember_state
    .cfi_def_cfa s1, FRAME
    each_saved saved_there
    each_saved_fp saved_there
    mv      a0, a2
    mv      t2, a1
    jalr    t2
    .cfi_restore_state
    ld      s1, 0(sp)
    .cfi_restore s1
    ld      ra, 8(sp)
    .cfi_restore ra
    addi    sp, sp, 16
    .cfi_def_cfa_offset 0
    ret
end rn__call_unwinding

    .section .note.GNU-stack,"",@progbits
