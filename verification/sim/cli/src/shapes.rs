//! The standard shapes, from 1 CPU to 1024: how long wakes take, and what that costs, on a plain machine without faults.

mod load;
mod plot;
mod rtapp;
mod stage;

use anyhow::{Context, Result};
use clap::ValueEnum;
use sched::trace::Kind as Event;
use sched_sim::{Outcome, Plan, Simulated, Simulation, on_a_large_stack};
use std::fs;
use std::path::Path;

/// Steps for each CPU; for a machine of few CPUs as many as for eight.
const STEPS_OF_A_CPU: u64 = 2_000;

/// A load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// Pairs of tasks exchange messages, four pairs for each CPU
    Hackbench,
    /// Tasks each wake sixteen workers at once, which compute for 30 µs
    Schbench,
    /// A task for each CPU, pinned there, sleeps until the next millisecond
    Cyclictest,
    /// A task forks ten children for each CPU every 500 µs
    ForkStorm,
    /// Eight tasks for each CPU do nothing but yield
    YieldMany,
    /// A pinned task on each CPU in turn is woken by another CPU at 60 Hz, while a storm of tasks exits
    SixtyHertz,
}

/// What came of one shape on one machine.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cpus: u32,
    polls: u64,
    /// Of the time from becoming runnable to the run that follows, in µs: median, 99th percentile, most.
    latency_us: [f64; 3],
    /// Of all CPU time, how much CPUs stood idle while tasks waited.
    idle_beside_work: f64,
    migrations_per_poll: f64,
    kicks_per_wake: f64,
    /// By how much sleeps were late, in µs: the 99th percentile.
    lateness_us: f64,
}

/// Runs all of `shapes` on all of `cpus`, prints the table, and writes the plot to `folder`.
pub(crate) fn run(shapes: &[Shape], cpus: &[u32], seed: u64, folder: &Path) -> Result<bool> {
    let mut rows = Vec::new();
    println!("{}", Row::HEAD);
    for &shape in shapes {
        for &cpus in cpus {
            let name = shape
                .to_possible_value()
                .map_or_else(String::new, |value| value.get_name().to_owned());
            let outcome = on_a_large_stack(|| on_cpus(cpus, seed, &load::Load::Shape(shape)));
            rows.push(Row::of(name, cpus, &outcome)?);
            println!("{}", rows.last().context("a row")?);
        }
    }
    finish(&rows, folder)
}

/// The same for a file of rt-app.
pub(crate) fn run_file(file: &Path, cpus: &[u32], seed: u64, folder: &Path) -> Result<bool> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let parsed = demo::rtapp::parse(&text, &file.display().to_string())
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut rows = Vec::new();
    println!("{}", Row::HEAD);
    for &cpus in cpus {
        let load = load::Load::File(parsed.workload.clone());
        let outcome = on_a_large_stack(|| on_cpus(cpus, seed, &load));
        let name =
            file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        rows.push(Row::of(name, cpus, &outcome)?);
        println!("{}", rows.last().context("a row")?);
    }
    finish(&rows, folder)
}

fn finish(rows: &[Row], folder: &Path) -> Result<bool> {
    fs::create_dir_all(folder)?;
    let file = folder.join("shapes.svg");
    fs::write(&file, plot::svg(rows))?;
    println!("written: {}", file.display());
    Ok(true)
}

fn on_cpus(cpus: u32, seed: u64, load: &load::Load) -> Outcome {
    if cpus <= 64 {
        on::<64>(cpus, seed, load)
    } else {
        on::<{ sched::MAX_CPUS }>(cpus, seed, load)
    }
}

#[inline(never)]
fn on<const CPUS: usize>(cpus: u32, seed: u64, load: &load::Load) -> Outcome {
    let steps = STEPS_OF_A_CPU * u64::from(cpus.max(8));
    let plan = Plan {
        seed,
        cpus,
        steps,
        faults: sched_sim::Faults::NONE,
        keep_records: false,
        measure: true,
    };
    let simulation = Simulation::new(&plan);
    let machine = simulation.machine();
    let scheduler =
        Box::new(Simulated::<CPUS>::new(machine, simulation.observer(), simulation.settings()));
    // SAFETY: all tasks of the loads end when the end begins, and no handle or waker is kept beyond the stage, which goes first.
    unsafe {
        simulation.run_boxed(scheduler, |scheduler| stage::Stage::new(machine, scheduler, load))
    }
}

impl Row {
    const HEAD: &str = "| shape | CPUs | polls | wake p50 µs | p99 µs | max µs | idle beside work | migrations/poll | kicks/wake | sleep late p99 µs |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

    fn of(name: String, cpus: u32, outcome: &Outcome) -> Result<Self> {
        if let Some(violation) = &outcome.violation {
            anyhow::bail!("{name} on {cpus} CPUs: {violation}");
        }
        let measures = &outcome.measures;
        let count = |kind: Event| measures.events[kind.index()] as f64;
        let mut latencies = measures.wake_latencies_ns.clone();
        latencies.sort_unstable();
        let mut lateness = measures.lateness_ns.clone();
        lateness.sort_unstable();
        Ok(Self {
            name,
            cpus,
            polls: outcome.polls,
            latency_us: [50, 99, 100].map(|percent| percentile_us(&latencies, percent)),
            idle_beside_work: measures.idle_beside_work_ns as f64
                / (outcome.time_ns as f64 * f64::from(cpus)).max(1.0),
            migrations_per_poll: count(Event::Migrate) / (outcome.polls as f64).max(1.0),
            kicks_per_wake: count(Event::Kick) / count(Event::Wake).max(1.0),
            lateness_us: percentile_us(&lateness, 99),
        })
    }

    /// The 99th percentile of the wake latency.
    pub(crate) fn p99_us(&self) -> f64 {
        self.latency_us[1]
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [p50, p99, most] = self.latency_us;
        write!(
            f,
            "| {} | {} | {} | {p50:.2} | {p99:.2} | {most:.1} | {:.2} % | {:.3} | {:.2} | {:.2} |",
            self.name,
            self.cpus,
            self.polls,
            self.idle_beside_work * 100.0,
            self.migrations_per_poll,
            self.kicks_per_wake,
            self.lateness_us
        )
    }
}

/// Of a sorted list of nanoseconds.
fn percentile_us(sorted: &[u64], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(at).map_or(0.0, |&ns| ns as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_list() {
        let list: Vec<u64> = (1..=100).map(|n| n * 1_000).collect();
        assert_eq!([50, 99, 100].map(|percent| percentile_us(&list, percent)), [50.0, 99.0, 100.0]);
        assert_eq!(percentile_us(&[], 99), 0.0);
    }

    #[test]
    fn every_shape_runs_and_comes_to_its_end() {
        for &shape in Shape::value_variants() {
            for cpus in [1, 5] {
                let outcome = on_a_large_stack(|| on_cpus(cpus, 0, &load::Load::Shape(shape)));
                assert_eq!(outcome.violation, None, "{shape:?} on {cpus}");
                assert!(outcome.polls > 500, "{shape:?} on {cpus}: {} polls", outcome.polls);
            }
        }
    }

    #[test]
    fn files_of_rt_app_run() {
        for name in ["default", "bursts", "periodic", "pipeline"] {
            let text = fs::read_to_string(format!("../../../demo/workloads/{name}.json")).unwrap();
            let load = load::Load::File(demo::rtapp::parse(&text, name).unwrap().workload);
            let outcome = on_a_large_stack(|| on_cpus(4, 0, &load));
            assert_eq!(outcome.violation, None, "{name}");
            assert!(outcome.polls > 100, "{name}: {} polls", outcome.polls);
        }
    }
}
