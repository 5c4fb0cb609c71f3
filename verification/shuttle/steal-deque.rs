//! Models of the deque under shuttle: random and PCT schedules of long scenarios.
#![cfg(shuttle)]

mod deque;
