#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod batch;
mod coalesce;
mod drain;
mod handle;
mod head;
mod inbox;
mod link;
mod list;
mod owner;
mod remainder;
mod sync;

pub use batch::Batch;
pub use coalesce::{Coalescing, NotPushed, Queued, QueuedBit};
pub use drain::{Drain, DrainLifo};
pub use handle::{Handle, Shared, Unique};
pub use inbox::{Closed, Inbox, Pushed};
pub use link::{Link, Linked};
pub use list::{IntoIter, List};
pub use owner::{NotEmpty, Owner};
