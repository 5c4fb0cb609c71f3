//! What is learned at start-up and read ever after.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU8, Ordering};

const EMPTY: u8 = 0;
const BEING_SET: u8 = 1;
const SET: u8 = 2;

/// A value that is set once. Reading is one load and a branch.
///
/// The values are `Copy`, so nothing is to be dropped.
pub(crate) struct SetOnce<T: Copy> {
    state: AtomicU8,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value is written by the one caller that moved the state from EMPTY, and read after it is SET.
unsafe impl<T: Copy + Send + Sync> Sync for SetOnce<T> {}

impl<T: Copy> SetOnce<T> {
    pub(crate) const fn new() -> Self {
        Self { state: AtomicU8::new(EMPTY), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Sets the value; `false` if it was set before, or is being.
    pub(crate) fn set(&self, value: T) -> bool {
        // Ordering: Relaxed both; it only picks the one who writes.
        let first =
            self.state.compare_exchange(EMPTY, BEING_SET, Ordering::Relaxed, Ordering::Relaxed);
        if first.is_err() {
            return false;
        }
        // SAFETY: only the caller that won the exchange comes here, and nobody reads before SET.
        unsafe { (*self.value.get()).write(value) };
        // Ordering: Release pairs with the Acquire in `get`.
        self.state.store(SET, Ordering::Release);
        true
    }

    /// The value, once it was set.
    #[inline]
    pub(crate) fn get(&self) -> Option<T> {
        // Ordering: Acquire pairs with the Release in `set`.
        if self.state.load(Ordering::Acquire) != SET {
            return None;
        }
        // SAFETY: it is SET: written before, and never again.
        Some(unsafe { (*self.value.get()).assume_init() })
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for SetOnce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
