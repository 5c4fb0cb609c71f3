#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod drain;
mod entry;
mod flight;
mod handle;
mod level;
mod list;
mod occupancy;
mod place;
mod slots;
mod wheel;

pub use drain::Turn;
pub use entry::{Entry, Linked, State};
pub use handle::Handle;
pub use wheel::{AlreadyArmed, Wheel};
