#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod drain;
mod entry;
mod level;
mod list;
mod wheel;

pub use drain::Turn;
pub use entry::{Entry, Handle, Linked, State};
pub use wheel::{AlreadyArmed, Wheel};
