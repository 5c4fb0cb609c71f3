#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod handle;
mod head;
mod inbox;
mod link;
mod list;
mod owner;
mod remainder;
mod sync;

pub use handle::{Handle, Unique};
pub use inbox::{Closed, Inbox, Pushed};
pub use link::{Link, Linked};
pub use list::{IntoIter, List};
pub use owner::{Drain, NotEmpty, Owner};
