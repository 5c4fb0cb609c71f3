//! Threads on the loop, with the real switch, on a machine that the test steps. Miri cannot change stacks: there each context is
//! a thread of its own, and one of them runs at a time.
#![cfg(any(miri, target_arch = "x86_64", target_arch = "aarch64"))]

#[path = "../common/mod.rs"]
mod common;

mod basics;
mod bench;
mod changes;
mod edges;
mod executor;
mod own_class;
mod policies;
mod stealing;
mod task_data;
mod unplug;
mod watchdog;
