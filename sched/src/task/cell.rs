//! The memory of a task: its header, then its future or what came of it.
//!
//! # Invariants
//!
//! - **C1** `stage` is touched by one party at a time, as the state word says: by the loop while `RUNNING`; after
//!   `COMPLETE` by the join handle, or, when there is none, by the loop that completed the task; by whoever frees
//!   it when no reference is left.
//! - **C2** The future does not move from the time the cell is made until it is dropped in place.

use super::header::{Header, Meta, Queued};
use super::home::Home;
use super::{JoinHandle, TaskId};
use crate::state::Completed;
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::UnsafeCell;
#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

/// What can be done with a task whose future's type is not known. Each takes the header of a live task of the
/// type that the vtable was made for.
pub(crate) struct VTable {
    /// Polls the future; puts the output in its place and answers `true` when it finished. The caller is the
    /// loop that has the task `RUNNING`.
    pub(crate) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> bool,
    /// Drops the future or the output in place, and remembers that there is none. The caller has the stage (C1).
    pub(crate) clear: unsafe fn(NonNull<Header>),
    /// Moves the output to `*mut Option<Output>`; `None` if the task was cancelled. The caller has the stage (C1).
    pub(crate) take: unsafe fn(NonNull<Header>, *mut ()),
    /// Frees the memory. The caller is the last to reach the task.
    pub(crate) free: unsafe fn(NonNull<Header>),
    /// The header is that of a thread.
    #[cfg(feature = "threads")]
    pub(crate) is_thread: bool,
}

impl Header {
    /// Polls the task's future, and answers whether it finished.
    ///
    /// # Safety
    ///
    /// The task is `RUNNING` by the caller (C1), and its future was not cleared.
    pub(crate) unsafe fn poll(header: NonNull<Self>, context: &mut Context<'_>) -> bool {
        // SAFETY: the caller's promise is that of `VTable::poll`.
        unsafe { (header.as_ref().vtable.poll)(header, context) }
    }

    /// Completes the task, wakes who waits for it, and gives the caller's reference up. `interleave` is called after completion.
    ///
    /// # Safety
    ///
    /// The task is `RUNNING` by the caller, and its stage holds the output, or nothing.
    pub(crate) unsafe fn finish(header: NonNull<Self>, interleave: impl FnOnce()) {
        // SAFETY: the caller's reference keeps the task live until it is released below.
        let this = unsafe { header.as_ref() };
        let who = this.state.complete();
        interleave();
        if who == Completed::Join {
            this.wake_joiner();
        } else {
            // SAFETY: there was no join handle at completion, so the stage is still the caller's.
            unsafe { Self::clear(header) };
        }
        if who == Completed::Nobody || this.state.release() {
            // SAFETY: it was the last reference, and no queue has the task.
            unsafe { Self::free(header) };
        }
    }

    /// Drops the task's future or output.
    ///
    /// # Safety
    ///
    /// The caller has the stage (C1).
    pub(crate) unsafe fn clear(header: NonNull<Self>) {
        // SAFETY: the caller's promise is that of `VTable::clear`.
        unsafe { (header.as_ref().vtable.clear)(header) }
    }
}

enum Stage<F: Future> {
    Future(F),
    Output(F::Output),
    Nothing,
}

/// A task and its memory, wherever that is.
#[repr(C)]
pub(crate) struct Cell<F: Future> {
    header: Header,
    stage: UnsafeCell<Stage<F>>,
}

impl<F: Future + 'static> Cell<F> {
    /// The vtable of cells whose memory `free` gives back.
    pub(super) const fn vtable(free: unsafe fn(NonNull<Header>)) -> VTable {
        VTable {
            poll: Self::poll,
            clear: Self::clear,
            take: Self::take,
            free,
            #[cfg(feature = "threads")]
            is_thread: false,
        }
    }

    pub(super) fn new(
        vtable: &'static VTable,
        future: F,
        scheduler: &'static dyn Home,
        id: TaskId,
        meta: Meta,
    ) -> Self {
        Self {
            header: Header::new(vtable, scheduler, id, meta),
            stage: UnsafeCell::new(Stage::Future(future)),
        }
    }

    /// The two references that a new state word counts: the queue's and the join handle's.
    ///
    /// # Safety
    ///
    /// `cell` points to a new cell, with the right to the whole of it, and stays valid until the vtable's `free`.
    /// Called once.
    pub(super) unsafe fn references(cell: NonNull<Self>) -> (Queued, JoinHandle<F::Output>) {
        // The header is the first field of a `repr(C)` struct, so its address is the cell's.
        let header = cell.cast::<Header>();
        // SAFETY: a new state word counts these two, and the output is that of `F`.
        unsafe { (Queued::from_raw(header), JoinHandle::from_raw(header)) }
    }

    /// A task in a box of the global allocator.
    #[cfg(feature = "alloc")]
    pub(crate) fn in_box(
        future: F,
        scheduler: &'static dyn Home,
        id: TaskId,
        meta: Meta,
    ) -> (Queued, JoinHandle<F::Output>) {
        let cell = Box::new(Self::new(&Self::BOXED, future, scheduler, id, meta));
        // SAFETY: the box is leaked until `free_box`.
        unsafe { Self::references(NonNull::from(Box::leak(cell))) }
    }

    #[cfg(feature = "alloc")]
    const BOXED: VTable = Self::vtable(Self::free_box);

    #[cfg(feature = "alloc")]
    unsafe fn free_box(header: NonNull<Header>) {
        // SAFETY: the pointer came out of a box of this type, and nobody else reaches it any more.
        drop(unsafe { Box::from_raw(header.cast::<Self>().as_ptr()) });
    }

    /// Calls `f` with the future of `task`, if that is there.
    ///
    /// # Safety
    ///
    /// `task` is a `Cell<F>`, and the stage is the caller's (C1).
    pub(crate) unsafe fn with_future(task: &Queued, f: impl FnOnce(Pin<&mut F>)) {
        let with = |stage: &mut Stage<F>| {
            if let Stage::Future(future) = stage {
                // SAFETY: C2.
                f(unsafe { Pin::new_unchecked(future) });
            }
        };
        // SAFETY: the caller's promise.
        unsafe { Self::with_stage(task.pointer(), with) };
    }

    /// Calls `f` with the stage.
    ///
    /// # Safety
    ///
    /// `header` is of a live `Cell<F>`, and the stage is the caller's (C1).
    unsafe fn with_stage<R>(header: NonNull<Header>, f: impl FnOnce(&mut Stage<F>) -> R) -> R {
        // SAFETY: the header is the first field of the cell, and was made from a pointer to all of it.
        let cell = unsafe { header.cast::<Self>().as_ref() };
        // SAFETY: the caller has the stage for itself.
        cell.stage.with_mut(|stage| f(unsafe { &mut *stage }))
    }

    unsafe fn poll(header: NonNull<Header>, context: &mut Context<'_>) -> bool {
        let poll = |stage: &mut Stage<F>| {
            let Stage::Future(future) = stage else {
                debug_assert!(false, "poll of a task without a future");
                return true;
            };
            // SAFETY: C2, nothing moves the future out of its cell.
            match unsafe { Pin::new_unchecked(future) }.poll(context) {
                Poll::Pending => false,
                Poll::Ready(output) => {
                    *stage = Stage::Output(output);
                    true
                }
            }
        };
        // SAFETY: the caller's promise.
        unsafe { Self::with_stage(header, poll) }
    }

    unsafe fn clear(header: NonNull<Header>) {
        // SAFETY: the caller's promise.
        unsafe { Self::with_stage(header, |stage| *stage = Stage::Nothing) }
    }

    unsafe fn take(header: NonNull<Header>, output: *mut ()) {
        let take = |stage: &mut Stage<F>| {
            debug_assert!(
                !matches!(stage, Stage::Future(_)),
                "output of a task that has not finished"
            );
            match core::mem::replace(stage, Stage::Nothing) {
                Stage::Output(output) => Some(output),
                Stage::Future(_) | Stage::Nothing => None,
            }
        };
        // SAFETY: the caller's promise.
        let taken = unsafe { Self::with_stage(header, take) };
        // SAFETY: `output` points to an `Option<F::Output>` of the caller's.
        unsafe { output.cast::<Option<F::Output>>().write(taken) }
    }
}
