#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod augment;
mod check;
mod contains;
#[cfg(test)]
mod counts;
mod cursor;
mod cursor_mut;
mod deadline;
#[cfg(test)]
mod faults;
mod gap;
mod handle;
mod insert;
mod interval;
mod iter;
mod laws;
mod link;
mod lookup;
mod newcomer;
mod node;
mod provided;
mod rank;
mod rebalance;
mod remove;
mod search;
mod shape;
mod summary;
#[cfg(test)]
mod tests;
mod trace;
mod tree;
mod update;

pub use augment::Augment;
pub use check::Fault;
pub use contains::{Contains, at};
pub use cursor::Cursor;
pub use cursor_mut::CursorMut;
pub use handle::Handle;
pub use iter::{Iter, Range};
pub use laws::{LawBroken, check_laws};
pub use link::{Link, Linked, SummaryOf};
pub use newcomer::{AlreadyLinked, Refused};
pub use provided::{Count, Deadline, Interval, MaxEnd, MinDeadline, MinVruntime, Vruntime};
pub use search::FindAll;
pub use tree::Tree;
pub use update::Update;
