//! Models of the inbox under shuttle: random and PCT schedules of long scenarios.
#![cfg(shuttle)]

mod inbox;
