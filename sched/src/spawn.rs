//! Making tasks.

use crate::cpu_set::CpuSet;
use crate::far::Far;
#[cfg(feature = "alloc")]
use crate::task::Cell;
use crate::task::{Claim, JoinHandle, MemoryInUse, Meta, Queued, Storage, TaskId, Tier};
use crate::trace::{Event, Trace, trace};
use crate::{CpuId, Machine, Scheduler};
use core::fmt;
use core::future::Future;
use core::panic::Location;

/// What is to be known of a task before it is spawned.
#[must_use = "a builder makes nothing until `spawn`"]
pub struct Builder<M: 'static, T: 'static, const CPUS: usize> {
    pub(crate) scheduler: Far<Scheduler<M, T, CPUS>>,
    pub(crate) meta: Meta,
    /// Not to the caller's CPU, but to the injector.
    injected: bool,
    /// A count of a scheduler that is counted (AR1).
    #[cfg(feature = "alloc")]
    pub(crate) keep: Option<crate::shared::Keep>,
}

/// An affinity without a CPU that the scheduler could ever have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyAffinity;

impl fmt::Display for EmptyAffinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the affinity holds no CPU of this scheduler")
    }
}

impl core::error::Error for EmptyAffinity {}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Begins a task: Normal, for any CPU, unless the builder is told otherwise.
    #[track_caller]
    pub fn task(&'static self, name: &'static str) -> Builder<M, T, CPUS> {
        let meta = Meta {
            name,
            kind: "task",
            location: Location::caller(),
            tier: Tier::Normal,
            affinity: None,
            is_local: false,
            #[cfg(feature = "registry")]
            is_listed: self.settings.list_tasks,
            #[cfg(feature = "alloc")]
            is_counted: self.counted.is_some(),
        };
        Builder {
            scheduler: Far::new(self),
            meta,
            injected: false,
            #[cfg(feature = "alloc")]
            keep: None,
        }
    }

    /// What a set of CPUs comes to: nothing, if it holds every CPU of the scheduler.
    pub(crate) fn restriction(cpus: CpuSet) -> Result<Option<CpuSet>, EmptyAffinity> {
        let mut allowed = (0..CPUS as u32).map(|cpu| cpus.contains(CpuId::new(cpu)));
        if !allowed.clone().any(|yes| yes) {
            return Err(EmptyAffinity);
        }
        Ok(if allowed.all(|yes| yes) { None } else { Some(cpus) })
    }

    /// Spawns a Normal task for any CPU: on the caller's CPU, or, from a thread that is none, on the first that is
    /// free.
    ///
    /// Lock-free but for the allocator; one allocation. From wherever the global allocator may be called.
    #[cfg(feature = "alloc")]
    #[track_caller]
    pub fn spawn<F>(&'static self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.task("").spawn(future)
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Builder<M, T, CPUS> {
    /// The tier.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.meta.tier = tier;
        self
    }

    /// What sort of task it is, for [`TaskInfo`](crate::TaskInfo): a class of tasks, where the name says which one of them.
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.meta.kind = kind;
        self
    }

    /// Where the task is said to be spawned, instead of where this builder was made: for functions that spawn on behalf of
    /// others.
    pub fn location(mut self, location: &'static Location<'static>) -> Self {
        self.meta.location = location;
        self
    }

    /// Whether the task is one of those that [`for_each_task`](Scheduler::for_each_task) shows, instead of what
    /// [`Settings::list_tasks`](crate::Settings::list_tasks) says. A task that is not pays nothing; one that is takes a lock of
    /// its CPU's as it is spawned, and as it is freed.
    #[cfg(feature = "registry")]
    pub fn listed(mut self, is_listed: bool) -> Self {
        self.meta.is_listed = is_listed;
        self
    }

    /// The task is for whichever CPU is free first, instead of for the caller's: it goes to the injector, which all CPUs of the
    /// scheduler share. Without effect on a task with an affinity.
    pub fn injected(mut self) -> Self {
        self.injected = true;
        self
    }

    /// The CPUs that may run the task. A set that holds every CPU of the scheduler is no restriction.
    ///
    /// # Errors
    ///
    /// [`EmptyAffinity`] if the set holds none of them.
    pub fn affinity(mut self, cpus: CpuSet) -> Result<Self, EmptyAffinity> {
        self.meta.affinity = Scheduler::<M, T, CPUS>::restriction(cpus)?;
        Ok(self)
    }

    /// The same for one CPU, which is there.
    #[cfg(feature = "alloc")]
    pub(crate) fn only_on(mut self, cpu: CpuId) -> Self {
        self.meta.affinity = Some(CpuSet::EMPTY.with(cpu));
        self
    }

    /// Spawns the task in memory from the global allocator, see [`Scheduler::spawn`].
    #[cfg(feature = "alloc")]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let id = self.announce();
        let (task, handle) = Cell::in_box(future, self.scheduler.get(), id, self.meta);
        self.place(task);
        handle
    }

    /// Spawns the task in memory of the caller's: a `&'static TaskMemory`, or what else is a [`Storage`]. It is free for
    /// another one once the task is over and the last handle and waker are gone.
    ///
    /// Lock-free, no allocation; any context but NMI.
    ///
    /// # Errors
    ///
    /// [`MemoryInUse`], with future and storage, while another task has the memory.
    pub fn spawn_in<F, S>(
        self,
        storage: S,
        future: F,
    ) -> Result<JoinHandle<F::Output>, MemoryInUse<F, S>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        S: Storage<F> + Send,
    {
        let claim = match Claim::new(storage) {
            Ok(claim) => claim,
            Err(storage) => return Err(MemoryInUse { future, storage }),
        };
        let id = self.announce();
        let (task, handle) = claim.fill(future, self.scheduler.get(), id, self.meta);
        self.place(task);
        Ok(handle)
    }

    fn place(&self, task: Queued) {
        #[cfg(feature = "registry")]
        self.scheduler.get().list_task(&task);
        if self.injected && self.meta.affinity.is_none() {
            self.scheduler.get().count(&self.scheduler.get().masked(), |stats| &stats.wakes_placed);
            self.scheduler.get().inject(task);
        } else {
            self.scheduler.get().place_task(task);
        }
        // AR4.
        #[cfg(feature = "alloc")]
        if self.keep.is_some() {
            self.scheduler.get().bury_if_closed();
        }
    }

    /// Counts the new task, and names it.
    pub(crate) fn announce(&self) -> TaskId {
        let scheduler = self.scheduler.get();
        // AR1: the task's, which it gives back as it is freed.
        #[cfg(feature = "alloc")]
        core::mem::forget(crate::shared::Keep::new(scheduler));
        let masked = scheduler.masked();
        scheduler.count(&masked, |stats| &stats.spawned);
        scheduler.note_pinned(self.meta.affinity.as_ref());
        let id = scheduler.next_id(&masked);
        let Meta { tier, name, .. } = self.meta;
        trace!(scheduler, Event::Spawn { task: id, tier, name });
        id
    }
}

impl<M, T, const CPUS: usize> fmt::Debug for Builder<M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("meta", &self.meta).finish_non_exhaustive()
    }
}
