//! What a step came to.

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It polled a task, or ran a thread.
    Ran,
    /// It took tasks from the injector.
    Injected,
    /// It took a task from another CPU.
    Stole,
    /// It found nothing at first, and something at the last look.
    Undone,
    /// It found nothing, and the next one looks again before the CPU halts ([`spin_steps`](crate::Settings::spin_steps)).
    Spun,
    /// It halted.
    Halted,
    /// The CPU is [paused](crate::Scheduler::pause). It halted, unless it was resumed meanwhile.
    Paused,
    /// It moved some of its tasks to other CPUs, as this one goes offline.
    Leaving,
    /// The CPU is offline. All that is left to do is to drop the loop.
    Offline,
}
