//! A reference that is one only where it is used.

use core::ptr::NonNull;

/// A `&'static S` as a pointer. In a struct that keeps a count of `S`'s memory besides, a reference would say that the memory is
/// there until a function which was given the struct returns; but it may go when the struct is dropped in there.
pub(crate) struct Far<S>(NonNull<S>);

// SAFETY: as for a reference.
unsafe impl<S: Sync> Send for Far<S> {}
// SAFETY: as for a reference.
unsafe impl<S: Sync> Sync for Far<S> {}

impl<S> Far<S> {
    pub(crate) fn new(to: &'static S) -> Self {
        Self(NonNull::from(to))
    }

    /// The reference; not to be kept for longer than this.
    #[inline]
    pub(crate) fn get(&self) -> &'static S {
        // SAFETY: it was one.
        unsafe { self.0.as_ref() }
    }
}

impl<S> Clone for Far<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Far<S> {}
