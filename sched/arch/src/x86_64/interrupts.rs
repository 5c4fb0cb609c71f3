//! The interrupt flag.

use core::arch::asm;
use x86_64::instructions::interrupts;

/// Whether interrupts are unmasked. Wait-free, any context.
#[inline]
pub fn are_unmasked() -> bool {
    interrupts::are_enabled()
}

/// Masks interrupts; tells whether they were unmasked. Wait-free, any context.
#[inline]
pub fn mask() -> bool {
    let were_enabled = are_unmasked();
    interrupts::disable();
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
        interrupts::enable();
    }
}

/// Unmasks interrupts and halts until one comes, as one step (X3).
///
/// # Safety
///
/// Ring 0, interrupts masked, and a handler in place for whatever may come.
// Not inlined, so that its code can be looked at.
#[inline(never)]
pub unsafe fn unmask_and_halt() {
    // SAFETY: the caller's promise. The handlers that run in the block may touch any memory, so neither `nomem` nor
    // `readonly`; `sti` sets a flag that `preserves_flags` does not cover, and the handlers restore all others; handlers use
    // the stack below the red zone only where there is one, and kernels have none, hence no `nostack`.
    unsafe { asm!("sti", "hlt", options(preserves_flags)) }
}
