//! Outgrown buffers are kept until the deque is dropped: no thief needs a guard, and all of it can be verified.
//!
//! Each is half as large as the next one, so all of them together are smaller than the one in use.

use super::{Buffer, Heap, Retire};
use crate::deque::Deque;
use crate::index::Position;
use crate::item::Item;
use crate::sync::{AtomicPtr, Ordering, const_fn};
use core::fmt;
use core::ptr::{self, NonNull};

/// A ring that grows, by twice, when it is full; outgrown buffers are kept until the deque is dropped.
///
/// All of them together take less than the one in use. It starts with nothing, so that the deque is `const`.
pub type Growable = Heap<Keep>;

/// A work-stealing deque that grows: [`StealDeque`](crate::StealDeque) but for that, and as well verified.
///
/// `push` allocates when the buffer is full: not for where the allocator must not be called. If it has no more, the item
/// comes back as from a full deque.
///
/// ```
/// use steal_deque::{GrowableDeque, Steal};
///
/// static DEQUE: GrowableDeque<usize> = GrowableDeque::new();
/// let (mut owner, stealer) = DEQUE.split().unwrap();
/// assert_eq!(owner.push_bulk(&mut (0..1000)), 1000);
/// assert_eq!(owner.capacity(), 1024);
/// assert_eq!((owner.pop(), stealer.steal()), (Some(999), Steal::Taken(0)));
/// ```
pub type GrowableDeque<T> = Deque<T, Growable>;

/// Keeps what was outgrown, for [`Growable`].
pub struct Keep {
    /// The last one that was outgrown; each has the one before it.
    last: AtomicPtr<Buffer>,
}

impl<T: Item> Deque<T, Growable> {
    const_fn! {
        /// An empty deque, without memory yet.
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
            Self::growing(Keep { last: AtomicPtr::new(ptr::null_mut()) }, position)
        }
    }
}

impl<T: Item> Default for Deque<T, Growable> {
    fn default() -> Self {
        Self::new()
    }
}

impl Retire for Keep {
    type Guard = ();

    #[inline]
    fn guard() {}

    unsafe fn retire(&self, outgrown: NonNull<Buffer>) {
        // Ordering: Relaxed, all: the owner's own, and then that of who drops the deque.
        let before = self.last.load(Ordering::Relaxed);
        // SAFETY: it is live until `self` is dropped.
        unsafe { outgrown.as_ref() }.older.store(before, Ordering::Relaxed);
        self.last.store(outgrown.as_ptr(), Ordering::Relaxed);
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        // Ordering: Relaxed, both: nobody else has a reference, and whatever took the last one away synchronised.
        let mut last = self.last.load(Ordering::Relaxed);
        while let Some(buffer) = NonNull::new(last) {
            // SAFETY: it is live until it is freed below.
            last = unsafe { buffer.as_ref() }.older.load(Ordering::Relaxed);
            // SAFETY: it came from `Buffer::new`, is in this list once, and nobody can look at it any more.
            unsafe { Buffer::free(buffer) };
        }
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keep").finish_non_exhaustive()
    }
}
