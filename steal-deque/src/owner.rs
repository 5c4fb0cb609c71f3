//! The owner's end, Chase–Lev's *bottom*: push, pop, and the claim that pops stand on.
//!
//! # Synchronization
//!
//! - **O1** Everything here runs on one thread at a time: the handle is `!Sync`, all that changes takes
//!   `&mut self`, and there is one handle (`deque`, D3). So the owner's own loads of `bottom` and of slots
//!   are never stale.
//! - **O2** Every store of `bottom` releases: by itself, or by the sequentially consistent fence just before
//!   it. A thief that acquires *any* value of `bottom` sees the slots and items of all positions below it.
//!   That a pop's store releases too is needed: nothing carries the release of an earlier push over to a later
//!   relaxed store, and none of this thread's fences does when the handle came here from another thread.
//! - **O3** A pop claims: it lowers `bottom`, fences, and only then looks at `top`. See `stealer`, S1: a thief
//!   that gets by unseen can only be at the position where `top` stands, so there, and only there, owner and
//!   thief race by compare-and-swap; all positions above it up to the old `bottom` are the owner's.
//! - **O4** The owner writes the slot of a position only when `top` is less than `N` behind it, by an
//!   acquiring load: the thief that emptied the slot has read it.

use crate::bulk::Bulk;
use crate::deque::StealDeque;
use crate::error::{Full, NotEmpty};
use crate::index::{self, Position};
use crate::item::Item;
use crate::refill;
use crate::sync::{Ordering, fence};
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

/// The owner's handle: it works at the front.
///
/// Not re-entrant: an interrupt handler that may have interrupted the owner has no business here, and Rust's
/// borrows keep it out. Dropping the handle leaves the items where they are and lets the deque be split again.
///
/// ```compile_fail
/// fn share<T: Sync>(_: T) {}
/// let deque = steal_deque::StealDeque::<usize, 8>::new();
/// share(deque.split().unwrap().0);
/// ```
pub struct Owner<'a, T: Item, const N: usize> {
    deque: &'a StealDeque<T, N>,
    /// `Send` if the items are, never `Sync`.
    not_sync: PhantomData<Cell<()>>,
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Owner<'_, usize, 1>>();
};

/// Positions of items that are the owner's alone: from `low` up to, but without, `high`.
#[derive(Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) low: Position,
    pub(crate) high: Position,
}

impl<'a, T: Item, const N: usize> Owner<'a, T, N> {
    #[inline]
    pub(crate) fn new(deque: &'a StealDeque<T, N>) -> Self {
        Self { deque, not_sync: PhantomData }
    }

    /// Puts one item at the front: the next pop's, the last to be stolen.
    ///
    /// Wait-free: no fence and no compare-and-swap. The owner's context only.
    ///
    /// # Errors
    ///
    /// [`Full`] gives the item back when `N` items are in the deque. It may be that thieves are just taking
    /// some of them.
    #[inline]
    pub fn push(&mut self, item: T) -> Result<(), Full<T>> {
        let bottom = self.bottom();
        if self.len_acquired(bottom) == N as u64 {
            return Err(Full(item));
        }
        self.deque.slots.0.store(bottom, item.into_word());
        publish(self.deque, index::toward_bottom(bottom, 1));
        Ok(())
    }

    /// Takes one item from the front: after a [`refill`](Self::refill) the oldest.
    ///
    /// Wait-free: no fence when the deque is empty, else one, and one compare-and-swap for the last item.
    /// A pop that gives an item has run a sequentially consistent fence: what the caller reads next, such as
    /// who is idle, it reads after thieves could see what it published before. The owner's context only.
    #[inline]
    #[must_use]
    pub fn pop(&mut self) -> Option<T> {
        let claim = self.claim(1);
        if claim.low == claim.high {
            return None;
        }
        let word = self.deque.slots.0.load(claim.low);
        // SAFETY: the claimed position held an item (D1) and is the owner's alone (O3); `bottom` or `top` has
        // left it, so nobody makes an item of it again.
        Some(unsafe { T::from_word(word) })
    }

    /// Takes up to `most` items from the front, in the order in which [`pop`](Self::pop) would give them, all
    /// for the one fence of a single pop.
    ///
    /// Fewer come when fewer are there or when thieves were quicker. Wait-free; the owner's context only.
    #[inline]
    pub fn pop_bulk(&mut self, most: usize) -> Bulk<'_, T, N> {
        let claim = self.claim(most as u64);
        Bulk::new(self.deque, claim)
    }

    /// Moves items into the empty deque, given oldest first, so that [`pop`](Self::pop) gives the oldest first
    /// and thieves take the newest of them: how an owner with a FIFO of its own stays fair.
    ///
    /// Takes `items.len()` of them, at most `N`, and answers how many; the others stay in the iterator (cap it
    /// by [`take`](Iterator::take)). Thieves see all of them at once, by one store. Wait-free but for the
    /// iterator, which is called at most `N` times; the owner's context only.
    ///
    /// An iterator that ends early, or panics, gave what it gave: those items are published, in order. One that
    /// has more than it said keeps the rest.
    ///
    /// # Errors
    ///
    /// [`NotEmpty`] when there are items in the deque: refilling would put newer ones before them. The iterator
    /// is not touched. Never after a pop that gave `None`, unless there was a push since.
    pub fn refill(
        &mut self,
        items: &mut impl ExactSizeIterator<Item = T>,
    ) -> Result<usize, NotEmpty> {
        let bottom = self.bottom();
        if self.len_acquired(bottom) != 0 {
            return Err(NotEmpty);
        }
        Ok(refill::fill(self.deque, bottom, items))
    }

    /// How many items are in the deque: never less than there are, since thieves may just be taking some.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.deque.len_hint()
    }

    /// Whether the deque is empty. `true` holds until the owner's next push or refill.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items fit: `N`.
    #[inline]
    #[must_use]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// Makes up to `most` items from the front the owner's alone: Chase–Lev's pop, for one and for many.
    #[inline]
    fn claim(&mut self, most: u64) -> Claim {
        let bottom = self.bottom();
        // Ordering: Relaxed: an old value makes the deque look longer than it is; the load below decides.
        let top = self.deque.top.0.load(Ordering::Relaxed);
        let wanted = index::count(top, bottom).min(most);
        let low = index::toward_top(bottom, wanted);
        if wanted == 0 {
            return Claim { low, high: bottom };
        }
        // Ordering: Release pairs with the acquire in `Stealer::steal`: a thief that reads this lower value
        // still needs the items below it (O2).
        self.deque.bottom.0.store(low, Ordering::Release);
        // Ordering: SeqCst pairs with the fence in `Stealer::steal` (O3).
        fence(Ordering::SeqCst);
        // Ordering: Relaxed: the fence orders it; what thieves took is not touched.
        let top = self.deque.top.0.load(Ordering::Relaxed);
        if index::is_before(top, low) {
            return Claim { low, high: bottom };
        }
        if top == bottom {
            // Thieves took everything.
            // Ordering: Relaxed: the fence above releases (O2), and there are no items below.
            self.deque.bottom.0.store(bottom, Ordering::Relaxed);
            return Claim { low: bottom, high: bottom };
        }
        // `top` stands among the claimed positions: a thief may have its eye on that one.
        let next = index::toward_bottom(top, 1);
        // Ordering: Relaxed: being a read-modify-write it hands earlier thieves' releases on, and the fence
        // above is before it for the thieves that read it (S1). Failure tells all there is to know: a thief
        // took this one.
        let cas =
            self.deque.top.0.compare_exchange(top, next, Ordering::Relaxed, Ordering::Relaxed);
        // Ordering: Relaxed: the fence above releases (O2), and there are no items below.
        self.deque.bottom.0.store(next, Ordering::Relaxed);
        Claim { low: if cas.is_ok() { top } else { next }, high: bottom }
    }

    #[inline]
    fn bottom(&self) -> Position {
        // Ordering: Relaxed: only the owner writes it (O1).
        self.deque.bottom.0.load(Ordering::Relaxed)
    }

    /// How many items there are, at most; the slots of all others may be written (O4).
    #[inline]
    fn len_acquired(&self, bottom: Position) -> u64 {
        // Ordering: Acquire pairs with the releasing compare-and-swap in `Stealer::steal`: a thief has read its
        // slot before we write it again.
        let top = self.deque.top.0.load(Ordering::Acquire);
        index::count(top, bottom)
    }
}

/// Makes everything below `bottom` visible to thieves.
#[inline]
pub(crate) fn publish<T: Item, const N: usize>(deque: &StealDeque<T, N>, bottom: Position) {
    // Ordering: Release pairs with the acquire in `Stealer::steal`: slots and items first (O2).
    deque.bottom.0.store(bottom, Ordering::Release);
}

impl<T: Item, const N: usize> Drop for Owner<'_, T, N> {
    fn drop(&mut self) {
        // Ordering: Release pairs with the acquire in `StealDeque::split` (D3).
        self.deque.is_split.store(false, Ordering::Release);
    }
}

impl<T: Item, const N: usize> fmt::Debug for Owner<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner")
            .field("capacity", &N)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
