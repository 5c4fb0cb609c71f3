//! Models of the scheduler under loom: exhaustive over interleavings and weak orderings, within stated bounds.
#![cfg(loom)]

mod halt;
mod handover;
mod kit;
mod level;
mod machine;
mod registry;
mod ring;
mod shared;
mod step;
mod task;
mod thread;
mod time;
mod unplug;
mod wait;
