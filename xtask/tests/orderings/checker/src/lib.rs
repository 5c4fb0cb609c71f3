//! Stands for a checker: an atomic that gives an old value whenever the orderings allow it. Where a relaxed store
//! or load hands over, what was written before is not seen.

pub use core::sync::atomic::{Ordering, fence};

use core::sync::atomic::{AtomicBool, AtomicUsize};

/// Whether a release has met an acquire.
static RELEASED: AtomicBool = AtomicBool::new(false);
static ACQUIRED: AtomicBool = AtomicBool::new(false);

/// Of a `usize`.
#[derive(Debug)]
pub struct Atomic(AtomicUsize);

impl Atomic {
    /// With a value.
    pub const fn new(value: usize) -> Self {
        Self(AtomicUsize::new(value))
    }

    /// Keeps the value, and remembers whether it was released.
    pub fn store(&self, value: usize, ordering: Ordering) {
        RELEASED.fetch_or(ordering == Ordering::Release, Ordering::SeqCst);
        self.0.store(value, Ordering::SeqCst);
    }

    /// The value if it must be seen, else the first one.
    pub fn load(&self, ordering: Ordering) -> usize {
        if ordering == Ordering::Acquire {
            ACQUIRED.store(RELEASED.load(Ordering::SeqCst), Ordering::SeqCst);
            return self.0.load(Ordering::SeqCst);
        }
        if ACQUIRED.load(Ordering::SeqCst) { self.0.load(Ordering::SeqCst) } else { 0 }
    }
}
