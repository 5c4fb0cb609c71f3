//! Scheduling classes.

mod held;
mod nice;
mod outcome;
mod sched_class;
mod stopwatch;
mod tcb;

pub mod fair;

pub use fair::{Fair, FairSettings, FairTask};
pub use held::Held;
pub use nice::Nice;
pub use outcome::{AlreadyQueued, Dequeue, Dequeued, Enqueue, Pick, Resched};
pub use rbtree_aug::Handle;
pub use sched_class::{STEAL_CANDIDATES, SchedClass};
pub use tcb::{Affinity, Deadline, MAX_WEIGHT, Priority, Tcb, Weight};
