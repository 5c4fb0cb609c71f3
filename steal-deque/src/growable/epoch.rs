//! Outgrown buffers are freed when no thief looks at them any more, by crossbeam-epoch.
//!
//! That crate does not pass strict Miri by itself (its version 0.9 keeps pointers in integers), so neither does this
//! file; everything else here is what [`Growable`](crate::Growable) runs on, which does.

use super::{Buffer, Heap, Retire};
use crate::deque::Deque;
use crate::index::Position;
use crate::item::Item;
use crate::owner::Owner;
use crate::sync::const_fn;
use core::ptr::NonNull;

/// A ring that grows, by twice, when it is full, and shrinks on request; outgrown buffers are freed by crossbeam-epoch.
pub type EpochGrowable = Heap<Epoch>;

/// A work-stealing deque that grows and shrinks. It needs `std`, for which thread has been where; thieves pin an epoch
/// for each steal.
///
/// ```
/// use steal_deque::EpochDeque;
///
/// static DEQUE: EpochDeque<usize> = EpochDeque::new();
/// let (mut owner, _) = DEQUE.split().unwrap();
/// assert_eq!(owner.push_bulk(&mut (0..1000)), 1000);
/// assert_eq!(owner.pop_bulk(990).count(), 990);
/// owner.shrink_to(0);
/// assert_eq!((owner.len(), owner.capacity()), (10, 32));
/// ```
pub type EpochDeque<T> = Deque<T, EpochGrowable>;

/// Frees what was outgrown, for [`EpochGrowable`].
#[derive(Debug)]
pub struct Epoch(());

impl<T: Item> Deque<T, EpochGrowable> {
    const_fn! {
        /// An empty deque, without memory yet.
        #[must_use]
        pub const fn new() -> Self {
            Self::new_at(0)
        }
    }

    const_fn! {
        /// An empty deque whose positions start at `position`: for tests of the wrap.
        #[doc(hidden)]
        #[must_use]
        pub const fn new_at(position: Position) -> Self {
            Self::growing(Epoch(()), position)
        }
    }
}

impl<T: Item> Default for Deque<T, EpochGrowable> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Item> Owner<'_, T, EpochGrowable> {
    /// Gives memory back: the buffer becomes as small as a power of two can be that holds what is in the deque, `least`,
    /// and 32. Without memory for the smaller one the larger one stays.
    ///
    /// O(len); it allocates and frees. The owner's context only.
    pub fn shrink_to(&mut self, least: usize) {
        let used = self.len_anew() as usize;
        let wanted = used.max(least).max(super::FIRST).checked_next_power_of_two();
        if let Some(smaller) = wanted.filter(|&wanted| wanted < self.capacity()) {
            // SAFETY: we are the owner, and what is in the deque fits.
            unsafe { self.storage().replace(smaller, self.front()) };
        }
    }
}

impl Retire for Epoch {
    type Guard = crossbeam_epoch::Guard;

    #[inline]
    fn guard() -> Self::Guard {
        crossbeam_epoch::pin()
    }

    unsafe fn retire(&self, outgrown: NonNull<Buffer>) {
        // SAFETY: no thief that pins from now on finds it: the pointer to it was replaced before.
        // It comes from a box, by this function's contract, and is retired once.
        unsafe { crossbeam_epoch::pin().defer_unchecked(move || Buffer::free(outgrown)) };
    }
}
