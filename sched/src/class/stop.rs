//! What stops everything else on its CPU: one after another, each until it sleeps or ends.

use super::levels::{Kind, Levels};
use super::list::ListTask;
use super::throttle::Throttle;

/// What makes [`Levels`] the stop class.
#[derive(Clone, Copy, Debug)]
pub enum ToTheEnd {}

impl<T> Kind<T> for ToTheEnd {
    const NAME: &'static str = "Stop";

    fn level(_: &T) -> u8 {
        0
    }
}

/// The stop class: first come, first served, and nobody's turn ends by itself.
pub type Stop<T> = Levels<T, ToTheEnd, 1>;

impl<T: ListTask> Stop<T> {
    /// An empty class.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_turns(u64::MAX, Throttle::OFF)
    }
}

impl<T: ListTask> Default for Stop<T> {
    fn default() -> Self {
        Self::new()
    }
}
