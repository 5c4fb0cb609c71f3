//! The mutants of a small crate whose tests are good, useless, misspelt and slow.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{Choice, Shard, Tally, run};
use crate::workspace::Workspace;

#[test]
fn only_a_test_that_notices_kills() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture");
    let source = fs::read(root.join("src/lib.rs")).unwrap();
    let target = tempfile::tempdir().unwrap();
    let workspace = Workspace { root: root.clone(), target: target.path().to_path_buf() };
    let verdict = |only| {
        let choice = Choice { of: None, only, long: true, shard: Shard::WHOLE };
        let result = run(&workspace, choice, Duration::from_secs(5)).and_then(Tally::verdict);
        result.map_err(|error| error.to_string())
    };

    assert_eq!(verdict(Some("good")), Ok(1));
    let all = verdict(None).unwrap_err();
    assert!(all.ends_with("; 1/8 mutants killed"), "{all}");
    for name in [
        "useless-test",
        "no-such-test",
        "other-failure",
        "no-code",
        "endless",
        "ambiguous",
        "always-said",
    ] {
        assert!(all.contains(name), "{name} counts as killed: {all}");
    }

    assert_eq!(fs::read(root.join("src/lib.rs")).unwrap(), source, "the source tree was changed");
    assert!(!root.join("target").exists() && !root.join("Cargo.lock").exists());
}
