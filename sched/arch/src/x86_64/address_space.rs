//! The page tables of what runs.

use core::arch::asm;

/// Loads `space` into CR3, unless it is there already or is 0. A few instructions; with interrupts masked, on the CPU's way to
/// what runs in that space. What was translated by other tables, and is not global, is forgotten (but for what PCIDs keep).
///
/// # Safety
///
/// Ring 0; `space` is 0, or a value of CR3 whose tables map all that the kernel uses, this code and its stack included, where
/// they are.
#[inline]
pub unsafe fn load(space: usize) {
    let loaded: usize;
    // SAFETY: it only reads a register. Not `pure`: the caller may have come to another CPU since the last time.
    unsafe { asm!("mov {}, cr3", out(reg) loaded, options(nomem, nostack, preserves_flags)) }
    if space != 0 && space != loaded {
        // SAFETY: the caller's promise. No `nomem`: what is accessed before and after stays on its side, as the tables
        // decide what that is.
        unsafe { asm!("mov cr3, {}", in(reg) space, options(nostack, preserves_flags)) }
    }
}
