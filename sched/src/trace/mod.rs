//! The trace hook: what happens, told to whoever asks, and nothing at all when nobody does.
//!
//! A scheduler is traced by its type parameter `T: Trace`. `()` is no trace, and takes the hook out when the scheduler is
//! compiled. [`Rings`] keeps the last records of each CPU in memory that a host, a debugger or a panic handler reads while
//! the CPUs go on:
//!
//! ```
//! use sched::trace::{Ring, Rings};
//!
//! static CPUS: [Ring<1024>; 4] = [const { Ring::new() }; 4];
//! static OTHERS: Ring<256> = Ring::new();
//! static TRACE: Rings<1024, 256> = Rings::new(&CPUS, &OTHERS);
//! // Scheduler::new(machine, &TRACE, Settings::DEFAULT)
//!
//! for record in TRACE.read().flatten() {
//!     println!("{} ns: {:?}", record.time_ns, record.kind);
//! }
//! ```
//!
//! | Part | What it is |
//! |---|---|
//! | [`Trace`], [`Event`] | the hook, and what it is told |
//! | [`Record`], [`Header`] | 32 bytes for each event, without pointers; what stands before them in a file |
//! | [`Ring`] | one CPU's last records, overwritten from the oldest on; never torn for a reader |
//! | [`Rings`], [`Names`] | a ring for each CPU as a [`Trace`], and the names of tasks as small numbers |

mod header;
mod names;
mod record;
mod ring;
mod rings;

pub use header::{Header, HeaderError};
pub use names::{NAMES, NameId, Names};
pub use record::{Kind, RECORD_BYTES, Record};
pub use ring::{Reader, Ring};
pub use rings::{Counts, Rings};

use crate::{CpuId, TaskId, Tier};

/// Gets an [`Event`] at each place named there. Implement it to fill a ring or a counter.
///
/// Called from the loop, from tasks and from interrupt handlers, always with interrupts masked: an implementation must
/// be lock-free and short, and must not call the scheduler.
pub trait Trace: Sync {
    /// `false` takes the hook out at compile time, the building of its arguments and the look at the clock included.
    const ENABLED: bool = true;

    /// `event` happened on `cpu` at `now_ns` of the machine's clock; `None` is a thread that is no CPU.
    fn record(&self, cpu: Option<CpuId>, now_ns: u64, event: Event);
}

/// No trace.
impl Trace for () {
    const ENABLED: bool = false;

    fn record(&self, _: Option<CpuId>, _: u64, _: Event) {}
}

/// The same trace, for more than one holder.
impl<T: Trace> Trace for &T {
    const ENABLED: bool = T::ENABLED;

    fn record(&self, cpu: Option<CpuId>, now_ns: u64, event: Event) {
        T::record(self, cpu, now_ns, event);
    }
}

/// Tells the scheduler's trace, if it has one. The build that knows nothing of the hook (`--cfg sched_no_trace`) is there
/// to be compared with: it must not be a single instruction shorter than one whose trace is `()`.
macro_rules! trace {
    ($scheduler:expr, $event:expr) => {
        #[cfg(not(sched_no_trace))]
        $scheduler.record(|| $event);
    };
}
pub(crate) use trace;

/// Something that happened to a task or a CPU. Tasks are named by their stable ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A task was made.
    Spawn {
        /// The new task.
        task: TaskId,
        /// Its tier.
        tier: Tier,
        /// Its name.
        name: &'static str,
    },
    /// A runnable task was pushed to a CPU's inbox; `None` is the injector.
    Wake {
        /// The woken task.
        task: TaskId,
        /// Whose inbox.
        target: Option<CpuId>,
    },
    /// A reschedule interrupt was sent.
    Kick {
        /// To whom.
        target: CpuId,
    },
    /// A reschedule interrupt arrived.
    Kicked,
    /// A task went into this CPU's run queue.
    Enqueue {
        /// The task.
        task: TaskId,
    },
    /// A task whose home was another CPU is at home here from now on.
    Migrate {
        /// The task.
        task: TaskId,
        /// Its home up to now.
        from: CpuId,
    },
    /// A task was picked and left the run queue; its poll begins.
    Run {
        /// The task.
        task: TaskId,
        /// Its tier.
        tier: Tier,
        /// Its name.
        name: &'static str,
    },
    /// A poll ended.
    Stop {
        /// The task.
        task: TaskId,
        /// Where it went.
        outcome: Outcome,
    },
    /// A task was taken from another CPU.
    Steal {
        /// The task.
        task: TaskId,
        /// Whose it was.
        victim: CpuId,
    },
    /// This CPU halts.
    Halt,
    /// This CPU goes on after a halt.
    Resume,
    /// The timer interrupt arrived.
    Tick,
    /// Timers fired.
    Timers {
        /// How many.
        fired: usize,
    },
}

/// Where a task goes after a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It yielded or was woken meanwhile.
    Requeued,
    /// It waits for a wake.
    Waits,
    /// It finished.
    Completed,
    /// It was cancelled, and its future dropped.
    Cancelled,
    /// Nobody could ever wake it again; it was freed.
    Unreachable,
    /// It has to go on later: something more urgent came, or its time was up.
    Preempted,
}
