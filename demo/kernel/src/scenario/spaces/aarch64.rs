//! Tables with one page more than the kernel's.

use super::Page;
use crate::attached::kernel_space;
use core::arch::asm;

/// Where the page is: the third GiB, of which the kernel maps nothing.
pub(super) const BASE: usize = 2 << 30;

/// A space with that page at [`BASE`], as `TTBR0_EL1` names it.
pub(super) fn space(data: &mut Page, asid: usize) -> usize {
    const TABLE: u64 = 3;
    /// A page of normal memory, inner shareable, accessed, of this address space only, not executable.
    const MEMORY: u64 = 3 | 1 << 2 | 3 << 8 | 1 << 10 | 1 << 11 | 3 << 53;
    let last = Page::leak();
    last.0[0] = data.address() | MEMORY;
    let middle = Page::leak();
    middle.0[0] = last.address() | TABLE;
    let root = Page::leak();
    // SAFETY: the kernel's first table, of four entries. One that changes meanwhile is that of user code.
    let kernels =
        unsafe { core::ptr::with_exposed_provenance::<[u64; 4]>(kernel_space()).read_volatile() };
    root.0[..4].copy_from_slice(&kernels);
    root.0[BASE >> 30] = middle.address() | TABLE;
    // SAFETY: it makes the tables visible to all walks, and forgets what the last space of this ASID had.
    unsafe {
        asm!("dsb ishst", "tlbi vmalle1is", "dsb ish", "isb", options(nostack, preserves_flags))
    }
    root.address() as usize | asid << 48
}
