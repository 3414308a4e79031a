/*
 * switch_aarch64.S - the context switch for 64-bit ARM, AAPCS64.
 *
 * Invariants
 *  - Only callee-saved registers are kept: x19-x30 and the low halves of v8-v15. FPCR and FPSR belong
 *    to the thread, x18 to the platform.
 *  - The switch ends in an indirect branch that is not a return, which after a change of stacks
 *    would always mispredict. With branch target identification such a branch must meet a landing
 *    pad, and a call's return address is none, so there it is a return.
 *  - The unlock store is a store-release after the new stack pointer is loaded.
 *  - The frame at the saved stack pointer is, from low to high: x29 x30 x19 ... x28 d8 ... d15.
 */
#if defined(__ARM_FEATURE_BTI_DEFAULT)
#define RESUME ret
#else
#define RESUME br x30
#endif
#define LANDING_CALL hint #34 /* bti c: nothing on older CPUs */
#define LANDING_JUMP hint #36 /* bti j */

#define FRAME 160

.macro save_frame
    stp     x29, x30, [sp, #-FRAME]!
    .cfi_adjust_cfa_offset FRAME
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    stp     x19, x20, [sp, #16]
    .cfi_rel_offset x19, 16
    .cfi_rel_offset x20, 24
    stp     x21, x22, [sp, #32]
    .cfi_rel_offset x21, 32
    .cfi_rel_offset x22, 40
    stp     x23, x24, [sp, #48]
    .cfi_rel_offset x23, 48
    .cfi_rel_offset x24, 56
    stp     x25, x26, [sp, #64]
    .cfi_rel_offset x25, 64
    .cfi_rel_offset x26, 72
    stp     x27, x28, [sp, #80]
    .cfi_rel_offset x27, 80
    .cfi_rel_offset x28, 88
    stp     d8, d9, [sp, #96]
    .cfi_rel_offset b8, 96
    .cfi_rel_offset b9, 104
    stp     d10, d11, [sp, #112]
    .cfi_rel_offset b10, 112
    .cfi_rel_offset b11, 120
    stp     d12, d13, [sp, #128]
    .cfi_rel_offset b12, 128
    .cfi_rel_offset b13, 136
    stp     d14, d15, [sp, #144]
    .cfi_rel_offset b14, 144
    .cfi_rel_offset b15, 152
.endm

/* Loads the frame and goes on where it was saved. The unwind rules stay those of the frame until the
 * last load, which takes it off. */
.macro resume_frame
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     d8, d9, [sp, #96]
    ldp     d10, d11, [sp, #112]
    ldp     d12, d13, [sp, #128]
    ldp     d14, d15, [sp, #144]
    ldp     x29, x30, [sp], #FRAME
    .cfi_adjust_cfa_offset -FRAME
    .cfi_restore x29
    .cfi_restore x30
    .cfi_restore x19
    .cfi_restore x20
    .cfi_restore x21
    .cfi_restore x22
    .cfi_restore x23
    .cfi_restore x24
    .cfi_restore x25
    .cfi_restore x26
    .cfi_restore x27
    .cfi_restore x28
    .cfi_restore b8
    .cfi_restore b9
    .cfi_restore b10
    .cfi_restore b11
    .cfi_restore b12
    .cfi_restore b13
    .cfi_restore b14
    .cfi_restore b15
    RESUME
.endm

.macro function name
    .globl  \name
    .hidden \name
    .type   \name, %function
    .p2align 4
\name:
    .cfi_startproc
    LANDING_CALL
.endm

.macro end name
    .cfi_endproc
    .size   \name, . - \name
.endm

    .text

/* bool rn__switch(rn__ctx *from, rn__ctx *to, _Atomic uint64_t *unlock, uint64_t value) */
function rn__switch
    save_frame
    mov     x9, sp
    str     x9, [x0]
    ldr     x9, [x1]
    mov     sp, x9
    stlr    x3, [x2]
    ldr     x0, [x1, #8]
    resume_frame
end rn__switch

/* bool rn__switch_call(rn__ctx *from, rn__ctx *to, void (*commit)(void *), void *arg)
 * x19 carries `to` over the call; it is restored after it. */
function rn__switch_call
    save_frame
    mov     x9, sp
    str     x9, [x0]
    ldr     x9, [x1]
    mov     sp, x9
    mov     x19, x1
    mov     x0, x3
    blr     x2
    ldr     x0, [x19, #8]
    resume_frame
end rn__switch_call

/* The base of every goroutine stack: unwinders stop here. x19 holds entry. */
    .type   rn__ctx_base, %function
    .p2align 4
rn__ctx_base:
    .cfi_startproc
    .cfi_undefined x30
    LANDING_JUMP
    blr     x19
    brk     #1
end rn__ctx_base

/* void rn__ctx_init(rn__ctx *ctx, void *top, void (*entry)(void)) */
function rn__ctx_init
    sub     x1, x1, #FRAME
    adr     x9, rn__ctx_base
    stp     xzr, x9, [x1]
    stp     x2, xzr, [x1, #16]
    stp     xzr, xzr, [x1, #32]
    stp     xzr, xzr, [x1, #48]
    stp     xzr, xzr, [x1, #64]
    stp     xzr, xzr, [x1, #80]
    stp     xzr, xzr, [x1, #96]
    stp     xzr, xzr, [x1, #112]
    stp     xzr, xzr, [x1, #128]
    stp     xzr, xzr, [x1, #144]
    str     x1, [x0]
    ret
end rn__ctx_init

/* void rn__ctx_restart(void *top, void (*entry)(void)) */
function rn__ctx_restart
    .cfi_undefined x30
    mov     sp, x0
    mov     x29, xzr
    blr     x1
    brk     #1
end rn__ctx_restart

/* void rn__call_on(void *top, void (*fn)(void *), void *arg) */
function rn__call_on
    stp     x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov     x29, sp
    .cfi_def_cfa_register x29
    mov     sp, x0
    mov     x0, x2
    blr     x1
    mov     sp, x29
    .cfi_def_cfa_register sp
    ldp     x29, x30, [sp], #16
    .cfi_def_cfa_offset 0
    .cfi_restore x29
    .cfi_restore x30
    ret
end rn__call_on

/*
 * void rn__call_unwinding(const rn__ctx *ctx, void (*fn)(void *), void *arg)
 * While fn runs, the unwind rules of this frame name the registers saved at ctx->sp (kept in x19), so
 * that an unwinder started in fn goes on in the frames of that context.
 */
function rn__call_unwinding
    stp     x19, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x19, -16
    .cfi_offset x30, -8
    ldr     x19, [x0]
    .cfi_remember_state
    .cfi_def_cfa x19, FRAME
    .cfi_offset x29, -160
    .cfi_offset x30, -152
    .cfi_offset x19, -144
    .cfi_offset x20, -136
    .cfi_offset x21, -128
    .cfi_offset x22, -120
    .cfi_offset x23, -112
    .cfi_offset x24, -104
    .cfi_offset x25, -96
    .cfi_offset x26, -88
    .cfi_offset x27, -80
    .cfi_offset x28, -72
    .cfi_offset b8, -64
    .cfi_offset b9, -56
    .cfi_offset b10, -48
    .cfi_offset b11, -40
    .cfi_offset b12, -32
    .cfi_offset b13, -24
    .cfi_offset b14, -16
    .cfi_offset b15, -8
    mov     x0, x2
    blr     x1
    .cfi_restore_state
    ldp     x19, x30, [sp], #16
    .cfi_def_cfa_offset 0
    .cfi_restore x19
    .cfi_restore x30
    ret
end rn__call_unwinding

#if defined(__ARM_FEATURE_BTI_DEFAULT)
/* Says that this object is fit for guarded pages; the linker sets them up only if all objects are. */
    .section .note.gnu.property, "a"
    .p2align 3
    .word   4, 16, 5
    .asciz  "GNU"
    .word   0xc0000000 /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
    .word   4, 1, 0    /* BTI */
#endif
    .section .note.GNU-stack,"",%progbits
