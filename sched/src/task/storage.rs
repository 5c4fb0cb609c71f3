//! Where a task's memory comes from, when it is the caller's.

use super::TaskMemory;
#[cfg(feature = "alloc")]
use alloc::{boxed::Box, sync::Arc};
use core::future::Future;
use core::ptr::NonNull;

/// A handle to memory for a task, which [`Builder::spawn_in`](crate::Builder::spawn_in) keeps until the task's end: a
/// reference to a `static`, a box, an `Arc`, or one of yours, out of a pool, say.
///
/// Several handles may lead to the same memory: the memory itself tells whether a task has it. The loop that frees the task
/// drops the handle, when the memory is free for the next one; with an `Arc`, whoever else has one can spawn there again.
///
/// ```
/// use core::future::{Future, Ready};
/// use core::ptr::NonNull;
/// use sched::{Storage, TaskMemory};
///
/// /// Memory out of a pool; a real one would give it back in its `drop`.
/// struct Slot<F: Future + 'static>(&'static TaskMemory<F>);
///
/// // SAFETY: the memory is static, and shared only; `from_raw` makes the same handle again.
/// unsafe impl<F: Future + 'static> Storage<F> for Slot<F> {
///     fn into_raw(self) -> NonNull<TaskMemory<F>> {
///         NonNull::from(self.0)
///     }
///     unsafe fn from_raw(memory: NonNull<TaskMemory<F>>) -> Self {
///         // SAFETY: the pointer is one of `into_raw`, made of a static reference.
///         Self(unsafe { memory.as_ref() })
///     }
/// }
///
/// # use sched::{Machine, Scheduler, trace::Trace};
/// fn spawn<M: Machine, T: Trace>(scheduler: &'static Scheduler<M, T>, slot: Slot<Ready<u8>>) {
///     if let Err(refused) = scheduler.task("in a slot").spawn_in(slot, core::future::ready(1)) {
///         let _: (Ready<u8>, Slot<Ready<u8>>) = (refused.future, refused.storage);
///     }
/// }
/// ```
///
/// # Safety
///
/// 1. From [`into_raw`](Self::into_raw) until the handle that [`from_raw`](Self::from_raw) gives is dropped, the memory is
///    live, does not move, and nobody has an exclusive reference to it; the pointer has the right to the whole of it.
/// 2. `from_raw` gives the handle back, the same that `into_raw` took; neither panics.
pub unsafe trait Storage<F: Future>: Sized + 'static {
    /// The memory. The handle is the pointer from here on.
    fn into_raw(self) -> NonNull<TaskMemory<F>>;

    /// The handle again. Called by a loop, on whatever CPU that is, or where the memory was found to be in use.
    ///
    /// # Safety
    ///
    /// `memory` came out of [`into_raw`](Self::into_raw) of this type, and has not been given back since.
    unsafe fn from_raw(memory: NonNull<TaskMemory<F>>) -> Self;
}

// SAFETY: a static is always there, and never exclusively borrowed; the reference is the handle.
unsafe impl<F: Future + 'static> Storage<F> for &'static TaskMemory<F> {
    fn into_raw(self) -> NonNull<TaskMemory<F>> {
        NonNull::from(self)
    }

    unsafe fn from_raw(memory: NonNull<TaskMemory<F>>) -> Self {
        // SAFETY: it was a static reference.
        unsafe { memory.as_ref() }
    }
}

#[cfg(feature = "alloc")]
// SAFETY: the box is nobody's while it is a pointer, and its contents stay where they are.
unsafe impl<F: Future + 'static> Storage<F> for Box<TaskMemory<F>> {
    fn into_raw(self) -> NonNull<TaskMemory<F>> {
        NonNull::from(Self::leak(self))
    }

    unsafe fn from_raw(memory: NonNull<TaskMemory<F>>) -> Self {
        // SAFETY: it was a box.
        unsafe { Self::from_raw(memory.as_ptr()) }
    }
}

#[cfg(feature = "alloc")]
// SAFETY: the count that the pointer stands for keeps the contents, where they are, and from being borrowed exclusively.
unsafe impl<F: Future + 'static> Storage<F> for Arc<TaskMemory<F>> {
    fn into_raw(self) -> NonNull<TaskMemory<F>> {
        let memory = Self::into_raw(self).cast_mut();
        // SAFETY: the contents of an `Arc` have an address.
        unsafe { NonNull::new_unchecked(memory) }
    }

    unsafe fn from_raw(memory: NonNull<TaskMemory<F>>) -> Self {
        // SAFETY: it was an `Arc`.
        unsafe { Self::from_raw(memory.as_ptr()) }
    }
}
