//! Bulk refill: slots at descending positions, one store that publishes them all.
//!
//! - **R1** Given `n` items, oldest first, into an empty deque whose ends stand at `low`: the oldest goes to
//!   `low + n − 1`, next to the owner's end, the newest to `low`, next to the thieves'. No reversal, no walk.
//! - **R2** Until `bottom` is stored, once, no thief looks at these slots: it finds the deque empty.
//! - **R3** Whatever the iterator gave is published, also when it ends early or panics. Then the gap that it
//!   left at the thieves' end is closed first.

use crate::deque::StealDeque;
use crate::index::{self, Position};
use crate::item::Item;
use crate::owner::publish;

/// Fills the empty deque, whose ends stand at `low`, and answers with how many items.
pub(crate) fn fill<T: Item, const N: usize>(
    deque: &StealDeque<T, N>,
    low: Position,
    items: &mut impl ExactSizeIterator<Item = T>,
) -> usize {
    let high = index::toward_bottom(low, items.len().min(N) as u64);
    let mut refill = Refill { deque, low, next: high, high };
    while refill.next != low {
        let Some(item) = items.next() else { break };
        refill.put(item);
    }
    refill.written() as usize
}

/// A refill under way; dropping it publishes what was put in.
struct Refill<'a, T: Item, const N: usize> {
    deque: &'a StealDeque<T, N>,
    low: Position,
    /// The last position written: items are in `next … high − 1`.
    next: Position,
    high: Position,
}

impl<T: Item, const N: usize> Refill<'_, T, N> {
    #[inline]
    fn put(&mut self, item: T) {
        let word = item.into_word();
        self.next = index::toward_top(self.next, 1);
        self.deque.slots.0.store(self.next, word);
    }

    #[inline]
    fn written(&self) -> u64 {
        index::count(self.next, self.high)
    }
}

impl<T: Item, const N: usize> Drop for Refill<'_, T, N> {
    #[inline]
    fn drop(&mut self) {
        let written = self.written();
        if self.next != self.low {
            // The iterator ended early (R3).
            for place in 0..written {
                let word = self.deque.slots.0.load(index::toward_bottom(self.next, place));
                self.deque.slots.0.store(index::toward_bottom(self.low, place), word);
            }
        }
        publish(self.deque, index::toward_bottom(self.low, written));
    }
}
