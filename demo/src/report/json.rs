//! The results for programs.

use super::tables::idle_share;
use crate::books::Verdict;
use crate::run::Outcome;
use crate::workload::{Latency, Share};
use sched::CpuStats;
use serde::Serialize;

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// Number of CPUs.
    pub cpus: u32,
    /// How long it was to run.
    pub seconds: f64,
    /// What.
    pub workload: String,
    /// The file, if one was named.
    pub file: Option<String>,
    /// Of all random choices.
    pub seed: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    config: &'a Config,
    seconds_run: f64,
    interrupted: bool,
    books: &'a Verdict,
    faults: &'a [String],
    cpus: Vec<Row>,
    latencies: &'a [Latency],
    shares: &'a [Share],
    warnings: &'a [String],
}

/// One CPU's counters.
#[derive(Serialize)]
struct Row {
    cpu: usize,
    steps: u64,
    polls: u64,
    thread_runs: u64,
    preempted: u64,
    spawned: u64,
    wakes: u64,
    kicks_sent: u64,
    kicks_saved: u64,
    kicks_received: u64,
    steals_tried: u64,
    steals_won: u64,
    injected: u64,
    timers_fired: u64,
    halts: u64,
    idle_percent: f64,
    queue_high_water: u64,
}

/// The whole outcome as JSON.
///
/// # Errors
///
/// None that the types of the outcome could cause.
pub fn json(
    config: &Config,
    outcome: &Outcome,
    warnings: &[String],
) -> Result<String, serde_json::Error> {
    let row = |(cpu, stats): (usize, &CpuStats)| Row {
        cpu,
        steps: stats.steps,
        polls: stats.polls,
        thread_runs: stats.thread_runs,
        preempted: stats.preempted,
        spawned: stats.spawned,
        wakes: stats.wakes_placed,
        kicks_sent: stats.kicks_sent,
        kicks_saved: stats.kicks_saved,
        kicks_received: stats.kicks_received,
        steals_tried: stats.steals_tried,
        steals_won: stats.steals_won,
        injected: stats.injected,
        timers_fired: stats.timers_fired,
        halts: stats.halts,
        idle_percent: 100.0 * idle_share(stats, outcome.counted),
        queue_high_water: stats.queue_high_water,
    };
    let document = Document {
        config,
        seconds_run: outcome.ran.as_secs_f64(),
        interrupted: outcome.interrupted,
        books: &outcome.verdict,
        faults: &outcome.verdict.faults,
        cpus: outcome.cpus.iter().enumerate().map(row).collect(),
        latencies: &outcome.latencies,
        shares: &outcome.shares,
        warnings,
    };
    serde_json::to_string_pretty(&document)
}
