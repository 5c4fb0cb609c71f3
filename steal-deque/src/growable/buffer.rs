//! A ring of slots on the heap.

use crate::index::{self, Position};
use crate::sync::{AtomicPtr, Ordering};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ptr::{self, NonNull};

/// Its number of slots is a power of two.
pub struct Buffer {
    words: Box<[AtomicPtr<()>]>,
    /// The one that this one took the place of, where it is kept (`keep`). Atomic, since thieves may still have a
    /// reference to the whole when the owner sets it.
    pub(super) older: AtomicPtr<Buffer>,
}

impl Buffer {
    /// `None` if there is no memory.
    pub(super) fn new(capacity: usize) -> Option<NonNull<Self>> {
        let mut words = Vec::new();
        words.try_reserve_exact(capacity).ok()?;
        words.resize_with(capacity, || AtomicPtr::new(ptr::null_mut()));
        // A boxed slice of one, since `Box::new` aborts where there is no memory.
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(1).ok()?;
        let older = AtomicPtr::new(ptr::null_mut());
        buffer.push(Self { words: words.into_boxed_slice(), older });
        Some(NonNull::from(Box::leak(buffer.into_boxed_slice())).cast())
    }

    /// Frees it.
    ///
    /// # Safety
    ///
    /// It came from `new`, nobody looks at it, and this happens once.
    pub(super) unsafe fn free(buffer: NonNull<Self>) {
        // SAFETY: it is a boxed slice of one, by this function's contract.
        drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(buffer.as_ptr(), 1)) });
    }

    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.words.len()
    }

    /// For a thief.
    #[inline]
    pub(super) fn load(&self, position: Position) -> *mut () {
        // Ordering: Acquire pairs with the release in `store`, for a thief that reads a later position's word (`storage`, W3).
        // That it does not read an earlier one's is the acquire of `bottom` or of the buffer's pointer.
        self.word(position).load(Ordering::Acquire)
    }

    /// For the owner.
    #[inline]
    pub(super) fn load_own(&self, position: Position) -> *mut () {
        // Ordering: Relaxed: the owner wrote it, or had it from the owner before (`deque`, D3).
        self.word(position).load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn store(&self, position: Position, word: *mut ()) {
        // Ordering: Release pairs with the acquire in `load` (`storage`, W3). Who finds the position by `bottom` or the buffer
        // by its pointer has it from the release of that.
        self.word(position).store(word, Ordering::Release);
    }

    #[inline]
    fn word(&self, position: Position) -> &AtomicPtr<()> {
        &self.words[index::slot(position, self.words.len())]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
