//! Steals of many, straight into the thief's own deque.
//!
//! - **L1** One compare-and-swap per item. One for several would take some twice: the owner may have popped all but the
//!   first of them meanwhile, without touching `top`.
//! - **L2** The items come to lie as they lay: the one that the victim would have run last is the one that the thief's
//!   own deque gives last, and first to other thieves. All of them are shared there at once, by one store.
//! - **L3** An item is taken only when there is room for it.

use crate::barrier;
use crate::index;
use crate::item::Item;
use crate::owner::Owner;
use crate::stealer::{Steal, Stealer};
use crate::storage::Storage;

impl<T: Item, S: Storage> Stealer<'_, T, S> {
    /// Moves up to `most` items from the back to the front of the caller's own deque `to`, in the order in which they
    /// lie; tells how many came.
    ///
    /// Fewer come when fewer are there, when `to` is full, or when somebody else takes one in the middle of it: what
    /// came before that is kept, and only if that is nothing the answer is [`Steal::Retry`]. `Taken(0)` means that
    /// nothing was asked for: `most` is 0, or `to` is full.
    ///
    /// Wait-free: at most `most` compare-and-swaps, and one fence for each. In the context of `to`'s owner.
    pub fn steal_n_into<R: Storage>(&self, to: &mut Owner<'_, T, R>, most: usize) -> Steal<usize> {
        let guard = S::guard();
        let (mut top, mut bottom) = self.look();
        if index::count(top, bottom) == 0 {
            self.ask();
            return Steal::Empty;
        }
        let (mut taken, mut lost) = (0, false);
        while taken < most && index::count(top, bottom) != 0 && to.has_room() {
            // SAFETY: `top` is below `bottom`, acquired under the guard.
            let word = unsafe { self.storage().load(top, &guard) };
            lost = !self.take(top);
            if lost {
                break;
            }
            to.put(word);
            taken += 1;
            top = index::toward_bottom(top, 1);
            // What the owner popped meanwhile is not to be had any more (`stealer`, S1).
            barrier::after_update();
            bottom = self.bottom();
        }
        to.share();
        if taken == 0 && lost { Steal::Retry } else { Steal::Taken(taken) }
    }

    /// Moves half of the items, rounded up, and at most `max`, to the front of the caller's own deque:
    /// [`steal_n_into`](Self::steal_n_into) for half of what there is at the start.
    pub fn steal_half_into<R: Storage>(
        &self,
        to: &mut Owner<'_, T, R>,
        max: usize,
    ) -> Steal<usize> {
        // At least one: that there is none is for `steal_n_into` to say.
        let half = self.len_hint().div_ceil(2).max(1);
        self.steal_n_into(to, half.min(max))
    }
}
