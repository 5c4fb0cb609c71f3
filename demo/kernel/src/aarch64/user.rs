//! EL0: in by `eret`, out by the next interrupt.
//!
//! A context is 34 words: x0 to x30, the stack pointer, where to go on, the state. User code has no vector registers: a
//! kernel whose programs do saves them here too.

use super::interrupts::on_irq;
use core::arch::naked_asm;

/// Runs user code until an interrupt has been handled; returns with interrupts masked.
///
/// # Safety
///
/// Interrupts are masked; the context is that of a program whose pages are mapped, with a state of EL0.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn enter_user(context: *mut u64) {
    naked_asm!(
        "sub sp, sp, #176",
        "stp x19, x20, [sp]",
        "stp x21, x22, [sp, #16]",
        "stp x23, x24, [sp, #32]",
        "stp x25, x26, [sp, #48]",
        "stp x27, x28, [sp, #64]",
        "stp x29, x30, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "str x0, [sp, #160]",
        "ldr x1, [x0, #248]",
        "ldp x2, x3, [x0, #256]",
        "msr sp_el0, x1",
        "msr elr_el1, x2",
        "msr spsr_el1, x3",
        "ldp x2, x3, [x0, #16]",
        "ldp x4, x5, [x0, #32]",
        "ldp x6, x7, [x0, #48]",
        "ldp x8, x9, [x0, #64]",
        "ldp x10, x11, [x0, #80]",
        "ldp x12, x13, [x0, #96]",
        "ldp x14, x15, [x0, #112]",
        "ldp x16, x17, [x0, #128]",
        "ldp x18, x19, [x0, #144]",
        "ldp x20, x21, [x0, #160]",
        "ldp x22, x23, [x0, #176]",
        "ldp x24, x25, [x0, #192]",
        "ldp x26, x27, [x0, #208]",
        "ldp x28, x29, [x0, #224]",
        "ldr x30, [x0, #240]",
        "ldp x0, x1, [x0]",
        "eret",
    )
}

/// An IRQ that found EL0, from `boot.s`: saves the context, handles it, and returns from `enter_user`.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn irq_from_user_entry() {
    naked_asm!(
        "stp x0, x1, [sp, #-16]!",
        "ldr x0, [sp, #176]",
        "stp x2, x3, [x0, #16]", "stp x4, x5, [x0, #32]", "stp x6, x7, [x0, #48]",
        "stp x8, x9, [x0, #64]", "stp x10, x11, [x0, #80]", "stp x12, x13, [x0, #96]",
        "stp x14, x15, [x0, #112]", "stp x16, x17, [x0, #128]", "stp x18, x19, [x0, #144]",
        "stp x20, x21, [x0, #160]", "stp x22, x23, [x0, #176]", "stp x24, x25, [x0, #192]",
        "stp x26, x27, [x0, #208]", "stp x28, x29, [x0, #224]", "str x30, [x0, #240]",
        "ldp x2, x3, [sp], #16",
        "stp x2, x3, [x0]",
        "mrs x1, sp_el0",
        "mrs x2, elr_el1",
        "mrs x3, spsr_el1",
        "str x1, [x0, #248]",
        "stp x2, x3, [x0, #256]",
        "bl {handler}",
        "ldp d14, d15, [sp, #144]", "ldp d12, d13, [sp, #128]", "ldp d10, d11, [sp, #112]",
        "ldp d8, d9, [sp, #96]",
        "ldp x29, x30, [sp, #80]", "ldp x27, x28, [sp, #64]", "ldp x25, x26, [sp, #48]",
        "ldp x23, x24, [sp, #32]", "ldp x21, x22, [sp, #16]", "ldp x19, x20, [sp]",
        "add sp, sp, #176",
        "ret",
        handler = sym on_irq,
    )
}
