//! `cargo xtask verify mutants`: both kinds, or one.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::mutants::{Tally, run};
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
            tally += run(workspace, of, self.only.as_deref(), true, limit)?;
        }
        ensure!(tally.total > 0, "no such mutant");
        let said = tally.to_string();
        let killed = tally.verdict()?;
        println!("{said}");
        Ok(killed)
    }
}
