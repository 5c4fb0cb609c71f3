//! Bulk refill: slots at descending positions, one store that publishes them all.
//!
//! - **R1** Given `n` items, oldest first, into an empty deque whose ends stand at `low`: the oldest goes to
//!   `low + n − 1`, next to the owner's end, the newest to `low`, next to the thieves'. No reversal, no walk.
//! - **R2** Until `bottom` is stored, once, no thief looks at these slots: it finds the deque empty.
//! - **R3** Whatever the iterator gave is published, also when it ends early or panics. Then the gap that it
//!   left at the thieves' end is closed first.

use crate::error::NotEmpty;
use crate::index::{self, Position};
use crate::item::Item;
use crate::owner::Owner;
use crate::storage::Storage;

impl<T: Item, S: Storage> Owner<'_, T, S> {
    /// Moves items into the empty deque, given oldest first, so that [`pop`](Self::pop) gives the oldest first
    /// and thieves take the newest of them: how an owner with a FIFO of its own stays fair.
    ///
    /// Takes `items.len()` of them, at most the [capacity](Self::capacity), and answers how many; the others stay in the
    /// iterator (cap it by [`take`](Iterator::take)). Thieves see all of them at once, by one store. Wait-free but for the
    /// iterator; the owner's context only.
    ///
    /// # Errors
    ///
    /// [`NotEmpty`] when there are items in the deque: refilling would put newer ones before them. The iterator
    /// is not touched. Never after a pop that gave `None`, unless there was a push since.
    #[inline]
    pub fn refill(
        &mut self,
        items: &mut impl ExactSizeIterator<Item = T>,
    ) -> Result<usize, NotEmpty> {
        if self.len_anew() != 0 {
            return Err(NotEmpty);
        }
        // All of it; of a storage that grows and has nothing yet, its first memory.
        let room = self.room();
        let low = self.front();
        let high = index::toward_bottom(low, room.min(items.len() as u64));
        let mut refill = Refill { owner: self, low, next: high, high };
        while refill.next != low {
            let Some(item) = items.next() else { break };
            refill.put(item);
        }
        Ok(refill.written() as usize)
    }
}

/// A refill under way; dropping it publishes what was put in.
struct Refill<'a, 'b, T: Item, S: Storage> {
    owner: &'a mut Owner<'b, T, S>,
    low: Position,
    /// The last position written: items are in `next … high − 1`.
    next: Position,
    high: Position,
}

impl<T: Item, S: Storage> Refill<'_, '_, T, S> {
    #[inline]
    fn put(&mut self, item: T) {
        let word = item.into_word();
        self.next = index::toward_top(self.next, 1);
        // SAFETY: we are the owner; the deque is empty by the `top` that was just seen, and the position less than its capacity
        // from there.
        unsafe { self.owner.storage().store(self.next, word) };
    }

    #[inline]
    fn written(&self) -> u64 {
        index::places(self.next, self.high)
    }
}

impl<T: Item, S: Storage> Drop for Refill<'_, '_, T, S> {
    #[inline]
    fn drop(&mut self) {
        let written = self.written();
        if self.next != self.low {
            // The iterator ended early (R3).
            for place in 0..written {
                // SAFETY: (1) the position was written by `put`; (2) as in `put`.
                unsafe {
                    let word = self.owner.word(index::toward_bottom(self.next, place));
                    self.owner.storage().store(index::toward_bottom(self.low, place), word);
                }
            }
        }
        self.owner.private = written;
        self.owner.share();
    }
}
