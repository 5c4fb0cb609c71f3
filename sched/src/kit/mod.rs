//! The parts of a task, for a scheduler of one's own.
//!
//! The crate's [`Scheduler`](crate::Scheduler) is one way to run tasks. Who has another one in mind, one queue for all, say, or
//! one ordered by deadlines, takes the task alone: its header, state word, wakers, join handle and memory. Such a scheduler
//! implements [`Schedule`]: it is told of each task that becomes runnable, and where that goes then is its own affair. What it
//! gets is a [`Runnable`]: the right to [`run`](Runnable::run) the task once.
//!
//! ```
//! use sched::kit::{Builder, Ran, Runnable, Schedule, TaskIds};
//! use std::collections::VecDeque;
//! use std::sync::Mutex;
//!
//! /// One queue, first in, first out, and whoever comes by runs it.
//! struct Single {
//!     ids: TaskIds,
//!     queue: Mutex<VecDeque<Runnable>>,
//! }
//!
//! impl Schedule for Single {
//!     fn ids(&self) -> &TaskIds {
//!         &self.ids
//!     }
//!     fn schedule(&self, task: Runnable) {
//!         self.queue.lock().unwrap().push_back(task);
//!     }
//! }
//!
//! static SINGLE: Single = Single { ids: TaskIds::new(), queue: Mutex::new(VecDeque::new()) };
//!
//! # #[cfg(feature = "alloc")] {
//! let handle = Builder::new(&SINGLE, "answer").spawn(async {
//!     sched::yield_now().await;
//!     42
//! });
//! loop {
//!     let Some(task) = SINGLE.queue.lock().unwrap().pop_front() else { break };
//!     if let Ran::Again(task) = task.run() {
//!         SINGLE.schedule(task);
//!     }
//! }
//! assert!(handle.is_complete());
//! # }
//! ```
//!
//! `cargo run --features alloc --example own_scheduler` is one that halts.
//!
//! A queue need not allocate: a [`TaskHeader`] has the link of an [`mpsc_inbox::Inbox`], which takes a [`Runnable`] from any CPU
//! and any interrupt, needs no stub task, and stands in a `static`; a [`Runnable`] is also an item of `steal-deque`.
//!
//! # Invariants
//!
//! - **RK1** There is one [`Runnable`] of a task at most, and none while it runs (H1, S1): whoever has it has the task. It is
//!   given out by a wake of a task that waits, by a spawn, and by the end of a run in whose course the task was woken.
//! - **RK2** A [`Runnable`] that is dropped ends its task there; so a scheduler that is dropped with its queue ends what is in it.
//! - **RK3** What else there is to a task is the same here as in the crate's own scheduler, and by the same code: a wake, a cancel
//!   and the end of a last reference are lock-free, and come to [`Schedule::schedule`] at most once for each time that the task
//!   waits.

mod builder;
mod runnable;

pub use crate::task::{Runnable, TaskHeader};
pub use builder::Builder;
pub use runnable::Ran;
#[cfg(feature = "alloc")]
pub(crate) use runnable::end;

use crate::sync::{AtomicU64, Ordering, const_fn};
use crate::task::{Header, Home, TaskId};
use core::ptr::NonNull;

/// A scheduler of tasks that are made by a [`Builder`].
pub trait Schedule: Sync + 'static {
    /// Where its tasks get their ids from: a field of it.
    fn ids(&self) -> &TaskIds;

    /// Takes a task that became runnable: it was spawned, woken or cancelled while it waited, or its last reference is gone and
    /// it is to be freed by its next [`run`](Runnable::run).
    ///
    /// It is called by whoever wakes, spawns, or drops a waker or handle: on any CPU, in an interrupt too if the kernel does
    /// such a thing there, and in the midst of a task's run. So this should do no more than to put the task into a queue, and
    /// see that somebody comes for it.
    fn schedule(&self, task: Runnable);

    /// Nobody will run tasks any more: handles that are polled say [`JoinError::Shutdown`](crate::JoinError::Shutdown)
    /// instead of waiting.
    fn is_shut_down(&self) -> bool {
        false
    }
}

/// Gives out ids, which are unique among those of one scheduler.
#[derive(Debug)]
pub struct TaskIds(AtomicU64);

impl TaskIds {
    const_fn! {
        /// From the first one on.
        pub const fn new() -> Self {
            Self(AtomicU64::new(0))
        }
    }

    fn next(&self) -> TaskId {
        // Ordering: Relaxed; only unique numbers are wanted.
        TaskId::new(0, self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl Default for TaskIds {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Schedule> Home for S {
    fn place(&self, task: Runnable) {
        self.schedule(task);
    }

    fn lost(&self, task: NonNull<Header>) {
        // SAFETY: the task is that of a `Runnable` which is no more.
        runnable::end(unsafe { Runnable::from_raw(task) });
    }

    fn is_shut_down(&self) -> bool {
        Schedule::is_shut_down(self)
    }
}
