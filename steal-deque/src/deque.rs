//! The shared part: two positions, the slots, and the right to be the owner.
//!
//! - **D1** `top ≤ bottom ≤ top + N` whenever no pop is under way; during one, `bottom` may be behind. The
//!   positions `top … bottom − 1` hold the items.
//! - **D2** While the deque is shared, `top` only grows, by one, by a compare-and-swap: every value of it is
//!   written once. So positions are never reset, not even when the deque is split again: a thief that
//!   stalled before its compare-and-swap would win it and take an item twice.
//! - **D3** Only the owner writes `bottom` and the slots. `is_split` hands that right from one owner to the
//!   next. Nobody else ever waits for it: thieves need no owner.

use crate::index::{self, Position};
use crate::item::Item;
use crate::owner::Owner;
use crate::slots::Slots;
use crate::stealer::Stealer;
use crate::sync::{AtomicBool, AtomicU64, Ordering, const_fn};
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;

/// A work-stealing deque of at most `N` items, `N` a power of two.
///
/// Put it into a `static`, take the one [`Owner`] by [`split`](Self::split), and hand out any number of
/// [`Stealer`]s. What is left in the deque when it is dropped is dropped with it.
///
/// `N` is checked at compile time:
/// ```compile_fail
/// static DEQUE: steal_deque::StealDeque<usize, 6> = steal_deque::StealDeque::new();
/// ```
/// Items that are not `Send` stay on their thread:
/// ```compile_fail
/// static DEQUE: steal_deque::StealDeque<core::ptr::NonNull<u8>, 8> = steal_deque::StealDeque::new();
/// ```
/// A deque of long borrows is not a deque of short ones, into which a short one could be pushed:
/// ```compile_fail
/// fn shorten<'long: 'short, 'short, 'deque>(
///     deque: &'deque steal_deque::StealDeque<&'long u8, 8>,
/// ) -> &'deque steal_deque::StealDeque<&'short u8, 8> {
///     deque
/// }
/// ```
#[repr(C)]
pub struct StealDeque<T: Item, const N: usize> {
    /// The thieves' end: the next position to steal.
    pub(crate) top: CacheLine<AtomicU64>,
    /// The owner's end: the next position to push.
    pub(crate) bottom: CacheLine<AtomicU64>,
    /// Whether there is an owner.
    pub(crate) is_split: AtomicBool,
    pub(crate) slots: CacheLine<Slots<N>>,
    /// Owns items; invariant in `T`, since items go in through a shared reference.
    items: PhantomData<UnsafeCell<T>>,
}

// SAFETY: what is shared is atomic, and only one owner at a time exists (D3). Items move between threads, so
// they must be `Send`; no two threads get at one item at the same time, so they need not be `Sync`.
unsafe impl<T: Item + Send, const N: usize> Sync for StealDeque<T, N> {}

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<StealDeque<usize, 1>>();
};

impl<T: Item, const N: usize> StealDeque<T, N> {
    const_fn! {
        /// An empty deque.
        #[must_use]
        pub const fn new() -> Self {
            Self::new_at(0)
        }
    }

    const_fn! {
        /// An empty deque whose positions start at `position`: for tests of the wrap.
        #[doc(hidden)]
        #[must_use]
        pub const fn new_at(position: Position) -> Self {
            const { assert!(N.is_power_of_two(), "the capacity must be a power of two, at least 1") };
            Self {
                top: CacheLine(AtomicU64::new(position)),
                bottom: CacheLine(AtomicU64::new(position)),
                is_split: AtomicBool::new(false),
                slots: CacheLine(Slots::new()),
                items: PhantomData,
            }
        }
    }

    /// The right to be the owner, and a first stealer; `None` while there is an owner.
    ///
    /// When the [`Owner`] is dropped the deque can be split again, by any thread; the items stay in it.
    /// Wait-free; from any context.
    #[must_use]
    pub fn split(&self) -> Option<(Owner<'_, T, N>, Stealer<'_, T, N>)> {
        // Ordering: Acquire pairs with the release in `Owner::drop`: all that the last owner did, its writes
        // of `bottom` and of the slots above all, happened before what the new one does (D3). Relaxed on
        // failure: nothing is done then.
        self.is_split.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some((Owner::new(self), self.stealer()))
    }

    /// One more stealer: at any time, also while there is no owner. Wait-free; from any context.
    #[inline]
    #[must_use]
    pub fn stealer(&self) -> Stealer<'_, T, N> {
        Stealer::new(self)
    }

    /// How many items fit: `N`.
    #[inline]
    #[must_use]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// How many items there were about now, from 0 to `N`. Wait-free; from any context.
    #[inline]
    pub(crate) fn len_hint(&self) -> usize {
        // Ordering: Relaxed, both: a hint; the two loads need not even belong to one moment.
        let top = self.top.0.load(Ordering::Relaxed);
        let bottom = self.bottom.0.load(Ordering::Relaxed);
        (index::count(top, bottom) as usize).min(N)
    }
}

impl<T: Item, const N: usize> Default for StealDeque<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Item, const N: usize> Drop for StealDeque<T, N> {
    fn drop(&mut self) {
        // Ordering: Relaxed: nobody else has a reference, and whatever took the last one away synchronised.
        let bottom = self.bottom.0.load(Ordering::Relaxed);
        loop {
            // Ordering: Relaxed, as above.
            let top = self.top.0.load(Ordering::Relaxed);
            if index::count(top, bottom) == 0 {
                break;
            }
            // Counted before the item is dropped: if that panics the rest leaks, and nothing drops twice.
            // Ordering: Relaxed, as above.
            self.top.0.store(index::toward_bottom(top, 1), Ordering::Relaxed);
            // SAFETY: the position holds an item (D1), and it was just given up for good.
            drop(unsafe { T::from_word(self.slots.0.load(top)) });
        }
    }
}

impl<T: Item, const N: usize> fmt::Debug for StealDeque<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StealDeque")
            .field("capacity", &N)
            .field("len_hint", &self.len_hint())
            .finish_non_exhaustive()
    }
}

/// A value with cache lines of its own: 128 bytes where neighbouring lines are fetched in pairs.
#[cfg_attr(
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "powerpc64"),
    repr(align(128))
)]
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "powerpc64")),
    repr(align(64))
)]
pub(crate) struct CacheLine<T>(pub(crate) T);
