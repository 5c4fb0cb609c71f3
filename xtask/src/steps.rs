//! The steps of `cargo xtask test`, in the order in which they run: quick ones first.
//!
//! S1. A step obtains what it needs before it runs (`needs`).
//! S2. Steps with the same flags share a build folder; steps with flags of their own have their
//!     own, so that nothing is built twice.
//! S3. Warnings are errors here and nowhere else: not in the manifests.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::command::Command;
use crate::count::count;
use crate::mutants::{Choice, Shard};
use crate::needs::{self, Missing};
use crate::orderings::Orderings;
use crate::workspace::Workspace;
use crate::{boot, checkers, mutants, pins};

/// One check with a name. It answers how many tests it ran.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) run: fn(&Workspace) -> Result<u64>,
    /// What it leaves to a command of its own, and that command; empty where it leaves nothing.
    pub(crate) leaves: &'static str,
}

impl Step {
    const fn new(
        name: &'static str,
        heading: &'static str,
        run: fn(&Workspace) -> Result<u64>,
    ) -> Self {
        Self { name, heading, run, leaves: "" }
    }

    const fn leaves(self, leaves: &'static str) -> Self {
        Self { leaves, ..self }
    }
}

pub(crate) const ALL: &[Step] = &[
    Step::new("fmt", "rustfmt would change nothing", fmt),
    Step::new("clippy", "no warning, with and without features", clippy),
    Step::new("standalone", "a leaf depends on nothing", standalone),
    Step::new("orderings", "each ordering's mutants are settled", orderings),
    Step::new("unit", "the tests of every crate", unit),
    Step::new("arm", "what is of the architecture, on 64-bit Arm", arm),
    Step::new("doc-tests", "the examples in READMEs and docs", doc_tests),
    Step::new("docs", "the docs build without warnings", docs),
    Step::new("msrv", "the oldest compilers that users may have", msrv),
    Step::new("bare-metal", "no operating system underneath", bare_metal),
    Step::new("loom", "models, every interleaving within bounds", |w| {
        checkers::run(w, "loom", None, false)
    })
    .leaves("wider bounds: `cargo xtask verify loom --long`"),
    Step::new("shuttle", "models, many random schedules", |w| {
        checkers::run(w, "shuttle", None, false)
    })
    .leaves("more schedules: `cargo xtask verify shuttle --long`"),
    Step::new("miri", "no undefined behaviour in the leaves", |w| {
        checkers::run(w, "miri", None, false)
    })
    .leaves("tree borrows, many seeds: `cargo xtask verify miri --long`"),
    Step::new("miri-threads", "no undefined behaviour in threads", |w| {
        checkers::run(w, "miri-threads", None, false)
    })
    .leaves("all tests of threads: `cargo xtask verify miri-threads --long`"),
    Step::new("mutants", "the checks notice broken code", all_mutants)
        .leaves("the other shards, the long ones and the orderings: `cargo xtask verify mutants`"),
    Step::new("boot", "the kernel boots on both architectures, and its scenarios hold", boot::all)
        .leaves("more CPUs, repetitions, the long forms: `cargo xtask boot`"),
    Step::new("demo", "the hosted scheduler runs and stops", demo),
];

/// What no step runs at all.
pub(crate) const BEYOND: &str = "`cargo xtask verify asan | tsan | careful | fuzz | coverage | cargo-mutants | sim | sim-identity | page`";

pub(crate) fn names() -> Vec<&'static str> {
    ALL.iter().map(|step| step.name).collect()
}

/// cargo, at the root of the tree, in the common build folder.
fn cargo(workspace: &Workspace) -> Command {
    Command::new("cargo").directory(&workspace.root).target_dir(&workspace.target)
}

/// The features that bring code, as cargo wants them for several packages.
fn features_of<'a>(packages: impl IntoIterator<Item = &'a str>) -> String {
    let features = packages.into_iter().flat_map(|package| {
        let has = pins::FEATURES.iter().filter(move |(of, _)| of.contains(&package));
        has.map(move |(_, feature)| format!("{package}/{feature}"))
    });
    format!("--features={}", features.collect::<Vec<_>>().join(","))
}

/// Every public crate.
fn public() -> impl Iterator<Item = &'static str> {
    pins::LEAVES.into_iter().chain(pins::FACADE)
}

fn fmt(workspace: &Workspace) -> Result<u64> {
    needs::subcommand("fmt", "rustfmt")?;
    cargo(workspace).words("fmt --all --check").check()?;
    // A workspace of its own.
    cargo(workspace).words("fmt --check --manifest-path demo/kernel/Cargo.toml").check()?;
    Ok(0)
}

fn clippy(workspace: &Workspace) -> Result<u64> {
    needs::subcommand("clippy", "clippy")?;
    let lint =
        |packages: Command| packages.words("--all-targets --keep-going -- -D warnings").check();
    let clippy = || cargo(workspace).arg("clippy");
    lint(clippy().arg("--workspace").arg(features_of(pins::WITH_FEATURES)))?;
    // Apart from each other: in one build a feature that one crate asks for is on for all.
    lint(clippy().packages(pins::LEAVES))?;
    lint(clippy().packages(pins::LEAVES).arg(features_of(pins::LEAVES)))?;
    lint(clippy().packages(pins::FACADE))?;
    Ok(0)
}

fn standalone(workspace: &Workspace) -> Result<u64> {
    for leaf in pins::LEAVES {
        let tree = cargo(workspace)
            .words("tree --quiet --edges normal,build --target all --package")
            .arg(leaf)
            .check()?;
        let lines = tree.text.lines().count();
        ensure!(lines == 1, "{leaf} depends on something: its tree has {lines} lines, not one");
    }
    Ok(0)
}

/// A command that runs tests: nextest where it is installed, else cargo's own runner.
/// `before` goes in front of the runner's name (a toolchain, `miri`), `after` behind it.
fn tests(command: Command, before: &str, after: impl FnOnce(Command) -> Command) -> Result<u64> {
    let command = command.words(before);
    let command = if needs::has_nextest() {
        command.words("nextest run --no-fail-fast")
    } else {
        println!("cargo-nextest is not installed: cargo's own runner does its work");
        command.words("test --no-fail-fast")
    };
    ran_some(after(command))
}

/// Runs tests; that none ran is an error.
fn ran_some(command: Command) -> Result<u64> {
    let line = command.to_string();
    let ran = count(&command.check()?.text).run;
    ensure!(ran > 0, "no test ran: {line}");
    Ok(ran)
}

fn unit(workspace: &Workspace) -> Result<u64> {
    tests(cargo(workspace), "", |command| {
        command.words("--workspace --tests").arg(features_of(pins::WITH_FEATURES))
    })
}

/// The switch, and the threads that use it; the kernel has the rest. Cargo's own runner, which knows the emulator.
pub(crate) fn arm(workspace: &Workspace) -> Result<u64> {
    needs::target(None, pins::ARM_TARGET)?;
    needs::arm_emulator()?;
    let [linker, emulator] = pins::ARM_TOOLS;
    let tests = |words: &str| {
        let runner = format!("{emulator} -L {}", pins::ARM_LIBRARIES);
        let command = cargo(workspace)
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", linker)
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner)
            .words("test --target")
            .arg(pins::ARM_TARGET);
        ran_some(command.words(words))
    };
    Ok(tests("-p sched-arch --test switch")?
        + tests("-p sched --test thread --features alloc,threads")?)
}

fn doc_tests(workspace: &Workspace) -> Result<u64> {
    let command = cargo(workspace).words("test --doc --workspace --no-fail-fast");
    ran_some(command.arg(features_of(pins::WITH_FEATURES)))
}

fn docs(workspace: &Workspace) -> Result<u64> {
    cargo(workspace)
        .env("RUSTDOCFLAGS", "-D warnings")
        .words("doc --workspace --no-deps")
        .arg(features_of(pins::WITH_FEATURES))
        .check()?;
    Ok(0)
}

fn msrv(workspace: &Workspace) -> Result<u64> {
    let old = [
        (pins::LEAF_MSRV, &pins::LEAVES as &[&str]),
        (pins::FACADE_MSRV, &pins::FACADE),
        (pins::FACADE_MSRV, &[pins::SIMULATOR]),
    ];
    for (toolchain, packages) in old {
        needs::toolchain(toolchain, &[])?;
        let check = || {
            cargo(workspace)
                .target_dir(&workspace.target_for("msrv"))
                .arg(format!("+{toolchain}"))
                .words("check --locked")
                .packages(packages.iter().copied())
        };
        check().check()?;
        check().arg(features_of(packages.iter().copied())).check()?;
    }
    Ok(0)
}

fn bare_metal(workspace: &Workspace) -> Result<u64> {
    let mut triples = pins::BARE_METAL.into_iter().chain([pins::WITHOUT_CAS]);
    let targets = triples.try_for_each(|triple| needs::target(None, triple));
    let by_rustup = match targets {
        Ok(()) => true,
        Err(error) if error.is::<Missing>() => {
            println!("{error}; trying Debian's compiler");
            needs::debian_compiler()?;
            false
        }
        Err(error) => return Err(error),
    };
    println!("route: {}", if by_rustup { "R, rustup's targets" } else { "D, Debian's compiler" });
    let compiler = || if by_rustup { cargo(workspace).arg("build") } else { debian(workspace) };
    for triple in pins::BARE_METAL {
        let build = || compiler().args(["--target", triple]).packages(public());
        build().check()?;
        build().arg(features_of(public())).check()?;
    }
    let build = || {
        compiler()
            .args(["--target", pins::WITHOUT_CAS, "--features", pins::CAS])
            .packages(pins::WITH_PORTABLE_ATOMICS)
    };
    build().check()?;
    build().arg(features_of(pins::WITH_PORTABLE_ATOMICS)).check()?;
    Ok(0)
}

/// Debian's compiler, told to build `core` and `alloc` from its own sources.
fn debian(workspace: &Workspace) -> Command {
    let linker = format!("-Clinker={} -Clinker-flavor=ld.lld", pins::DEBIAN_LINKER);
    Command::new("/usr/bin/cargo")
        .directory(&workspace.root)
        .target_dir(&workspace.target_for("debian"))
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTDOC", "/usr/bin/rustdoc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", linker)
        .words("build -Zbuild-std=core,alloc")
}

fn all_mutants(workspace: &Workspace) -> Result<u64> {
    let limit = Duration::from_secs(pins::MUTANT_LIMIT_SECONDS);
    let shard = Shard::of_commit(workspace, pins::MUTANT_SHARDS);
    println!("drawn by the commit: shard {shard}");
    let choice = Choice { of: None, only: None, long: false, shard };
    mutants::run(workspace, choice, limit)?.verdict()
}

fn orderings(workspace: &Workspace) -> Result<u64> {
    Orderings::of(workspace, None)?.check_tables()
}

fn demo(workspace: &Workspace) -> Result<u64> {
    cargo(workspace).words("build --release --package demo").check()?;
    let output = Command::new(workspace.target.join("release/demo"))
        .words("--cpus 2 --seconds 1")
        .limit(Duration::from_secs(30))
        .check()?;
    ensure!(!output.text.trim().is_empty(), "the demo has nothing to show");
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_name_their_package() {
        assert_eq!(
            features_of(["sched-arch", "sched"]),
            "--features=sched-arch/hardware,sched/alloc,sched/registry,sched/threads"
        );
    }
}
