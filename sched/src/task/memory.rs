//! Memory for one task at a time, for kernels without an allocator.
//!
//! # Invariants
//!
//! - **M1** While `in_use` is set by a claim, the cell is the claimer's to fill, and then the task's until it is
//!   freed; otherwise it is uninitialised and nobody's.

use super::cell::{Cell, VTable};
use super::header::{Header, Meta, Queued};
use super::home::Home;
use super::{JoinHandle, Storage, TaskId};
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::{AtomicBool, Ordering, UnsafeCell, const_fn};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// Memory for one task whose future is an `F`: in a `static`, a box, an `Arc`, or wherever a [`Storage`] leads to. It can be
/// used again after the task.
#[repr(C)]
pub struct TaskMemory<F: Future> {
    cell: UnsafeCell<MaybeUninit<Cell<F>>>,
    in_use: AtomicBool,
}

// SAFETY: who touches the cell is settled by `in_use` (M1), then by the task's state word; tasks are `Send`.
unsafe impl<F: Future + Send> Sync for TaskMemory<F> where F::Output: Send {}

/// The memory has a task already; here is what found no room.
pub struct MemoryInUse<F, S> {
    /// The future.
    pub future: F,
    /// The handle to the memory.
    pub storage: S,
}

/// Memory that was claimed: `into_raw` of an `S` is `memory`.
#[must_use = "it is in use until it is filled and freed"]
pub(crate) struct Claim<F: Future, S> {
    memory: NonNull<TaskMemory<F>>,
    _handle: PhantomData<S>,
}

impl<F: Future> TaskMemory<F> {
    const_fn! {
        /// Memory without a task.
        pub const fn new() -> Self {
            Self { cell: UnsafeCell::new(MaybeUninit::uninit()), in_use: AtomicBool::new(false) }
        }
    }

    /// Whether a task has the memory: a hint.
    pub fn is_in_use(&self) -> bool {
        // Ordering: Relaxed; a hint.
        self.in_use.load(Ordering::Relaxed)
    }
}

impl<F, S> Claim<F, S>
where
    F: Future + 'static,
    S: Storage<F>,
{
    const VTABLE: VTable = Cell::<F>::vtable(Self::free);

    /// Claims the memory, unless a task has it.
    pub(crate) fn new(storage: S) -> Result<Self, S> {
        let memory = storage.into_raw();
        // SAFETY: law 1 of `Storage`.
        // Ordering: Acquire pairs with the Release in `free`: the last task's end is over.
        if unsafe { memory.as_ref() }.in_use.swap(true, Ordering::Acquire) {
            // SAFETY: it came out of `into_raw` just now.
            return Err(unsafe { S::from_raw(memory) });
        }
        Ok(Self { memory, _handle: PhantomData })
    }

    pub(crate) fn fill(
        self,
        future: F,
        scheduler: &'static dyn Home,
        id: TaskId,
        meta: Meta,
    ) -> (Queued, JoinHandle<F::Output>) {
        let cell = Cell::new(&Self::VTABLE, future, scheduler, id, meta);
        // SAFETY: law 1 of `Storage`.
        unsafe { self.memory.as_ref() }.cell.with_mut(|place| {
            // SAFETY: the cell is the claimer's (M1), and holds nothing that would have to be dropped.
            unsafe { (*place).write(cell) };
        });
        // SAFETY: the memory stays (law 1), was filled just now, and is freed by `free` only.
        unsafe { Cell::<F>::references(self.memory.cast()) }
    }

    unsafe fn free(header: NonNull<Header>) {
        // `fill` made the pointer from one to the whole `TaskMemory`, whose first field is the cell.
        let raw = header.cast::<TaskMemory<F>>();
        // SAFETY: law 1 of `Storage`; the handle is dropped below.
        let memory = unsafe { raw.as_ref() };
        // SAFETY: the caller is the last to reach the task, which was written by `fill`.
        memory.cell.with_mut(|cell| unsafe { (*cell).assume_init_drop() });
        // Ordering: Release pairs with the Acquire in `new`.
        memory.in_use.store(false, Ordering::Release);
        // SAFETY: the pointer is the one of `into_raw`, and nobody uses it after this.
        drop(unsafe { S::from_raw(raw) });
    }
}

impl<F: Future> Default for TaskMemory<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Future> fmt::Debug for TaskMemory<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskMemory").field("in_use", &self.is_in_use()).finish()
    }
}

impl<F, S> fmt::Debug for MemoryInUse<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryInUse { .. }")
    }
}

impl<F, S> fmt::Display for MemoryInUse<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the memory has a task already")
    }
}

impl<F, S> core::error::Error for MemoryInUse<F, S> {}
