//! The self-check: every invariant, over the whole queue.

use super::Fair;
use super::entity::{Entity, FairTask, State};
use super::virtual_time::service_ns;
use core::fmt;

/// Which invariant does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FairFault {
    /// The timeline is not in order.
    Timeline(rbtree_aug::Fault),
    /// An entity is not in the state that belongs to its place.
    State,
    /// There are more or fewer runnable tasks than counted.
    Runnable,
    /// The average is not that of the entities.
    Average,
    /// A deadline is not after its virtual runtime.
    Deadline,
}

impl fmt::Display for FairFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FairFault::Timeline(fault) => write!(f, "the timeline: {fault}"),
            FairFault::State => f.write_str("an entity is not in the state of its place"),
            FairFault::Runnable => f.write_str("the number of runnable tasks is not the count"),
            FairFault::Average => f.write_str("the average is not that of the entities"),
            FairFault::Deadline => f.write_str("a deadline is not after its virtual runtime"),
        }
    }
}

impl core::error::Error for FairFault {}

/// A member of a fair class, as it stood when its class was last charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FairMember {
    /// Which task; `None` if it is none.
    pub task: Option<crate::task::TaskId>,
    /// What it is owed, or owes if negative, as service in nanoseconds.
    pub lag_ns: i64,
    /// Its request, in nanoseconds of service.
    pub slice_ns: u64,
    /// It sleeps in the queue until it owes nothing any more.
    pub is_asleep: bool,
}

impl<T: FairTask> Fair<T> {
    /// Shows each member. O(n).
    #[cfg(feature = "threads")]
    pub(crate) fn for_each(&self, mut see: impl FnMut(&T, FairMember)) {
        let running = self.current.as_ref().map(|current| current.entity());
        for entity in self.timeline.iter().chain(running) {
            let lag = self.virtual_time().since(entity.vruntime());
            let member = FairMember {
                task: None,
                lag_ns: service_ns(lag, entity.weight()),
                slice_ns: entity.slice_ns().into(),
                is_asleep: entity.is_delayed(),
            };
            if let Some(task) = entity.task() {
                see(task, member);
            }
        }
    }

    /// Checks F1 and F2, and the timeline. O(n); for tests and debugging.
    ///
    /// # Errors
    ///
    /// The first [`FairFault`] found.
    pub fn check(&self) -> Result<(), FairFault> {
        let fail_if = |wrong: bool, fault| if wrong { Err(fault) } else { Ok(()) };
        self.timeline.check().map_err(FairFault::Timeline)?;
        let running = self.current.as_ref().map(|current| current.entity());
        let entities = || self.timeline.iter().chain(running);
        let is_queued =
            |entity: &Entity<T>| matches!(entity.state.get(), State::Queued | State::Delayed);
        fail_if(!self.timeline.iter().all(is_queued), FairFault::State)?;
        fail_if(running.is_some_and(|e| e.state.get() != State::Running), FairFault::State)?;
        let runnable = entities().filter(|entity| !entity.is_delayed()).count();
        fail_if(runnable != self.runnable, FairFault::Runnable)?;
        let of = entities().map(|entity| (entity.vruntime(), entity.weight()));
        fail_if(!self.average.is_of(of), FairFault::Average)?;
        fail_if(entities().any(|e| e.deadline() <= e.vruntime()), FairFault::Deadline)
    }
}
