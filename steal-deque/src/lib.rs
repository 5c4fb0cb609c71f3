#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(not(any(loom, shuttle, feature = "portable-atomic", target_has_atomic = "64")))]
compile_error!(
    "steal-deque counts positions in 64 bits and this target has no 64-bit atomics: \
     enable the feature `portable-atomic`"
);

mod bulk;
mod deque;
mod error;
mod index;
mod item;
mod owner;
mod refill;
mod slots;
mod stealer;
mod sync;

pub use bulk::Bulk;
pub use deque::StealDeque;
pub use error::{Full, NotEmpty};
pub use item::Item;
pub use owner::Owner;
pub use stealer::{Steal, Stealer};
