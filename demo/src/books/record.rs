//! One task's page: wakes sent, wakes seen.

use sched::CpuSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::task::{Wake, Waker};

/// The task is over; what is below this bit was its count then.
const CLOSED: u64 = 1 << 63;

/// The wakes of one task, on a cache line of its own. It is the waker that the task's future gets.
#[repr(align(128))]
#[derive(Debug)]
pub struct Record {
    sent: AtomicU64,
    seen: AtomicU64,
    /// The scheduler's waker of the task, from its first poll on.
    task: OnceLock<Waker>,
    name: &'static str,
    index: u32,
    cpus: Option<CpuSet>,
}

/// What a record says at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) sent: u64,
    pub(super) seen: u64,
    pub(super) closed: bool,
}

impl Record {
    pub(super) fn new(name: &'static str, index: u32, cpus: Option<CpuSet>) -> Self {
        let zero = || AtomicU64::new(0);
        Self { sent: zero(), seen: zero(), task: OnceLock::new(), name, index, cpus }
    }

    /// Where the task may run; `None`: anywhere.
    pub fn cpus(&self) -> Option<&CpuSet> {
        self.cpus.as_ref()
    }

    /// Counts a wake that is about to be sent in another way than through this waker (BK1).
    pub fn count_wake(&self) {
        // Ordering: Release pairs with the Acquire in `take_over`, though the scheduler's own would do.
        self.sent.fetch_add(1, Ordering::Release);
    }

    /// The task is polled, by `waker` of the scheduler: all that was sent so far is seen.
    pub(super) fn take_over(&self, waker: &Waker) {
        if self.task.get().is_none() {
            // Only the task itself sets it, and is polled by one CPU at a time.
            let _ = self.task.set(waker.clone());
            // Ordering: SeqCst, pairs with the fence in `Books::set_phase`.
            fence(Ordering::SeqCst);
        }
        // Ordering: Acquire pairs with the Release in `count_wake`.
        let sent = self.sent.load(Ordering::Acquire);
        // Ordering: Release; with the reader's Acquire, `sent` is never read older than `seen`.
        self.seen.store(sent, Ordering::Release);
    }

    /// The task is over (BK2).
    pub(super) fn close(&self) {
        // Ordering: AcqRel, as `take_over` and as `count_wake`.
        let sent = self.sent.fetch_or(CLOSED, Ordering::AcqRel);
        // Ordering: Release; as in `take_over`.
        self.seen.store(sent | CLOSED, Ordering::Release);
    }

    /// Closed ones are balanced by nature; for others `sent >= seen`.
    pub(super) fn read(&self) -> Reading {
        // Ordering: Acquire, in this order; pairs with the Release in `take_over`.
        let seen = self.seen.load(Ordering::Acquire);
        let sent = self.sent.load(Ordering::Acquire);
        if seen & CLOSED != 0 {
            return Reading { sent: seen & !CLOSED, seen: seen & !CLOSED, closed: true };
        }
        Reading { sent: sent & !CLOSED, seen, closed: false }
    }

    /// Sends a wake, counted, to a task that was polled before. One that was not needs none: it is queued.
    pub(super) fn wake_if_polled(self: &Arc<Self>) {
        if self.task.get().is_some() {
            self.wake_by_ref();
        }
    }
}

impl Wake for Record {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Set, for whoever has this waker got it from a poll.
        if let Some(task) = self.task.get() {
            self.count_wake();
            task.wake_by_ref();
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.name, self.index)
    }
}
