//! The shared part: two positions, the slots, and the right to be the owner.
//!
//! - **D1** `top ≤ bottom ≤ top + capacity` whenever no pop is under way; during one, `bottom` may be behind. The
//!   positions `top … bottom − 1` hold the items that thieves may have. The owner may hold more, from `bottom` on
//!   (`owner`, O3).
//! - **D2** While the deque is shared, `top` only grows, and only by compare-and-swap: every value of it is
//!   written once. So positions are never reset, not even when the deque is split again: a thief that
//!   stalled before its compare-and-swap would win it and take an item twice.
//! - **D3** Only the owner writes `bottom` and the slots. `is_split` hands that right from one owner to the
//!   next. Nobody else ever waits for it: thieves need no owner.

use crate::fixed::Fixed;
use crate::index::{self, Position};
use crate::item::Item;
use crate::owner::Owner;
use crate::stealer::Stealer;
use crate::storage::Storage;
use crate::sync::{AtomicBool, AtomicU64, Ordering, const_fn};
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;

/// A work-stealing deque of at most `N` items, `N` a power of two, with its slots inside.
///
/// Put it into a `static`, take the one [`Owner`] by [`split`](Deque::split), and hand out any number of
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
pub type StealDeque<T, const N: usize> = Deque<T, Fixed<N>>;

/// A work-stealing deque over any [`Storage`]: see [`StealDeque`], and with the feature `alloc` `GrowableDeque`.
#[repr(C)]
pub struct Deque<T: Item, S: Storage> {
    pub(crate) ends: CacheLine<Ends>,
    pub(crate) rights: CacheLine<Rights>,
    pub(crate) storage: CacheLine<S>,
    /// Owns items; invariant in `T`, since items go in through a shared reference.
    items: PhantomData<UnsafeCell<T>>,
}

/// Where the items are. One line for both: who takes an item, owner or thief, needs both ends, and has them for one
/// transfer.
#[repr(C)]
pub(crate) struct Ends {
    /// The thieves' end: the next position to steal.
    pub(crate) top: AtomicU64,
    /// The owner's end: the first position that thieves may not have.
    pub(crate) bottom: AtomicU64,
}

/// What is seldom written.
pub(crate) struct Rights {
    /// Whether there is an owner.
    pub(crate) is_split: AtomicBool,
    /// Whether a thief found nothing since the owner last gave: see `lazy`.
    pub(crate) is_wanted: AtomicBool,
}

// SAFETY: what is shared is atomic, and only one owner at a time exists (D3). Items move between threads, so
// they must be `Send`; no two threads get at one item at the same time, so they need not be `Sync`.
unsafe impl<T: Item + Send, S: Storage> Sync for Deque<T, S> {}

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<StealDeque<usize, 1>>();
};

impl<T: Item, const N: usize> Deque<T, Fixed<N>> {
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
            Self::over(Fixed::new(), position)
        }
    }

    /// How many items fit: `N`.
    #[inline]
    #[must_use]
    pub const fn capacity(&self) -> usize {
        N
    }
}

impl<T: Item, S: Storage> Deque<T, S> {
    const_fn! {
        pub(crate) const fn over(storage: S, position: Position) -> Self {
            Self {
                ends: CacheLine(Ends {
                    top: AtomicU64::new(position),
                    bottom: AtomicU64::new(position),
                }),
                rights: CacheLine(Rights {
                    is_split: AtomicBool::new(false),
                    is_wanted: AtomicBool::new(false),
                }),
                storage: CacheLine(storage),
                items: PhantomData,
            }
        }
    }

    /// The right to be the owner, and a first stealer; `None` while there is an owner.
    ///
    /// When the [`Owner`] is dropped the deque can be split again, by any thread; the items stay in it.
    /// Wait-free; from any context.
    #[must_use]
    pub fn split(&self) -> Option<(Owner<'_, T, S>, Stealer<'_, T, S>)> {
        // Ordering: Acquire pairs with the release in `Owner::drop`: all that the last owner did, its writes
        // of `bottom` and of the slots above all, happened before what the new one does (D3). Relaxed on
        // failure: nothing is done then.
        let is_split = &self.rights.0.is_split;
        is_split.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some((Owner::new(self), self.stealer()))
    }

    /// One more stealer: at any time, also while there is no owner. Wait-free; from any context.
    #[inline]
    #[must_use]
    pub fn stealer(&self) -> Stealer<'_, T, S> {
        Stealer::new(self)
    }

    /// How many items thieves could have had about now. Wait-free; from any context.
    #[inline]
    pub(crate) fn len_hint(&self) -> usize {
        // Ordering: Relaxed, both: a hint; the two loads need not even belong to one moment.
        let top = self.ends.0.top.load(Ordering::Relaxed);
        let bottom = self.ends.0.bottom.load(Ordering::Relaxed);
        (index::count(top, bottom) as usize).min(S::MOST)
    }
}

impl<T: Item, const N: usize> Default for Deque<T, Fixed<N>> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Item, S: Storage> Drop for Deque<T, S> {
    fn drop(&mut self) {
        let Ends { top: top_end, bottom } = &self.ends.0;
        // Ordering: Relaxed: nobody else has a reference, and whatever took the last one away synchronised.
        let bottom = bottom.load(Ordering::Relaxed);
        loop {
            // Ordering: Relaxed, as above.
            let top = top_end.load(Ordering::Relaxed);
            if index::count(top, bottom) == 0 {
                break;
            }
            // Counted before the item is dropped: if that panics the rest leaks, and nothing drops twice.
            // Ordering: Relaxed, as above.
            top_end.store(index::toward_bottom(top, 1), Ordering::Relaxed);
            // SAFETY: (1) nobody else has a reference, so we are the owner, and `top` is a position that was stored for
            // (D1); (2) it holds an item, and was just given up for good.
            drop(unsafe { T::from_word(self.storage.0.load_own(top)) });
        }
    }
}

impl<T: Item, S: Storage> fmt::Debug for Deque<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deque").field("len_hint", &self.len_hint()).finish_non_exhaustive()
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
