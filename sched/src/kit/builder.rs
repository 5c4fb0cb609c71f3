//! Making tasks of a scheduler of one's own.

use super::Schedule;
use crate::cpu_set::CpuSet;
#[cfg(feature = "alloc")]
use crate::task::Cell;
use crate::task::{Claim, JoinHandle, MemoryInUse, Meta, Storage, Tier};
use core::fmt;
use core::future::Future;
use core::panic::Location;

/// What is to be known of a task before it is spawned on the scheduler `S`.
#[must_use = "a builder makes nothing until `spawn`"]
pub struct Builder<S: Schedule> {
    scheduler: &'static S,
    meta: Meta,
}

impl<S: Schedule> Builder<S> {
    /// Begins a task: Normal, for any CPU, unless the builder is told otherwise.
    #[track_caller]
    pub fn new(scheduler: &'static S, name: &'static str) -> Self {
        let meta = Meta {
            name,
            kind: "task",
            location: Location::caller(),
            tier: Tier::Normal,
            affinity: None,
            is_local: false,
            #[cfg(feature = "registry")]
            is_listed: false,
            #[cfg(feature = "alloc")]
            is_counted: false,
        };
        Self { scheduler, meta }
    }

    /// The tier: what it means is the scheduler's affair.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.meta.tier = tier;
        self
    }

    /// What sort of task it is.
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.meta.kind = kind;
        self
    }

    /// Where the task is said to be spawned, instead of where this builder was made.
    pub fn location(mut self, location: &'static Location<'static>) -> Self {
        self.meta.location = location;
        self
    }

    /// The CPUs that may run the task: whether that is kept is the scheduler's affair.
    pub fn affinity(mut self, cpus: CpuSet) -> Self {
        self.meta.affinity = Some(cpus);
        self
    }

    /// Spawns the task in memory from the global allocator: [`schedule`](Schedule::schedule) is called with it before this returns.
    #[cfg(feature = "alloc")]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let id = self.scheduler.ids().next();
        let (task, handle) = Cell::in_box(future, self.scheduler, id, self.meta);
        self.scheduler.schedule(task);
        handle
    }

    /// The same in memory of the caller's, as [`sched::Builder::spawn_in`](crate::Builder::spawn_in): without an allocation.
    ///
    /// # Errors
    ///
    /// [`MemoryInUse`], with future and storage, while another task has the memory.
    pub fn spawn_in<F, M>(
        self,
        storage: M,
        future: F,
    ) -> Result<JoinHandle<F::Output>, MemoryInUse<F, M>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        M: Storage<F> + Send,
    {
        let claim = match Claim::new(storage) {
            Ok(claim) => claim,
            Err(storage) => return Err(MemoryInUse { future, storage }),
        };
        let id = self.scheduler.ids().next();
        let (task, handle) = claim.fill(future, self.scheduler, id, self.meta);
        self.scheduler.schedule(task);
        Ok(handle)
    }
}

impl<S: Schedule> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("meta", &self.meta).finish_non_exhaustive()
    }
}
