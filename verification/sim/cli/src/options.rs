//! What is asked for.

use clap::Parser;
use sched_sim::{Faults, Outcome, Plan, run_steady, run_threads, run_traffic};
use std::ops::Range;
use std::path::PathBuf;

/// What runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Load {
    /// Futures of all tiers
    Futures,
    /// Threads of all policies, and futures; at most 64 CPUs
    Threads,
    /// Fair threads that only compute, without faults, and what they are owed; at most 64 CPUs
    Steady,
}

impl Load {
    /// Runs it as the plan says.
    pub(crate) fn run(self, plan: &Plan) -> Outcome {
        match self {
            Self::Futures => run_traffic(plan),
            Self::Threads => run_threads(plan),
            Self::Steady => run_steady(plan),
        }
    }

    /// The most CPUs that it may have.
    fn most_cpus(self) -> u64 {
        if self == Self::Futures { sched::MAX_CPUS as u64 } else { 64 }
    }
}

/// Runs the whole scheduler on virtual CPUs, from seeds, with faults, and checks its invariants after every event.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask verify sim")]
pub(crate) struct Options {
    /// How many seeds, from 0 on, or which: A..B
    #[arg(long, default_value = "100", value_parser = range, value_name = "N|A..B")]
    pub(crate) seeds: Range<u64>,
    /// What runs
    #[arg(long, value_enum, default_value = "futures")]
    pub(crate) load: Load,
    /// CPUs of each machine, or the range from which each seed has a number
    #[arg(long, default_value = "1..65", value_parser = exact_or_range, value_name = "M|A..B")]
    pub(crate) cpus: Range<u64>,
    /// Steps of all CPUs together, until a run is brought to its end
    #[arg(long, default_value_t = 10_000, value_name = "K")]
    pub(crate) steps: u64,
    /// What may go wrong; each seed draws half of it
    #[arg(long, default_value = "all", value_name = "all|none|LIST")]
    pub(crate) faults: Faults,
    /// The I-th of N equal parts of the seeds, from 0 on
    #[arg(long, default_value = "0/1", value_parser = shard, value_name = "I/N")]
    pub(crate) shard: (u64, u64),
    /// Write the results there
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Run nothing: put the results of these files together
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) merge: Vec<PathBuf>,
    /// Runs at a time; all cores if it is not said
    #[arg(long)]
    pub(crate) jobs: Option<usize>,
    /// Where the files of a failing run go
    #[arg(long, default_value = "target/sim", value_name = "FOLDER")]
    pub(crate) out: PathBuf,
    /// Do not look for a smaller run that fails
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// Measure the standard shapes instead: wake latencies and what they cost, from 1 to 1024 CPUs
    #[arg(long)]
    pub(crate) shapes: bool,
    /// These shapes alone
    #[arg(long, value_name = "SHAPE", num_args = 1..)]
    pub(crate) shape: Vec<crate::shapes::Shape>,
    /// Measure a workload in the language of rt-app
    #[arg(long, value_name = "FILE")]
    pub(crate) rtapp: Option<PathBuf>,
    /// Measure on so many CPUs
    #[arg(long, value_name = "M", num_args = 1.., value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) on: Vec<u32>,
    /// Write the files of the first seed's run, though it does not fail
    #[arg(long)]
    pub(crate) timeline: bool,
}

impl Options {
    /// The run of one seed.
    pub(crate) fn plan(&self, seed: u64) -> Plan {
        let span = (self.cpus.end - self.cpus.start).max(1);
        // Neighbouring seeds have different numbers, and a seed the same one in every shard.
        let cpus = self.cpus.start + seed.wrapping_mul(0x9e37_79b9) % span;
        let is_steady = self.load == Load::Steady;
        Plan {
            seed,
            cpus: cpus.min(self.load.most_cpus()) as u32,
            steps: self.steps,
            faults: if is_steady { Faults::NONE } else { self.faults },
            keep_records: false,
            measure: is_steady,
        }
    }

    /// The seeds of this shard.
    pub(crate) fn my_seeds(&self) -> impl Iterator<Item = u64> + use<> {
        let (shard, shards) = self.shard;
        self.seeds.clone().filter(move |seed| seed % shards == shard)
    }
}

/// The command that runs a plan again.
pub(crate) fn replay(plan: &Plan, load: Load) -> String {
    let Plan { seed, cpus, steps, faults, .. } = plan;
    let load = match load {
        Load::Futures => "",
        Load::Threads => " --load threads",
        Load::Steady => " --load steady",
    };
    format!(
        "cargo xtask verify sim{load} --seeds {seed}..{} --cpus {cpus} --steps {steps} --faults {faults}",
        seed + 1
    )
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn pair(text: &str, between: &str) -> Option<Result<(u64, u64), String>> {
    let (from, to) = text.split_once(between)?;
    Some(number(from).and_then(|from| Ok((from, number(to)?))))
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = pair(text, "..").unwrap_or_else(|| Ok((0, number(text)?)))?;
    if from < to { Ok(from..to) } else { Err("there is none".to_owned()) }
}

fn exact_or_range(text: &str) -> Result<Range<u64>, String> {
    let most = sched::MAX_CPUS as u64;
    let range = match pair(text, "..") {
        Some(pair) => pair.map(|(from, to)| from..to)?,
        None => number(text).map(|cpus| cpus..cpus.saturating_add(1))?,
    };
    let fits = 0 < range.start && range.start < range.end && range.end <= most + 1;
    if fits { Ok(range) } else { Err(format!("1 to {most} CPUs")) }
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let (shard, shards) = pair(text, "/").unwrap_or_else(|| Err("as 0/4".to_owned()))?;
    if shard < shards {
        Ok((shard, shards))
    } else {
        Err(format!("shards 0 to {} of {shards}", shards - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(["sim"].into_iter().chain(words.split_whitespace()))
    }

    #[test]
    fn a_replay_is_the_plan_again() {
        for load in ["futures", "threads", "steady"] {
            let words = format!("--load {load} --seeds 7..9 --faults storm,pause --steps 500");
            let asked = options(&words).unwrap();
            let words = replay(&asked.plan(8), asked.load);
            let words = words.strip_prefix("cargo xtask verify sim ").unwrap();
            let again = options(words).unwrap();
            assert_eq!(again.load, asked.load);
            let plans = again.my_seeds().map(|seed| again.plan(seed)).collect::<Vec<_>>();
            assert_eq!(plans, [asked.plan(8)]);
        }
    }

    #[test]
    fn shards_are_disjoint_and_complete() {
        let mut seeds: Vec<_> = (0..3)
            .flat_map(|shard| {
                options(&format!("--seeds 5..25 --shard {shard}/3")).unwrap().my_seeds()
            })
            .collect();
        seeds.sort_unstable();
        assert_eq!(seeds, (5..25).collect::<Vec<_>>());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for words in [
            "--seeds 5..5",
            "--cpus 0",
            "--cpus 1..1026",
            "--shard 3/3",
            "--shard 1",
            "--faults wet",
            "--seeds x",
        ] {
            assert!(options(words).is_err(), "{words}");
        }
        assert!(options("--cpus 1024").is_ok());
    }
}
