//! What the transitions answer.

/// What a wake obliges its caller to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Wake {
    /// The caller now holds the task, with the queue's reference, and must place it.
    Place,
    /// Whoever has the task will see the wake.
    Told,
    /// The task is complete.
    Complete,
}

/// What a task is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It waits for a wake.
    Waiting,
    /// It is ready, in a queue or on the way to one.
    Queued,
    /// It is polled, or runs, on a CPU.
    Running,
    /// It finished, or was cancelled.
    Complete,
}

/// What to do with a picked task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Begin {
    /// Poll it.
    Poll,
    /// Drop its future, then [`State::complete`](super::State::complete) it.
    Cancelled,
}

/// What is to be known of a picked thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct BeginThread {
    /// A wake came that it has not answered: its token from now on (PA1).
    pub was_notified: bool,
    /// It was cancelled, some time.
    pub is_cancelled: bool,
}

/// Where a task goes after a run that did not finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum End {
    /// It was woken meanwhile: the loop still holds it, and requeues it.
    Requeue,
    /// It waits for a wake; it is the loop's no more.
    Idle,
    /// Nobody has a reference, so nobody can ever wake it: the loop frees it.
    Unreachable,
}

/// Who is left when a task is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Completed {
    /// A join handle, which takes the output.
    Join,
    /// Others, for whom the output is nothing: it is the caller's to drop.
    Others,
    /// Nobody: the caller has the only reference, and the task is its own to free.
    Nobody,
}

/// What the holder of a join handle is to do as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum DropJoin {
    /// Nothing: handle and reference are gone.
    Done,
    /// Nobody else has a reference, so nobody can ever wake the task: it is the caller's to free.
    Unreachable,
    /// To take the output, and then to [release](super::State::release) the reference, which it still has.
    Complete,
}
