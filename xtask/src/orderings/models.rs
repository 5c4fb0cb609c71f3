//! The models under loom, built once: which sites each of them reaches, and what it says to a mutant.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::command::{Command, End, Output};
use crate::mutants::Copy;
use crate::pins;

/// The binaries of models. While they live nobody else changes the copy they were built in.
pub(super) struct Models {
    copy: Copy,
    pub(super) all: Vec<Model>,
    limit: Duration,
    pub(super) runs: Cell<u64>,
}

/// One model, as it behaves on the code as it is.
pub(super) struct Model {
    pub(super) name: String,
    binary: PathBuf,
    reaches: BTreeSet<String>,
    took: Duration,
}

/// A model that noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) model: String,
    pub(super) assertion: String,
}

/// What all models said to one mutant.
#[derive(Debug)]
pub(super) enum Said {
    Killed(Kill),
    /// None noticed; with what happened instead, as far as it is worth a word.
    Nothing(Vec<String>),
}

/// How one run ended.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Passed,
    Failed(String),
    /// It failed, but not by noticing: for this reason.
    Worthless(String),
}

impl Models {
    /// Builds the models of `package` in the copy, and runs each once on the code as it is.
    pub(super) fn build(copy: Copy, target: &Path, package: &str, limit: Duration) -> Result<Self> {
        let built = Command::new("cargo")
            .directory(&copy.folder)
            .target_dir(target)
            .env("RUSTFLAGS", "--cfg loom")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .words("test --no-run --release --features loom --test loom* --package")
            .arg(package)
            .check()?;
        let mut models = Self { copy, all: Vec::new(), limit, runs: Cell::new(0) };
        for binary in executables(&built.text) {
            let binary = models.copy.folder.join(binary);
            let list = models.command(&binary).arg("--list").limit(limit).check()?;
            for name in list.text.lines().filter_map(|line| line.strip_suffix(": test")) {
                let model = models.reached(name, &binary, &target.join("reached"))?;
                models.all.push(model);
            }
        }
        ensure!(!models.all.is_empty(), "cargo names no binary with models");
        models.all.sort_by_key(|model| model.took);
        Ok(models)
    }

    /// Runs a model on the code as it is; each site writes to `report` that it was reached.
    fn reached(&self, name: &str, binary: &Path, report: &Path) -> Result<Model> {
        let _ = fs::remove_file(report);
        let mut model = Model {
            name: name.to_owned(),
            binary: binary.to_owned(),
            reaches: BTreeSet::new(),
            took: Duration::ZERO,
        };
        let begin = Instant::now();
        let output = self.run(&model, "ORDERINGS_REACHED", &report.to_string_lossy())?;
        model.took = begin.elapsed();
        ensure!(output.success(), "`{name}` fails on the code as it is:\n{}", output.text);
        let reached = fs::read_to_string(report).unwrap_or_default();
        model.reaches = reached.lines().map(str::to_owned).collect();
        Ok(model)
    }

    /// Shows a mutant to every model that reaches its site, until one fails: the one that killed it before comes
    /// first, then the quick ones.
    pub(super) fn judge(&self, site: &str, change: &str, before: Option<&str>) -> Result<Said> {
        let mut notes = Vec::new();
        let (last, others): (Vec<_>, Vec<_>) = self
            .all
            .iter()
            .filter(|model| model.reaches.contains(site))
            .partition(|model| before == Some(model.name.as_str()));
        if last.is_empty() && others.is_empty() {
            notes.push("no model reaches it".to_owned());
        }
        for model in last.into_iter().chain(others) {
            let output = self.run(model, "ORDERING_MUTANT", &format!("{site}={change}"))?;
            match ending(&output) {
                Ending::Passed => {}
                Ending::Failed(assertion) => {
                    return Ok(Said::Killed(Kill { model: model.name.clone(), assertion }));
                }
                Ending::Worthless(why) => notes.push(format!("{}: {why}", model.name)),
            }
        }
        Ok(Said::Nothing(notes))
    }

    fn run(&self, model: &Model, name: &str, value: &str) -> Result<Output> {
        self.runs.set(self.runs.get() + 1);
        let command = self.command(&model.binary).env(name, value).args(["--exact", &model.name]);
        command.limit(self.limit).output()
    }

    fn command(&self, binary: &Path) -> Command {
        Command::new(binary)
            .directory(&self.copy.folder)
            .env("LOOM_MAX_PREEMPTIONS", pins::LOOM_MAX_PREEMPTIONS)
            .env("RUST_BACKTRACE", "0")
            .quietly()
    }
}

/// The paths in lines like `Executable tests/loom.rs (<path>)`.
fn executables(said: &str) -> impl Iterator<Item = &str> {
    let lines = said.lines().map(str::trim).filter(|line| line.starts_with("Executable "));
    lines.filter_map(|line| line.split_once('(')?.1.strip_suffix(')'))
}

/// Reads from a run whether its model noticed, and by which assertion.
fn ending(output: &Output) -> Ending {
    if output.success() {
        return Ending::Passed;
    }
    if output.end == End::TimedOut {
        return Ending::Worthless("takes too long".to_owned());
    }
    let mut lines = output.text.lines().skip_while(|line| !line.contains(" panicked at "));
    let (Some(place), Some(message)) = (lines.next(), lines.find(|line| !line.trim().is_empty()))
    else {
        return Ending::Worthless("ended without an assertion".to_owned());
    };
    // An operation that takes no such ordering says so, as it would to anybody; and a model that never ends has
    // asserted nothing.
    let no_such = ["there is no such thing as", "unimplemented ordering", "ORDERING_MUTANT: "];
    let refused = no_such.iter().any(|words| message.contains(words));
    if refused || place.contains("library/core/src/sync/atomic.rs") {
        return Ending::Worthless(format!("the operation refuses: {message}"));
    }
    if message.contains("Model exceeded maximum number of branches") {
        return Ending::Worthless("goes round in circles".to_owned());
    }
    Ending::Failed(message.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn failed(text: &str) -> Ending {
        ending(&Output { end: End::Exited(ExitStatus::from_raw(101 << 8)), text: text.to_owned() })
    }

    #[test]
    fn a_kill_names_its_assertion() {
        let text = "---- a stdout ----\nthread 'a' (7) panicked at loom/a.rs:1:2:\n\nassertion failed: seen\n";
        assert_eq!(failed(text), Ending::Failed("assertion failed: seen".to_owned()));
    }

    #[test]
    fn what_the_operation_itself_refuses_is_no_kill() {
        for text in [
            "thread 'a' panicked at /rustc/1/library/core/src/sync/atomic.rs:3:4:\nwhatever\n",
            "thread 'a' panicked at x.rs:3:4:\nthere is no such thing as a release load\n",
            "thread 'a' panicked at x.rs:3:4:\nModel exceeded maximum number of branches. This\n",
            "memory went wrong, and nobody said a word\n",
        ] {
            assert!(matches!(failed(text), Ending::Worthless(_)), "{text}");
        }
        let hung = Output { end: End::TimedOut, text: String::new() };
        assert!(matches!(ending(&hung), Ending::Worthless(_)));
    }
}
