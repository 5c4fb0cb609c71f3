//! The ring of a fixed number of slots, inside the deque: no allocation, and nothing to reclaim.
//!
//! A thief that reads a slot too late reads the word of a later position, and throws it away, since its
//! compare-and-swap then fails (`stealer`, S3).

use crate::index::{self, Position};
use crate::storage::{Storage, ring::Ring};
use crate::sync::{AtomicPtr, Ordering, const_fn};
use core::fmt;
use core::ptr;

/// The slots of a [`StealDeque`](crate::StealDeque): `N` of them, a power of two.
pub struct Fixed<const N: usize> {
    words: [AtomicPtr<()>; N],
}

impl<const N: usize> Fixed<N> {
    const_fn! {
        pub(crate) const fn new() -> Self {
            const { assert!(N.is_power_of_two(), "the capacity must be a power of two, at least 1") };
            Self { words: empty() }
        }
    }

    #[inline]
    fn word(&self, position: Position) -> &AtomicPtr<()> {
        &self.words[index::slot(position, N)]
    }
}

#[cfg(not(loom))]
const fn empty<const N: usize>() -> [AtomicPtr<()>; N] {
    [const { AtomicPtr::new(ptr::null_mut()) }; N]
}

#[cfg(loom)]
fn empty<const N: usize>() -> [AtomicPtr<()>; N] {
    core::array::from_fn(|_| AtomicPtr::new(ptr::null_mut()))
}

impl<const N: usize> Storage for Fixed<N> {}

impl<const N: usize> Ring for Fixed<N> {
    const MOST: usize = N;

    type Guard = ();

    #[inline]
    fn guard() {}

    #[inline]
    unsafe fn load(&self, position: Position, (): &()) -> *mut () {
        // Ordering: Acquire pairs with the release in `store`, for a thief that reads a later position's word (W3). That it
        // does not read an earlier one's is the acquire of `bottom` (`stealer`, S2).
        self.word(position).load(Ordering::Acquire)
    }

    #[inline]
    unsafe fn load_own(&self, position: Position) -> *mut () {
        // Ordering: Relaxed: the owner wrote it, or had it from the owner before (`deque`, D3).
        self.word(position).load(Ordering::Relaxed)
    }

    #[inline]
    unsafe fn store(&self, position: Position, word: *mut ()) {
        // Ordering: Release pairs with the acquire in `load` (W3). Who finds the position by `bottom` has it from the release
        // of that (`owner`, O2).
        self.word(position).store(word, Ordering::Release);
    }

    #[inline]
    unsafe fn capacity(&self) -> usize {
        N
    }

    #[inline]
    unsafe fn grow(&self, _: Position) -> bool {
        false
    }
}

impl<const N: usize> fmt::Debug for Fixed<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixed").field("capacity", &N).finish_non_exhaustive()
    }
}
