//! Pages and a program for EL0.

use super::memory::{PAGE, Page};
use crate::arch;
use core::arch::asm;
use sched::CpuId;

/// The third GiB, of which the kernel maps nothing.
pub(super) const USER_BASE: usize = 2 << 30;

/// `1: add x0, x0, #1; str x0, [x1]; b 1b`
pub(super) const PROGRAM: &[u8] =
    &[0x00, 0x04, 0x00, 0x91, 0x20, 0x00, 0x00, 0xf9, 0xfe, 0xff, 0xff, 0x17];

/// See `arch::user`.
pub(super) struct UserContext([u64; 34]);

impl UserContext {
    /// At the beginning, with the address of its data in x1. The state is 0: EL0, interrupts unmasked.
    pub(super) fn new(code: usize, data: usize) -> Self {
        let mut words = [0; 34];
        words[1] = data as u64;
        words[31] = (data + PAGE) as u64;
        words[32] = code as u64;
        Self(words)
    }

    /// What the program has in x0.
    pub(super) fn counted(&self) -> u64 {
        self.0[0]
    }
}

/// Nothing is wanted of a CPU.
///
/// # Safety
///
/// None; on the other architecture there is some.
pub(super) unsafe fn prepare(_: CpuId) {}

/// Runs user code until an interrupt has been handled.
///
/// # Safety
///
/// Interrupts are masked; the context is that of a program whose pages are mapped.
pub(super) unsafe fn enter_user(context: &mut UserContext) {
    // SAFETY: the caller's promises.
    unsafe { arch::user::enter_user(context.0.as_mut_ptr()) }
}

unsafe extern "C" {
    /// The first table, from `boot.s`.
    static mut translation_table: [u64; 4];
}

/// Maps the pages at [`USER_BASE`], one behind the other.
///
/// # Safety
///
/// Once at a time, while no user code runs.
pub(super) unsafe fn map(code: &Page, data: &[Page]) {
    /// A page, or a table of them; normal memory, inner shareable, accessed.
    const TABLE: u64 = 3;
    const MEMORY: u64 = 3 | 1 << 2 | 3 << 8 | 1 << 10;
    const FOR_USER: u64 = 1 << 6;
    const READ_ONLY: u64 = 1 << 7;
    const NOT_FOR_KERNEL_CODE: u64 = 1 << 53;
    const NOT_FOR_USER_CODE: u64 = 1 << 54;
    static TABLES: [Page; 2] = [const { Page::new() }; 2];
    let [middle, last] = &TABLES;
    let of_code = MEMORY | FOR_USER | READ_ONLY | NOT_FOR_KERNEL_CODE;
    let of_data = MEMORY | FOR_USER | NOT_FOR_KERNEL_CODE | NOT_FOR_USER_CODE;
    // SAFETY: the tables are this function's own, and the entry of the first table is nobody else's. What was invalid before
    // is in no TLB; the barriers make the tables visible to all walks, and the code to all fetches.
    unsafe {
        last.set(0, code.address() | of_code);
        for (index, page) in data.iter().enumerate() {
            last.set(1 + index, page.address() | of_data);
        }
        middle.set(0, last.address() | TABLE);
        (&raw mut translation_table[USER_BASE >> 30]).write_volatile(middle.address() | TABLE);
        asm!("dc cvau, {}", "dsb ish", "ic ialluis", "dsb ish", "isb", in(reg) code.address(), options(nostack, preserves_flags));
    }
}
