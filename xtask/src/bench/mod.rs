//! `cargo xtask bench`: builds the benchmarks and runs them, or counts instructions.

mod callgrind;
mod table;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::command::Command;
use crate::workspace::Workspace;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Look for a minute or two instead of some
    #[arg(long)]
    quick: bool,
    /// Only what has this in its name
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Write the rows to this file as well
    #[arg(long, value_name = "FILE", conflicts_with = "counts")]
    json: Option<PathBuf>,
    /// Count instructions, and compare them with `benches/counts.toml`
    #[arg(long, conflicts_with = "quick")]
    counts: bool,
    /// How long single turns of a timer wheel take, ours and the rivals', as a table and a plot
    #[arg(long, conflicts_with_all = ["counts", "quick", "only", "json"])]
    turns: bool,
    /// Make what is counted the table
    #[arg(long, requires = "counts", conflicts_with = "only")]
    bless: bool,
}

/// Answers whether all went well: a measurement never fails, a count may.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    cargo_build(workspace).check()?;
    let binary = |name| workspace.target.join("release").join(name);
    if options.counts {
        return callgrind::run(
            &binary("counts"),
            &workspace.root.join("benches/counts.toml"),
            options.only.as_deref(),
            options.bless,
        );
    }
    if options.turns {
        let plot = workspace.root.join("timer-wheel/docs/turns.svg");
        Command::new(binary("turns")).arg(plot).check()?;
        return Ok(true);
    }
    let mut bench = Command::new(binary("bench")).arg("--page");
    bench = bench.arg(workspace.target.join("bench/report.html"));
    if options.quick {
        bench = bench.arg("--quick");
    }
    if let Some(only) = &options.only {
        bench = bench.arg("--only").arg(only);
    }
    if let Some(file) = &options.json {
        bench = bench.arg("--json").arg(std::path::absolute(file)?);
    }
    bench.check()?;
    Ok(true)
}

fn cargo_build(workspace: &Workspace) -> Command {
    Command::new("cargo")
        .directory(&workspace.root)
        .target_dir(&workspace.target)
        .words("build --release --package benches")
}
