//! `cargo xtask verify sim`: builds the simulator and hands its words on.

use std::process;

use anyhow::{Context, Result};

use crate::command::Command;
use crate::workspace::Workspace;

/// Whether nothing was violated. The simulator keeps the terminal, for its progress bar.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result<bool> {
    Command::new("cargo")
        .directory(&workspace.root)
        .target_dir(&workspace.target)
        .words("build --quiet --release --package sim")
        .quietly()
        .check()?;
    let status = process::Command::new(workspace.target.join("release/sim"))
        .current_dir(&workspace.root)
        .args(words)
        .status()
        .context("cannot run the simulator")?;
    Ok(status.success())
}
