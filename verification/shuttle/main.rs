//! Models under shuttle: random and PCT schedules of long scenarios.
#![cfg(shuttle)]

mod deque;
mod inbox;
mod machine;
mod scheduler;
mod time;
