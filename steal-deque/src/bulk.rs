//! Several items pushed by one publication, and popped for one fence.

use crate::claim::Claim;
use crate::deque::Deque;
use crate::index::{self, Position};
use crate::item::Item;
use crate::owner::Owner;
use crate::storage::Storage;
use core::fmt;
use core::iter::FusedIterator;

impl<T: Item, S: Storage> Owner<'_, T, S> {
    /// Puts items at the front, one after the other as [`push`](Self::push) does, and shares them all by one store; tells
    /// how many.
    ///
    /// It ends when the iterator does or when the deque is full; what does not fit stays in the iterator. Where the
    /// storage grows an endless iterator wants all memory: cap it by [`take`](Iterator::take). What an iterator gave before
    /// it panicked is in the deque. Wait-free but for the iterator; the owner's context only.
    #[inline]
    pub fn push_bulk(&mut self, items: &mut impl Iterator<Item = T>) -> usize {
        let start = self.front();
        let mut bulk = PushBulk { owner: self, front: start, end: start };
        while bulk.has_room_for(items) {
            let Some(item) = items.next() else { break };
            bulk.put(item);
        }
        index::places(start, bulk.front) as usize
    }

    /// Takes up to `most` items from the front, in the order in which [`pop`](Self::pop) would give them, all
    /// for the fence or compare-and-swap of a single pop.
    ///
    /// Fewer come when fewer are there or when thieves were quicker. Wait-free; the owner's context only.
    #[inline]
    pub fn pop_bulk(&mut self, most: usize) -> Bulk<'_, T, S> {
        let claim = self.claim(most as u64);
        Bulk { deque: self.deque(), rest: claim }
    }
}

/// A push of many under way; dropping it shares what was put in.
struct PushBulk<'a, 'b, T: Item, S: Storage> {
    owner: &'a mut Owner<'b, T, S>,
    /// The next position to push; the owner is told of it at the end.
    front: Position,
    /// Where the slots that may be written end.
    end: Position,
}

impl<T: Item, S: Storage> PushBulk<'_, '_, T, S> {
    /// Before an item is taken out of the iterator. One that says that it is at its end gets no more room.
    #[inline]
    fn has_room_for(&mut self, items: &impl Iterator<Item = T>) -> bool {
        if self.front != self.end {
            return true;
        }
        if items.size_hint().1 == Some(0) {
            return false;
        }
        self.settle();
        let room = self.owner.room();
        self.end = index::toward_bottom(self.front, room);
        room != 0
    }

    #[inline]
    fn put(&mut self, item: T) {
        // SAFETY: we are the owner, and there is room.
        unsafe { self.owner.storage().store(self.front, item.into_word()) };
        self.front = index::toward_bottom(self.front, 1);
    }

    /// What was put in is the owner's private part.
    #[inline]
    fn settle(&mut self) {
        self.owner.private = index::places(self.owner.bottom(), self.front);
    }
}

impl<T: Item, S: Storage> Drop for PushBulk<'_, '_, T, S> {
    #[inline]
    fn drop(&mut self) {
        self.settle();
        self.owner.share();
    }
}

/// The items of a [`pop_bulk`](Owner::pop_bulk), front first.
///
/// They have left the deque and wait in its slots, which the borrow of the owner keeps from being written.
/// Those not taken when this is dropped are dropped.
#[must_use = "items that are not taken are dropped"]
pub struct Bulk<'a, T: Item, S: Storage> {
    deque: &'a Deque<T, S>,
    /// Every position in it holds an item that is ours alone.
    rest: Claim,
}

impl<T: Item, S: Storage> Iterator for Bulk<'_, T, S> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.rest.low == self.rest.high {
            return None;
        }
        self.rest.high = index::toward_top(self.rest.high, 1);
        // SAFETY: (1) while this is here the owner is borrowed, so we are the owner, and an item was stored at each
        // claimed position; (2) the item is ours alone, and was just taken out of the claim.
        Some(unsafe { T::from_word(self.deque.storage.0.load_own(self.rest.high)) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = index::places(self.rest.low, self.rest.high) as usize;
        (left, Some(left))
    }
}

impl<T: Item, S: Storage> ExactSizeIterator for Bulk<'_, T, S> {}
impl<T: Item, S: Storage> FusedIterator for Bulk<'_, T, S> {}

impl<T: Item, S: Storage> Drop for Bulk<'_, T, S> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl<T: Item, S: Storage> fmt::Debug for Bulk<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk").field("len", &self.len()).finish_non_exhaustive()
    }
}
