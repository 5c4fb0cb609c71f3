//! Tables with one page more than the kernel's.

use super::Page;
use crate::attached::kernel_space;

/// Where the page is: the third entry of the top table, which nobody else uses.
pub(super) const BASE: usize = 2 << 39;

/// A space with that page at [`BASE`], as CR3 names it.
pub(super) fn space(data: &mut Page, _: usize) -> usize {
    const PRESENT_AND_WRITABLE: u64 = 3;
    let mut below = data.address();
    for _ in 0..3 {
        let table = Page::leak();
        table.0[0] = below | PRESENT_AND_WRITABLE;
        below = table.address();
    }
    let root = Page::leak();
    // SAFETY: the kernel's top table. An entry that changes meanwhile is that of user code, of which this space knows nothing.
    root.0 =
        unsafe { core::ptr::with_exposed_provenance::<[u64; 512]>(kernel_space()).read_volatile() };
    root.0[BASE >> 39] = below | PRESENT_AND_WRITABLE;
    root.address() as usize
}
