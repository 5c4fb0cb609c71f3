#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(sched_no_trace, allow(unused, reason = "what records alone need"))]

#[cfg(feature = "alloc")]
extern crate alloc;

mod adopt;
mod arrive;
#[cfg(feature = "alloc")]
mod block_on;
#[cfg(feature = "threads")]
pub mod class;
mod combine;
mod cooldown;
mod core_loop;
mod cpu;
mod cpu_set;
mod current;
mod dump;
mod enter_error;
mod far;
mod global;
mod halt;
mod hotplug;
pub mod idle;
mod interval;
pub mod kit;
pub mod level;
mod local;
mod local_spawn;
mod lock;
mod pause;
pub mod multicore {
    #![doc = include_str!("../docs/multicore.md")]
}
pub mod protocol {
    #![doc = include_str!("../docs/protocol.md")]
}
#[cfg(feature = "registry")]
mod registry;
mod run_queue;
mod run_task;
mod scheduler;
pub mod search;
mod settings;
#[cfg(feature = "alloc")]
mod shared;
mod shutdown;
mod sleep;
mod spawn;
#[cfg(feature = "alloc")]
mod spawn_with;
pub mod state;
mod stats;
mod steal;
mod stealer;
mod step;
mod sync;
pub mod task;
mod task_local;
#[cfg(feature = "threads")]
pub mod thread;
mod tick;
pub mod time;
pub mod trace;
pub mod wait;
mod wake;
mod watchdog;
mod woken;
mod yield_now;

pub use combine::{Either, Join, Select, join, select};
pub use core_loop::Core;
pub use cpu_set::{CpuSet, MAX_CPUS};
pub use enter_error::EnterError;
pub use hotplug::{IfPinned, OfflineError};
pub use local::LocalFuture;
pub use local_spawn::{LocalError, LocalSpawner, NotLocal};
#[cfg(feature = "registry")]
pub use registry::Enumerating;
pub use scheduler::Scheduler;
pub use settings::Settings;
#[cfg(feature = "alloc")]
pub use shared::{Kept, Shared, SharedCore};
pub use spawn::{Builder, EmptyAffinity};
#[cfg(feature = "alloc")]
pub use spawn_with::{NotSpawned, TaskMeta};
pub use stats::{CpuStats, Totals};
pub use stealer::{StealError, Stealer};
pub use step::Step;
pub use task::{
    CancelOnDrop, JoinError, JoinHandle, MemoryInUse, RunState, Storage, TaskId, TaskInfo,
    TaskMemory, TaskRef, Tier,
};
pub use task_local::{Scope, TaskLocal};
pub use tick::Tick;
pub use watchdog::{Alarm, Watchdog};
pub use yield_now::{YieldNow, yield_now};

pub use sched_arch::{CpuId, Interrupts, Machine};
