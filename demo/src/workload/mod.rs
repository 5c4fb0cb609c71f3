//! What runs on the scheduler: rt-app's files, and the shapes that they cannot say.
//!
//! Async tasks, booked by [`Context::spawn`], and threads that wait for such ones, by [`Context::spawn_thread`]. What they wait with (bells, semaphores, locks) is made here
//! of atomics, lock-free queues and the scheduler's own timers; no lock, channel or thread pool of the standard
//! library takes part.

pub mod bell;
pub mod context;
pub mod fairness;
pub mod fork_join;
pub mod latency;
pub mod ping_pong;
pub mod rtapp;
pub mod sleepers;
pub mod threads;
pub mod wait_list;
pub mod wake_latency;
pub mod work;

pub use context::{Context, Spec};
pub use fairness::Share;
pub use latency::{Latencies, Latency, Recorder};

use crate::books::Booked;
use std::fmt;

/// The workloads that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Name {
    /// A file in the language of rt-app, or the embedded one; "default" is the same
    #[value(alias = "default")]
    Rtapp,
    /// Groups of pairs exchange messages, as hackbench
    PingPong,
    /// Message tasks wake workers, as schbench
    WakeLatency,
    /// Periodic sleepers, as cyclictest
    Sleepers,
    /// Bursts of short children that idle CPUs steal
    ForkJoin,
    /// Threads beside futures: messages between both, real-time threads, short threads
    Threads,
    /// Greedy threads of several nicenesses, and a greedy task, and what each had of the CPU
    Fairness,
    /// All of them at once, but for fairness
    All,
}

impl Name {
    /// Whether this one runs when `self` was asked for.
    #[must_use]
    pub fn includes(self, one: Self) -> bool {
        self == one || (self == Self::All && one != Self::Fairness)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rtapp => "rtapp",
            Self::PingPong => "ping-pong",
            Self::WakeLatency => "wake-latency",
            Self::Sleepers => "sleepers",
            Self::ForkJoin => "fork-join",
            Self::Threads => "threads",
            Self::Fairness => "fairness",
            Self::All => "all",
        })
    }
}

/// Starts a shape: the tasks that it begins with.
type Launch = fn(&'static Context) -> Vec<Booked>;

/// Starts what `name` stands for; `workload` is rt-app's part of it. The tasks that it began with.
pub fn launch(
    context: &'static Context,
    name: Name,
    workload: crate::rtapp::Workload,
) -> Vec<Booked> {
    let mut roots = Vec::new();
    if name.includes(Name::Rtapp) {
        roots.extend(rtapp::launch(context, workload));
    }
    let shapes: [(Name, Launch); 6] = [
        (Name::PingPong, ping_pong::launch),
        (Name::WakeLatency, wake_latency::launch),
        (Name::Sleepers, sleepers::launch),
        (Name::ForkJoin, fork_join::launch),
        (Name::Threads, threads::launch),
        (Name::Fairness, fairness::launch),
    ];
    for (_, launch) in shapes.into_iter().filter(|&(shape, _)| name.includes(shape)) {
        roots.extend(launch(context));
    }
    roots
}
