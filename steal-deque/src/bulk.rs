//! Several items popped for one fence.

use crate::deque::StealDeque;
use crate::index;
use crate::item::Item;
use crate::owner::Claim;
use core::fmt;
use core::iter::FusedIterator;

/// The items of a [`pop_bulk`](crate::Owner::pop_bulk), front first.
///
/// They have left the deque and wait in its slots, which the borrow of the owner keeps from being written.
/// Those not taken when this is dropped are dropped.
#[must_use = "items that are not taken are dropped"]
pub struct Bulk<'a, T: Item, const N: usize> {
    deque: &'a StealDeque<T, N>,
    /// Every position in it holds an item that is ours alone.
    rest: Claim,
}

impl<'a, T: Item, const N: usize> Bulk<'a, T, N> {
    #[inline]
    pub(crate) fn new(deque: &'a StealDeque<T, N>, claim: Claim) -> Self {
        Self { deque, rest: claim }
    }
}

impl<T: Item, const N: usize> Iterator for Bulk<'_, T, N> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.rest.low == self.rest.high {
            return None;
        }
        self.rest.high = index::toward_top(self.rest.high, 1);
        let word = self.deque.slots.0.load(self.rest.high);
        // SAFETY: the claimed position held an item and is ours alone; it was just taken out of the claim.
        Some(unsafe { T::from_word(word) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = index::count(self.rest.low, self.rest.high) as usize;
        (left, Some(left))
    }
}

impl<T: Item, const N: usize> ExactSizeIterator for Bulk<'_, T, N> {}
impl<T: Item, const N: usize> FusedIterator for Bulk<'_, T, N> {}

impl<T: Item, const N: usize> Drop for Bulk<'_, T, N> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl<T: Item, const N: usize> fmt::Debug for Bulk<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk").field("len", &self.len()).finish_non_exhaustive()
    }
}
