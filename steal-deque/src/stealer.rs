//! The thieves' end, Chase–Lev's *top*: the items that the owner would run last.
//!
//! # Synchronization
//!
//! - **S1** The load of `top`, a sequentially consistent fence, the load of `bottom`, in this order. The
//!   owner's claim (`owner`, O3) is the mirror image: its store of `bottom`, such a fence, its load of `top`.
//!   The fences stand in one order. Thief first: the owner sees a `top` at least as far as the thief did.
//!   Owner first: the thief sees the `bottom` that the owner lowered, or a later one. Either way a thief
//!   whose `top` the owner did not see cannot find the owner's items below `bottom`.
//! - **S2** The load of `bottom` acquires. It pairs with the owner's release store that published this
//!   position, or any later one (`owner`, O2), and makes the slot's word and what is behind it visible.
//! - **S3** The item is the thief's when its compare-and-swap of `top` succeeds, not before. As long as `top`
//!   stands at a position, the slot of that position keeps its word: the owner takes the item there only by
//!   moving `top` itself, and writes the slot for a position further by `N` only after it saw `top` move. So
//!   a word that was read too late goes with a compare-and-swap that fails, and is thrown away.

use crate::deque::StealDeque;
use crate::index;
use crate::item::Item;
use crate::sync::{Ordering, fence};
use core::fmt;

/// What came of a steal.
#[must_use = "an item that was taken belongs to the caller"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steal<T> {
    /// This one: of those in the deque, the one the owner would have run last.
    Taken(T),
    /// There was nothing.
    Empty,
    /// Somebody else took the item that was looked at: try again, here or elsewhere.
    Retry,
}

impl<T> Steal<T> {
    /// The item, if one was taken.
    #[inline]
    #[must_use]
    pub fn taken(self) -> Option<T> {
        match self {
            Self::Taken(item) => Some(item),
            Self::Empty | Self::Retry => None,
        }
    }
}

/// A thief's view of the deque. Copy it freely.
pub struct Stealer<'a, T: Item, const N: usize> {
    deque: &'a StealDeque<T, N>,
}

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Stealer<'_, usize, 1>>();
};

impl<'a, T: Item, const N: usize> Stealer<'a, T, N> {
    #[inline]
    pub(crate) fn new(deque: &'a StealDeque<T, N>) -> Self {
        Self { deque }
    }

    /// Takes one item from the back: of those in the deque, the one the owner would run last.
    ///
    /// Lock-free, and one attempt is wait-free: one fence and at most one compare-and-swap.
    /// [`Steal::Retry`] means that meanwhile another thief, or the owner, took that item. From any context,
    /// an interrupt handler too.
    #[inline]
    pub fn steal(&self) -> Steal<T> {
        // Ordering: Relaxed: the fence below acquires what this load read. It pairs with the
        // compare-and-swaps of `top`, by the fences before them.
        let top = self.deque.top.0.load(Ordering::Relaxed);
        // Ordering: SeqCst pairs with the fence in `Owner::claim` (S1).
        fence(Ordering::SeqCst);
        // Ordering: Acquire pairs with the release stores in `Owner::publish` and `Owner::claim` (S2).
        let bottom = self.deque.bottom.0.load(Ordering::Acquire);
        if index::count(top, bottom) == 0 {
            return Steal::Empty;
        }
        let word = self.deque.slots.0.load(top);
        // Ordering: Release on success pairs with the acquire of `top` in `Owner::free`: the slot was read
        // before the owner writes it again. (The models cannot see this one: a load that reads from a store
        // in its own future needs load buffering.) No acquire: it reads the very write that the first load
        // read (D2). Relaxed on failure: the value is not used.
        let next = index::toward_bottom(top, 1);
        match self.deque.top.0.compare_exchange(top, next, Ordering::Release, Ordering::Relaxed) {
            // SAFETY: the position held an item, and moving `top` past it made it ours alone (S3).
            Ok(_) => Steal::Taken(unsafe { T::from_word(word) }),
            Err(_) => Steal::Retry,
        }
    }

    /// How many items there were about now, from 0 to the capacity. Wait-free; from any context.
    #[inline]
    #[must_use]
    pub fn len_hint(&self) -> usize {
        self.deque.len_hint()
    }

    /// Whether the deque looked empty about now. Wait-free; from any context.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len_hint() == 0
    }
}

impl<T: Item, const N: usize> Clone for Stealer<'_, T, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Item, const N: usize> Copy for Stealer<'_, T, N> {}

impl<T: Item, const N: usize> fmt::Debug for Stealer<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stealer").field("len_hint", &self.len_hint()).finish_non_exhaustive()
    }
}
