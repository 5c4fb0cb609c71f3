//! Models under loom: exhaustive over interleavings and weak orderings, within stated bounds.
#![cfg(loom)]

mod deque;
mod halt;
mod handover;
mod inbox;
mod level;
mod machine;
mod ring;
mod step;
mod task;
mod time;
