//! Memory for one task at a time, for kernels without an allocator.
//!
//! # Invariants
//!
//! - **M1** While `in_use` is set by a claim, the cell is the claimer's to fill, and then the task's until it is
//!   freed; otherwise it is uninitialised and nobody's.

use super::cell::{Cell, VTable};
use super::header::{Header, Meta, Queued, Schedule};
use super::{JoinHandle, TaskId};
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::{AtomicBool, Ordering, UnsafeCell, const_fn};
use core::fmt;
use core::future::Future;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// Memory for one task whose future is an `F`, to be put into a `static`. It can be used again after the task.
#[repr(C)]
pub struct TaskMemory<F: Future> {
    cell: UnsafeCell<MaybeUninit<Cell<F>>>,
    in_use: AtomicBool,
}

// SAFETY: who touches the cell is settled by `in_use` (M1), then by the task's state word; tasks are `Send`.
unsafe impl<F: Future + Send> Sync for TaskMemory<F> where F::Output: Send {}

/// The memory has a task already; here is the future that found no room.
pub struct MemoryInUse<F>(pub F);

/// The right to fill the memory, and what with.
pub(crate) struct Claim<F: Future + 'static> {
    memory: &'static TaskMemory<F>,
    future: F,
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

impl<F> TaskMemory<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    const VTABLE: VTable = Cell::<F>::vtable(Self::free);

    pub(crate) fn claim(&'static self, future: F) -> Result<Claim<F>, MemoryInUse<F>> {
        // Ordering: Acquire pairs with the Release in `free`: the last task's end is over.
        if self.in_use.swap(true, Ordering::Acquire) {
            return Err(MemoryInUse(future));
        }
        Ok(Claim { memory: self, future })
    }

    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: `Claim::fill` made the pointer from one to the whole `TaskMemory`, whose first field is the cell.
        let memory = unsafe { header.cast::<Self>().as_ref() };
        // SAFETY: the caller is the last to reach the task, which was written by `Claim::fill`.
        memory.cell.with_mut(|cell| unsafe { (*cell).assume_init_drop() });
        // Ordering: Release pairs with the Acquire in `claim`.
        memory.in_use.store(false, Ordering::Release);
    }
}

impl<F> Claim<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    pub(crate) fn fill(
        self,
        scheduler: &'static dyn Schedule,
        id: TaskId,
        meta: Meta,
    ) -> (Queued, JoinHandle<F::Output>) {
        let cell = Cell::new(&TaskMemory::<F>::VTABLE, self.future, scheduler, id, meta);
        self.memory.cell.with_mut(|place| {
            // SAFETY: the cell is the claimer's (M1), and holds nothing that would have to be dropped.
            unsafe { (*place).write(cell) };
        });
        // SAFETY: the memory is static, was filled just now, and is freed by `TaskMemory::free` only.
        unsafe { Cell::<F>::references(NonNull::from(self.memory).cast()) }
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

impl<F> fmt::Debug for MemoryInUse<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryInUse(..)")
    }
}

impl<F> fmt::Display for MemoryInUse<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the memory has a task already")
    }
}

impl<F> core::error::Error for MemoryInUse<F> {}
