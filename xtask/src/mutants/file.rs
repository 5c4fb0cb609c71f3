//! The files that describe mutants: `verification/mutants/<crate>.toml`.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::mutants::Choice;
use crate::pins;

/// One way to break the code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mutant {
    pub(super) name: String,
    /// The rule or invariant that it breaks.
    pub(super) rule: String,
    /// Path from the root of the tree.
    pub(super) file: String,
    pub(super) find: String,
    pub(super) replace: String,
    tool: Tool,
    package: String,
    test: String,
    /// Part of what the failing test prints, so that a kill is a kill by the right assertion.
    pub(super) expect: String,
    /// Not among those of `cargo xtask test`.
    #[serde(default)]
    long: bool,
}

/// The test that must notice. Ordered, so that tests of one build come together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) tool: Tool,
    pub(super) package: String,
    /// As both runners filter: a test runs when its name contains this.
    pub(super) test: String,
}

impl Target {
    /// The crate whose models hold the test, if it is a model.
    pub(super) fn models(&self) -> &'static str {
        let leaf = pins::MODELS.iter().find(|(_, module)| self.test.starts_with(module));
        leaf.map_or("sched", |(name, _)| name)
    }
}

/// What runs the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tool {
    Test,
    Loom,
    Shuttle,
    Miri,
    Sim,
    Boot,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutants {
    mutant: Vec<Mutant>,
}

impl Tool {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Loom => "loom",
            Self::Shuttle => "shuttle",
            Self::Miri => "miri",
            Self::Sim => "sim",
            Self::Boot => "boot",
        }
    }
}

impl Mutant {
    pub(super) fn tool(&self) -> Tool {
        self.tool
    }

    pub(super) fn target(&self) -> Target {
        Target { tool: self.tool, package: self.package.clone(), test: self.test.clone() }
    }

    /// The source with the replacement made. What is to be found must be there exactly once.
    pub(super) fn apply(&self, source: &str) -> Result<String> {
        let occurs = source.matches(&self.find).count();
        ensure!(occurs == 1, "`find` occurs {occurs} times in {}, not once", self.file);
        Ok(source.replacen(&self.find, &self.replace, 1))
    }

    fn check(&self) -> Result<()> {
        let fields = [
            ("name", &self.name),
            ("rule", &self.rule),
            ("find", &self.find),
            ("package", &self.package),
            ("test", &self.test),
            ("expect", &self.expect),
        ];
        for (field, value) in fields {
            ensure!(!value.trim().is_empty(), "mutant `{}`: `{field}` is empty", self.name);
        }
        ensure!(self.find != self.replace, "mutant `{}` changes nothing", self.name);
        let inside = Path::new(&self.file).components().all(|c| matches!(c, Component::Normal(_)));
        ensure!(inside, "mutant `{}`: `{}` leads out of the tree", self.name, self.file);
        Ok(())
    }
}

fn parse(text: &str) -> Result<Vec<Mutant>> {
    let Mutants { mutant: mutants } = toml::from_str(text)?;
    mutants.iter().try_for_each(Mutant::check)?;
    Ok(mutants)
}

/// The chosen mutants, of all shards: at least one.
pub(super) fn load(folder: &Path, choice: Choice<'_>) -> Result<Vec<Mutant>> {
    let Choice { of, only, long, shard: _ } = choice;
    let mut paths = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut names = HashSet::new();
    let mut chosen = Vec::new();
    for path in paths {
        let in_file = || path.display().to_string();
        for mutant in parse(&fs::read_to_string(&path)?).with_context(in_file)? {
            ensure!(names.insert(mutant.name.clone()), "two mutants named `{}`", mutant.name);
            let of_crate = of.is_none_or(|of| path.file_stem().is_some_and(|stem| stem == of));
            if of_crate && (long || !mutant.long) && only.is_none_or(|only| only == mutant.name) {
                chosen.push(mutant);
            }
        }
    }
    ensure!(!chosen.is_empty(), "no such mutant in {}", folder.display());
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::Shard;

    const ONE: &str = r#"
        [[mutant]]
        name = "push-relaxed"
        rule = "PB1"
        file = "mpsc-inbox/src/inbox.rs"
        find = "Release"
        replace = "Relaxed"
        tool = "loom"
        package = "verification"
        test = "inbox::push"
        expect = "Causality violation"
    "#;

    fn with(change: &str, to: &str) -> String {
        assert!(ONE.contains(change));
        ONE.replace(change, to)
    }

    #[test]
    fn a_mutant_is_read_field_by_field() {
        let mutants = parse(ONE).unwrap();
        let [mutant] = &mutants[..] else { panic!("{mutants:?}") };
        assert_eq!((mutant.name.as_str(), mutant.rule.as_str()), ("push-relaxed", "PB1"));
        assert_eq!(mutant.tool, Tool::Loom);
        assert_eq!(mutant.test, "inbox::push");
        assert_eq!(mutant.target().models(), "mpsc-inbox");
    }

    #[test]
    fn what_is_wrong_in_a_file_is_an_error() {
        for (text, reason) in [
            (with("rule =", "rules ="), "unknown field `rules`"),
            (with("rule = \"PB1\"", ""), "missing field `rule`"),
            (with("\"loom\"", "\"lomo\""), "unknown variant `lomo`"),
            (with("\"Causality violation\"", "\" \""), "`expect` is empty"),
            (with("\"Relaxed\"", "\"Release\""), "changes nothing"),
            (with("mpsc-inbox/src", "../elsewhere"), "leads out of the tree"),
            (with("\"mpsc-inbox/src", "\"/mpsc-inbox/src"), "leads out of the tree"),
        ] {
            let error = format!("{:#}", parse(&text).unwrap_err());
            assert!(error.contains(reason), "{reason}: {error}");
        }
    }

    #[test]
    fn the_replaced_text_occurs_exactly_once() {
        let mutant = &parse(ONE).unwrap()[0];
        assert_eq!(mutant.apply("a Release b").unwrap(), "a Relaxed b");
        let none = mutant.apply("a b").unwrap_err().to_string();
        assert!(none.contains("occurs 0 times"), "{none}");
        let twice = mutant.apply("Release, Release").unwrap_err().to_string();
        assert!(twice.contains("occurs 2 times"), "{twice}");
    }

    #[test]
    fn mutants_are_chosen_by_crate_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("one.toml"), ONE).unwrap();
        fs::write(folder.path().join("two.toml"), with("push-relaxed", "other")).unwrap();
        let load =
            |of, only| load(folder.path(), Choice { of, only, long: true, shard: Shard::WHOLE });
        assert_eq!(load(None, None).unwrap().len(), 2);
        assert_eq!(load(Some("two"), None).unwrap()[0].name, "other");
        assert_eq!(load(None, Some("other")).unwrap().len(), 1);
        assert!(load(Some("one"), Some("other")).is_err());
        fs::write(folder.path().join("three.toml"), ONE).unwrap();
        assert!(load(None, None).unwrap_err().to_string().contains("two mutants named"));
    }
}
