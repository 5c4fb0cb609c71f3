//! What a task needs of its scheduler, whichever that is.

use super::header::{Header, Queued};
#[cfg(feature = "threads")]
use crate::cpu_set::CpuSet;
use core::ptr::NonNull;

/// Where tasks go when they become runnable, or come to their end, outside the loop.
pub(crate) trait Home: Sync {
    /// Takes a task that became runnable, or whose last reference is gone, to the inbox of its home.
    fn place(&self, task: Queued);
    /// What is done about a `Queued` that was dropped, of a task that is live.
    fn lost(&self, task: NonNull<Header>);
    /// A count of the scheduler's memory, if that is counted (AR2).
    #[cfg(feature = "alloc")]
    fn keep(&self) -> Option<crate::shared::Keep> {
        None
    }
    /// After a task was placed, if the scheduler is counted (AR4).
    #[cfg(feature = "alloc")]
    fn settle(&self) {}
    /// The task's own count.
    ///
    /// # Safety
    ///
    /// The caller is about to free a task that has one.
    #[cfg(feature = "alloc")]
    unsafe fn take_keep(&self) -> Option<crate::shared::Keep> {
        None
    }
    /// Whether the scheduler was shut down.
    fn is_shut_down(&self) -> bool;
    /// Takes a task that was listed off its list.
    ///
    /// # Safety
    ///
    /// The caller is the last to reach the task, but by the list.
    #[cfg(feature = "registry")]
    unsafe fn unlist(&self, _task: NonNull<Header>) {
        debug_assert!(false, "no such list");
    }
    /// Tells the loop that has the thread that its policy or affinity has changed.
    #[cfg(feature = "threads")]
    fn change(&self, thread: crate::thread::ThreadRef) {
        debug_assert!(false, "{thread:?} has no such scheduler");
    }
    #[cfg(feature = "threads")]
    fn affinity(&self, _thread: &crate::thread::ThreadRef) -> Option<CpuSet> {
        None
    }
    #[cfg(feature = "threads")]
    fn set_affinity(
        &self,
        _thread: &crate::thread::ThreadRef,
        _cpus: CpuSet,
    ) -> Result<(), crate::EmptyAffinity> {
        Err(crate::EmptyAffinity)
    }
}
