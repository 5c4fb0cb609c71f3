//! What came of a campaign, and of several together.

use crate::options::{Load, replay};
use anyhow::{Context, Result};
use sched_sim::{Outcome, Plan, Violation};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The results of some seeds. Those of shards add up.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) seeds: u64,
    pub(crate) steps: u64,
    pub(crate) polls: u64,
    pub(crate) virtual_seconds: f64,
    /// Seconds that it took, added up over shards.
    pub(crate) seconds: f64,
    /// Of all events of all runs; the same on every machine and however the seeds are split.
    pub(crate) digest: u64,
    pub(crate) violations: Vec<Broken>,
}

/// A seed that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Broken {
    pub(crate) seed: u64,
    pub(crate) cpus: u32,
    pub(crate) kind: String,
    pub(crate) what: String,
    pub(crate) step: u64,
    pub(crate) replay: String,
}

impl Broken {
    pub(crate) fn new(plan: &Plan, load: Load, violation: &Violation) -> Self {
        Self {
            seed: plan.seed,
            cpus: plan.cpus,
            kind: violation.kind.to_string(),
            what: violation.what.clone(),
            step: violation.step,
            replay: replay(plan, load),
        }
    }
}

impl Results {
    pub(crate) fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        self.steps += outcome.steps;
        self.polls += outcome.polls;
        self.virtual_seconds += outcome.time_ns as f64 / 1e9;
        let mixed =
            (outcome.history.digest ^ seed.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.digest = self.digest.wrapping_add(mixed);
    }

    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
    }

    fn join(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.polls += other.polls;
        self.virtual_seconds += other.virtual_seconds;
        self.seconds += other.seconds;
        self.digest = self.digest.wrapping_add(other.digest);
        self.violations.extend(other.violations);
        self.violations.sort_by_key(|broken| broken.seed);
    }
}

/// Prints the results of several files together; whether nothing was violated.
pub(crate) fn merge(files: &[PathBuf]) -> Result<bool> {
    let mut all = Results::default();
    for file in files {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        all.join(
            serde_json::from_str(&text)
                .with_context(|| format!("{} is no result", file.display()))?,
        );
    }
    println!("{all}");
    Ok(all.violations.is_empty())
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for broken in &self.violations {
            writeln!(
                f,
                "seed {}, {} CPUs, step {}: {}: {}",
                broken.seed, broken.cpus, broken.step, broken.kind, broken.what
            )?;
            writeln!(f, "    {}", broken.replay)?;
        }
        write!(
            f,
            "{} seeds, {} steps, {} polls, {:.1} virtual seconds in {:.1} s ({:.2} million steps a second), digest {:016x}: {} violations",
            self.seeds,
            self.steps,
            self.polls,
            self.virtual_seconds,
            self.seconds,
            self.steps as f64 / self.seconds.max(1e-9) / 1e6,
            self.digest,
            self.violations.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_add_up_to_the_whole() {
        let outcome = |digest| Outcome {
            violation: None,
            steps: 10,
            polls: 5,
            time_ns: 500_000_000,
            history: {
                let mut history = sched_sim::History::default();
                history.digest = digest;
                history
            },
            measures: sched_sim::Measures::default(),
        };
        let of = |seeds: &[u64]| {
            let mut results = Results::default();
            seeds.iter().for_each(|&seed| results.add(seed, &outcome(seed * 77)));
            results
        };
        let whole = of(&[1, 2, 3, 4]);
        let mut shards = of(&[4, 2]);
        shards.join(of(&[3, 1]));
        assert_eq!(shards, whole);
        let text = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), whole);
    }
}
