//! Handles: what is handed in on arming, and handed back on firing and cancelling.

use core::pin::Pin;
use core::ptr::NonNull;

/// A pointer that owns, or vouches for, a node while the wheel holds it.
///
/// Implemented for `NonNull<T>`, `&'static T`, `&'static mut T`, `Pin<&'static mut T>` and, with
/// the feature `alloc`, for `Box<T>`, `Arc<T>`, `Pin<Box<T>>` and `Pin<Arc<T>>`.
///
/// # Safety
///
/// - `from_raw(into_raw(handle))` is `handle`, and neither call panics.
/// - From `into_raw` until `from_raw` of the same pointer, the node is live, stays where it is, and
///   the pointer may be used to reach it. (`NonNull` cannot promise this by itself; see [`Linked`](crate::Linked).)
pub unsafe trait Handle {
    /// The node pointed to.
    type Target;

    /// Gives up the handle for a pointer to its node.
    fn into_raw(self) -> NonNull<Self::Target>;

    /// Takes the handle back.
    ///
    /// # Safety
    ///
    /// `raw` came from [`into_raw`](Self::into_raw), and is turned back this once.
    unsafe fn from_raw(raw: NonNull<Self::Target>) -> Self;
}

// SAFETY: the pointer is the handle. That the node is live is promised by the node's `Linked`.
unsafe impl<T> Handle for NonNull<T> {
    type Target = T;
    fn into_raw(self) -> NonNull<T> {
        self
    }
    unsafe fn from_raw(raw: NonNull<T>) -> Self {
        raw
    }
}

// SAFETY: the node is borrowed for ever, so it lives and stays; the entry's fields are in a cell.
unsafe impl<T> Handle for &'static T {
    type Target = T;
    fn into_raw(self) -> NonNull<T> {
        NonNull::from(self)
    }
    unsafe fn from_raw(raw: NonNull<T>) -> Self {
        // SAFETY: `raw` came from such a reference, by contract.
        unsafe { raw.as_ref() }
    }
}

// SAFETY: the node is borrowed for ever and by the wheel alone until it is handed back.
unsafe impl<T> Handle for &'static mut T {
    type Target = T;
    fn into_raw(self) -> NonNull<T> {
        NonNull::from(self)
    }
    unsafe fn from_raw(mut raw: NonNull<T>) -> Self {
        // SAFETY: `raw` came from such a reference, and is turned back this once, by contract.
        unsafe { raw.as_mut() }
    }
}

// SAFETY: as for `&'static mut T`.
unsafe impl<T> Handle for Pin<&'static mut T> {
    type Target = T;
    fn into_raw(self) -> NonNull<T> {
        // SAFETY: the node is not moved: only its address is taken.
        NonNull::from(unsafe { Pin::into_inner_unchecked(self) })
    }
    unsafe fn from_raw(mut raw: NonNull<T>) -> Self {
        // SAFETY: `raw` came from such a pinned reference, and is turned back this once, by contract.
        unsafe { Pin::new_unchecked(raw.as_mut()) }
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use alloc::boxed::Box;
    use alloc::sync::Arc;
    use core::pin::Pin;
    use core::ptr::NonNull;

    use super::Handle;

    // SAFETY: the wheel owns the allocation until the handle is handed back.
    unsafe impl<T> Handle for Box<T> {
        type Target = T;
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: a box is not null.
            unsafe { NonNull::new_unchecked(Box::into_raw(self)) }
        }
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` came from such a box, and is turned back this once, by contract.
            unsafe { Box::from_raw(raw.as_ptr()) }
        }
    }

    // SAFETY: the wheel owns one count, so the node lives and no one can have it by `&mut`.
    unsafe impl<T> Handle for Arc<T> {
        type Target = T;
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: an `Arc`'s pointer is not null.
            unsafe { NonNull::new_unchecked(Arc::into_raw(self).cast_mut()) }
        }
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` came from such an `Arc`, and is turned back this once, by contract.
            unsafe { Arc::from_raw(raw.as_ptr()) }
        }
    }

    // SAFETY: as for `Box<T>`.
    unsafe impl<T> Handle for Pin<Box<T>> {
        type Target = T;
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: the node is not moved: only its address is taken.
            unsafe { Pin::into_inner_unchecked(self) }.into_raw()
        }
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` came from such a pinned box, by contract; its node has not moved.
            unsafe { Pin::new_unchecked(Box::from_raw(raw.as_ptr())) }
        }
    }

    // SAFETY: as for `Arc<T>`.
    unsafe impl<T> Handle for Pin<Arc<T>> {
        type Target = T;
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: the node is not moved: only its address is taken.
            Handle::into_raw(unsafe { Pin::into_inner_unchecked(self) })
        }
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` came from such a pinned `Arc`, by contract; its node has not moved.
            unsafe { Pin::new_unchecked(Arc::from_raw(raw.as_ptr())) }
        }
    }
}
