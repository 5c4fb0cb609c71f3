//! What every public crate brings, and the file that three of them share.

use crate::source::{read, root};

/// The folders of all members of the workspace.
fn members() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let (_, list) = manifest.split_once("\nmembers = [").expect("a list of members");
    let (list, _) = list.split_once(']').expect("the end of the list");
    list.split(',')
        .map(|entry| entry.trim().trim_matches('"').to_owned())
        .filter(|entry| !entry.is_empty())
        .collect()
}

/// What is missing from the manifest of a public crate.
fn missing_metadata(manifest: &str) -> Vec<&'static str> {
    ["description", "license", "rust-version", "readme", "keywords", "categories"]
        .into_iter()
        .filter(|key| {
            !manifest.lines().any(|line| {
                line.strip_prefix(key).is_some_and(|rest| {
                    rest.starts_with(" = ") || rest.starts_with(".workspace = true")
                })
            })
        })
        .collect()
}

#[test]
fn public_crates_are_complete() {
    let members = members();
    let public: Vec<_> = members
        .iter()
        .filter(|folder| !read(&format!("{folder}/Cargo.toml")).contains("publish = false"))
        .collect();
    assert!(public.len() >= 6, "{public:?}");
    for folder in public {
        let missing = missing_metadata(&read(&format!("{folder}/Cargo.toml")));
        assert!(missing.is_empty(), "{folder}: the manifest lacks {missing:?}");
        for file in ["README.md", "CHANGELOG.md"] {
            let text = read(&format!("{folder}/{file}"));
            assert!(text.lines().count() > 3, "{folder}/{file} says nothing");
        }
        assert!(
            read(&format!("{folder}/CHANGELOG.md")).contains("## [Unreleased]"),
            "{folder}/CHANGELOG.md has no place for what comes next"
        );
    }
}

#[test]
fn a_manifest_without_metadata_is_noticed() {
    let manifest = "license.workspace = true\nreadme = \"README.md\"\nrust-versions = 1\n";
    assert_eq!(
        missing_metadata(manifest),
        ["description", "rust-version", "keywords", "categories"]
    );
}

#[test]
fn both_licences_are_there() {
    assert!(read("LICENSE-MIT").contains("Permission is hereby granted"));
    assert!(read("LICENSE-APACHE").contains("Version 2.0, January 2004"));
}

/// The crates that swap their atomics for the models each carry the same door to them.
#[test]
fn copies_of_sync_are_identical() {
    let first = read("mpsc-inbox/src/sync.rs");
    for other in ["steal-deque/src/sync.rs", "sched/src/sync.rs"] {
        assert!(read(other) == first, "{other} differs from mpsc-inbox/src/sync.rs");
    }
}

/// Nobody may depend on what only verifies, measures or shows.
#[test]
fn public_crates_depend_on_public_crates_alone() {
    for folder in members() {
        let manifest = read(&format!("{folder}/Cargo.toml"));
        if manifest.contains("publish = false") {
            continue;
        }
        for tool in ["verification", "benches", "demo", "xtask"] {
            let depends = manifest.lines().any(|line| {
                line.strip_prefix(tool).is_some_and(|rest| rest.starts_with([' ', '.']))
            });
            assert!(!depends, "{folder} depends on {tool}");
        }
    }
    assert!(root().join("xtask").is_dir(), "the names above are out of date");
}
