//! The package outside of the workspace builds as it stands, and finds what it should.

use std::process::Command;

#[test]
fn a_machine_a_load_and_a_scheduler_of_ones_own() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/example");
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--manifest-path"])
        .arg(format!("{folder}/Cargo.toml"))
        .arg("--target-dir")
        .arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/example"))
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&run.stdout);
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(text.contains("sched on a mailbox machine: 100 seeds, no violation"), "{text}{errors}");
    assert!(text.contains("a round-robin class: 100 seeds, no violation"), "{text}{errors}");
    assert!(
        text.contains("a round-robin class that forgets a thread: seed 0: the books"),
        "{text}{errors}"
    );
}
