//! From one deque into another, when a CPU goes.

use crate::index;
use crate::item::Item;
use crate::owner::Owner;
use crate::storage::Storage;

impl<T: Item, S: Storage> Owner<'_, T, S> {
    /// Moves all items, or as many as fit, to the front of `to`, in the order in which they lie; tells how many. Those
    /// that do not fit stay, and are those at the back.
    ///
    /// For the one who [splits](crate::Deque::split) the deque of a CPU that has gone: all of it for one
    /// compare-and-swap, and thieves that come in between keep what they took. Then that deque is empty for good or as
    /// long as nobody pushes. Wait-free; in the context of both owners.
    ///
    /// ```
    /// use steal_deque::StealDeque;
    ///
    /// let (gone, mine) = (StealDeque::<usize, 8>::new(), StealDeque::<usize, 8>::new());
    /// let (mut owner, _) = gone.split().unwrap();
    /// owner.refill(&mut (1..4)).unwrap();
    /// drop(owner); // its CPU goes offline
    ///
    /// let (mut mine, _) = mine.split().unwrap();
    /// let (mut adopted, _) = gone.split().expect("its owner has gone");
    /// assert_eq!(adopted.drain_into(&mut mine), 3);
    /// assert_eq!((mine.pop(), adopted.pop()), (Some(1), None));
    /// ```
    pub fn drain_into<R: Storage>(&mut self, to: &mut Owner<'_, T, R>) -> usize {
        let room = to.make_room(self.len() as u64);
        let claim = self.claim(room);
        let mut position = claim.low;
        while position != claim.high {
            // SAFETY: an item was stored at each claimed position.
            to.put(unsafe { self.word(position) });
            position = index::toward_bottom(position, 1);
        }
        to.share();
        index::places(claim.low, claim.high) as usize
    }
}
