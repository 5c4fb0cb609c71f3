//! What a class is told, and what it answers.

use super::tcb::Tcb;
use core::fmt;

/// Why a task comes into a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueue {
    /// It slept, and was woken; or its sleep was called off.
    Wakeup,
    /// It is new.
    Fork,
    /// It was runnable elsewhere: in another class, or on another CPU.
    Move,
}

/// Why a task leaves a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dequeue {
    /// It sleeps. The only reason with which a class may answer [`Dequeued::Delayed`].
    Sleep,
    /// It stays runnable, and goes to another class or another CPU.
    Move,
    /// It has ended.
    Exit,
}

/// Whether the CPU that the class belongs to should pick anew. The class does nothing about it: the
/// loop does, when it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a task that should run waits for the next tick"]
pub enum Resched {
    /// The pick would be another one.
    Yes,
    /// Whatever runs may go on.
    No,
}

impl Resched {
    pub(super) fn when(needed: bool) -> Self {
        if needed { Resched::Yes } else { Resched::No }
    }
}

/// The answer of [`pick_next_task`](super::SchedClass::pick_next_task).
#[must_use = "it may hold a task that nobody else has any more"]
pub enum Pick<'a, T: Tcb> {
    /// This task is the class's current one: run it. The class keeps its handle.
    Run(&'a T),
    /// This one had gone to sleep, and was kept until now ([`Dequeued::Delayed`]). It is out. Pick
    /// again.
    Asleep(T::Handle),
    /// The class has nothing to run, and no current task.
    Idle,
}

impl<T: Tcb> fmt::Debug for Pick<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Pick::Run(_) => "Run",
            Pick::Asleep(_) => "Asleep",
            Pick::Idle => "Idle",
        })
    }
}

/// The answer of [`dequeue_task`](super::SchedClass::dequeue_task).
#[must_use = "the handle may be inside"]
pub enum Dequeued<H> {
    /// The task is out.
    Out(H),
    /// It sleeps, but the class keeps it: it owes service that it had too early. It comes out by
    /// [`Pick::Asleep`], or is woken in place by [`wake_delayed`](super::SchedClass::wake_delayed).
    Delayed,
    /// It was not in the class.
    NotQueued,
}

impl<H> Dequeued<H> {
    /// The handle, if the task is out.
    #[must_use]
    pub fn out(self) -> Option<H> {
        match self {
            Dequeued::Out(handle) => Some(handle),
            Dequeued::Delayed | Dequeued::NotQueued => None,
        }
    }
}

impl<H> fmt::Debug for Dequeued<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dequeued::Out(_) => "Out",
            Dequeued::Delayed => "Delayed",
            Dequeued::NotQueued => "NotQueued",
        })
    }
}

/// The task is in a class already. The handle is inside.
pub struct AlreadyQueued<H>(pub H);

impl<H> fmt::Debug for AlreadyQueued<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlreadyQueued").finish_non_exhaustive()
    }
}

impl<H> fmt::Display for AlreadyQueued<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task is in a class already")
    }
}

impl<H> core::error::Error for AlreadyQueued<H> {}
