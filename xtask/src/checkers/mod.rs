//! `cargo xtask verify <checker>`: obtains what the checker needs, runs it, and says how much it did.
//!
//! C1. What a checker is stands in `table` alone.
//! C2. A checker that ran nothing has failed.
//! C3. Each has a build folder of its own: their flags differ, and would evict each other's builds.

mod count;
mod table;
mod verb;

use std::env;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::checkers::table::{Checker, Need, Of, Run, Unit};
pub(crate) use crate::checkers::verb::Chosen;
use crate::command::Command;
use crate::workspace::Workspace;
use crate::{needs, pins};

/// Runs the checker of that name, on one crate, model or target or on all; answers how many tests it ran.
pub(crate) fn run(workspace: &Workspace, name: &str, of: Option<&str>, long: bool) -> Result<u64> {
    let checker = table::ALL.iter().find(|checker| checker.name == name);
    let checker = checker.with_context(|| format!("no checker is called {name}"))?;
    checker.needs.iter().try_for_each(Need::obtain)?;
    let begin = Instant::now();
    let (runs, form, limit) = if long {
        (checker.long, "long", pins::CHECKER_LIMIT)
    } else {
        (checker.quick, "quick", pins::COMMAND_LIMIT)
    };
    let mut did = 0;
    let mut commands = 0;
    for run in runs {
        for words in checker.words(workspace, run, of)? {
            did += checker.execute(workspace, run, &words, limit)?;
            commands += 1;
        }
    }
    let took = begin.elapsed().as_secs_f64();
    println!(
        "{name}, {form} form: {did} {}, {commands} commands, {took:.0} s",
        checker.unit.name()
    );
    Ok(did)
}

impl Checker {
    /// What the run's words become: one command, or one for each crate or fuzz target.
    fn words(
        &self,
        workspace: &Workspace,
        run: &Run,
        of: Option<&str>,
    ) -> Result<Vec<Vec<String>>> {
        let places = match self.of {
            Of::FuzzTargets => chosen(&fuzz_targets(workspace)?, of)?,
            Of::Crates(crates) => vec![chosen(crates, of)?.join(" ")],
            Of::EachCrate(crates) => chosen(crates, of)?,
            Of::Models => vec![String::new()],
        };
        let corpus = workspace.target_for("fuzz").join("corpus");
        let word = |word: &str, place: &str| match word {
            "{corpus}" => vec![corpus.join(place).to_string_lossy().into_owned()],
            word => word_for(word, place, of),
        };
        let fill =
            |place: &String| run.words.split_whitespace().flat_map(|of| word(of, place)).collect();
        Ok(places.iter().map(fill).collect())
    }

    fn execute(
        &self,
        workspace: &Workspace,
        run: &Run,
        words: &[String],
        limit: Duration,
    ) -> Result<u64> {
        if let Some(corpus) = words.iter().find(|word| word.contains("/corpus/")) {
            fs::create_dir_all(corpus)?;
        }
        let cargo = Command::new("cargo")
            .directory(&workspace.root)
            .target_dir(&workspace.target_for(self.name))
            .limit(limit);
        let settings = self.settings.iter().chain(run.settings);
        let command = settings.fold(cargo, |command, (name, value)| command.env(name, value));
        let command = command.args(words);
        let line = command.to_string();
        let did = self.unit.count(&command.check()?.text);
        ensure!(did > 0, "it ran nothing: {line}");
        Ok(did)
    }
}

impl Need {
    fn obtain(&self) -> Result<()> {
        match self {
            Self::Component(name) => needs::component(None, name),
            Self::Nightly(components) => needs::toolchain(pins::NIGHTLY, components),
            Self::Tool(package, subcommand) => needs::cargo_tool(package, subcommand),
        }
    }
}

/// What a word of a run stands for, where `place` is the chosen crates, the crate or the target.
fn word_for(word: &str, place: &str, of: Option<&str>) -> Vec<String> {
    match word {
        "{test}" if needs::has_nextest() => words("nextest run --no-fail-fast"),
        "{test}" => words("test --no-fail-fast"),
        "{nightly}" => vec![format!("+{}", pins::NIGHTLY)],
        "{host}" => vec![format!("{}-unknown-linux-gnu", env::consts::ARCH)],
        "{crates}" => {
            let names = || place.split(' ');
            let packages = names().flat_map(|name| ["-p".to_owned(), name.to_owned()]);
            let with_alloc = names().filter(|name| pins::WITH_ALLOC.contains(name));
            let features: Vec<_> = with_alloc.map(|name| format!("{name}/alloc")).collect();
            packages.chain([format!("--features={}", features.join(","))]).collect()
        }
        "{models}" => model_filter(of),
        "{target}" => vec![place.to_owned()],
        word => vec![word.to_owned()],
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The one of that name, or all.
fn chosen<S: AsRef<str>>(all: &[S], of: Option<&str>) -> Result<Vec<String>> {
    let names = all.iter().map(AsRef::as_ref);
    let chosen: Vec<_> =
        names.filter(|name| of.is_none_or(|of| of == *name)).map(str::to_owned).collect();
    if chosen.is_empty() {
        let names: Vec<_> = all.iter().map(AsRef::as_ref).collect();
        bail!("not for {}, but for one of: {}", of.unwrap_or("nothing"), names.join(", "));
    }
    Ok(chosen)
}

/// What nextest and libtest both understand.
fn model_filter(of: Option<&str>) -> Vec<String> {
    let Some(of) = of else { return Vec::new() };
    if of == "sched" {
        let others = pins::MODELS.iter().flat_map(|(_, module)| ["--skip", module]);
        return ["--"].into_iter().chain(others).map(str::to_owned).collect();
    }
    let module = pins::MODELS.iter().find(|(name, _)| *name == of).map_or(of, |m| m.1);
    vec!["--".to_owned(), module.to_owned()]
}

/// By their files.
fn fuzz_targets(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.root.join("verification/fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in folder.read_dir().with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_stem().context("a target has a name")?;
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, of: Option<&str>) -> Vec<String> {
        let checker = table::ALL.iter().find(|checker| checker.name == name).unwrap();
        let workspace = Workspace::find().unwrap();
        let commands = checker.words(&workspace, &checker.quick[0], of).unwrap();
        commands.iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn a_crate_brings_its_features() {
        let [line] = &line("asan", Some("sched"))[..] else { panic!("one command") };
        assert!(line.contains(" -p sched --features=sched/alloc --tests"), "{line}");
        let [line] = &self::line("tsan", None)[..] else { panic!("one command") };
        assert!(line.contains("-p mpsc-inbox -p steal-deque"), "{line}");
        assert!(line.contains("--features=mpsc-inbox/alloc,steal-deque/alloc"), "{line}");
    }

    #[test]
    fn crates_are_mutated_one_at_a_time() {
        let lines = line("cargo-mutants", None);
        let [first, .., _] = &lines[..] else { panic!("a command for each crate") };
        assert!(first.contains(" -p mpsc-inbox --features=mpsc-inbox/alloc "), "{first}");
    }

    #[test]
    fn what_a_checker_is_not_for_is_an_error() {
        let miri = table::ALL.iter().find(|checker| checker.name == "miri").unwrap();
        let workspace = Workspace::find().unwrap();
        let error = miri.words(&workspace, &miri.quick[0], Some("xtask")).unwrap_err();
        assert!(error.to_string().starts_with("not for xtask, but for one of: mpsc-inbox"));
    }

    #[test]
    fn the_models_of_a_crate_are_found_by_its_name() {
        assert!(model_filter(None).is_empty());
        assert_eq!(model_filter(Some("mpsc-inbox")), ["--", "inbox::"]);
        assert_eq!(model_filter(Some("sched")), ["--", "--skip", "inbox::", "--skip", "deque::"]);
        assert_eq!(model_filter(Some("push")), ["--", "push"]);
    }

    #[test]
    fn every_leaf_and_the_parser_have_a_fuzz_target() {
        let lines = line("fuzz", None);
        for target in ["deque", "inbox", "rbtree", "rtapp", "wheel"] {
            assert!(lines.iter().any(|line| line.contains(&format!(" {target} /"))), "{target}");
        }
    }

    #[test]
    fn no_word_is_left_unfilled() {
        let workspace = Workspace::find().unwrap();
        for checker in table::ALL {
            for run in checker.quick.iter().chain(checker.long) {
                for words in checker.words(&workspace, run, None).unwrap() {
                    assert!(!words.iter().any(|word| word.contains('{')), "{words:?}");
                }
            }
        }
    }
}
