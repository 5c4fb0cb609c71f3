//! Who watches that every loop goes on, and that no thread is forgotten.
//!
//! A CPU's heart beats once a step, and once a halt: two counters that it keeps anyway, so that to be watched costs nothing. No CPU
//! watches the others: whoever has a tick looks at the next one, itself among them.
//!
//! - **G1** An alarm about a CPU says that two looks found it awake with the same beat, a limit or more apart: it was in one
//!   step all that time. A halt in between moves the beat, as does a step.
//! - **G2** A look is bounded: one CPU, no lock waited for, 8 threads of each class at most.

use crate::lock::Lock;
use crate::sync::{AtomicUsize, Ordering, const_fn};
use crate::task::TaskId;
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use core::fmt;

/// What a [`Watchdog`] found. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alarm {
    /// A CPU does not come back to its loop: what runs there does not let go of it, or it is lost.
    Stuck {
        /// Which.
        cpu: CpuId,
        /// What it runs, if it is a task.
        task: Option<TaskId>,
        /// The name of that, if it can be told from here: of a thread, or on the CPU itself.
        name: Option<&'static str>,
        /// For so long at least.
        for_ns: u64,
    },
    /// A thread could run, and does not get to.
    Starved {
        /// In whose queue it is.
        cpu: CpuId,
        /// Which: of those that were looked at, the one that waits longest.
        task: TaskId,
        /// Its name.
        name: &'static str,
        /// For so long.
        for_ns: u64,
    },
}

/// What was seen of a CPU.
#[derive(Clone, Copy)]
struct Seen {
    /// Its beat and since when, if it was awake.
    beat: Option<(u64, u64)>,
    /// When it was last said that a thread waits there.
    told_ns: Option<u64>,
}

/// Watches the CPUs of one scheduler; to be had in a `static`, beside it.
///
/// ```
/// # use sched::{Alarm, Machine, Scheduler, Watchdog, trace::Trace};
/// static WATCHDOG: Watchdog = Watchdog::new(1_000_000_000);
///
/// /// What every CPU's timer interrupt does, after `on_timer`.
/// fn watch<M: Machine, T: Trace>(scheduler: &Scheduler<M, T>) {
///     WATCHDOG.tick(scheduler, |alarm| eprintln!("{alarm}"));
/// }
/// ```
pub struct Watchdog<const CPUS: usize = 64> {
    limit_ns: u64,
    next: AtomicUsize,
    seen: [Lock<Seen>; CPUS],
}

impl<const CPUS: usize> Watchdog<CPUS> {
    const NOTHING: Seen = Seen { beat: None, told_ns: None };

    const_fn! {
        /// Raises the alarm about what takes `limit_ns` or longer.
        pub const fn new(limit_ns: u64) -> Self {
            Self {
                limit_ns,
                next: AtomicUsize::new(0),
                #[cfg(not(loom))]
                seen: [const { Lock::new(Self::NOTHING) }; CPUS],
                #[cfg(loom)]
                seen: core::array::from_fn(|_| Lock::new(Self::NOTHING)),
            }
        }
    }

    /// Looks at the next CPU that is online, the caller's own in its turn. What goes on is told about again, once in each limit. With n
    /// CPUs and a tick on k of them every t, an alarm about a CPU comes two rounds, 2·n·t / k, after its limit at the latest; if
    /// all halt, nobody ticks and nobody is stuck.
    ///
    /// `report` is called with interrupts as they were, after all that is locked; it may use the scheduler as the caller may.
    ///
    /// Wait-free but for `report`, no allocation; any context but NMI, threads that are no CPU too. Worst case: one load for each
    /// 64 CPUs, and 8 threads of each class looked at under the lock of a queue, if that is free.
    pub fn tick<M: Machine, T: Trace>(
        &self,
        scheduler: &Scheduler<M, T, CPUS>,
        mut report: impl FnMut(Alarm),
    ) {
        // Ordering: Relaxed, here and below; a number, and two that look at the same CPU do no harm.
        let from = self.next.load(Ordering::Relaxed) % CPUS;
        let Some(id) = scheduler.online.iter_from(from, CPUS, Ordering::Relaxed).next() else {
            return;
        };
        self.next.store(id.index() + 1, Ordering::Relaxed);
        let masked = scheduler.masked();
        // Who is second has nothing to add.
        let Some(mut seen) = self.seen.get(id.index()).and_then(Lock::try_lock) else { return };
        let now_ns = scheduler.machine.now_ns();
        let stuck_ns = self.is_stuck(scheduler, id, &mut seen, now_ns);
        let starved = scheduler.starved(id, self.limit_ns, now_ns).filter(|_| {
            let is_due =
                seen.told_ns.is_none_or(|told_ns| now_ns.saturating_sub(told_ns) >= self.limit_ns);
            if is_due {
                seen.told_ns = Some(now_ns);
            }
            is_due
        });
        drop(seen);
        let stuck = stuck_ns.map(|for_ns| {
            let task = scheduler.running_on(id);
            let name = if masked.cpu() == Some(id) {
                scheduler.current_task_info().map(|info| info.name)
            } else {
                scheduler.name_on(id, task)
            };
            Alarm::Stuck { cpu: id, task, name, for_ns }
        });
        drop(masked);
        stuck.into_iter().chain(starved).for_each(&mut report);
    }

    /// G1: for how long, if it is to be told.
    fn is_stuck<M: Machine, T: Trace>(
        &self,
        scheduler: &Scheduler<M, T, CPUS>,
        id: CpuId,
        seen: &mut Seen,
        now_ns: u64,
    ) -> Option<u64> {
        let cpu = scheduler.cpu(id)?;
        if scheduler.is_idle(id) || scheduler.is_paused(id) {
            seen.beat = None;
            return None;
        }
        let beat = cpu.stats.steps.get().wrapping_add(cpu.stats.halts.get());
        match seen.beat {
            Some((before, since_ns)) if before == beat => {
                let for_ns = now_ns.saturating_sub(since_ns);
                let is_stuck = for_ns >= self.limit_ns;
                if is_stuck {
                    seen.beat = Some((beat, now_ns));
                }
                is_stuck.then_some(for_ns)
            }
            _ => {
                seen.beat = Some((beat, now_ns));
                None
            }
        }
    }
}

#[cfg(feature = "threads")]
impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// The thread of `id` that waits longest, of those looked at, if that is too long.
    fn starved(&self, id: CpuId, limit_ns: u64, now_ns: u64) -> Option<Alarm> {
        let threads = &self.cpu(id)?.threads;
        if threads.count() == 0 {
            return None;
        }
        let mut queue = threads.queue.try_lock()?;
        let (task, name, since_ns) = queue.as_mut()?.longest_waiting()?;
        let for_ns = now_ns.saturating_sub(since_ns);
        (for_ns >= limit_ns).then_some(Alarm::Starved { cpu: id, task, name, for_ns })
    }

    /// The name of `task`, if it is the thread that `id` runs.
    fn name_on(&self, id: CpuId, task: Option<TaskId>) -> Option<&'static str> {
        let queue = self.cpu(id)?.threads.queue.try_lock()?;
        let (current, name) = queue.as_ref()?.current()?;
        (Some(current) == task).then_some(name)
    }
}

#[cfg(not(feature = "threads"))]
impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    fn starved(&self, _: CpuId, _: u64, _: u64) -> Option<Alarm> {
        None
    }

    fn name_on(&self, _: CpuId, _: Option<TaskId>) -> Option<&'static str> {
        None
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Alarm::Stuck { cpu, task, name, for_ns } => {
                write!(f, "{cpu} has not been in its loop for {for_ns} ns")?;
                match (task, name) {
                    (Some(task), Some(name)) => write!(f, ": it runs {task}, {name}"),
                    (Some(task), None) => write!(f, ": it runs {task}"),
                    (None, _) => Ok(()),
                }
            }
            Alarm::Starved { cpu, task, name, for_ns } => {
                write!(f, "{task}, {name}, has waited on {cpu} for {for_ns} ns")
            }
        }
    }
}

impl<const CPUS: usize> fmt::Debug for Watchdog<CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog").field("limit_ns", &self.limit_ns).finish_non_exhaustive()
    }
}
