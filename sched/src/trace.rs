//! The trace hook: what happens, told to whoever asks, and nothing at all when nobody does.

use crate::{CpuId, TaskId, Tier};

/// Gets an [`Event`] at each place named there. Implement it to fill a ring or a counter.
///
/// Called from the loop, from tasks and from interrupt handlers, with interrupts masked or not: an implementation
/// must be lock-free and short, and must not call the scheduler.
pub trait Trace: Sync {
    /// `false` takes the hook out at compile time, the building of its arguments included.
    const ENABLED: bool = true;

    /// `event` happened on `cpu`; `None` is a thread that is no CPU.
    fn record(&self, cpu: Option<CpuId>, event: Event);
}

/// No trace.
impl Trace for () {
    const ENABLED: bool = false;

    fn record(&self, _: Option<CpuId>, _: Event) {}
}

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
    /// A task went into this CPU's run queue.
    Enqueue {
        /// The task.
        task: TaskId,
    },
    /// A poll began.
    Run {
        /// The task.
        task: TaskId,
        /// Its tier.
        tier: Tier,
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
}
