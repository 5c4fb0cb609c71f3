//! A kernel that brings up every CPU, runs the scheduler on all of them, and checks it: see the README.
//!
//! What is of one architecture is in its module, under the same names in both:
//!
//! | Name | What it is |
//! |---|---|
//! | `Machine`, `machine()` | what the scheduler runs on |
//! | `Uart` | the serial line |
//! | `start_cpu`, `enter_cpu`, `park` | another CPU, from outside; this one, from inside; its end |
//! | `stop_others`, `exit` | the end of all |

#![no_std]
#![no_main]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg_attr(target_arch = "x86_64", path = "x86_64/mod.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64/mod.rs")]
mod arch;
#[cfg(feature = "alloc")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64/attached.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64/attached.rs")]
mod attached;
mod bell;
mod console;
mod cpus;
mod handlers;
#[cfg(feature = "alloc")]
mod heap;
mod options;
mod panic;
mod scenario;
#[cfg(feature = "alloc")]
mod trace;

use sched::{Scheduler, Settings};

/// CPUs that the kernel has room for.
pub(crate) const MAX_CPUS: usize = 16;

/// What is told of all that happens; nothing without a heap.
#[cfg(feature = "alloc")]
pub(crate) use trace::Traced as Tracing;
#[cfg(not(feature = "alloc"))]
pub(crate) type Tracing = ();

#[cfg(feature = "alloc")]
const TRACING: Tracing = trace::Traced;
#[cfg(not(feature = "alloc"))]
const TRACING: Tracing = ();

/// The machine, with hooks for what threads have besides; without a heap they have nothing.
const fn machine() -> arch::Machine {
    #[cfg(feature = "alloc")]
    return arch::machine().with_hooks(attached::load, attached::save);
    #[cfg(not(feature = "alloc"))]
    arch::machine()
}

/// The one scheduler.
pub(crate) static SCHEDULER: Scheduler<arch::Machine, Tracing, MAX_CPUS> =
    Scheduler::new(machine(), TRACING, Settings::DEFAULT);

/// Leaves the first tasks in the scheduler, for whichever CPU comes first.
fn first_tasks(options: options::Options) {
    #[cfg(feature = "alloc")]
    trace::start(options);
    scenario::start(options);
}
