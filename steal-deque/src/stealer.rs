//! The thieves' end, Chase–Lev's *top*: the items that the owner would run last.
//!
//! # Synchronization
//!
//! - **S1** The load of `top`, a sequentially consistent fence, the load of `bottom`, in this order (`look`). The
//!   owner's claim (`claim`, C2) is the mirror image: its store of `bottom`, such a fence, its load of `top`.
//!   The fences stand in one order. Thief first: the owner sees a `top` at least as far as the thief did.
//!   Owner first: the thief sees the `bottom` that the owner lowered, or a later one. Either way a thief
//!   whose `top` the owner did not see cannot find the owner's items below `bottom`. A thief that has just moved `top`
//!   itself knows it without a load; the fence and the load of `bottom` it needs all the same (`loot`).
//! - **S2** The load of `bottom` acquires. It pairs with the owner's release store that published this
//!   position, or any later one (`owner`, O2), and makes the slot's word and what is behind it visible.
//! - **S3** The item is the thief's when its compare-and-swap of `top` succeeds, not before. As long as `top`
//!   stands at a position, the slot of that position keeps its word: the owner takes the item there only by
//!   moving `top` itself, and writes the slot for a position further by the capacity only after it saw `top` move. So
//!   a word that was read too late goes with a compare-and-swap that fails, and is thrown away. Until then it may be
//!   shown to the thief's own code, as the word of some item (`storage`, W3).

use crate::barrier;
use crate::deque::Deque;
use crate::fixed::Fixed;
use crate::index::{self, Position};
use crate::item::Item;
use crate::storage::Storage;
use crate::sync::{Ordering, spin_loop};
use core::fmt;

/// What came of a steal.
#[must_use = "an item that was taken belongs to the caller"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steal<T> {
    /// This one: of those in the deque, the one the owner would have run last. For steals of many: so many of those.
    Taken(T),
    /// There was nothing to be had.
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
pub struct Stealer<'a, T: Item, S: Storage> {
    deque: &'a Deque<T, S>,
}

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Stealer<'_, usize, Fixed<1>>>();
};

impl<'a, T: Item, S: Storage> Stealer<'a, T, S> {
    #[inline]
    pub(crate) fn new(deque: &'a Deque<T, S>) -> Self {
        Self { deque }
    }

    /// Takes one item from the back: of those in the deque, the one the owner would run last.
    ///
    /// Lock-free, and one attempt is wait-free: one fence and at most one compare-and-swap.
    /// [`Steal::Retry`] means that meanwhile another thief, or the owner, took that item. From any context,
    /// an interrupt handler too.
    #[inline]
    pub fn steal(&self) -> Steal<T> {
        self.steal_if(|_| true)
    }

    /// [`steal`](Self::steal), up to `tries` times as long as others are quicker: what remains is a
    /// [`Steal::Retry`] after that many of them. At least one try is made.
    ///
    /// Wait-free: at most `tries` compare-and-swaps. From any context.
    #[inline]
    pub fn steal_within(&self, tries: usize) -> Steal<T> {
        for _ in 1..tries {
            match self.steal() {
                Steal::Retry => spin_loop(),
                taken_or_empty => return taken_or_empty,
            }
        }
        self.steal()
    }

    /// Takes one item from the back if `wanted` says so, which is shown its word (see [`Item::into_word`]) before;
    /// [`Steal::Empty`] if it declines: then there is nothing here for this thief, as others' items are behind that one.
    ///
    /// Progress, cost and context as for [`steal`](Self::steal); `wanted` is called at most once.
    ///
    /// # Type stability
    ///
    /// `wanted` looks at an item that is not the caller's. While it does, somebody else may take that item, run it to
    /// its end, and free it. Comparing the word itself is always fine. To look *behind* it, which needs `unsafe`, the
    /// memory of all items must be type-stable: what was ever an item's stays mapped and stays an item's, used again
    /// perhaps, for as long as there are thieves; and what `wanted` reads there must be atomic. What it reads may belong
    /// to another item by then: the steal that follows fails, and the answer is thrown away with it. But the word is always
    /// one that was put into this deque, and all that was written before it was put in is seen here.
    ///
    /// ```
    /// use core::ptr::NonNull;
    /// use core::sync::atomic::{AtomicU64, Ordering};
    /// use steal_deque::{Item, Steal, StealDeque};
    ///
    /// struct Task { may_run_on: AtomicU64 }
    /// struct Ready(NonNull<Task>);
    /// // SAFETY: `Task` is all atomic.
    /// unsafe impl Send for Ready {}
    /// // SAFETY: the word is the pointer, and comes back as it went.
    /// unsafe impl Item for Ready {
    ///     fn into_word(self) -> *mut () { self.0.as_ptr().cast() }
    ///     unsafe fn from_word(word: *mut ()) -> Self {
    ///         // SAFETY: it came out of `into_word`.
    ///         Self(unsafe { NonNull::new_unchecked(word.cast()) })
    ///     }
    /// }
    ///
    /// /// Type-stable: a static.
    /// static TASKS: [Task; 1] = [Task { may_run_on: AtomicU64::new(0b01) }];
    /// static DEQUE: StealDeque<Ready, 4> = StealDeque::new();
    /// let (mut owner, stealer) = DEQUE.split().unwrap();
    /// owner.push(Ready(NonNull::from(&TASKS[0]))).ok().unwrap();
    ///
    /// let runs_on = |cpu: u32| move |word: *mut ()| {
    ///     // SAFETY: it was an item's once, and all of those are in `TASKS`.
    ///     let task: &Task = unsafe { &*word.cast_const().cast() };
    ///     task.may_run_on.load(Ordering::Relaxed) & (1 << cpu) != 0
    /// };
    /// assert!(matches!(stealer.steal_if(runs_on(1)), Steal::Empty));
    /// assert!(matches!(stealer.steal_if(runs_on(0)), Steal::Taken(_)));
    /// ```
    #[inline]
    pub fn steal_if(&self, wanted: impl FnOnce(*mut ()) -> bool) -> Steal<T> {
        let guard = S::guard();
        let (top, bottom) = self.look();
        if index::count(top, bottom) == 0 {
            self.ask();
            return Steal::Empty;
        }
        // SAFETY: `top` is below `bottom`, acquired under the guard.
        let word = unsafe { self.deque.storage.0.load(top, &guard) };
        if !wanted(word) {
            return Steal::Empty;
        }
        if self.take(top) {
            // SAFETY: the position held an item, and moving `top` past it made it ours alone (S3).
            Steal::Taken(unsafe { T::from_word(word) })
        } else {
            Steal::Retry
        }
    }

    /// The ends, as S1 wants them; under a guard.
    #[inline]
    pub(crate) fn look(&self) -> (Position, Position) {
        // Ordering: Relaxed: the fence below orders it before the load of `bottom` (S1).
        let top = self.deque.ends.0.top.load(Ordering::Relaxed);
        barrier::between_loads();
        (top, self.bottom())
    }

    /// `bottom`, behind a fence (S1).
    #[inline]
    pub(crate) fn bottom(&self) -> Position {
        // Ordering: Acquire pairs with the release stores in `Owner::publish_to` and `Owner::lower` (S2).
        self.deque.ends.0.bottom.load(Ordering::Acquire)
    }

    /// Moves `top` by one from there; the item whose word was read before is the caller's if this succeeds.
    #[inline]
    pub(crate) fn take(&self, top: Position) -> bool {
        // Ordering: Relaxed. It hands nothing over: that the slot was read before the owner writes it again is in the
        // orderings of the slot (`owner`, O4). It takes nothing over either: it reads the very write that `look` read, or
        // its own (D2). On failure the value is not used.
        let next = index::toward_bottom(top, 1);
        let top_end = &self.deque.ends.0.top;
        top_end.compare_exchange(top, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Tells an owner that keeps items to itself that one thief found none (`lazy`).
    #[inline]
    pub(crate) fn ask(&self) {
        let is_wanted = &self.deque.rights.0.is_wanted;
        // Ordering: Relaxed, both: a request carries nothing, and one that goes lost is made again.
        if !is_wanted.load(Ordering::Relaxed) {
            is_wanted.store(true, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn storage(&self) -> &'a S {
        &self.deque.storage.0
    }

    /// How many items there were for thieves about now, from 0 to the capacity. Wait-free; from any context.
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

impl<T: Item, S: Storage> Clone for Stealer<'_, T, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Item, S: Storage> Copy for Stealer<'_, T, S> {}

impl<T: Item, S: Storage> fmt::Debug for Stealer<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stealer").field("len_hint", &self.len_hint()).finish_non_exhaustive()
    }
}
