//! `cargo xtask verify sim`: builds the simulator and hands its words on. `sim-identity`: builds it in several ways, and
//! compares what comes of the same seeds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result, ensure};

use crate::command::Command;
use crate::workspace::Workspace;
use crate::{needs, pins};

/// Seeds whose results are compared, and seeds whose traces are, which are files of up to 1.5 MB.
const SEEDS: &str = "0..40";
const TRACED: [(u64, u64); 4] = [(1, 2), (2, 7), (3, 33), (4, 100)];

/// Whether nothing was violated. The simulator keeps the terminal, for its progress bar.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result<bool> {
    build(workspace, "--release").check()?;
    let status = process::Command::new(workspace.target.join("release/sim"))
        .current_dir(&workspace.root)
        .args(words)
        .status()
        .context("cannot run the simulator")?;
    Ok(status.success())
}

/// How many traces were compared.
pub(crate) fn identity(workspace: &Workspace) -> Result<u64> {
    needs::target(None, pins::ARM_TARGET)?;
    needs::arm_emulator()?;
    let [linker, emulator] = pins::ARM_TOOLS;
    build(workspace, "").check()?;
    build(workspace, "--release").check()?;
    build(workspace, "--release --target")
        .arg(pins::ARM_TARGET)
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", linker)
        .check()?;
    let arm = workspace.target.join(pins::ARM_TARGET).join("release/sim");
    let here = |folder: &str| vec![workspace.target.join(folder).join("sim")];
    let programs = [
        ("release", here("release")),
        ("debug", here("debug")),
        (pins::ARM_TARGET, vec![emulator.into(), "-L".into(), pins::ARM_LIBRARIES.into(), arm]),
    ];
    let home = workspace.target_for("sim-identity");
    fs::create_dir_all(&home)?;
    let mut compared = 0;
    let mut first: Option<Vec<(String, Vec<u8>)>> = None;
    for (name, program) in programs {
        let results = results(&program, &home.join(name))?;
        match &first {
            None => first = Some(results),
            Some(first) => {
                for ((what, one), (_, other)) in first.iter().zip(&results) {
                    ensure!(one == other, "{what} differs between release and {name}");
                    compared += 1;
                }
            }
        }
        println!("{name}: the same");
    }
    Ok(compared)
}

/// The digest of the campaign, and the traces, by name.
fn results(program: &[PathBuf], home: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    fs::create_dir_all(home)?;
    let run = || Command::new(&program[0]).args(&program[1..]);
    let json = home.join("results.json");
    run().args(["--seeds", SEEDS, "--jobs", "1", "--json"]).arg(&json).check()?;
    let text = fs::read_to_string(&json)?;
    let digest = text.lines().find(|line| line.contains("digest")).context("a digest")?;
    let mut results = vec![(format!("the digest of {SEEDS}"), digest.as_bytes().to_vec())];
    for (seed, cpus) in TRACED {
        let (seeds, cpus) = (format!("{seed}..{}", seed + 1), cpus.to_string());
        let words = ["--seeds", &seeds, "--cpus", &cpus, "--timeline", "--out"];
        run().args(words).arg(home).check()?;
        let trace = fs::read(home.join(format!("seed-{seed}/trace.bin")))?;
        ensure!(trace.len() > 10_000, "a trace of {} bytes", trace.len());
        results.push((format!("the trace of seed {seed}"), trace));
    }
    Ok(results)
}

fn build(workspace: &Workspace, words: &str) -> Command {
    Command::new("cargo")
        .directory(&workspace.root)
        .target_dir(&workspace.target)
        .words("build --quiet --package sim")
        .words(words)
        .quietly()
}
