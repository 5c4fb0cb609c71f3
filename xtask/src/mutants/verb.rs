//! `cargo xtask verify mutants`: both kinds, or one.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::mutants::{Choice, Shard, Tally, run};
use crate::orderings::Orderings;
use crate::pins;
use crate::workspace::Workspace;

/// What to run.
#[derive(Args)]
pub(crate) struct Options {
    /// The crate whose mutants to run
    of: Option<String>,
    /// Those in `verification/mutants/<CRATE>.toml` alone
    #[arg(long)]
    curated: bool,
    /// The weakened orderings alone
    #[arg(long, conflicts_with_all = ["curated", "only"])]
    orderings: bool,
    /// The weakened orderings of unchanged files too
    #[arg(long, conflicts_with_all = ["curated", "only"])]
    all: bool,
    /// Run this curated mutant alone
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Run part I of N of the curated mutants: 0/3, 1/3 and 2/3 are all of them
    #[arg(long, value_name = "I/N", default_value_t = Shard::WHOLE)]
    shard: Shard,
    /// Seconds that one run of a test may take
    #[arg(long, value_name = "SECONDS", default_value_t = pins::MUTANT_LIMIT_SECONDS)]
    limit: u64,
}

impl Options {
    /// Runs them; the last line says how many were killed. One that lives without a written reason is an error.
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<u64> {
        let of = self.of.as_deref();
        let limit = Duration::from_secs(self.limit);
        let mut tally = Tally::default();
        if !self.curated && self.only.is_none() {
            tally += Orderings::of(workspace, of)?.run(self.all, limit)?;
        }
        if !self.orderings {
            let only = self.only.as_deref();
            tally += run(workspace, Choice { of, only, long: true, shard: self.shard }, limit)?;
        }
        ensure!(tally.total > 0, "no such mutant");
        let said = tally.to_string();
        let killed = tally.verdict()?;
        println!("{said}");
        Ok(killed)
    }
}
