//! The books: proof, or disproof, that no wake was lost in a run.
//!
//! Each booked task has a [`Record`] with two counters: `sent`, which every wake of the task raises *before* it goes
//! to the scheduler, and `seen`, to which each poll of the task copies `sent` before it does anything else. A wake
//! after which no poll comes leaves `sent > seen` behind, for good. Wakes are counted where they cannot be
//! forgotten: a booked future is polled with a waker of its own, which is the record. So timers, join handles,
//! yields and messages all count, whoever sends them.
//!
//! At the end of a run the books go through three [phases](Phase):
//!
//! 1. *Frozen*: a task that is polled takes note of its wakes and goes no further, so no new ones are sent. Soon
//!    `sent = seen` for every task; the [`Auditor`] waits for that, and names the tasks for which it does not come.
//!    This is before anything else is woken: a later wake would hide an earlier one that was lost.
//! 2. *Finish*: each task gets one more wake, or is cancelled, and ends at that poll.
//! 3. What the scheduler spawned must be what it completed and cancelled.
//!
//! Short-lived children need no record (fork–join leaves have none): they are woken once, by their spawn, and are
//! accounted for by 3; their completion is a wake of the parent, which is booked.
//!
//! # Invariants
//!
//! - **BK1** `sent` is raised before the scheduler hears of the wake, `seen` takes it over after the pick. With the
//!   scheduler's promise that a wake is seen by a poll that comes after it, `sent > seen` can last only if a wake was
//!   lost.
//! - **BK2** A record is closed once, by the end of its task; wakes of a task that is over are none.
//! - **BK3** A record is registered before its task is spawned.

mod auditor;
mod booked;
mod ending;
mod record;
mod verdict;
mod watchdog;

pub use auditor::{Account, Auditor, Stall};
pub use booked::Booked;
pub use ending::close_books;
pub use record::Record;
pub use verdict::Verdict;
pub use watchdog::Watchdog;

use crossbeam_queue::SegQueue;
use sched::CpuSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::task::{Context, Poll, Waker};

/// What booked tasks do when they are polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// They run.
    Open,
    /// They take note of their wakes, and wait.
    Frozen,
    /// They end.
    Finish,
}

/// The books of one run.
#[derive(Debug)]
pub struct Books {
    phase: AtomicU8,
    /// Records that the auditor has not taken over yet: off the way from a wake to a poll.
    opened: SegQueue<Arc<Record>>,
}

impl Books {
    /// Books with nothing in them.
    #[must_use]
    pub const fn new() -> Self {
        Self { phase: AtomicU8::new(Phase::Open as u8), opened: SegQueue::new() }
    }

    /// Whether tasks should run on.
    pub fn is_open(&self) -> bool {
        self.phase() == Phase::Open
    }

    fn phase(&self) -> Phase {
        // Ordering: Relaxed; a task that waits learns of a new phase by a wake, which orders it, a new task by the
        // fence in `Record::take_over`.
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Open,
            1 => Phase::Frozen,
            _ => Phase::Finish,
        }
    }

    /// Goes on to `phase`.
    pub fn set_phase(&self, phase: Phase) {
        // Ordering: Relaxed; see `phase`.
        self.phase.store(phase as u8, Ordering::Relaxed);
        // Ordering: SeqCst, pairs with the fence in `Record::take_over`: whoever looks for a record's waker after
        // this finds it, or that task's first poll finds the phase.
        fence(Ordering::SeqCst);
    }

    /// Opens the record of a task that is about to be spawned (BK3); `cpus`: where it may run, if not anywhere.
    pub fn open(&self, name: &'static str, index: u32, cpus: Option<CpuSet>) -> Arc<Record> {
        let record = Arc::new(Record::new(name, index, cpus));
        self.opened.push(record.clone());
        record
    }

    /// The next record that nobody audits yet.
    fn next_opened(&self) -> Option<Arc<Record>> {
        self.opened.pop()
    }

    /// `future` with its wakes in the books: what is to be spawned.
    pub fn book(
        &'static self,
        record: Arc<Record>,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let waker = Waker::from(record.clone());
        let closing = Closing(record);
        async move {
            let record = &closing.0;
            let mut future = pin!(future);
            poll_fn(|context| {
                record.take_over(context.waker());
                match self.phase() {
                    Phase::Open => future.as_mut().poll(&mut Context::from_waker(&waker)),
                    Phase::Frozen => Poll::Pending,
                    Phase::Finish => Poll::Ready(()),
                }
            })
            .await;
        }
    }
}

impl Default for Books {
    fn default() -> Self {
        Self::new()
    }
}

/// Closes the record when the task is over: finished, cancelled, or dropped before its first poll.
struct Closing(Arc<Record>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests;
