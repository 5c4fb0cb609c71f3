//! The command line: what is to be run, and how complaints fit on one line.

use crate::MAX_CPUS;
use crate::workload::Name;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::thread::available_parallelism;

/// Exit code for a command line or a file that cannot be run.
pub const USAGE_EXIT_CODE: u8 = 2;

/// Runs workloads on the scheduler, with threads of the operating system as CPUs, and proves that no wake was lost.
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    /// Runs an embedded rt-app file and the built-in shapes, if no command is given
    #[command(subcommand)]
    pub command: Option<Command>,

    /// CPUs, each a thread [default: as many as the computer has, at least 2]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_CPUS as i64))]
    pub cpus: Option<u32>,

    /// How long to run [default: what the given file says, else 5]
    #[arg(long, global = true, value_name = "S", value_parser = seconds)]
    pub seconds: Option<f64>,

    /// What to run [default: all; with a file: rtapp]
    #[arg(long, global = true, value_enum, value_name = "NAME")]
    pub workload: Option<Name>,

    /// Seed of all random choices
    #[arg(long, global = true, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Writes the results as JSON; "-" for standard output, in place of the tables
    #[arg(long, global = true, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Where the timeline's files go
    #[arg(long, global = true, value_name = "DIR", default_value = "target/demo")]
    pub out: PathBuf,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Runs a workload file in the language of rt-app
    Run {
        /// The file
        #[arg(value_name = "FILE.json")]
        file: PathBuf,
    },
}

/// The longest run: what fits a workload file.
const MOST_SECONDS: f64 = 1_000_000.0;

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= MOST_SECONDS => Ok(seconds),
        _ => Err(format!("not a number above 0 and up to {MOST_SECONDS}")),
    }
}

impl Cli {
    /// The file to run, if one is named.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        self.command.as_ref().map(|Command::Run { file }| file)
    }

    /// The number of CPUs.
    #[must_use]
    pub fn cpu_count(&self) -> u32 {
        self.cpus.unwrap_or_else(|| {
            let cores = available_parallelism().map_or(2, |cores| cores.get());
            cores.clamp(2, MAX_CPUS) as u32
        })
    }

    /// What to run.
    ///
    /// # Errors
    ///
    /// When a file is named, and a workload that it has no part in.
    pub fn workload_name(&self) -> Result<Name, String> {
        match (self.workload, self.file()) {
            (None, None) => Ok(Name::All),
            (None, Some(_)) => Ok(Name::Rtapp),
            (Some(name), Some(file)) if !name.includes(Name::Rtapp) => Err(format!(
                "error: --workload {name} does not run {}; say rtapp, or all",
                file.display()
            )),
            (Some(name), _) => Ok(name),
        }
    }
}

/// What clap has to say, in one line: its first paragraph.
#[must_use]
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    printable(&first.collect::<Vec<_>>().join(" "))
}

/// `text` with whatever would break or hide a line escaped.
#[must_use]
pub fn printable(text: &str) -> String {
    let show =
        |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(show).collect()
}
