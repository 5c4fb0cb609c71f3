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
use crate::needs::{self, Missing};
use crate::orderings::Orderings;
use crate::workspace::Workspace;
use crate::{boot, checkers, mutants, pins};

/// One check with a name. It answers how many tests it ran.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) run: fn(&Workspace) -> Result<u64>,
}

pub(crate) const ALL: &[Step] = &[
    Step { name: "fmt", heading: "rustfmt would change nothing", run: fmt },
    Step { name: "clippy", heading: "no warning, with and without features", run: clippy },
    Step { name: "standalone", heading: "a leaf depends on nothing", run: standalone },
    Step { name: "orderings", heading: "each ordering's mutants are settled", run: orderings },
    Step { name: "unit", heading: "the tests of every crate", run: unit },
    Step { name: "doc-tests", heading: "the examples in READMEs and docs", run: doc_tests },
    Step { name: "docs", heading: "the docs build without warnings", run: docs },
    Step { name: "msrv", heading: "the oldest compilers that users may have", run: msrv },
    Step { name: "bare-metal", heading: "no operating system underneath", run: bare_metal },
    Step {
        name: "loom",
        heading: "models, every interleaving within bounds",
        run: |w| checkers::run(w, "loom", None, false),
    },
    Step {
        name: "shuttle",
        heading: "models, many random schedules",
        run: |w| checkers::run(w, "shuttle", None, false),
    },
    Step {
        name: "miri",
        heading: "no undefined behaviour in the leaves",
        run: |w| checkers::run(w, "miri", None, false),
    },
    Step { name: "mutants", heading: "the checks notice broken code", run: all_mutants },
    Step {
        name: "boot",
        heading: "the kernel boots on both architectures, and its scenarios hold",
        run: boot::all,
    },
    Step { name: "demo", heading: "the hosted scheduler runs and stops", run: demo },
];

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
    mutants::run(workspace, None, None, false, limit)?.verdict()
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
            "--features=sched-arch/hardware,sched/alloc,sched/threads"
        );
    }
}
