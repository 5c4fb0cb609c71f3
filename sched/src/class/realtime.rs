//! Fixed priorities for what must run now: the most urgent runs, equals in turns.

use super::levels::{Kind, Levels};
use super::list::ListTask;
use super::tcb::Priority;
use super::throttle::Throttle;

/// What makes [`Levels`] the real-time class.
#[derive(Clone, Copy, Debug)]
pub enum ByPriority {}

impl<T: Priority> Kind<T> for ByPriority {
    const NAME: &'static str = "Realtime";

    fn level(task: &T) -> u8 {
        task.priority()
    }
}

/// The real-time class: levels 0 to 99, [`Priority::priority`] of a task, 99 the most urgent.
pub type Realtime<T> = Levels<T, ByPriority, 100>;

impl<T: ListTask + Priority> Realtime<T> {
    /// An empty class, in which tasks of one priority take turns of `turn_ns` nanoseconds; `u64::MAX`
    /// for as long as they like. `throttle` keeps a share for the classes below.
    #[must_use]
    pub const fn new(turn_ns: u64, throttle: Throttle) -> Self {
        Self::with_turns(turn_ns, throttle)
    }
}
