//! What a step needs beyond the compiler at hand, and how it is had.
//!
//! Route R is rustup, tried several times. Where rustup cannot download, building for bare metal
//! still has route D: Debian's compiler, which builds `core` and `alloc` from source.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::thread;

use anyhow::Result;

use crate::command::Command;
use crate::pins;

/// A thing that a step cannot do without and that could not be downloaded.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) what: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot be had: {}", self.what)
    }
}

impl Error for Missing {}

/// A toolchain, by the name rustup knows; none is the one this tree is built with.
pub(crate) type Toolchain<'a> = Option<&'a str>;

/// The toolchain, with these components, or `Missing`.
pub(crate) fn toolchain(name: &str, components: &[&str]) -> Result<()> {
    if has_toolchain(name) {
        return components.iter().try_for_each(|component| self::component(Some(name), component));
    }
    // At once, so that rustup picks a nightly which has them all.
    let with = components.iter().flat_map(|component| ["--component", component]);
    obtain(&format!("toolchain {name}"), || {
        rustup("toolchain install --profile minimal --no-self-update").arg(name).args(with.clone())
    })
}

/// A subcommand of cargo that comes with the toolchain at hand, or `Missing`.
pub(crate) fn subcommand(name: &str, component: &str) -> Result<()> {
    if cargo_has(name) { Ok(()) } else { self::component(None, component) }
}

/// A subcommand of cargo that is a crate of its own, built here when it is not there, or `Missing`.
pub(crate) fn cargo_tool(package: &str, subcommand: &str) -> Result<()> {
    if cargo_has(subcommand) {
        return Ok(());
    }
    obtain(&format!("{package}, which takes some minutes to build"), || {
        Command::new("cargo").words("install --locked").arg(package)
    })
}

/// A component of a toolchain, or `Missing`.
pub(crate) fn component(toolchain: Toolchain<'_>, name: &str) -> Result<()> {
    if listed("component list --installed", toolchain, name) {
        return Ok(());
    }
    obtain(&format!("component {name}{}", of(toolchain)), || {
        on(rustup("component add").arg(name), toolchain)
    })
}

/// The standard library for a target, or `Missing`.
pub(crate) fn target(toolchain: Toolchain<'_>, triple: &str) -> Result<()> {
    if listed("target list --installed", toolchain, triple) {
        return Ok(());
    }
    obtain(&format!("target {triple}{}", of(toolchain)), || {
        on(rustup("target add").arg(triple), toolchain)
    })
}

/// Debian's compiler with its sources, or `Missing`.
pub(crate) fn debian_compiler() -> Result<()> {
    let present = ["/usr/bin/rustc", "/usr/bin/cargo"].iter().all(|path| Path::new(path).exists());
    let linker = Command::new(pins::DEBIAN_LINKER).arg("--version").quietly().output();
    if present && linker.is_ok_and(|output| output.success()) {
        return Ok(());
    }
    apt(&pins::DEBIAN_PACKAGES)
}

/// Valgrind, which counts instructions, or `Missing`.
pub(crate) fn valgrind() -> Result<()> {
    let version = Command::new("valgrind").arg("--version").quietly().output();
    if version.is_ok_and(|output| output.success()) { Ok(()) } else { apt(&["valgrind"]) }
}

/// A linker for 64-bit Arm and an emulator of it, or `Missing`.
pub(crate) fn arm_emulator() -> Result<()> {
    let present = pins::ARM_TOOLS.iter().all(|tool| {
        let version = Command::new(tool).arg("--version").quietly().output();
        version.is_ok_and(|output| output.success())
    });
    if present { Ok(()) } else { apt(&pins::ARM_PACKAGES) }
}

/// An emulator of a whole machine, from that package, or `Missing`.
pub(crate) fn machine_emulator(program: &str, package: &str) -> Result<()> {
    let version = Command::new(program).arg("--version").quietly().output();
    if version.is_ok_and(|output| output.success()) { Ok(()) } else { apt(&[package]) }
}

fn apt(packages: &[&str]) -> Result<()> {
    let packages = packages.join(" ");
    obtain(&format!("apt packages {packages}"), || {
        let script = format!(
            "$(test $(id -u) = 0 || echo sudo -n) sh -c 'apt-get -q update && \
             DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends {packages}'"
        );
        Command::new("sh").arg("-c").arg(script)
    })
}

/// Whether tests run under nextest. Installing it means building it, for minutes: cargo's own
/// runner does as well.
pub(crate) fn has_nextest() -> bool {
    cargo_has("nextest")
}

fn cargo_has(subcommand: &str) -> bool {
    let version = Command::new("cargo").args([subcommand, "--version"]).quietly().output();
    version.is_ok_and(|output| output.success())
}

fn has_toolchain(name: &str) -> bool {
    listed("toolchain list", None, name)
}

/// Whether a line of rustup's answer is `name` or `name-<host>`, marks after a blank aside.
fn listed(words: &str, toolchain: Toolchain<'_>, name: &str) -> bool {
    on(rustup(words), toolchain)
        .quietly()
        .output()
        .is_ok_and(|output| output.success() && output.text.lines().any(|line| names(line, name)))
}

/// `miri-x86_64-unknown-linux-gnu` names `miri`; `nightly-2026-01-01-x86_64-…` is not `nightly`.
fn names(line: &str, name: &str) -> bool {
    let entry = line.split_whitespace().next().unwrap_or_default();
    entry.strip_prefix(name).is_some_and(|rest| {
        rest.is_empty()
            || rest.strip_prefix('-').is_some_and(|host| host.starts_with(std::env::consts::ARCH))
    })
}

fn rustup(words: &str) -> Command {
    Command::new("rustup").words(words)
}

fn on(command: Command, toolchain: Toolchain<'_>) -> Command {
    match toolchain {
        Some(name) => command.arg("--toolchain").arg(name),
        None => command,
    }
}

fn of(toolchain: Toolchain<'_>) -> String {
    toolchain.map_or_else(String::new, |name| format!(" of toolchain {name}"))
}

/// Tries a download some times; `Missing` when none succeeds.
fn obtain(what: &str, download: impl Fn() -> Command) -> Result<()> {
    println!("installing {what}");
    for attempt in 1..=pins::DOWNLOAD_TRIES {
        match download().check() {
            Ok(_) => return Ok(()),
            Err(error) => println!("try {attempt} of {}: {error:#}", pins::DOWNLOAD_TRIES),
        }
        if attempt < pins::DOWNLOAD_TRIES {
            thread::sleep(pins::DOWNLOAD_PAUSE);
        }
    }
    Err(Missing { what: what.to_owned() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_matched_whole() {
        let arch = std::env::consts::ARCH;
        assert!(names(&format!("nightly-{arch}-unknown-linux-gnu (default)"), "nightly"));
        assert!(!names(&format!("nightly-2026-01-01-{arch}-unknown-linux-gnu"), "nightly"));
        assert!(names("rust-src", "rust-src"));
        assert!(!names("rust-src-extra", "rust-src"));
        assert!(!names("", "rust-src"));
    }

    #[test]
    fn a_download_that_fails_names_what_is_missing() {
        let error = obtain("the moon", || Command::new("false")).unwrap_err();
        assert_eq!(error.to_string(), "cannot be had: the moon");
        assert!(error.is::<Missing>());
    }
}
