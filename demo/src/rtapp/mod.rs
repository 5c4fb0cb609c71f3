//! The workload language: the JSON of [rt-app], read into a plain typed [`Workload`].
//!
//! [`parse`] accepts what rt-app and its `workgen` accept: comments, trailing commas, a key without
//! a value (`"suspend",`), the same event twice in one object, and event keys with a suffix (`run0`,
//! `timer_1`). Whatever it reads and does not support it names in a [`Warning`] with line and column;
//! nothing is dropped in silence. What cannot be read at all is one [`ParseError`]. It panics on no
//! text, nests no deeper than [`MAX_NESTING`], and allocates in proportion to the text, which may
//! have [`MAX_TEXT_BYTES`] at most.
//!
//! # What maps to what
//!
//! | In the file | In the model |
//! |---|---|
//! | `global.duration`, seconds | [`Global::duration_ns`]; −1, 0 or absent: until every task has ended |
//! | `global.default_policy` | the policy of each task that names none; `SCHED_OTHER` if absent |
//! | `tasks.NAME` | one [`Task`]; `instance` copies of it run, default 1; 0: only when forked |
//! | `delay`, µs | [`Task::delay_ns`]; the task's timers count from its end |
//! | `loop` beside `phases` | [`Task::loops`], default forever |
//! | `loop` in a phase | [`Phase::loops`], default once; −1, or 0 as in rt-app: forever |
//! | `loop` beside events (no `phases`) | [`Phase::loops`] of the one phase, then the task runs once; absent: the task runs forever |
//! | `policy`, `priority` | [`Tier`], see below; both are also kept as written |
//! | `cpus`, at the task | [`Task::cpus`], the affinity; what the machine lacks: [`CpuSet::on_machine`] |
//! | `run`, µs | [`Event::Run`]: a fixed amount of *work*, faster on a faster CPU |
//! | `runtime`, µs | [`Event::Runtime`]: busy until that much *time* has passed |
//! | `sleep`, µs | [`Event::Sleep`], counted from the event |
//! | `timer` `{ref, period, mode}` | [`Event::Timer`], counted from the timer's last expiry |
//! | `suspend`, `resume` | [`Event::Suspend`], [`Event::Resume`] |
//! | `lock`, `unlock`, `wait`, `signal`, `broad`, `sync` | a mutex and a condition of the POSIX kind |
//! | `barrier`, `sem_wait`, `sem_post`, `yield`, `fork` | the events of these names |
//! | `mem`, `iorun`, `memrun`, and every other key | ignored with a warning |
//!
//! **Tier.** `SCHED_FIFO`, `SCHED_RR` and `SCHED_DEADLINE` are [`Tier::Critical`]; `SCHED_IDLE` and
//! `SCHED_BATCH` are [`Tier::Background`]; `SCHED_OTHER` is [`Tier::Background`] when its `priority`,
//! which is a nice value, is above 0, and [`Tier::Normal`] otherwise. A tier is first come, first
//! served: a real-time priority does not order tasks within Critical.
//!
//! **Conditions have no memory.** A `resume`, `signal` or `broad` that finds nobody waiting is lost;
//! semaphores remember. `suspend` and `wait` share one name space, as in rt-app, and `resume` wakes
//! every waiter. `suspend` waits on the task's own name, and rt-app ignores its value; older files
//! mean the value. So: the value, with a warning, if some `resume`, `signal` or `broad` names it and
//! none names the task; else the task's own name.
//!
//! **Duplicates.** Events and phases are a sequence: each counts, in file order. Of any other key
//! given twice the first counts and the second is named in a warning. A task's name given twice gets
//! a number, as `workgen` does it.
//!
//! **Duties of whoever runs the model.** A loop may contain no event that waits: offer a scheduling
//! point at least once per phase loop. A task may fork itself: bound the number of forks ([`MAX_FORKS`]
//! per fork event is rt-app's). An `unlock` may name a mutex that the task does not hold.
//!
//! [rt-app]: https://github.com/scheduler-tools/rt-app

mod demand;
mod diagnostics;
mod event;
mod json;
mod model;
mod names;
mod read;
mod references;
mod summary;
mod task;

pub use diagnostics::{ParseError, Position, Warning, WarningKind};
pub use json::{MAX_NESTING, MAX_TEXT_BYTES};
pub use model::{
    Barrier, BarrierId, ConditionId, CpuSet, Event, Global, Loops, MAX_CPU, MAX_FORKS,
    MAX_INSTANCES, MAX_TASKS, MAX_TIME_NS, MutexId, Phase, Policy, Resources, SemaphoreId, Task,
    TaskId, Tier, Timer, TimerId, TimerMode, TimerScope, Workload,
};
pub use read::{Parsed, parse};

/// The workload that runs when none is named: a mixed load for 1 to 64 CPUs that asks for about
/// half of one.
pub const DEFAULT_WORKLOAD: &str = include_str!("../../workloads/default.json");
