//! The page tables of what runs.

use aarch64_cpu::registers::{Readable, TTBR0_EL1};
use core::arch::asm;

/// Loads `space` into `TTBR0_EL1`, unless it is there already or is 0. A few instructions; with interrupts masked, on the CPU's
/// way to what runs in that space. Nothing is flushed: that is what the ASID in the value is for.
///
/// # Safety
///
/// EL1; `space` is 0, or a value of the register whose tables map all that the kernel uses in their half, where it is; if they
/// map other things for the same ASID than the tables before, nobody uses those until they were flushed.
#[inline]
pub unsafe fn load(space: usize) {
    if space != 0 && space as u64 != TTBR0_EL1.get() {
        // SAFETY: the caller's promise. The barrier lets no access behind it be translated by the old tables. No `nomem`: what
        // is accessed before and after stays on its side.
        unsafe {
            asm!("msr ttbr0_el1, {}", "isb", in(reg) space, options(nostack, preserves_flags))
        }
    }
}
