#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(not(any(loom, shuttle, feature = "portable-atomic", target_has_atomic = "64")))]
compile_error!(
    "steal-deque counts positions in 64 bits and this target has no 64-bit atomics: \
     enable the feature `portable-atomic`"
);

mod barrier;
mod bulk;
mod claim;
mod deque;
mod drain;
mod error;
mod fixed;
#[cfg(feature = "alloc")]
mod growable;
mod index;
mod item;
mod lazy;
mod loot;
mod owner;
mod refill;
mod stealer;
mod storage;
mod sync;

pub use bulk::Bulk;
pub use deque::{Deque, StealDeque};
pub use error::{Full, NotEmpty};
pub use fixed::Fixed;
#[cfg(feature = "epoch")]
pub use growable::{EpochDeque, EpochGrowable};
#[cfg(feature = "alloc")]
pub use growable::{Growable, GrowableDeque};
pub use item::Item;
pub use lazy::Sharing;
pub use owner::Owner;
pub use stealer::{Steal, Stealer};
pub use storage::Storage;
