//! rt-app's workloads, run: a task of the scheduler for each instance of a task of the file.
//!
//! `run` is an amount of work: what takes so long on this machine when nobody disturbs it. `runtime` is a time. Either
//! lets others run every some 20 µs, if it is time to. What `sleep` and `timer` are late by is recorded, by task.

mod instance;
mod sync;
mod timer;

use super::wait_list::WaitList;
use super::{Context, Spec};
use crate::books::Booked;
use crate::rtapp::{self, MAX_FORKS, TaskId, Workload};
use sched::{CpuId, CpuSet};
use std::sync::atomic::{AtomicU32, Ordering};
pub use sync::{Barrier, Mutex, Semaphore};
pub use timer::Timer;

/// A workload and all that its tasks share. Lives as long as the run.
#[derive(Debug)]
struct Stage {
    context: &'static Context,
    workload: Workload,
    /// Names, as the scheduler wants them.
    names: Vec<&'static str>,
    affinities: Vec<Option<CpuSet>>,
    /// Instances so far, of each task.
    instances: Vec<AtomicU32>,
    /// Forks so far, of each task.
    forks: Vec<AtomicU32>,
    mutexes: Vec<Mutex>,
    conditions: Vec<WaitList>,
    semaphores: Vec<Semaphore>,
    barriers: Vec<Barrier>,
    /// Of those with [`TimerScope::Shared`](rtapp::TimerScope::Shared); others are the instances'.
    timers: Vec<Timer>,
}

/// The CPUs that a task of the file may run on; all, if the machine has none of those it names.
fn affinity(task: &rtapp::Task, cpus: u32) -> Option<CpuSet> {
    let set = task.cpus.as_ref()?.on_machine(cpus)?;
    Some(set.iter().map(CpuId::new).collect())
}

/// What a person should know about running `workload` on `cpus` CPUs.
#[must_use]
pub fn remarks(workload: &Workload, cpus: u32) -> Vec<String> {
    let lost = |task: &&rtapp::Task| task.cpus.is_some() && affinity(task, cpus).is_none();
    let remark = |task: &rtapp::Task| {
        format!(
            "task \"{}\": there is none of its CPUs here; it may run on all",
            task.name.escape_debug()
        )
    };
    workload.tasks.iter().filter(lost).map(remark).collect()
}

pub(super) fn launch(context: &'static Context, workload: Workload) -> Vec<Booked> {
    let resources = &workload.resources;
    let stage: &'static Stage = Box::leak(Box::new(Stage {
        context,
        names: workload.tasks.iter().map(|task| &*task.name.clone().leak()).collect(),
        affinities: workload.tasks.iter().map(|task| affinity(task, context.cpus)).collect(),
        instances: workload.tasks.iter().map(|_| AtomicU32::new(0)).collect(),
        forks: workload.tasks.iter().map(|_| AtomicU32::new(0)).collect(),
        mutexes: resources.mutexes.iter().map(|_| Mutex::default()).collect(),
        conditions: resources.conditions.iter().map(|_| WaitList::default()).collect(),
        semaphores: resources.semaphores.iter().map(|_| Semaphore::default()).collect(),
        barriers: resources.barriers.iter().map(|barrier| Barrier::new(barrier.parties)).collect(),
        timers: resources.timers.iter().map(|_| Timer::new()).collect(),
        workload,
    }));
    let tasks = stage.workload.tasks.iter().zip((0..).map(TaskId));
    tasks.flat_map(|(task, id)| (0..task.instances).map(move |_| stage.spawn(id))).collect()
}

impl Stage {
    fn task(&self, id: TaskId) -> &rtapp::Task {
        &self.workload.tasks[id.0]
    }

    /// Starts one more instance of a task.
    fn spawn(&'static self, id: TaskId) -> Booked {
        // Ordering: Relaxed; a number.
        let index = self.instances[id.0].fetch_add(1, Ordering::Relaxed);
        let tier = match self.task(id).tier {
            rtapp::Tier::Critical => sched::Tier::Critical,
            rtapp::Tier::Normal => sched::Tier::Normal,
            rtapp::Tier::Background => sched::Tier::Background,
        };
        let spec = Spec { name: self.names[id.0], index, tier, cpus: self.affinities[id.0] };
        self.context.spawn(spec, instance::run(self, id, index))
    }

    /// As [`spawn`](Self::spawn), for a fork event: no more than [`MAX_FORKS`] of each task, which may fork itself.
    fn fork(&'static self, id: TaskId) {
        // Ordering: Relaxed; a number.
        if self.forks[id.0].fetch_add(1, Ordering::Relaxed) < MAX_FORKS {
            drop(self.spawn(id));
        }
    }
}
