//! Reads the tree.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of Rust, by its path from the root of the tree.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The library code of each public crate.
pub(crate) const LIBRARIES: [&str; 6] = [
    "mpsc-inbox/src",
    "steal-deque/src",
    "rbtree-aug/src",
    "timer-wheel/src",
    "sched/src",
    "sched/arch/src",
];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate has a parent").to_path_buf()
}

/// A file that must be there.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All Rust files below some folders, which must hold at least one each.
pub(crate) fn sources(folders: &[&str]) -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in folders {
        let before = sources.len();
        collect(&root().join(folder), &mut sources);
        assert!(sources.len() > before, "no Rust file in {folder}");
    }
    sources
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).expect("a path in the tree");
            let text = fs::read_to_string(&path).expect("a readable file");
            sources.push(Source { path: name.display().to_string(), text });
        }
    }
}

/// The line without its comment. A `//` within a string counts as one: good enough here.
pub(crate) fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// Applies a rule that answers numbers of lines, and names every place where it is broken.
pub(crate) fn hold(sources: &[Source], rule: &str, broken: impl Fn(&str) -> Vec<usize>) {
    let places: Vec<_> = sources
        .iter()
        .flat_map(|source| broken(&source.text).into_iter().map(|n| format!("{}:{n}", source.path)))
        .collect();
    assert!(places.is_empty(), "{rule}:\n  {}", places.join("\n  "));
}
