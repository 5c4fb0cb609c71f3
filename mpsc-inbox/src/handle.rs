//! Handles: what a user gives to a structure and gets back from it.

use core::pin::Pin;
use core::ptr::NonNull;

/// A value that names one node and can be turned into a raw pointer and back.
///
/// A structure of this crate keeps the raw form while the node is linked and turns it back into the handle when
/// it hands the node out. It is implemented for `&'static T`, `Pin<&'static T>`, `&'static mut T`,
/// `Pin<&'static mut T>` and `NonNull<T>`, and with the feature `alloc` for `Box`, `Arc`, `Pin<Box>` and
/// `Pin<Arc>`. A kernel that counts its references itself implements it for its own type.
///
/// # Safety
///
/// 1. `into_raw` and `from_raw` are inverse, run no destructor of the target and do not panic. The pointer is the
///    same each time one handle is turned, wherever the handle itself lies.
/// 2. The pointer has provenance over the whole target and may be used to write its interior-mutable parts.
/// 3. From `into_raw` to `from_raw` the target is neither moved nor freed, and nobody holds an exclusive reference
///    to all of it. The structure may make a shared one, on any thread to which the handle may be sent.
///
/// A handle that cannot promise the third point by itself (`NonNull`) must not be [`Unique`]: then only the unsafe
/// ways into a structure take it, and their caller promises it.
pub unsafe trait Handle {
    /// The node.
    type Target;

    /// Gives up the handle for a pointer to its node. Wait-free.
    fn into_raw(self) -> NonNull<Self::Target>;

    /// Takes the handle back. Wait-free.
    ///
    /// # Safety
    ///
    /// `raw` comes from `into_raw` of this same type and has not been turned back since.
    unsafe fn from_raw(raw: NonNull<Self::Target>) -> Self;
}

/// A handle of which no two live ones can name one node, so that a node cannot be linked twice.
///
/// Safe code may push such a handle: whoever still has it in hand has proof that its node is in no structure.
/// A handle that can be copied or cloned is not unique. It is made [`Queued`](crate::Queued), which is, or goes through
/// [`Inbox::push_unlinked`], [`Batch::push_unlinked`] and [`List::push_back_unlinked`].
///
/// [`Batch::push_unlinked`]: crate::Batch::push_unlinked
/// [`Inbox::push_unlinked`]: crate::Inbox::push_unlinked
/// [`List::push_back_unlinked`]: crate::List::push_back_unlinked
///
/// # Safety
///
/// While a handle is live (one turned into its raw form counts as live) safe code cannot obtain another one to the
/// same node, and the handle keeps the third promise of [`Handle`] by itself.
pub unsafe trait Unique: Handle {}

/// A handle of which several can name one node, and that keeps the third promise of [`Handle`] by itself.
///
/// It can be made [`Queued`](crate::Queued), and then be pushed by safe code: `&'static T`, `Pin<&'static T>`, and with the
/// feature `alloc` `Arc` and `Pin<Arc>`.
///
/// # Safety
///
/// Live or in its raw form, the handle keeps the third promise of [`Handle`] by itself, whatever safe code does.
pub unsafe trait Shared: Handle {}

// SAFETY: 1: a reference and its pointer are the same address. 2: a shared reference may write what is interior
// mutable. 3: the borrow is static, and shared.
unsafe impl<T> Handle for &'static T {
    type Target = T;

    #[inline]
    fn into_raw(self) -> NonNull<T> {
        NonNull::from(self)
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<T>) -> Self {
        // SAFETY: `raw` was a static shared reference.
        unsafe { raw.as_ref() }
    }
}

// SAFETY: the borrow is static, and shared.
unsafe impl<T> Shared for &'static T {}

// SAFETY: as for `&'static T`; pinning changes no address.
unsafe impl<T> Handle for Pin<&'static T> {
    type Target = T;

    #[inline]
    fn into_raw(self) -> NonNull<T> {
        NonNull::from(Pin::get_ref(self))
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<T>) -> Self {
        // SAFETY: `raw` was a static shared reference, and it was pinned.
        unsafe { Pin::new_unchecked(raw.as_ref()) }
    }
}

// SAFETY: as for `&'static T`.
unsafe impl<T> Shared for Pin<&'static T> {}

// SAFETY: 1 and 2: a mutable reference and its pointer are the same address with the same rights. 3: the reference
// was static and exclusive, and it is given up: nobody else can reach the target.
unsafe impl<T> Handle for &'static mut T {
    type Target = T;

    #[inline]
    fn into_raw(self) -> NonNull<T> {
        NonNull::from(self)
    }

    #[inline]
    unsafe fn from_raw(mut raw: NonNull<T>) -> Self {
        // SAFETY: `raw` was a static exclusive reference, given up until now.
        unsafe { raw.as_mut() }
    }
}

// SAFETY: a mutable reference is not copied, and `into_raw` consumes it.
unsafe impl<T> Unique for &'static mut T {}

// SAFETY: as for `&'static mut T`; pinning changes no address, and the target is not moved here.
unsafe impl<T> Handle for Pin<&'static mut T> {
    type Target = T;

    #[inline]
    fn into_raw(self) -> NonNull<T> {
        // SAFETY: the reference becomes a pointer; nothing is moved out of it before `from_raw` pins it again.
        NonNull::from(unsafe { Pin::get_unchecked_mut(self) })
    }

    #[inline]
    unsafe fn from_raw(mut raw: NonNull<T>) -> Self {
        // SAFETY: `raw` was a static exclusive reference, given up until now, and it was pinned.
        unsafe { Pin::new_unchecked(raw.as_mut()) }
    }
}

// SAFETY: as for `&'static mut T`.
unsafe impl<T> Unique for Pin<&'static mut T> {}

// SAFETY: 1 and 2: it is the pointer. 3: not kept here, hence not `Unique`: the pusher promises it.
unsafe impl<T> Handle for NonNull<T> {
    type Target = T;

    #[inline]
    fn into_raw(self) -> NonNull<T> {
        self
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<T>) -> Self {
        raw
    }
}

#[cfg(feature = "alloc")]
mod owning {
    use super::{Handle, NonNull, Pin, Unique};
    use alloc::boxed::Box;

    // SAFETY: 1 and 2: `Box::into_raw` and `Box::from_raw` are inverse and keep the whole allocation's provenance.
    // 3: the box is given up, so nobody else can reach, move or free its content.
    unsafe impl<T> Handle for Box<T> {
        type Target = T;

        #[inline]
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: a box is never null.
            unsafe { NonNull::new_unchecked(Box::into_raw(self)) }
        }

        #[inline]
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` comes from `Box::into_raw` and is turned back once.
            unsafe { Box::from_raw(raw.as_ptr()) }
        }
    }

    // SAFETY: a box owns its content alone, and `into_raw` consumes it.
    unsafe impl<T> Unique for Box<T> {}

    // SAFETY: as for `Box`; the content is not moved here.
    unsafe impl<T> Handle for Pin<Box<T>> {
        type Target = T;

        #[inline]
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: the box becomes a pointer; nothing is moved out of it before `from_raw` pins it again.
            Handle::into_raw(unsafe { Pin::into_inner_unchecked(self) })
        }

        #[inline]
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` comes from `into_raw` of a box, and the content was pinned.
            unsafe { Pin::new_unchecked(<Box<T> as Handle>::from_raw(raw)) }
        }
    }

    // SAFETY: as for `Box`.
    unsafe impl<T> Unique for Pin<Box<T>> {}
}

/// `Arc` exists where there is compare-and-swap.
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
mod counting {
    use super::{Handle, NonNull, Pin, Shared};
    use alloc::sync::Arc;

    // SAFETY: 1 and 2: `Arc::into_raw` and `Arc::from_raw` are inverse; the pointer may write what is interior
    // mutable. 3: the count of the handle is kept, so the target stays where it is, and `Arc::get_mut` and its
    // like see that count unless this handle is the only one; then nobody is there to call them.
    unsafe impl<T> Handle for Arc<T> {
        type Target = T;

        #[inline]
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: an `Arc` is never null.
            unsafe { NonNull::new_unchecked(Arc::into_raw(self).cast_mut()) }
        }

        #[inline]
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` comes from `Arc::into_raw` and carries that handle's count.
            unsafe { Arc::from_raw(raw.as_ptr()) }
        }
    }

    // SAFETY: the count of the handle is kept while it is raw.
    unsafe impl<T> Shared for Arc<T> {}

    // SAFETY: as for `Arc`; the target is not moved here.
    unsafe impl<T> Handle for Pin<Arc<T>> {
        type Target = T;

        #[inline]
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: the `Arc` becomes a pointer; nothing is moved out of it before `from_raw` pins it again.
            Handle::into_raw(unsafe { Pin::into_inner_unchecked(self) })
        }

        #[inline]
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` comes from `into_raw` of an `Arc`, and the target was pinned.
            unsafe { Pin::new_unchecked(<Arc<T> as Handle>::from_raw(raw)) }
        }
    }

    // SAFETY: as for `Arc`.
    unsafe impl<T> Shared for Pin<Arc<T>> {}
}
