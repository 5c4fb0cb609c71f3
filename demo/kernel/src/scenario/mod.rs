//! What is checked, one scenario after the other, by a task like any other.
//!
//! Time is asserted with one or two CPUs only: more of them share the host's. Order and counts always are.

#[cfg(feature = "alloc")]
mod affinity;
#[cfg(feature = "alloc")]
mod counts;
#[cfg(feature = "alloc")]
mod failures;
#[cfg(feature = "alloc")]
mod fairness;
#[cfg(feature = "alloc")]
mod hog;
#[cfg(feature = "alloc")]
mod idle;
#[cfg(feature = "alloc")]
mod mixed;
#[cfg(feature = "alloc")]
mod parking;
#[cfg(feature = "alloc")]
mod pause;
#[cfg(feature = "alloc")]
mod ping_pong;
#[cfg(feature = "alloc")]
mod registers;
#[cfg(feature = "alloc")]
mod runner;
#[cfg(feature = "alloc")]
mod sixty_hz;
#[cfg(feature = "alloc")]
mod sleep;
#[cfg(feature = "alloc")]
mod soak;
#[cfg(feature = "alloc")]
mod spaces;
mod statics;
#[cfg(feature = "alloc")]
mod steal;
#[cfg(feature = "alloc")]
mod stress;
#[cfg(feature = "alloc")]
mod tiers;
#[cfg(feature = "alloc")]
mod timer_storm;
#[cfg(feature = "alloc")]
mod unplug;
#[cfg(feature = "alloc")]
mod user;
use crate::options::Options;

/// Leaves the scenarios in the scheduler, for whichever CPU comes first.
pub(crate) fn start(options: Options) {
    #[cfg(feature = "alloc")]
    runner::start(options);
    #[cfg(not(feature = "alloc"))]
    statics::start(options);
}

/// At the end of each interrupt's handler.
pub(crate) fn interrupted() {
    #[cfg(feature = "alloc")]
    registers::interrupted();
}
