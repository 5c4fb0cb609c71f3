//! What a person and a program get to see of a run.

mod json;
mod progress;
mod tables;

pub use json::{Config, json};
pub use progress::{Progress, note};
pub use tables::{FairShare, cpu_table, fair_shares, latency_table, share_table};
