//! A handle that a class has, as a pointer that can be looked through.

use super::tcb::Tcb;
use core::fmt;
use core::mem;
use core::ops::Deref;
use core::ptr::NonNull;
use rbtree_aug::Handle;

/// A task in the hands of a class.
///
/// The pointer comes from `into_raw` of a handle, and `from_raw` was not called since.
pub struct Held<T: Tcb>(NonNull<T>);

// SAFETY: It is the handle, in another shape.
unsafe impl<T: Tcb> Send for Held<T> where T::Handle: Send {}

impl<T: Tcb> Held<T> {
    pub(super) fn new(handle: T::Handle) -> Self {
        Held(handle.into_raw())
    }

    pub(super) fn into_handle(self) -> T::Handle {
        let pointer = self.0;
        mem::forget(self);
        // SAFETY: By this type's invariant; `self` is forgotten, so this is the only call.
        unsafe { T::Handle::from_raw(pointer) }
    }

    pub(super) fn is(&self, task: NonNull<T>) -> bool {
        self.0 == task
    }

    /// Gives the pointer away, to be taken back by [`from_pointer`](Self::from_pointer).
    pub(super) fn into_pointer(self) -> NonNull<T> {
        let pointer = self.0;
        mem::forget(self);
        pointer
    }

    /// # Safety
    ///
    /// `pointer` came from [`into_pointer`](Self::into_pointer), and this is the only call since.
    pub(super) unsafe fn from_pointer(pointer: NonNull<T>) -> Self {
        Held(pointer)
    }
}

impl<T: Tcb> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: The handle is given away: the task is live, and no `&mut` to it exists.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Tcb> Drop for Held<T> {
    fn drop(&mut self) {
        drop(Held(self.0).into_handle());
    }
}

impl<T: Tcb> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.0).finish()
    }
}
