//! What a guide shows of the code is the code.

use crate::source::read;

/// The Rust of a guide: the file that stands above each block, and the block.
fn excerpts(guide: &str) -> Vec<(String, String)> {
    let mut excerpts = Vec::new();
    let mut parts = guide.split("\n```rust\n");
    let mut before = parts.next().unwrap_or_default();
    for part in parts {
        let (block, after) = part.split_once("\n```").expect("the end of a block");
        let heading = before.trim_end().lines().last().unwrap_or_default();
        let file = heading.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"));
        excerpts.push((file.expect("a file above the block").to_owned(), block.to_owned()));
        before = after;
    }
    excerpts
}

#[test]
fn the_guide_shows_code_that_is_there() {
    let excerpts = excerpts(&read("docs/integration.md"));
    assert!(excerpts.len() > 5, "the guide shows little");
    for (file, block) in excerpts {
        assert!(read(&file).contains(&block), "{file} has no such text:\n{block}");
    }
}

#[test]
fn an_excerpt_is_a_block_below_a_file() {
    let guide = "Text.\n\n`a/b.rs`:\n\n```rust\nfn c() {}\n```\n\n`d.rs`:\n\n```rust\n1\n2\n```\n";
    let expected = [("a/b.rs", "fn c() {}"), ("d.rs", "1\n2")];
    assert_eq!(excerpts(guide), expected.map(|(file, block)| (file.into(), block.into())));
}

#[test]
fn the_minimal_kernel_stays_minimal() {
    let lines = read("demo/kernel/minimal/main.rs").lines().count();
    assert!(lines < 150, "{lines} lines of its own");
}
