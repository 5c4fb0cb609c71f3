//! Everybody in turn.

use super::levels::{Kind, Levels};
use super::list::ListTask;
use super::throttle::Throttle;

/// What makes [`Levels`] a plain round-robin.
#[derive(Clone, Copy, Debug)]
pub enum InTurn {}

impl<T> Kind<T> for InTurn {
    const NAME: &'static str = "RoundRobin";

    fn level(_: &T) -> u8 {
        0
    }
}

/// Plain round-robin: it asks nothing of a task.
pub type RoundRobin<T> = Levels<T, InTurn, 1>;

impl<T: ListTask> RoundRobin<T> {
    /// An empty class, with turns of `turn_ns` nanoseconds.
    #[must_use]
    pub const fn new(turn_ns: u64) -> Self {
        Self::with_turns(turn_ns, Throttle::OFF)
    }
}
