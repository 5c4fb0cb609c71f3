//! The works, one file each: a new row is one line here, a new rival one line in the work's `contenders`.

mod deque_rivals;
mod deques;
mod executor_rivals;
mod executors;
mod inbox_rivals;
mod inboxes;
mod mailbox;
mod smp;
mod smp_rivals;
mod timer_rivals;
mod timers;
mod tree_rivals;
mod trees;

use crate::work::{Missing, Work};

pub(crate) use timers::{TimerHistory, histories as timer_histories};

/// Every row, in the order of the table.
pub static ALL: &[Work] = &[
    deques::BATCHES,
    deques::SINGLE,
    deques::BULK,
    deques::UNDER_A_THIEF,
    deques::STEAL_HALF,
    inboxes::PUSH_AND_DRAIN,
    inboxes::PUSH_MANY,
    inboxes::TWO_CORES,
    trees::POP_AND_REINSERT,
    timers::ARM_AND_EXPIRE,
    timers::ARM_AND_CANCEL,
    timers::TICKS,
    executors::YIELDS,
    executors::MESSAGES,
    executors::SPAWNS,
    smp::WAKES,
    smp::FORK_JOIN,
];

const MAITAKE: Missing = Missing { name: "maitake", why: "not in the registry" };
