//! One test, run on the copy of the tree as it stands.

use std::time::Duration;

use anyhow::Result;

use crate::command::{Command, End, Output};
use crate::count::count;
use crate::mutants::copy::Copy;
use crate::mutants::file::{Target, Tool};
use crate::mutants::{Verdict, home, obtain_needs};
use crate::pins;
use crate::workspace::Workspace;

/// A test, where it runs, and how long it may.
pub(super) struct Trial<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) copy: &'a Copy,
    pub(super) target: &'a Target,
    pub(super) limit: Duration,
}

impl Trial<'_> {
    /// What the test prints on the code as it is; an error when it does not run or does not pass.
    pub(super) fn unmutated(&self) -> Result<String, String> {
        let Target { package, test, .. } = self.target;
        let build = self.build().map_err(|error| format!("{error:#}"))?;
        if !build.success() {
            return Err(format!("{package} does not compile unmutated:\n{}", tail(&build.text)));
        }
        let run = self.run().map_err(|error| format!("{error:#}"))?;
        if run.end == End::TimedOut {
            return Err(format!("`{test}` takes longer than {:?} unmutated", self.limit));
        }
        if count(&run.text).run == 0 {
            return Err(format!("no test of {package} is called `{test}`: it kills nothing"));
        }
        if !run.success() {
            return Err(format!("`{test}` fails unmutated:\n{}", tail(&run.text)));
        }
        Ok(run.text)
    }

    /// What the test makes of the mutant that stands in the copy.
    pub(super) fn mutated(&self, expect: &str) -> Result<Verdict> {
        let build = self.build()?;
        if !build.success() {
            let why = format!("does not compile:\n{}", tail(&build.text));
            return Ok(Verdict::Broken(why));
        }
        let run = self.run()?;
        Ok(if run.end == End::TimedOut {
            Verdict::Broken(format!("timed out after {:?}", self.limit))
        } else if run.success() {
            Verdict::Survived
        } else if run.text.contains(expect) {
            Verdict::Killed
        } else {
            let text = tail(&run.text);
            Verdict::Broken(format!("failed, but did not print `{expect}`:\n{text}"))
        })
    }

    /// Building is not testing: what fails here is no kill.
    fn build(&self) -> Result<Output> {
        self.cargo()?.arg("--no-run").output()
    }

    /// Warnings quote the source, so cargo is told to be quiet: only the test is to be heard.
    fn run(&self) -> Result<Output> {
        self.cargo()?.args(["--quiet", "--", &self.target.test]).limit(self.limit).output()
    }

    fn cargo(&self) -> Result<Command> {
        obtain_needs(self.target)?;
        let Target { tool, package, .. } = self.target;
        let name = tool.name();
        // A mutant changes a few lines: incremental builds without debug information take a third
        // of the time. A backtrace would push the assertion out of the report.
        let cargo = Command::new("cargo")
            .directory(&self.copy.folder)
            .target_dir(&self.workspace.target_for(&home(*tool)).join("build"))
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .env("RUST_BACKTRACE", "0")
            .quietly();
        let cargo = match tool {
            Tool::Test => cargo.arg("test"),
            Tool::Boot => cargo.words("test --features cross"),
            Tool::Sim => cargo.words("test --release"),
            Tool::Miri => cargo.env("MIRIFLAGS", pins::MIRI_FLAGS).args([
                &format!("+{}", pins::NIGHTLY),
                "miri",
                "test",
            ]),
            Tool::Loom | Tool::Shuttle => cargo
                .env("RUSTFLAGS", format!("--cfg {name}"))
                .env("LOOM_MAX_PREEMPTIONS", pins::LOOM_MAX_PREEMPTIONS)
                .args(["test", "--release", "--features", name]),
        };
        let cargo = cargo.args(["--no-fail-fast", "--package", package]);
        let cargo = match tool {
            Tool::Loom | Tool::Shuttle if package == "verification" => {
                cargo.args(["--test", &format!("{name}-{}", self.target.models())])
            }
            _ => cargo.arg("--tests"),
        };
        let feature = match package.as_str() {
            "sched-arch" => Some("hardware"),
            package => pins::WITH_ALLOC.contains(&package).then_some("alloc"),
        };
        Ok(match feature {
            Some(feature) => cargo.args(["--features", feature]),
            None => cargo,
        })
    }
}

/// The end of a long text, for a person to read.
fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
