//! The owner's end, Chase–Lev's *bottom*: push and pop, and room for more. How items are taken stands in `claim`.
//!
//! ```text
//!   thieves ──► top │ shared │ bottom │ private │ front ◄── owner
//! ```
//!
//! # Synchronization
//!
//! - **O1** Everything here runs on one thread at a time: the handle is `!Sync`, all that changes takes
//!   `&mut self`, and there is one handle (`deque`, D3). So the owner's own loads of `bottom` and of slots
//!   are never stale.
//! - **O2** Every store of `bottom` releases. A thief that acquires *any* value of `bottom` sees the slots and items of
//!   all positions below it. That a pop's store releases too is needed: nothing carries the release of an earlier push
//!   over to a later relaxed store, and none of this thread's fences does when the handle came here from another thread.
//! - **O3** What is private, `bottom … front − 1`, nobody else knows of: it comes and goes without a fence. An owner that
//!   shares always has nothing private between two calls.
//! - **O4** The owner writes the slot of a position only after it has seen `top` less than the capacity behind it; an old
//!   `top` will do, since it only grows (D2). The thief that moved `top` past the slot's last item has read the slot before.
//!   It cannot have read what is written now, though it and the look at `top` are relaxed: by W3 (`storage`) the owner's
//!   look at `top`, which comes before the write, would have come before the thief's compare-and-swap, and seen it.

use crate::deque::Deque;
use crate::error::Full;
use crate::fixed::Fixed;
use crate::index::{self, Position};
use crate::item::Item;
use crate::lazy::Sharing;
use crate::storage::Storage;
use crate::sync::Ordering;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

/// The owner's handle: it works at the front.
///
/// Not re-entrant: an interrupt handler that may have interrupted the owner has no business here, and Rust's
/// borrows keep it out. Dropping the handle leaves the items where they are, all of them shared, and lets the deque be
/// split again.
///
/// ```compile_fail
/// fn share<T: Sync>(_: T) {}
/// let deque = steal_deque::StealDeque::<usize, 8>::new();
/// share(deque.split().unwrap().0);
/// ```
pub struct Owner<'a, T: Item, S: Storage> {
    deque: &'a Deque<T, S>,
    /// How many items are private: from `bottom` on.
    pub(crate) private: u64,
    /// A `top` that was seen.
    pub(crate) top: Position,
    pub(crate) sharing: Sharing,
    /// `Send` if the items are, never `Sync`.
    not_sync: PhantomData<Cell<()>>,
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Owner<'_, usize, Fixed<1>>>();
};

impl<'a, T: Item, S: Storage> Owner<'a, T, S> {
    #[inline]
    pub(crate) fn new(deque: &'a Deque<T, S>) -> Self {
        let mut owner =
            Self { deque, private: 0, top: 0, sharing: Sharing::Always, not_sync: PhantomData };
        owner.len_anew();
        owner
    }

    /// Puts one item at the front: the next pop's, the last to be stolen.
    ///
    /// Wait-free: no fence and no compare-and-swap; where the storage grows, as long as its allocator takes. The owner's
    /// context only.
    ///
    /// # Errors
    ///
    /// [`Full`] gives the item back when the deque holds as many as it can. It may be that thieves are just taking
    /// some of them.
    #[inline]
    pub fn push(&mut self, item: T) -> Result<(), Full<T>> {
        if !self.has_room() {
            return Err(Full(item));
        }
        let front = self.front();
        // SAFETY: we are the owner, and there is room (O4).
        unsafe { self.storage().store(front, item.into_word()) };
        match self.sharing {
            Sharing::Always => self.publish_to(index::toward_bottom(front, 1)),
            Sharing::OnDemand => self.keep_one(),
        }
        Ok(())
    }

    /// Takes one item from the front: after a [`refill`](Self::refill) the oldest.
    ///
    /// Wait-free. From what is private without a fence; else for one fence, or, where it is the last item, for one
    /// compare-and-swap and a fence, and another one for each thief that comes in between. The owner's context only.
    ///
    /// A pop that gives an item that thieves could have had has run a sequentially consistent fence: what the caller
    /// reads next, such as who is idle, it reads after thieves could see what it published before.
    #[inline]
    #[must_use]
    pub fn pop(&mut self) -> Option<T> {
        let position = match self.sharing {
            Sharing::Always => self.claim_one()?,
            Sharing::OnDemand => self.claim_one_lazily()?,
        };
        // SAFETY: (1) we are the owner, and an item was stored at the claimed position (D1); (2) the item is the owner's
        // alone (`claim`, C1, C2; O3); `top`, `bottom` or `front` has left the position, so nobody makes an item of it again.
        Some(unsafe { T::from_word(self.word(position)) })
    }

    /// How many items are in the deque: never less than there are, since thieves may just be taking some.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        // Ordering: Relaxed: an old value makes the deque look longer than it is.
        let top = self.deque.ends.0.top.load(Ordering::Relaxed);
        index::count(top, self.front()) as usize
    }

    /// Whether the deque is empty. `true` holds until something is put in by its owner.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items fit: `N`, or where the storage grows, as many as do without growing.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        // SAFETY: we are the owner.
        unsafe { self.storage().capacity() }
    }

    /// Whether one more fits; its slot may be written then.
    #[inline]
    pub(crate) fn has_room(&mut self) -> bool {
        self.room_seen() != 0 || self.make_room(1) != 0
    }

    /// How many more fit, at least one if at all; their slots may be written then.
    #[inline]
    pub(crate) fn room(&mut self) -> u64 {
        match self.room_seen() {
            0 => self.make_room(1),
            room => room,
        }
    }

    /// How many more fit by the `top` that was last seen.
    #[inline]
    fn room_seen(&self) -> u64 {
        self.capacity() as u64 - index::places(self.top, self.front())
    }

    /// Looks at what thieves have taken since, and takes more memory if there is not room for as many as that; how many
    /// fit then.
    #[cold]
    pub(crate) fn make_room(&mut self, wanted: u64) -> u64 {
        self.len_anew();
        loop {
            let room = self.room_seen();
            // SAFETY: we are the owner.
            if room >= wanted || !unsafe { self.storage().grow(self.front()) } {
                return room;
            }
        }
    }

    /// How many items there are, at most, by a new look at `top`; the slots of all others may be written (O4).
    pub(crate) fn len_anew(&mut self) -> u64 {
        // Ordering: Relaxed: that thieves have read the slots is in the orderings of the slots (O4).
        self.top = self.deque.ends.0.top.load(Ordering::Relaxed);
        index::count(self.top, self.front())
    }

    /// Puts a word at the front, where there is room; it is private until it is shared.
    #[inline]
    pub(crate) fn put(&mut self, word: *mut ()) {
        // SAFETY: we are the owner, and there is room (O4).
        unsafe { self.storage().store(self.front(), word) };
        self.private += 1;
    }

    /// The word of a position that was stored for.
    ///
    /// # Safety
    ///
    /// An item is or was at the position, at most the capacity from `front`.
    #[inline]
    pub(crate) unsafe fn word(&self, position: Position) -> *mut () {
        // SAFETY: we are the owner, and something was stored for the position, by this function's contract.
        unsafe { self.storage().load_own(position) }
    }

    /// Makes everything below a position visible to thieves.
    #[inline]
    pub(crate) fn publish_to(&mut self, bottom: Position) {
        // Ordering: Release pairs with the acquire in `Stealer::bottom`: slots and items first (O2).
        self.deque.ends.0.bottom.store(bottom, Ordering::Release);
    }

    #[inline]
    pub(crate) fn bottom(&self) -> Position {
        // Ordering: Relaxed: only the owner writes it (O1).
        self.deque.ends.0.bottom.load(Ordering::Relaxed)
    }

    /// The next position to push.
    #[inline]
    pub(crate) fn front(&self) -> Position {
        index::toward_bottom(self.bottom(), self.private)
    }

    #[inline]
    pub(crate) fn deque(&self) -> &'a Deque<T, S> {
        self.deque
    }

    #[inline]
    pub(crate) fn storage(&self) -> &'a S {
        &self.deque.storage.0
    }
}

impl<T: Item, S: Storage> Drop for Owner<'_, T, S> {
    fn drop(&mut self) {
        self.publish();
        // Ordering: Release pairs with the acquire in `StealDeque::split` (D3).
        self.deque.rights.0.is_split.store(false, Ordering::Release);
    }
}

impl<T: Item, S: Storage> fmt::Debug for Owner<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner")
            .field("capacity", &self.capacity())
            .field("len", &self.len())
            .field("sharing", &self.sharing)
            .finish_non_exhaustive()
    }
}
