//! The scheduling classes, as data structures: no CPU, no loop, no clock.

mod balance;
mod common;
mod levels;
mod moves;
mod oracle;
mod orders;
mod regressions;
