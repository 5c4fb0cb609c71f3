//! Handles: how a node is given to the tree, and how it is given back.

use core::ops::Deref;
use core::pin::Pin;
use core::ptr::NonNull;

/// A pointer type that can be given away as a raw pointer and made again from it.
///
/// | Handle | While it is in the tree | What comes back |
/// |---|---|---|
/// | `NonNull<T>` | the caller keeps the value alive and in place (see [`Linked`](crate::Linked)) | the pointer |
/// | `&'static T` | shared with whoever else has a copy | a copy |
/// | `&'static mut T` | owned by the tree | the exclusive reference |
/// | `Box<T>`, `Arc<T>` (feature `alloc`) | owned, or one count held, by the tree | the box, that count |
/// | `Pin` of any of these but `NonNull` | as above | as above |
///
/// # Safety
///
/// For a pointer `p` that `into_raw` returned, until `p` goes to `from_raw`:
///
/// 1. `p` points to a live, initialised `Target` that stays at that address, and may be used for
///    everything that the handle allowed (its provenance is the handle's, not a weaker one).
/// 2. No `&mut Target` exists; shared references may.
///
/// `into_raw` and `from_raw` do not panic.
pub unsafe trait Handle: Sized {
    /// What the handle points to.
    type Target;

    /// Gives the handle away as a pointer, without dropping it.
    fn into_raw(self) -> NonNull<Self::Target>;

    /// Makes the handle again.
    ///
    /// # Safety
    ///
    /// `pointer` came from `into_raw` of this very type, and this is the only `from_raw` since.
    unsafe fn from_raw(pointer: NonNull<Self::Target>) -> Self;
}

// SAFETY: A raw pointer promises nothing by itself: whoever implements `Linked` with it vouches
// for points 1 and 2 there. Both functions are the identity.
unsafe impl<T> Handle for NonNull<T> {
    type Target = T;

    fn into_raw(self) -> NonNull<T> {
        self
    }

    unsafe fn from_raw(pointer: NonNull<T>) -> Self {
        pointer
    }
}

// SAFETY: The referent lives, unmoved, for ever, and a shared reference excludes every `&mut`.
unsafe impl<T> Handle for &'static T {
    type Target = T;

    fn into_raw(self) -> NonNull<T> {
        NonNull::from(self)
    }

    unsafe fn from_raw(pointer: NonNull<T>) -> Self {
        // SAFETY: The pointer was made from a `&'static T` (contract of `from_raw`).
        unsafe { pointer.as_ref() }
    }
}

// SAFETY: The referent lives, unmoved, for ever, and the one exclusive reference was given away.
unsafe impl<T> Handle for &'static mut T {
    type Target = T;

    fn into_raw(self) -> NonNull<T> {
        NonNull::from(self)
    }

    unsafe fn from_raw(mut pointer: NonNull<T>) -> Self {
        // SAFETY: The pointer was made from a `&'static mut T` that was given away, and no other
        // was made from it since (contract of `from_raw`).
        unsafe { pointer.as_mut() }
    }
}

// SAFETY: The pin changes neither the pointer nor the promises of the handle inside; the value is
// never moved between the two calls (point 1), so the pin's own promise holds too.
unsafe impl<H> Handle for Pin<H>
where
    H: Handle + Deref<Target = <H as Handle>::Target>,
    <H as Handle>::Target: Sized,
{
    type Target = <H as Handle>::Target;

    fn into_raw(self) -> NonNull<<H as Handle>::Target> {
        // SAFETY: The value is not moved out of the handle; it goes on as a pointer.
        unsafe { Pin::into_inner_unchecked(self) }.into_raw()
    }

    unsafe fn from_raw(pointer: NonNull<<H as Handle>::Target>) -> Self {
        // SAFETY: The pointer came from the handle inside (contract of `from_raw`).
        let handle = unsafe { H::from_raw(pointer) };
        // SAFETY: The value was pinned when it was given away and was not moved since.
        unsafe { Pin::new_unchecked(handle) }
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use super::{Handle, NonNull};
    use alloc::boxed::Box;
    use alloc::sync::Arc;

    // SAFETY: The heap place is stable and owned; the one box was given away.
    unsafe impl<T> Handle for Box<T> {
        type Target = T;

        fn into_raw(self) -> NonNull<T> {
            // SAFETY: A box is never null.
            unsafe { NonNull::new_unchecked(Box::into_raw(self)) }
        }

        unsafe fn from_raw(pointer: NonNull<T>) -> Self {
            // SAFETY: The pointer came from `Box::into_raw`, once (contract of `from_raw`).
            unsafe { Box::from_raw(pointer.as_ptr()) }
        }
    }

    // SAFETY: The heap place is stable, and lives while the count given away is held; while a
    // second count exists, or this one is a pointer, `Arc` gives no `&mut`.
    unsafe impl<T> Handle for Arc<T> {
        type Target = T;

        fn into_raw(self) -> NonNull<T> {
            // SAFETY: An `Arc` is never null.
            unsafe { NonNull::new_unchecked(Arc::into_raw(self).cast_mut()) }
        }

        unsafe fn from_raw(pointer: NonNull<T>) -> Self {
            // SAFETY: The pointer came from `Arc::into_raw`, once (contract of `from_raw`).
            unsafe { Arc::from_raw(pointer.as_ptr()) }
        }
    }
}
