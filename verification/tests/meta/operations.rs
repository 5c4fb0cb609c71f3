//! Every public operation stands in the table of `verification/README.md`, beside a file that calls it.

use crate::source::{code, read, sources};
use std::collections::BTreeSet;

/// The crates, and where their code is.
const CRATES: [(&str, &str); 6] = [
    ("mpsc-inbox", "mpsc-inbox/src"),
    ("steal-deque", "steal-deque/src"),
    ("rbtree-aug", "rbtree-aug/src"),
    ("timer-wheel", "timer-wheel/src"),
    ("sched", "sched/src"),
    ("sched-arch", "sched/arch/src"),
];

/// The names of the public functions of a file; what comes behind `#[cfg(test)]` does not count.
fn public_functions(text: &str) -> BTreeSet<String> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]") && !line.starts_with("#[cfg(all(test"))
        .filter_map(|line| {
            let rest = code(line).trim_start().strip_prefix("pub ")?;
            let rest = rest.strip_prefix("const ").unwrap_or(rest);
            let rest = rest.strip_prefix("unsafe ").unwrap_or(rest).strip_prefix("fn ")?;
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            Some(rest[..end].to_owned())
        })
        .collect()
}

/// Whether the text calls a function or method of that name.
fn calls(text: &str, name: &str) -> bool {
    [".", "::"].iter().any(|before| {
        let call = format!("{before}{name}");
        text.match_indices(&call).any(|(at, _)| {
            let behind = &text[at + call.len()..];
            behind.starts_with('(') || behind.starts_with("::<")
        })
    })
}

/// What stands in backticks.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The rows of the table: crate, operations, files.
fn rows(readme: &str) -> Vec<[BTreeSet<String>; 3]> {
    let (_, section) = readme.split_once("\n## Every public operation\n").expect("the section");
    let section = section.split("\n## ").next().unwrap_or(section);
    let cells = |line: &str| -> Option<[BTreeSet<String>; 3]> {
        let mut cells = line.strip_prefix("| `")?.split(" | ").map(str::to_owned);
        let first = format!("`{}", cells.next()?);
        Some([quoted(&first), quoted(&cells.next()?), quoted(&cells.next()?)])
    };
    section.lines().filter_map(cells).collect()
}

#[test]
fn every_public_operation_has_a_row_with_a_file_that_calls_it() {
    let rows = rows(&read("verification/README.md"));
    for (name, folder) in CRATES {
        let library = sources(&[folder]);
        let library = library.iter().filter(|source| {
            !source.path.ends_with("/tests.rs") && !source.path.ends_with("/sync.rs")
        });
        let public: BTreeSet<_> =
            library.flat_map(|source| public_functions(&source.text)).collect();
        let mine = rows.iter().filter(|[of, ..]| of.contains(name));
        let listed: BTreeSet<_> = mine.clone().flat_map(|[_, names, _]| names.clone()).collect();
        let missing: Vec<_> = public.difference(&listed).collect();
        assert!(missing.is_empty(), "{name}: no row for {missing:?}");
        let gone: Vec<_> = listed.difference(&public).collect();
        assert!(gone.is_empty(), "{name}: rows for what is not there: {gone:?}");
        for [_, names, files] in mine {
            let texts: Vec<_> = files.iter().map(|file| read(file)).collect();
            for operation in names {
                let called = texts.iter().any(|text| calls(text, operation));
                assert!(called, "{name}: `{operation}` is not called in {files:?}");
            }
        }
    }
}

#[test]
fn functions_and_calls_are_told_from_what_looks_like_them() {
    let text = "    pub const unsafe fn one(&self) {}\n    pub(crate) fn two() {}\n    // pub fn three()\n    \
        pub fn four<T>() {}\n#[cfg(test)]\npub fn five() {}\n";
    assert_eq!(public_functions(text).into_iter().collect::<Vec<_>>(), ["four", "one"]);
    assert!(calls("x.one()", "one") && calls("X::one::<u8>()", "one"));
    assert!(!calls("x.one_more()", "one") && !calls("one()", "one") && !calls("x.one", "one"));
    let readme = "\n## Every public operation\n\n| `a` | `b` `c` | `d/e.rs` |\n\n## Next\n| `x` | `y` | `z` |\n";
    assert_eq!(rows(readme).len(), 1);
    assert!(rows(readme)[0][1].contains("c"));
}
