//! `demo`: the hosted scheduler as a program. Exit codes: 0 the books add up, 1 they do not, 2 it cannot be run.

use clap::Parser;
use demo::cli::{Cli, USAGE_EXIT_CODE, one_line, printable};
use demo::report::{Config, cpu_table, json, latency_table, share_table};
use demo::rtapp::{self, DEFAULT_WORKLOAD};
use demo::run::{Outcome, Plan, run};
use demo::workload::Name;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a run takes of which nothing else is said.
const DEFAULT_SECONDS: f64 = 5.0;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            // The help, or the version. Nothing to be done about a reader that is gone.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return refuse(&one_line(&error)),
    };
    match prepare(&cli) {
        Ok(job) => job.run(),
        Err(message) => refuse(&message),
    }
}

/// Says in one line why nothing is run.
fn refuse(message: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{}", printable(message));
    ExitCode::from(USAGE_EXIT_CODE)
}

/// A run with all that it needs at hand.
struct Job {
    plan: Plan,
    config: Config,
    warnings: Vec<String>,
    json: Option<Box<dyn Write>>,
    tables: bool,
    out: PathBuf,
}

fn prepare(cli: &Cli) -> Result<Job, String> {
    let name = cli.workload_name()?;
    let cpus = cli.cpu_count();
    let parsed = match cli.file() {
        Some(file) => {
            let text = std::fs::read(file)
                .map_err(|error| format!("error: {}: {error}", file.display()))?;
            let text = String::from_utf8(text)
                .map_err(|error| format!("error: {}: {}", file.display(), error.utf8_error()))?;
            rtapp::parse(&text, &file.to_string_lossy())
        }
        None => rtapp::parse(DEFAULT_WORKLOAD, "default.json"),
    };
    let parsed = parsed.map_err(|error| error.to_string())?;
    let mut warnings: Vec<String> = parsed.warnings.iter().map(ToString::to_string).collect();
    if name.includes(Name::Rtapp) && cli.file().is_some() {
        warnings.extend(demo::workload::rtapp::remarks(&parsed.workload, cpus));
    }
    let of_file = cli.file().and(parsed.workload.global.duration_ns);
    let seconds = match (cli.seconds, of_file) {
        (Some(seconds), _) => seconds,
        (None, Some(duration_ns)) => Duration::from_nanos(duration_ns).as_secs_f64(),
        (None, None) => DEFAULT_SECONDS,
    };
    let config = Config {
        cpus,
        seconds,
        workload: name.to_string(),
        file: cli.file().map(|file| file.display().to_string()),
        seed: cli.seed,
    };
    let plan = Plan {
        cpus,
        duration: Duration::from_secs_f64(seconds),
        name,
        workload: parsed.workload,
        seed: cli.seed,
    };
    let to_stdout = cli.json.as_deref() == Some(Path::new("-"));
    // Before the run, which would be for nothing if the file could not be written.
    let json: Option<Box<dyn Write>> = match &cli.json {
        None => None,
        Some(_) if to_stdout => Some(Box::new(io::stdout())),
        Some(path) => Some(Box::new(
            File::create(path).map_err(|error| format!("error: {}: {error}", path.display()))?,
        )),
    };
    Ok(Job { plan, config, warnings, json, tables: !to_stdout, out: cli.out.clone() })
}

impl Job {
    fn run(self) -> ExitCode {
        for warning in &self.warnings {
            let _ = writeln!(io::stderr(), "{warning}");
        }
        let handler = || {
            // Ordering: Relaxed; a request, which carries nothing else.
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                // The shell's code for an end by this signal.
                std::process::exit(130);
            }
        };
        if let Err(error) = ctrlc::set_handler(handler) {
            let _ = writeln!(io::stderr(), "warning: Ctrl-C will not be handled: {error}");
        }
        let outcome = match run(self.plan, &INTERRUPTED) {
            Ok(outcome) => outcome,
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: {error}");
                return ExitCode::FAILURE;
            }
        };
        let mut ok = outcome.verdict.ok;
        if self.tables {
            // Nothing to be done about a reader that is gone.
            let _ = print(&outcome);
        }
        match outcome.timeline.write_to(&self.out, &title(&self.config)) {
            Ok(files) if self.tables => {
                let files = files.map(|file| printable(&file.display().to_string()));
                let _ = writeln!(io::stdout(), "timeline: {}", files.join(", "));
            }
            Ok(_) => {}
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: the timeline was not written: {error}");
                ok = false;
            }
        }
        for fault in &outcome.verdict.faults {
            let _ = writeln!(io::stderr(), "books: {}", printable(fault));
        }
        if let Some(mut file) = self.json {
            let written = json(&self.config, &outcome, &self.warnings)
                .map_err(io::Error::from)
                .and_then(|text| writeln!(file, "{text}"));
            if let Err(error) = written {
                let _ = writeln!(io::stderr(), "error: the JSON was not written: {error}");
                ok = false;
            }
        }
        if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// What stands above the timeline.
fn title(config: &Config) -> String {
    let file = config.file.as_deref().and_then(|file| Path::new(file).file_name());
    let what = file.map_or_else(|| config.workload.clone(), |file| file.to_string_lossy().into());
    format!("Scheduler timeline: {what}")
}

fn print(outcome: &Outcome) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}\n", cpu_table(&outcome.cpus, outcome.counted).trim_fmt())?;
    if !outcome.latencies.is_empty() {
        writeln!(out, "{}\n", latency_table(&outcome.latencies).trim_fmt())?;
    }
    if !outcome.shares.is_empty() {
        writeln!(out, "{}\n", share_table(&outcome.shares).trim_fmt())?;
    }
    writeln!(out, "{}", outcome.verdict)
}
