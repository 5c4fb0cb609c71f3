//! The ring that grows: a pointer to a buffer, and something that keeps or frees the buffers that were outgrown.
//!
//! - **G1** The owner makes another buffer, gives each of its slots the word that the old one has for the last position that
//!   falls there, and stores the pointer with release; then it publishes what did not fit before. So the words of all
//!   positions that hold items are in it, and a word of some item for each older position (`storage`, W3). The outgrown
//!   buffer is never written again.
//! - **G2** A thief acquires `bottom`, then loads the pointer. So the buffer that it finds is the one in which its position
//!   was published, or a later one. The word of its position is the same in both, as long as `top` stands there
//!   (`stealer`, S3): the old one is as it was (G1), and the new one has a copy.
//! - **G3** An outgrown buffer lives as long as a thief may look into it: that is what [`Retire`] sees to.

mod buffer;
#[cfg(feature = "epoch")]
mod epoch;
mod keep;

pub(crate) use buffer::Buffer;
#[cfg(feature = "epoch")]
pub use epoch::{EpochDeque, EpochGrowable};
pub use keep::{Growable, GrowableDeque};

use crate::deque::Deque;
use crate::index::{self, Position};
use crate::item::Item;
use crate::storage::{Storage, ring::Ring};
use crate::sync::{AtomicPtr, Ordering, const_fn};
use core::fmt;
use core::ptr;

/// Slots of the first buffer.
const FIRST: usize = if cfg!(any(loom, shuttle)) { 2 } else { 32 };

/// What becomes of buffers that were outgrown.
pub trait Retire: Send + Sync {
    /// What a thief holds while it looks into a buffer.
    type Guard;

    /// Before a thief loads the ends.
    fn guard() -> Self::Guard;

    /// Takes a buffer that no thief will find any more, and that some may have found.
    ///
    /// # Safety
    ///
    /// The caller is the owner; the buffer came from `Buffer::new` and was just replaced.
    unsafe fn retire(&self, outgrown: ptr::NonNull<Buffer>);
}

/// A ring that grows: see [`Growable`].
pub struct Heap<R> {
    /// Null before the first push.
    current: AtomicPtr<Buffer>,
    retired: R,
}

impl<R> Heap<R> {
    const_fn! {
        const fn new(retired: R) -> Self {
            Self { current: AtomicPtr::new(ptr::null_mut()), retired }
        }
    }

    /// The owner's buffer.
    ///
    /// # Safety
    ///
    /// The caller is the owner, and ends the reference before it replaces the buffer.
    #[inline]
    unsafe fn own(&self) -> Option<&Buffer> {
        // Ordering: Relaxed: the owner wrote it, or had it from the owner before (`deque`, D3).
        let current = self.current.load(Ordering::Relaxed);
        // SAFETY: it is null or from a box, and only the owner, which is the caller, replaces it.
        unsafe { current.as_ref() }
    }
}

impl<R: Retire> Heap<R> {
    /// Puts a buffer of that capacity in place of the current one, with the words of as many positions below `front`;
    /// `false` if there is no memory.
    ///
    /// # Safety
    ///
    /// The caller is the owner, and no more positions than that hold items.
    unsafe fn replace(&self, capacity: usize, front: Position) -> bool {
        let Some(new) = Buffer::new(capacity) else { return false };
        // SAFETY: (1) it is new, and nobody else knows it; (2) we are the owner, and both references end before the store.
        let (copy, current) = unsafe { (new.as_ref(), self.own()) };
        if let Some(current) = current {
            for places in 1..=capacity as u64 {
                let position = index::toward_top(front, places);
                copy.store(position, current.load_own(position));
            }
        }
        // Ordering: Relaxed: the owner's own.
        let outgrown = self.current.load(Ordering::Relaxed);
        // Ordering: Release pairs with the acquire in `load`: the copied words, and the buffer itself.
        self.current.store(new.as_ptr(), Ordering::Release);
        if let Some(outgrown) = ptr::NonNull::new(outgrown) {
            // SAFETY: we are the owner, it came from `Buffer::new`, and was just replaced.
            unsafe { self.retired.retire(outgrown) };
        }
        true
    }
}

impl<R: Retire> Storage for Heap<R> {}

impl<R: Retire> Ring for Heap<R> {
    const MOST: usize = usize::MAX;

    type Guard = R::Guard;

    #[inline]
    fn guard() -> R::Guard {
        R::guard()
    }

    #[inline]
    unsafe fn load(&self, position: Position, _: &R::Guard) -> *mut () {
        // Ordering: Acquire pairs with the release in `replace`: the buffer, and the words that were copied into it (G2).
        let current = self.current.load(Ordering::Acquire);
        // SAFETY: the position is below an acquired `bottom`, so a buffer was stored before that (G1), and it lives as
        // long as the guard (G3).
        unsafe { (*current).load(position) }
    }

    #[inline]
    unsafe fn load_own(&self, position: Position) -> *mut () {
        // SAFETY: we are the owner.
        unsafe { self.own() }.map_or(ptr::null_mut(), |buffer| buffer.load_own(position))
    }

    #[inline]
    unsafe fn store(&self, position: Position, word: *mut ()) {
        // SAFETY: we are the owner.
        if let Some(buffer) = unsafe { self.own() } {
            buffer.store(position, word);
        }
    }

    #[inline]
    unsafe fn capacity(&self) -> usize {
        // SAFETY: we are the owner.
        unsafe { self.own() }.map_or(0, Buffer::capacity)
    }

    unsafe fn grow(&self, front: Position) -> bool {
        // SAFETY: we are the owner.
        let capacity = unsafe { self.capacity() };
        let more = if capacity == 0 { Some(FIRST) } else { capacity.checked_mul(2) };
        // SAFETY: we are the owner, and there are more slots than before.
        more.is_some_and(|more| unsafe { self.replace(more, front) })
    }
}

impl<R> Drop for Heap<R> {
    fn drop(&mut self) {
        // Ordering: Relaxed: nobody else has a reference, and whatever took the last one away synchronised.
        if let Some(current) = ptr::NonNull::new(self.current.load(Ordering::Relaxed)) {
            // SAFETY: it came from `Buffer::new`, and nobody can look at it any more.
            unsafe { Buffer::free(current) };
        }
    }
}

impl<R> fmt::Debug for Heap<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heap").finish_non_exhaustive()
    }
}

impl<T: Item, R: Retire> Deque<T, Heap<R>> {
    const_fn! {
        const fn growing(retired: R, position: Position) -> Self {
            Self::over(Heap::new(retired), position)
        }
    }
}
