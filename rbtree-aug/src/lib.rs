#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod augment;
mod check;
mod cursor;
mod erase;
mod handle;
mod link;
mod node;
mod rebalance;
mod search;
mod settle;
#[cfg(test)]
mod tests;
mod trace;
mod tree;

pub use augment::{Augment, Deadline, DeadlineSummary, MinDeadline};
pub use check::Fault;
pub use cursor::{Cursor, Iter};
pub use handle::Handle;
pub use link::{Link, Linked, SummaryOf};
pub use tree::{AlreadyLinked, Tree};
