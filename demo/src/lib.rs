//! The hosted scheduler: its machine, its workloads, and the books that say whether a wake was lost.

pub mod books;
pub mod cli;
pub mod hosted;
pub mod report;
pub mod rtapp;
pub mod run;
pub mod timeline;
pub mod workload;

/// The most CPUs of a hosted machine.
pub const MAX_CPUS: usize = 64;

/// The scheduler that this program runs.
pub type Sched = sched::Scheduler<hosted::Hosted, &'static timeline::HostedRings, MAX_CPUS>;
