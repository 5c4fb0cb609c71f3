//! The model: what a workload is, with every reference resolved and every unit in the name.
//!
//! What [`super::parse`] returns keeps these:
//! - M1. Every id in an event indexes its table in [`Workload`].
//! - M2. A phase has at least one event.
//! - M3. A task that loops forever has at least one phase.
//! - M4. Durations are at most [`MAX_TIME_NS`]; instances, over all tasks, at most [`MAX_INSTANCES`].

/// Most CPUs that a file can name: ids are below this.
pub const MAX_CPU: u32 = 1024;
/// Most forks that one fork event makes in rt-app; the model does not enforce it.
pub const MAX_FORKS: u32 = 1024;
/// Most instances over all tasks of a file.
pub const MAX_INSTANCES: u32 = 65_536;
/// Most task definitions in a file.
pub const MAX_TASKS: usize = 4096;
/// Longest time that a file can name: a million seconds.
pub const MAX_TIME_NS: u64 = 1_000_000 * 1_000_000_000;

/// A whole workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// What holds for all tasks.
    pub global: Global,
    /// The tasks, in file order; indexed by [`TaskId`].
    pub tasks: Vec<Task>,
    /// What the events of the tasks refer to.
    pub resources: Resources,
}

/// What holds for all tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global {
    /// How long the workload runs; `None`: until every task has ended.
    pub duration_ns: Option<u64>,
    /// The policy of tasks that name none.
    pub default_policy: Policy,
}

/// One kind of task; [`Task::instances`] copies of it run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its key in the file, made unique.
    pub name: String,
    /// How many start with the workload. 0: none; a [`Event::Fork`] may start some.
    pub instances: u32,
    /// How often the sequence of phases runs.
    pub loops: Loops,
    /// The policy as written, or the default.
    pub policy: Policy,
    /// Nice value (−20..=19) or real-time priority (1..=99), as the policy has it; 0 for deadline.
    pub priority: i32,
    /// Where `policy` and `priority` put it.
    pub tier: Tier,
    /// The CPUs it may run on; `None`: all.
    pub cpus: Option<CpuSet>,
    /// Wait before the first event.
    pub delay_ns: u64,
    /// The phases, in file order. Empty when nothing in the file was supported; then `loops` is 0.
    pub phases: Vec<Phase>,
}

/// A part of a task's life, itself repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Its key in the file (not unique); the task's name where the file has no `phases`.
    pub name: String,
    /// How often it runs before the next phase begins.
    pub loops: Loops,
    /// What it does, in order; never empty.
    pub events: Vec<Event>,
}

/// How often something is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loops {
    /// Until the workload ends.
    Forever,
    /// This many times; a task may say 0, a phase never does.
    Times(u32),
}

/// A Linux scheduling policy, as files name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// `SCHED_OTHER`
    Other,
    /// `SCHED_BATCH`
    Batch,
    /// `SCHED_IDLE`
    Idle,
    /// `SCHED_FIFO`
    Fifo,
    /// `SCHED_RR`
    RoundRobin,
    /// `SCHED_DEADLINE`
    Deadline,
}

impl Policy {
    /// The policy of this name, spelled as in Linux.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "SCHED_OTHER" => Self::Other,
            "SCHED_BATCH" => Self::Batch,
            "SCHED_IDLE" => Self::Idle,
            "SCHED_FIFO" => Self::Fifo,
            "SCHED_RR" => Self::RoundRobin,
            "SCHED_DEADLINE" => Self::Deadline,
            _ => return None,
        })
    }

    /// The tier of a task with this policy and this priority (a nice value, for `SCHED_OTHER`).
    #[must_use]
    pub fn tier(self, priority: i32) -> Tier {
        match self {
            Self::Fifo | Self::RoundRobin | Self::Deadline => Tier::Critical,
            Self::Idle | Self::Batch => Tier::Background,
            Self::Other if priority > 0 => Tier::Background,
            Self::Other => Tier::Normal,
        }
    }
}

/// The scheduler's tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Before all others, never stolen.
    Critical,
    /// What most tasks are.
    Normal,
    /// What is left over, with a guaranteed minimum.
    Background,
}

/// A set of CPU ids, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuSet(Vec<u32>);

impl CpuSet {
    /// The set of these ids; `None` if there are none.
    #[must_use]
    pub fn new(mut ids: Vec<u32>) -> Option<Self> {
        ids.sort_unstable();
        ids.dedup();
        (!ids.is_empty()).then_some(Self(ids))
    }

    /// The ids, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.0.iter().copied()
    }

    /// The part of the set that a machine with CPUs `0..cpus` has; `None` if it has none of it, so
    /// that a file made for a larger machine can still run, unpinned.
    #[must_use]
    pub fn on_machine(&self, cpus: u32) -> Option<Self> {
        Self::new(self.iter().filter(|&id| id < cpus).collect())
    }
}

/// One step of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Do as much work as this CPU, calibrated, does in `duration_ns`.
    Run {
        /// The work, in time at the calibrated speed.
        duration_ns: u64,
    },
    /// Be busy until `duration_ns` have passed.
    Runtime {
        /// Time from the start of the event.
        duration_ns: u64,
    },
    /// Sleep from now on.
    Sleep {
        /// Time from the start of the event.
        duration_ns: u64,
    },
    /// Add `period_ns` to the timer's last expiry (at first: the task's start) and sleep until then.
    /// If that has passed already do not sleep; a [`TimerMode::Relative`] timer counts from now on.
    Timer {
        /// Whose expiry it is.
        timer: TimerId,
        /// Time from the last expiry.
        period_ns: u64,
    },
    /// Wait until the condition is resumed, signalled or broadcast.
    Suspend {
        /// What to wait for; the task's own name, as a rule.
        condition: ConditionId,
    },
    /// Wake all that wait for the condition; nothing is remembered.
    Resume {
        /// Whom to wake.
        condition: ConditionId,
    },
    /// Acquire the mutex.
    Lock {
        /// Which.
        mutex: MutexId,
    },
    /// Release the mutex.
    Unlock {
        /// Which; the task may not hold it.
        mutex: MutexId,
    },
    /// Release the mutex and wait, as one step; then acquire it again.
    Wait {
        /// What to wait for.
        condition: ConditionId,
        /// The mutex to give up meanwhile.
        mutex: MutexId,
    },
    /// Wake one that waits, the longest first; nothing is remembered.
    Signal {
        /// Whom to wake.
        condition: ConditionId,
    },
    /// Wake all that wait; nothing is remembered.
    Broadcast {
        /// Whom to wake.
        condition: ConditionId,
    },
    /// [`Event::Signal`], then [`Event::Wait`], with no gap between them.
    Sync {
        /// Whom to wake and what to wait for.
        condition: ConditionId,
        /// The mutex to give up meanwhile.
        mutex: MutexId,
    },
    /// Wait until [`Barrier::parties`] have come.
    Barrier {
        /// Which.
        barrier: BarrierId,
    },
    /// Take one from the semaphore, or wait for one.
    SemWait {
        /// Which; it starts at 0.
        semaphore: SemaphoreId,
    },
    /// Add one to the semaphore.
    SemPost {
        /// Which.
        semaphore: SemaphoreId,
    },
    /// Let others run.
    Yield,
    /// Start one more instance of a task.
    Fork {
        /// Of which.
        task: TaskId,
    },
}

/// What events refer to, one table per kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// Names of the mutexes; indexed by [`MutexId`].
    pub mutexes: Vec<String>,
    /// Names of the conditions; indexed by [`ConditionId`].
    pub conditions: Vec<String>,
    /// Names of the semaphores, all 0 at the start; indexed by [`SemaphoreId`].
    pub semaphores: Vec<String>,
    /// Indexed by [`BarrierId`].
    pub barriers: Vec<Barrier>,
    /// Indexed by [`TimerId`].
    pub timers: Vec<Timer>,
}

/// A barrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barrier {
    /// Its name in the file.
    pub name: String,
    /// How many must come: one per barrier event and instance, at least 1.
    pub parties: u32,
}

/// A timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Its name in the file.
    pub name: String,
    /// Who counts with it.
    pub scope: TimerScope,
    /// What happens when an expiry is missed.
    pub mode: TimerMode,
}

/// Who counts with a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerScope {
    /// All tasks that name it advance the same one.
    Shared,
    /// Each instance of this task has its own: the name begins with `unique`.
    PerInstance(TaskId),
}

/// What a timer does when an expiry is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerMode {
    /// Count the next period from the late moment.
    Relative,
    /// Keep to the grid, and catch up.
    Absolute,
}

/// Index into [`Workload::tasks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub usize);
/// Index into [`Resources::mutexes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MutexId(pub usize);
/// Index into [`Resources::conditions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionId(pub usize);
/// Index into [`Resources::semaphores`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SemaphoreId(pub usize);
/// Index into [`Resources::barriers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BarrierId(pub usize);
/// Index into [`Resources::timers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub usize);
