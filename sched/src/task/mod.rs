//! Tasks: what every queue, waker and handle points to.

mod cell;
mod header;
mod home;
mod info;
mod join;
mod memory;
mod storage;
mod waker;

use core::fmt;
use core::num::NonZeroU64;

pub use crate::state::RunState;
pub(crate) use cell::Cell;
#[cfg(feature = "threads")]
pub(crate) use cell::VTable;
pub(crate) use header::{FOREIGN, Header, LOCAL, Meta, Queued};
pub use header::{Header as TaskHeader, Queued as Runnable};
pub(crate) use home::Home;
pub use info::{TaskInfo, TaskRef};
pub use join::{CancelOnDrop, JoinError, JoinHandle};
pub(crate) use memory::Claim;
pub use memory::{MemoryInUse, TaskMemory};
pub use storage::Storage;
pub(crate) use waker::waker_for_poll;

/// The name of a task for as long as the scheduler lives: unique across CPUs, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(NonZeroU64);

impl TaskId {
    /// Bits of the serial number; what is above names the CPU that spawned the task.
    const SERIAL_BITS: u32 = 48;

    /// The `serial`-th task (from 0) of block `block`: one block for each CPU and one for other threads.
    pub(crate) fn new(block: usize, serial: u64) -> Self {
        let id =
            ((block as u64) << Self::SERIAL_BITS) | ((serial + 1) & ((1 << Self::SERIAL_BITS) - 1));
        Self(NonZeroU64::new(id).unwrap_or(NonZeroU64::MIN))
    }

    /// The id of that number; `None` for 0, which is no task's.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The block of [`new`](Self::new).
    #[cfg(feature = "registry")]
    pub(crate) fn block(self) -> usize {
        (self.get() >> Self::SERIAL_BITS) as usize
    }

    /// As a number, for traces.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serial = self.get() & ((1 << Self::SERIAL_BITS) - 1);
        write!(f, "{}.{serial}", self.get() >> Self::SERIAL_BITS)
    }
}

/// How urgent a task is. Within a tier the order is first in, first out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Housekeeping: runs when nothing else is there, and once per
    /// [`background_limit_polls`](crate::Settings::background_limit_polls) Normal polls.
    Background,
    /// Everything else.
    #[default]
    Normal,
    /// Bottom halves of interrupts: first, and never stolen.
    Critical,
}

impl Tier {
    /// All tiers, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Normal, Self::Background];

    /// The running level that a CPU publishes while it polls a task of this tier; 0 is below all of them.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::Background => 1,
            Self::Normal => 2,
            // Above those of threads, but for Stop.
            Self::Critical => 250,
        }
    }
}
