//! Models of the scheduler under shuttle: random and PCT schedules of long scenarios.
#![cfg(shuttle)]

mod machine;
mod scheduler;
mod thread;
mod time;
mod unplug;
