//! Another weight: V stays, lag and deadline keep their worth in service.

use super::Fair;
use super::entity::{Entity, FairTask, State};
use super::pick::insert;
use super::virtual_time::scale;
use crate::class::outcome::Resched;
use crate::class::tcb::MAX_WEIGHT;
use core::ptr::NonNull;

impl<T: FairTask> Fair<T> {
    /// Changes the weight that a task is counted with, wherever it is; 0 counts as 1, what is above
    /// [`MAX_WEIGHT`] as that. Its lag in service stays: it is rounded down, by less than a nanosecond,
    /// so that nobody gains by it. O(log n).
    ///
    /// # Safety
    ///
    /// `task` points to a live task that is in this class or in none.
    pub unsafe fn set_weight(&mut self, task: NonNull<T>, weight: u32, now_ns: u64) -> Resched {
        self.account(now_ns);
        let weight = weight.clamp(1, MAX_WEIGHT);
        // SAFETY: Live, by the caller's promise.
        let pointer = unsafe { T::entity(task) };
        // SAFETY: A live field, changed by its cells alone.
        let entity = unsafe { pointer.as_ref() };
        match entity.state.get() {
            State::Out { lag, request } => {
                let [lag, request] =
                    [Some(lag), request].map(|span| span.map(|span| entity.rescale(span, weight)));
                entity.state.set(State::Out { lag: lag.unwrap_or(0), request });
                entity.weight.set(weight);
            }
            State::Running => self.reweigh(entity, weight),
            State::Queued | State::Delayed => {
                // SAFETY: In a timeline, and so in this one, by the caller's promise.
                if let Some(task) = unsafe { self.timeline.remove(pointer) } {
                    self.reweigh(entity, weight);
                    insert(&mut self.timeline, task);
                }
            }
        }
        self.resched()
    }

    /// Of an entity that is counted, and not in the timeline (F3).
    fn reweigh(&mut self, entity: &Entity<T>, weight: u32) {
        let now = self.average.now();
        self.average.remove(entity.vruntime(), entity.weight());
        let lag = entity.rescale(now.since(entity.vruntime()), weight);
        let until_deadline = entity.rescale(entity.deadline().since(now), weight);
        entity.vruntime.set(now.plus(lag.wrapping_neg()));
        // Both are rounded down: what was not served yet must not be taken for served.
        entity.deadline.set(now.plus(until_deadline).max(entity.vruntime().plus(1)));
        entity.weight.set(weight);
        self.average.add(entity.vruntime(), weight);
    }
}

impl<T: FairTask> Entity<T> {
    /// A span of its own, as it is with another weight.
    pub(super) fn rescale(&self, span: i64, weight: u32) -> i64 {
        scale(span, self.weight().into(), weight.into())
    }
}
