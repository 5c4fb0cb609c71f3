//! The mask of IRQs. FIQs are the kernel's own: to the scheduler they are what an NMI is elsewhere, and may not call it.

use aarch64_cpu::registers::{DAIF, Readable};
use core::arch::asm;

/// Whether interrupts are unmasked. Wait-free, any context.
#[inline]
pub fn are_unmasked() -> bool {
    !DAIF.is_set(DAIF::I)
}

/// Masks interrupts; tells whether they were unmasked. Wait-free, any context.
#[inline]
pub fn mask() -> bool {
    let were_enabled = are_unmasked();
    // SAFETY: masking is harmless at EL1. No `nomem`: what follows may not move up before it.
    unsafe { asm!("msr daifset, #2", options(nostack, preserves_flags)) }
    were_enabled
}

/// Puts back what [`mask`] told.
///
/// # Safety
///
/// `were_enabled` comes from the matching [`mask`] on this CPU; pairs nest.
#[inline]
pub unsafe fn restore(were_enabled: bool) {
    if were_enabled {
        // SAFETY: they were unmasked before (the caller's promise). No `nomem`: what stands before may not move down, and
        // a handler may touch any memory.
        unsafe { asm!("msr daifclr, #2", options(nostack, preserves_flags)) }
    }
}

/// Halts until an interrupt comes, and unmasks then, as one step (A2).
///
/// # Safety
///
/// EL1, IRQs masked, and a handler in place for whatever may come.
// Not inlined, so that its code can be looked at.
#[inline(never)]
pub unsafe fn unmask_and_halt() {
    // SAFETY: the caller's promise. `isb` lets the interrupt that ended the halt be taken here, not some time later. The
    // handlers that run in the block may touch any memory, so neither `nomem` nor `readonly`; they restore all registers and
    // flags, and use a stack of their own or that below SP, where nothing is.
    unsafe {
        asm!("dsb sy", "wfi", "msr daifclr, #2", "isb", options(nostack, preserves_flags));
    }
}
