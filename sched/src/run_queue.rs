//! The run queue of one tier: exact first in, first out for the owner, the back for thieves.
//!
//! ```text
//!    enqueue ──► shared list ──refill──►  deque:  front ──batch──► taken list ──► the owner, oldest first
//!                  (private)                      back              (private)
//!    enqueue ──► pinned list ──────────────────────│──────────────────────────► merged by stamp
//!                                                  └──► thieves take the newest published
//! ```
//!
//! # Invariants
//!
//! - **Q1** (PD1) The deque is refilled only when it is empty, with the oldest there are, and holds them in order: each task in
//!   the taken list is older than each in the deque, and each of these than each in the shared list.
//! - **Q2** A task that not every CPU may run stands in the pinned list, never in the deque, where it would bar
//!   thieves from all behind it.
//! - **Q3** What is taken next is the task with the lowest stamp of the tier, but for those that thieves take.
//! - **Q4** After a [`publish`](RunQueue::publish), the deque is not empty if there is a stealable task: thieves can have it. So
//!   what thieves do not see of a batch they see after one poll: they have to take what is left in the deque first.

use crate::cpu::DEQUE_CAPACITY;
use crate::task::{Header, Queued};
use mpsc_inbox::List;
use steal_deque::{Fixed, Owner};

/// Tasks moved to the deque at once: what bounds a refill.
const REFILL_BUDGET: usize = if DEQUE_CAPACITY < 64 { DEQUE_CAPACITY } else { 64 };

/// Tasks that leave the deque at once, for one fence: at most so many, and at most half of them.
const BATCH: usize = 8;

/// The private lists of a tier, which outlive the loop's stay.
pub(crate) struct Lanes {
    taken: List<Header>,
    shared: List<Header>,
    pinned: List<Header>,
}

impl Lanes {
    crate::sync::const_fn! {
        pub(crate) const fn new() -> Self {
            Self { taken: List::new(), shared: List::new(), pinned: List::new() }
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
    #[inline]
    pub(crate) fn enqueue(&mut self, task: Queued) {
        if task.header().meta().affinity.is_some() {
            self.lanes.pinned.push_back(task);
        } else {
            self.lanes.shared.push_back(task);
        }
    }

    /// Tasks that thieves may have, in the deque or on the way there.
    #[inline]
    pub(crate) fn stealable(&self) -> usize {
        self.lanes.taken.len() + self.deque.len() + self.lanes.shared.len()
    }

    /// All tasks.
    pub(crate) fn len(&self) -> usize {
        self.stealable() + self.lanes.pinned.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let lanes = &self.lanes;
        lanes.taken.is_empty()
            && lanes.shared.is_empty()
            && lanes.pinned.is_empty()
            && self.deque.is_empty()
    }

    /// Takes the oldest task (Q3). `None` if there is none left, which may be the work of thieves since
    /// [`is_empty`](Self::is_empty) said otherwise.
    ///
    /// O(1), and a batch of at most [`BATCH`] slots. A task that is alone never goes through the deque, so its fence is paid
    /// only where there is something to share, and then for several.
    pub(crate) fn take(&mut self) -> Option<Queued> {
        if self.lanes.taken.is_empty() && !self.deque.is_empty() {
            self.take_batch();
        }
        let Lanes { taken, shared, pinned } = &mut self.lanes;
        let unpinned = if taken.is_empty() { shared } else { taken };
        match (unpinned.front(), pinned.front()) {
            (Some(first), Some(other)) if other.stamp() < first.stamp() => pinned.pop_front(),
            (None, Some(_)) => pinned.pop_front(),
            _ => unpinned.pop_front(),
        }
    }

    fn take_batch(&mut self) {
        let most = (self.deque.len() / 2).clamp(1, BATCH);
        self.deque.pop_bulk(most).for_each(|task| self.lanes.taken.push_back(task));
    }

    /// Makes tasks stealable if the deque is empty (Q4); tells whether it did. O(1), and a refill of at most [`REFILL_BUDGET`]
    /// slots when the deque ran dry.
    #[inline]
    pub(crate) fn publish(&mut self) -> bool {
        let lanes = &self.lanes;
        let may_refill = !lanes.shared.is_empty() || !lanes.taken.is_empty();
        may_refill && self.deque.is_empty() && self.refill()
    }

    /// Q1: by what has not been in the deque yet, if there is such; else what was taken out goes back.
    fn refill(&mut self) -> bool {
        let Lanes { taken, shared, .. } = &mut self.lanes;
        let list = if shared.is_empty() { taken } else { shared };
        let left = list.len().min(REFILL_BUDGET);
        self.deque.refill(&mut Oldest { list, left }).is_ok()
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
