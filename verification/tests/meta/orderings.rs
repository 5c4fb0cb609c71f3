//! Every memory ordering in library code says why it is what it is.

use crate::source::{Source, code, hold, sources};

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// How many lines of code may stand between the comment and the ordering: a `compare_exchange`
/// with one argument per line.
const REACH: usize = 6;

/// Whether the line passes an ordering to something. Imports name orderings too, and use none.
fn uses_ordering(line: &str) -> bool {
    let code = code(line);
    !code.trim_start().starts_with("use ")
        && !code.trim_start().starts_with("pub use ")
        && !code.trim_start().starts_with("pub(crate) use ")
        && code
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| ORDERINGS.contains(&word))
}

/// Lines with an ordering and no comment with `Ordering: ` on them or shortly above.
/// Lines that are only comment do not count as distance. Tests at the end of a file may be plain.
fn unexplained(text: &str) -> Vec<usize> {
    let library = text.split("\nmod tests {").next().unwrap_or(text);
    let lines: Vec<_> = library.lines().collect();
    let explained = |at: usize| {
        let mut reach = REACH;
        for line in lines[..=at].iter().rev() {
            if line.split_once("//").is_some_and(|(_, comment)| comment.contains("Ordering: ")) {
                return true;
            }
            if !code(line).trim().is_empty() {
                if reach == 0 {
                    return false;
                }
                reach -= 1;
            }
        }
        false
    };
    (0..lines.len())
        .filter(|&at| uses_ordering(lines[at]) && !explained(at))
        .map(|at| at + 1)
        .collect()
}

fn library_code() -> Vec<Source> {
    let mut sources = sources(&["mpsc-inbox/src", "steal-deque/src", "sched/src"]);
    sources.retain(|source| !source.path.ends_with("/sync.rs"));
    sources
}

#[test]
fn every_ordering_is_explained() {
    hold(&library_code(), "no `// Ordering:` comment near", unexplained);
}

#[test]
fn the_libraries_do_use_orderings() {
    let used =
        library_code().iter().flat_map(|s| s.text.lines()).filter(|l| uses_ordering(l)).count();
    assert!(used > 10, "{used} uses of orderings found: does the rule still see them?");
}

#[test]
fn an_unexplained_ordering_is_noticed() {
    let bad = "use core::sync::atomic::Ordering::Relaxed;\n\nfn f() {\n    a.load(Relaxed);\n}\n";
    assert_eq!(unexplained(bad), [4]);
    let good =
        "// Ordering: Relaxed: only the owner writes,\n// nobody else reads.\n\na.load(Relaxed);";
    assert_eq!(unexplained(good), []);
    let beside = "a.store(1, Ordering::Release); // Ordering: pairs with the load in `take`.";
    assert_eq!(unexplained(beside), []);
    let dead = "// a.store(1, Ordering::Release);\na.store(1, Ordering::Release);";
    assert_eq!(unexplained(dead), [2]);
    let split = "// Ordering: as above.\na\n.compare_exchange(\nold,\nnew,\nAcqRel,\nRelaxed,\n)";
    assert_eq!(unexplained(split), []);
    let far =
        format!("// Ordering: of another line.\n{}a.load(SeqCst);", "x();\n".repeat(REACH + 1));
    assert_eq!(unexplained(&far), [REACH + 3]);
    assert_eq!(unexplained("/// Acquire: in prose.\nlet Released = Acquired;"), []);
    assert_eq!(unexplained("fn f() {}\n#[cfg(test)]\nmod tests {\n    a.load(Relaxed);\n}"), []);
}
