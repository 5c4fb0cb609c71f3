#![doc = include_str!("../README.md")]

mod campaign;
mod check;
pub mod defects;
mod faults;
mod line;
mod machine;
mod observer;
mod rng;
mod shrink;
mod simulation;
mod subject;
mod switch;
mod threaded;
mod threads;
mod traffic;
mod violation;
mod workload;
mod world;

pub use campaign::{Simulated, on_a_large_stack, run_steady, run_threads, run_traffic};
pub use check::Measures;
pub use faults::{Fault, Faults, UnknownFault};
pub use machine::Virtual;
pub use observer::{History, Observer};
pub use rng::Rng;
pub use shrink::{Shrunk, shrink};
pub use simulation::{Outcome, Plan, Simulation};
pub use subject::Subject;
pub use threaded::{Threaded, ThreadedCore};
pub use threads::Threads;
pub use traffic::Traffic;
pub use violation::{Kind, Violation};
pub use workload::{Tracked, Workload};
