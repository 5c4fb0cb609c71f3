//! The pages that user code may touch: one of code, for all programs, and one of data for each.

use super::{PROGRAMS, arch};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;

/// Where user code finds its pages: in a part of the address space where nothing else is.
pub(super) const CODE: usize = arch::USER_BASE;

/// The page of data of a program, as it sees it.
pub(super) const fn data(number: usize) -> usize {
    CODE + PAGE * (1 + number)
}

/// A page, or a table of the page table.
#[repr(C, align(4096))]
pub(super) struct Page(pub(super) UnsafeCell<[u64; PAGE / 8]>);

// SAFETY: written before any user code runs, then by user code, and read by atomic accesses.
unsafe impl Sync for Page {}

impl Page {
    pub(super) const fn new() -> Self {
        Self(UnsafeCell::new([0; PAGE / 8]))
    }

    /// Its address, which is the same in physical memory.
    pub(super) fn address(&self) -> u64 {
        self.0.get().expose_provenance() as u64
    }

    /// # Safety
    ///
    /// Nobody else writes the entry, and the value is right where it is used.
    pub(super) unsafe fn set(&self, index: usize, value: u64) {
        // SAFETY: the caller's promise.
        unsafe { self.0.get().cast::<u64>().add(index).write_volatile(value) }
    }
}

static CODE_PAGE: Page = Page::new();
static DATA_PAGES: [Page; PROGRAMS] = [const { Page::new() }; PROGRAMS];

/// Puts the program in place, and maps the pages for user code.
pub(super) fn map() {
    // SAFETY: user code does not run, and the page has room for the program.
    unsafe {
        let program = arch::PROGRAM;
        let page = CODE_PAGE.0.get().cast::<u8>();
        page.copy_from_nonoverlapping(program.as_ptr(), program.len());
        arch::map(&CODE_PAGE, &DATA_PAGES);
    }
}

fn counter(number: usize) -> &'static AtomicU64 {
    // SAFETY: the first word of a static page; the kernel accesses it atomically only.
    unsafe { AtomicU64::from_ptr(DATA_PAGES[number].0.get().cast()) }
}

/// What a program has counted in its memory.
pub(super) fn counted(number: usize) -> u64 {
    counter(number).load(Ordering::Relaxed)
}

/// Forgets what was counted.
pub(super) fn clear(number: usize) {
    counter(number).store(0, Ordering::Relaxed);
}
