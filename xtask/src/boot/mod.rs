//! `cargo xtask boot`: builds the kernel of `demo/kernel`, boots it under QEMU, shows its serial line, and answers with its
//! verdict.
//!
//! - **BO1** Only the kernel's own word is success: the exit code that its verdict asks for, behind a line that says so.
//! - **BO2** What an emulator does not show is looked at in the machine code, before the boot.
//! - **BO3** A kernel that does not end is ended, after the state of each CPU was shown.

mod arch;
mod code;
mod hung;
mod trace;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::command::{Command, End, Output};
use crate::workspace::Workspace;
use crate::{needs, pins};

use arch::Arch;

/// The scenario that counts instructions, those that are right to a thousandth where nothing else happens, and what makes the
/// emulator's clock count instructions.
const COUNTS: &str = "counts";
const EXACT: &str = "fairness,nice,mixed";
const ONE_INSTRUCTION_IS_ONE_NS: &str = "-icount shift=0,sleep=off";

/// The emulator's exit code when the kernel says that something is wrong.
const FAILURE: i32 = 1;

/// Where the kernel is built, below the build folder.
const FOLDER: &str = "kernel";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The architecture
    #[arg(long, value_enum)]
    arch: Arch,
    /// CPUs: 1 to 8, on aarch64 1 to 16
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    cpus: u32,
    /// One of the scenarios, some with commas between, or all
    #[arg(long, default_value = "all")]
    scenario: String,
    /// So many times in a row
    #[arg(long, default_value_t = 1)]
    repeat: u32,
    /// Where the trace of the last boot goes; its timeline and Perfetto file stand beside it
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// The long forms: a million halts, and the like
    #[arg(long)]
    long: bool,
    /// How long the scenario `soak` takes, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    seconds: u64,
    /// The emulator's clock counts instructions, and nothing that the host does is seen: times are the same in every run
    #[arg(long)]
    exact: bool,
    /// Seconds after which a boot is ended
    #[arg(long, value_name = "SECONDS")]
    limit: Option<u64>,
    /// Without a heap: all is static
    #[arg(long)]
    no_heap: bool,
    /// The minimal kernel in place of the full one: no scenarios
    #[arg(long, conflicts_with_all = ["scenario", "trace", "long", "no_heap"])]
    minimal: bool,
    /// The version of aarch64's interrupt controller; 3 alone has more than 8 CPUs
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=3))]
    gic: Option<u32>,
}

impl Options {
    /// Everything, as the test command has it.
    fn of(arch: Arch, cpus: u32, gic: Option<u32>) -> Self {
        let scenario = "all".to_owned();
        Self {
            arch,
            cpus,
            scenario,
            repeat: 1,
            trace: None,
            limit: None,
            long: false,
            seconds: 0,
            exact: false,
            no_heap: false,
            minimal: false,
            gic,
        }
    }

    /// What the kernel is told.
    fn command_line(&self) -> String {
        let long = if self.long { " long" } else { "" };
        let trace = if self.trace.is_some() { " trace" } else { "" };
        let exact = if self.is_exact() { " exact" } else { "" };
        let seconds = match self.seconds {
            0 => String::new(),
            seconds => format!(" seconds={seconds}"),
        };
        format!("cpus={} scenario={}{seconds}{long}{exact}{trace}", self.cpus, self.scenario)
    }

    fn is_exact(&self) -> bool {
        self.exact || self.scenario == COUNTS
    }
}

/// Whether the kernel was content, each time.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    scenarios(workspace, options)?;
    Ok(true)
}

/// The step of the test command: each architecture with 1 and 4 CPUs, both interrupt controllers, with and without a heap.
/// Answers how many scenarios held.
pub(crate) fn all(workspace: &Workspace) -> Result<u64> {
    let mut held = 0;
    for (arch, gic) in [(Arch::X86_64, None), (Arch::Aarch64, Some(3))] {
        needs::target(None, arch.triple())?;
        needs::subcommand("clippy", "clippy")?;
        for features in ["", "--no-default-features"] {
            let clippy = cargo(workspace, "clippy", arch.triple()).words(features);
            clippy.words("-- -D warnings").check()?;
        }
        held += scenarios(workspace, &Options::of(arch, 1, None))?;
        held += scenarios(workspace, &Options::of(arch, 4, gic))?;
        let no_heap = Options { no_heap: true, ..Options::of(arch, 2, None) };
        held += scenarios(workspace, &no_heap)?;
        let scenario = EXACT.to_owned();
        let exact = Options { exact: true, scenario, ..Options::of(arch, 1, None) };
        held += scenarios(workspace, &exact)?;
        held += panics(workspace, arch)?;
        let minimal = Options { minimal: true, ..Options::of(arch, 2, None) };
        held += scenarios(workspace, &minimal)?;
    }
    Ok(held)
}

/// How many scenarios held, over all repetitions; one that does not is an error.
fn scenarios(workspace: &Workspace, options: &Options) -> Result<u64> {
    let most = options.arch.most_cpus(options.gic);
    ensure!(options.cpus <= most, "the emulated machine has at most {most} CPUs");
    let kernel = build(workspace, options)?;
    needs::machine_emulator(options.arch.emulator(), options.arch.package())?;
    code::check(options.arch, &fs::read(&kernel)?)?;
    let mut held = 0;
    for round in 1..=options.repeat {
        if options.repeat > 1 {
            println!("--- {round} of {}", options.repeat);
        }
        let output = boot(&kernel, options)?;
        // Also of a kernel that is not content: then it is wanted most.
        if let Some(file) = &options.trace {
            trace::write(workspace, &output.text, file)?;
        }
        held += verdict(options.arch, &output)?;
    }
    Ok(held)
}

/// Scenarios that are to fail, and what the kernel says then.
const FAILURES: [(&str, &[&str]); 2] = [
    ("panic", &["PANIC on cpu1", "as it was asked for", "cpu0: ", "cpu1: "]),
    ("overflow", &["PANIC on cpu1", "a thread's stack has overflowed"]),
];

/// A panic on one CPU, or a stack that overflows there, stops all, says what each did, and ends in failure. Answers how many.
fn panics(workspace: &Workspace, arch: Arch) -> Result<u64> {
    for (scenario, words) in FAILURES {
        let options = Options { scenario: scenario.to_owned(), ..Options::of(arch, 2, None) };
        let output = boot(&build(workspace, &options)?, &options)?;
        let failed = matches!(output.end, End::Exited(status) if status.code() == Some(FAILURE));
        ensure!(failed, "a kernel that panics ended with {:?}", output.end);
        for said in words {
            ensure!(output.text.contains(said), "a kernel that panics does not say `{said}`");
        }
    }
    Ok(FAILURES.len() as u64)
}

/// The kernel, as a file.
fn build(workspace: &Workspace, options: &Options) -> Result<PathBuf> {
    let triple = options.arch.triple();
    needs::target(None, triple)?;
    let features = if options.no_heap { "--no-default-features" } else { "" };
    let name = if options.minimal { "minimal" } else { "kernel" };
    cargo(workspace, "build", triple).words(features).args(["--bin", name]).check()?;
    Ok(workspace.target_for(FOLDER).join(triple).join("release").join(name))
}

/// cargo, in the kernel's own workspace.
fn cargo(workspace: &Workspace, subcommand: &str, triple: &str) -> Command {
    Command::new("cargo")
        .directory(&workspace.root.join("demo/kernel"))
        .target_dir(&workspace.target_for(FOLDER))
        .arg(subcommand)
        .words("--quiet --release --target")
        .arg(triple)
}

fn boot(kernel: &Path, options: &Options) -> Result<Output> {
    let usual = if options.long { pins::BOOT_LIMIT_LONG } else { pins::BOOT_LIMIT };
    let limit = options.limit.map_or(usual, Duration::from_secs);
    let limit = limit + Duration::from_secs(options.seconds);
    let watch = hung::Watch::start(limit);
    let emulator = Command::new(options.arch.emulator())
        .args(options.arch.machine(options.gic, options.cpus))
        .args(["-smp", &options.cpus.to_string()])
        .words("-m 128M -display none -serial stdio -no-reboot")
        .args(["-monitor", &watch.monitor()])
        .arg("-kernel")
        .arg(kernel)
        .args(["-append", &options.command_line()])
        .words(if options.is_exact() { ONE_INSTRUCTION_IS_ONE_NS } else { "" })
        .limit(limit + hung::TIME_TO_TELL)
        .hide(trace::LINE);
    let output = emulator.output();
    watch.end();
    output
}

/// How many scenarios held, by the kernel's word (BO1).
fn verdict(arch: Arch, output: &Output) -> Result<u64> {
    let line = output.text.lines().rev().find_map(|line| line.trim().strip_prefix("verdict: "));
    let End::Exited(status) = output.end else { bail!("the kernel did not end in time") };
    let passed = line
        .and_then(|line| line.split_once(" passed, 0 failed"))
        .and_then(|(passed, _)| passed.parse().ok());
    match (status.code() == Some(arch.success()), passed, line) {
        (true, Some(passed), _) if passed > 0 => Ok(passed),
        (_, _, Some(line)) => bail!("the kernel's verdict: {line} ({status})"),
        (_, _, None) => bail!("the kernel ended without a verdict ({status})"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn ended(code: i32, text: &str) -> Output {
        Output { end: End::Exited(ExitStatus::from_raw(code << 8)), text: text.to_owned() }
    }

    #[test]
    fn success_is_the_right_code_behind_the_right_words() {
        let good = "ok      idle\r\nverdict: 9 passed, 0 failed\r\n";
        assert_eq!(verdict(Arch::X86_64, &ended(33, good)).unwrap(), 9);
        assert_eq!(verdict(Arch::Aarch64, &ended(0, good)).unwrap(), 9);
        for (arch, output, why) in [
            (Arch::X86_64, ended(0, good), "9 passed"),
            (Arch::Aarch64, ended(1, good), "9 passed"),
            (Arch::Aarch64, ended(0, "verdict: 8 passed, 1 failed"), "1 failed"),
            (Arch::Aarch64, ended(0, "verdict: 0 passed, 0 failed"), "0 passed"),
            (Arch::Aarch64, ended(0, "PANIC"), "without a verdict"),
            (Arch::X86_64, Output { end: End::TimedOut, text: good.into() }, "in time"),
        ] {
            let error = verdict(arch, &output).unwrap_err().to_string();
            assert!(error.contains(why), "{why}: {error}");
        }
    }
}

/// Boots that mutants of the machines and of the kernel must not pass.
#[cfg(all(test, feature = "cross"))]
mod cross {
    use super::*;

    fn boots(arch: Arch, scenario: &str) {
        let scenario = scenario.to_owned();
        let options = Options { scenario, exact: true, ..Options::of(arch, 1, None) };
        if let Err(error) = scenarios(&Workspace::find().unwrap(), &options) {
            panic!("{error:#}");
        }
    }

    #[test]
    fn switches_on_64_bit_arm() {
        if let Err(error) = crate::steps::arm(&Workspace::find().unwrap()) {
            panic!("{error:#}");
        }
    }

    #[test]
    fn registers_survive_interrupts_on_x86_64() {
        boots(Arch::X86_64, "registers");
    }

    #[test]
    fn registers_survive_interrupts_on_aarch64() {
        boots(Arch::Aarch64, "registers");
    }

    #[test]
    fn registers_survive_preemption_on_x86_64() {
        boots(Arch::X86_64, "preempted");
    }

    #[test]
    fn registers_survive_preemption_on_aarch64() {
        boots(Arch::Aarch64, "preempted");
    }

    #[test]
    fn threads_find_their_own_pages_on_x86_64() {
        boots(Arch::X86_64, "spaces");
    }

    #[test]
    fn threads_that_never_yield_share_on_x86_64() {
        boots(Arch::X86_64, "nice");
    }

    #[test]
    fn threads_that_never_yield_share_on_aarch64() {
        boots(Arch::Aarch64, "nice");
    }
}
