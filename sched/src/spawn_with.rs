//! The short ways to spawn: a tier by its function, or all that is to be known of a task in one struct.

use crate::cpu_set::CpuSet;
use crate::task::{JoinHandle, Tier};
use crate::trace::Trace;
use crate::{Machine, Scheduler};
use core::fmt;
use core::future::Future;

/// What is to be known of a task before it is spawned, as a value that can be kept; the [builder](Scheduler::task) knows more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskMeta {
    /// Its name.
    pub name: &'static str,
    /// Its tier.
    pub priority: Tier,
    /// The CPUs that may run it; `None`: any.
    pub affinity: Option<CpuSet>,
}

/// The [affinity](TaskMeta::affinity) holds no CPU that the scheduler could ever have. Here is the future.
pub struct NotSpawned<F>(pub F);

impl<F> fmt::Debug for NotSpawned<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotSpawned(..)")
    }
}

impl<F> fmt::Display for NotSpawned<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the affinity holds no CPU of this scheduler")
    }
}

impl<F> core::error::Error for NotSpawned<F> {}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Spawns a Critical task, as [`spawn`](Self::spawn) does a Normal one: first of all, never stolen, for bottom halves of
    /// interrupts.
    #[track_caller]
    pub fn spawn_critical<F>(&'static self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.task(name).tier(Tier::Critical).spawn(future)
    }

    /// Spawns a Background task, as [`spawn`](Self::spawn) does a Normal one: when nothing else is there, and once per
    /// [`background_limit_polls`](crate::Settings::background_limit_polls) Normal polls.
    #[track_caller]
    pub fn spawn_background<F>(
        &'static self,
        name: &'static str,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.task(name).tier(Tier::Background).spawn(future)
    }

    /// Spawns a task of which `meta` says what it is. Progress and context as [`spawn`](Self::spawn).
    ///
    /// # Errors
    ///
    /// [`NotSpawned`], with the future, if the affinity holds no CPU of the scheduler.
    ///
    /// ```
    /// # use sched::{CpuId, CpuSet, JoinHandle, Machine, Scheduler, TaskMeta, Tier, trace::Trace};
    /// const LOGGER: TaskMeta = TaskMeta { name: "logger", priority: Tier::Background, affinity: None };
    ///
    /// fn start<M: Machine, T: Trace>(scheduler: &'static Scheduler<M, T>) -> Option<JoinHandle<()>> {
    ///     scheduler.spawn_critical("disk 0", async {});
    ///     let on_first = Some(CpuSet::EMPTY.with(CpuId::new(0)));
    ///     scheduler.spawn_with(TaskMeta { affinity: on_first, ..LOGGER }, async {}).ok()
    /// }
    /// ```
    #[track_caller]
    pub fn spawn_with<F>(
        &'static self,
        meta: TaskMeta,
        future: F,
    ) -> Result<JoinHandle<F::Output>, NotSpawned<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let builder = self.task(meta.name).tier(meta.priority);
        match meta.affinity {
            None => Ok(builder.spawn(future)),
            Some(cpus) => match builder.affinity(cpus) {
                Ok(builder) => Ok(builder.spawn(future)),
                Err(crate::EmptyAffinity) => Err(NotSpawned(future)),
            },
        }
    }
}
