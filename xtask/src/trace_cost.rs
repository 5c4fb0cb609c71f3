//! `cargo xtask verify trace-cost`: a trace that is off costs no instruction.
//!
//! The same program is built twice: with the hook and `()` as the trace, and with `--cfg sched_no_trace`, where there is
//! no hook. callgrind counts the instructions of the same function in both; the counts must be equal. A third count,
//! with a trace that counts, shows that the comparison would see a difference.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::command::Command;
use crate::workspace::Workspace;

const PROGRAM: &str = "trace_cost";

pub(crate) fn run(workspace: &Workspace) -> Result<u64> {
    let valgrind = Command::new("valgrind").arg("--version").quietly().output();
    ensure!(
        valgrind.is_ok_and(|output| output.success()),
        "valgrind is missing: apt-get install --no-install-recommends valgrind"
    );
    let with_hook = build(workspace, "trace-cost", "")?;
    let without = build(workspace, "trace-cost-no-trace", "--cfg sched_no_trace")?;
    let off = count(workspace, &with_hook, "off")?;
    let none = count(workspace, &without, "off")?;
    let on = count(workspace, &with_hook, "on")?;
    println!("instructions without the hook  {none:>12}");
    println!("             with it, off      {off:>12}");
    println!("             with it, on       {on:>12}");
    ensure!(on > none, "a trace that is on costs nothing: this count sees nothing");
    ensure!(off == none, "a trace that is off costs {} instructions", off.abs_diff(none));
    Ok(3)
}

/// Builds the program, in one unit, so that how the code is cut does not depend on the flags.
fn build(workspace: &Workspace, purpose: &str, flags: &str) -> Result<PathBuf> {
    let target = workspace.target_for(purpose);
    Command::new("cargo")
        .directory(&workspace.root)
        .target_dir(&target)
        .env("RUSTFLAGS", flags)
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .words("build --release --package verification --example")
        .arg(PROGRAM)
        .check()?;
    Ok(target.join("release/examples").join(PROGRAM))
}

/// Instructions of the function `trace_cost_<trace>` and all that it calls. Each program is counted under the same name:
/// the length of its name is enough to change what the allocator does.
fn count(workspace: &Workspace, built: &Path, trace: &str) -> Result<u64> {
    let program = workspace.target_for("trace-cost").join("counted");
    fs::copy(built, &program)?;
    let output = Command::new("valgrind")
        .words("--tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no")
        .arg(format!("--toggle-collect=trace_cost_{trace}"))
        .arg(&program)
        .arg(trace)
        .quietly()
        .check()?;
    collected(&output.text).context("callgrind does not tell what it collected")
}

/// The number in callgrind's line `==1== Collected : 123`.
fn collected(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(':').next()?.trim().parse().ok().filter(|&count| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found() {
        assert_eq!(collected("==9== \n==9== Collected : 4711\n==9== \n"), Some(4711));
        assert_eq!(collected("==9== Collected : 0\n"), None, "the function was never called");
        assert_eq!(collected("valgrind: cannot open"), None);
    }
}
