//! The run queue of one tier: exact first in, first out for the owner, the back for thieves.
//!
//! ```text
//!    enqueue ──► shared list ──refill──►  deque:  front (owner pops the oldest)
//!                  (private)                      back  (thieves take the newest published)
//!    enqueue ──► pinned list ─────────────────────────────► merged by stamp
//! ```
//!
//! # Invariants
//!
//! - **Q1** (PD1) The deque is refilled only when it is empty, with the oldest of the shared list, and holds them
//!   in order: each task in the deque is older than each in the shared list.
//! - **Q2** A task that not every CPU may run stands in the pinned list, never in the deque, where it would bar
//!   thieves from all behind it.
//! - **Q3** What is taken next is the task with the lowest stamp of the tier, but for those that thieves take.
//! - **Q4** After a take that leaves a stealable task behind, the deque is not empty: thieves can have it.

use crate::cpu::DEQUE_CAPACITY;
use crate::task::{Header, Queued};
use mpsc_inbox::List;
use steal_deque::{Fixed, Full, Owner};

/// Tasks moved to the deque at once: what bounds a refill.
const REFILL_BUDGET: usize = if DEQUE_CAPACITY < 64 { DEQUE_CAPACITY } else { 64 };

/// The private lists of a tier, which outlive the loop's stay.
pub(crate) struct Lanes {
    shared: List<Header>,
    pinned: List<Header>,
}

impl Lanes {
    crate::sync::const_fn! {
        pub(crate) const fn new() -> Self {
            Self { shared: List::new(), pinned: List::new() }
        }
    }
}

/// A tier's run queue, in the hands of its CPU's loop.
pub(crate) struct RunQueue {
    deque: Owner<'static, Queued, Fixed<DEQUE_CAPACITY>>,
    lanes: Lanes,
}

impl RunQueue {
    pub(crate) fn new(deque: Owner<'static, Queued, Fixed<DEQUE_CAPACITY>>, lanes: Lanes) -> Self {
        Self { deque, lanes }
    }

    /// The private lists, when the loop goes; the deque keeps what is in it.
    pub(crate) fn take_lanes(&mut self) -> Lanes {
        core::mem::replace(&mut self.lanes, Lanes::new())
    }

    /// Puts a stamped task at the end.
    pub(crate) fn enqueue(&mut self, task: Queued) {
        if task.header().meta().affinity.is_some() {
            self.lanes.pinned.push_back(task);
        } else {
            self.lanes.shared.push_back(task);
        }
    }

    /// Tasks that thieves may have, in the deque or on the way there.
    pub(crate) fn stealable(&self) -> usize {
        self.deque.len() + self.lanes.shared.len()
    }

    /// All tasks.
    pub(crate) fn len(&self) -> usize {
        self.stealable() + self.lanes.pinned.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.shared.is_empty() && self.lanes.pinned.is_empty() && self.deque.is_empty()
    }

    /// Takes the oldest task (Q3), and tells whether that made a task stealable that was not before. `None` if
    /// there is none left, which may be the work of thieves since [`is_empty`](Self::is_empty) said otherwise.
    ///
    /// O(1), and a refill of at most [`REFILL_BUDGET`] slots when the deque ran dry. A task that is alone never
    /// goes through the deque, so its fence is paid only where there is something to share.
    pub(crate) fn take(&mut self) -> Option<(Queued, bool)> {
        let popped = if self.deque.is_empty() { None } else { self.deque.pop() };
        let (task, put_back) = match popped {
            Some(task) => self.or_older_pinned(task),
            None => (self.take_from_lanes()?, false),
        };
        // Q4. Both are called for: the put back one is published whether or not a refill follows.
        let refilled = self.publish();
        Some((task, refilled || put_back))
    }

    /// Takes the oldest task, and makes nothing stealable: for a CPU that goes. O(1).
    pub(crate) fn withdraw(&mut self) -> Option<Queued> {
        match self.deque.pop() {
            Some(task) => Some(self.or_older_pinned(task).0),
            None => self.take_from_lanes(),
        }
    }

    /// Makes tasks of the shared list stealable if the deque is empty (Q1); tells whether it did.
    pub(crate) fn publish(&mut self) -> bool {
        if self.lanes.shared.is_empty() || !self.deque.is_empty() {
            return false;
        }
        let left = self.lanes.shared.len().min(REFILL_BUDGET);
        self.deque.refill(&mut Oldest { list: &mut self.lanes.shared, left }).is_ok()
    }

    fn pinned_is_older_than(&self, stamp: u64) -> bool {
        self.lanes.pinned.front().is_some_and(|first| first.stamp() < stamp)
    }

    /// Takes the older of the heads of the two lists.
    fn take_from_lanes(&mut self) -> Option<Queued> {
        match self.lanes.shared.front() {
            Some(first) if !self.pinned_is_older_than(first.stamp()) => {
                self.lanes.shared.pop_front()
            }
            _ => self.lanes.pinned.pop_front(),
        }
    }

    /// Puts a popped task back to the front of the deque if a pinned one is older, and takes that instead. Tells
    /// whether it did.
    fn or_older_pinned(&mut self, popped: Queued) -> (Queued, bool) {
        if !self.pinned_is_older_than(popped.header().stamp()) {
            return (popped, false);
        }
        let Some(pinned) = self.lanes.pinned.pop_front() else { return (popped, false) };
        if let Err(Full(popped)) = self.deque.push(popped) {
            // The pop has just made room, so this does not happen; if it did, order would suffer, nothing else.
            self.lanes.shared.push_back(popped);
        }
        (pinned, true)
    }
}

/// The oldest tasks of a list, at most `left`.
struct Oldest<'a> {
    list: &'a mut List<Header>,
    left: usize,
}

impl Iterator for Oldest<'_> {
    type Item = Queued;

    fn next(&mut self) -> Option<Queued> {
        self.left = self.left.checked_sub(1)?;
        self.list.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Oldest<'_> {}
