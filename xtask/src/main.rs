//! The project's chores. `cargo xtask test` runs everything a change must pass; `cargo xtask verify`
//! runs one checker, or the mutants that show that the checkers can fail; `cargo xtask bench` measures.

mod bench;
mod boot;
mod checkers;
mod command;
mod count;
mod mutants;
mod needs;
mod orderings;
mod page;
mod pins;
mod report;
mod sim;
mod steps;
mod trace_cost;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, builder::PossibleValuesParser};

use crate::report::Report;
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's chores", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run everything that a change must pass
    Test {
        /// A tool that cannot be downloaded skips its step instead of failing it
        #[arg(long)]
        allow_missing: bool,
        /// Run these steps alone
        #[arg(long, num_args = 1.., value_name = "STEP",
              value_parser = PossibleValuesParser::new(steps::names()))]
        only: Vec<String>,
        /// Name the steps and stop
        #[arg(long)]
        list: bool,
    },
    /// Run one checker
    #[command(subcommand)]
    Verify(Verify),
    /// Boot the kernel of `demo/kernel` in an emulator, and answer with its verdict
    Boot(boot::Options),
    /// Measure ours beside the rivals, or count instructions
    Bench(bench::Options),
}

#[derive(Subcommand)]
enum Verify {
    #[command(flatten)]
    Checker(checkers::Chosen),
    /// Break the code, and see that a test notices: each ordering weakened, and what `verification/mutants` says
    Mutants(mutants::Options),
    /// The timeline page of a run of two seconds, in headless Chromium
    Page {
        /// Take the picture for the README anew
        #[arg(long)]
        picture: bool,
    },
    /// Count instructions: a trace that is off costs none
    TraceCost,
    /// Run the whole scheduler on virtual CPUs, from seeds, with faults; `sim --help` says more
    #[command(disable_help_flag = true)]
    Sim {
        /// What the simulator is told
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// The same seeds, built in three ways and for two architectures: the same traces, byte for byte
    SimIdentity,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Answers whether all went well.
fn run(arguments: Arguments) -> Result<bool> {
    command::kill_children_on_interrupt()?;
    let workspace = Workspace::find()?;
    match arguments.chore {
        Chore::Test { list: true, .. } => {
            for step in steps::ALL {
                println!("{:12} {}", step.name, step.heading);
            }
            Ok(true)
        }
        Chore::Test { allow_missing, only, list: false } => {
            let mut report = Report::new(allow_missing);
            for step in steps::ALL {
                if only.is_empty() || only.iter().any(|name| name == step.name) {
                    report.run(step.name, step.heading, || (step.run)(&workspace));
                    report.leaves(step.name, step.leaves);
                }
            }
            report.leaves("whole checkers", steps::BEYOND);
            println!("\nbuilt: {:.1} GB", workspace.built_bytes() as f64 / 1e9);
            print!("{report}");
            Ok(report.all_passed())
        }
        Chore::Boot(options) => boot::run(&workspace, &options),
        Chore::Bench(options) => bench::run(&workspace, &options),
        Chore::Verify(verify) => {
            match &verify {
                Verify::Checker(chosen) => chosen.run(&workspace)?,
                Verify::Mutants(options) => options.run(&workspace)?,
                Verify::Page { picture } => page::run(&workspace, *picture)?,
                Verify::TraceCost => trace_cost::run(&workspace)?,
                Verify::Sim { words } => return sim::run(&workspace, words),
                Verify::SimIdentity => sim::identity(&workspace)?,
            };
            Ok(true)
        }
    }
}
