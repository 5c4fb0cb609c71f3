#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod drain;
mod entry;
mod fired;
mod flight;
mod handle;
mod level;
mod list;
mod occupancy;
mod place;
mod slots;
mod tick;
mod wheel;

pub use drain::Turn;
pub use entry::{Entry, Linked, State};
pub use fired::Fired;
pub use handle::Handle;
pub use tick::{NextPeriod, within};
pub use wheel::{AlreadyArmed, Wheel};
