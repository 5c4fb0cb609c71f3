//! The checkers, as data: what each one needs, which crates it is for, and what it runs.
//!
//! In the words of a run
//! - `{test}` stands for `nextest run`, or for cargo's own `test` where nextest is not installed;
//! - `{crates}` for `-p` before each crate, with the features that its tests want;
//! - `{models}` for the models of that crate, or for those whose name has that part;
//! - `{nightly}` for the toolchain of that name, and `{host}` for this machine's target;
//! - `{target}` for each fuzz target in turn, or the one of that name, and `{corpus}` for the folder of its inputs.

use crate::pins;

/// One checker.
pub(crate) struct Checker {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(super) needs: &'static [Need],
    pub(super) of: Of,
    /// What every run sets.
    pub(super) settings: &'static [(&'static str, &'static str)],
    pub(super) quick: &'static [Run],
    pub(super) long: &'static [Run],
    /// What it counts.
    pub(super) unit: Unit,
}

/// One command of cargo, with settings of its own.
pub(super) struct Run {
    pub(super) settings: &'static [(&'static str, &'static str)],
    pub(super) words: &'static str,
}

/// What is obtained before the first run.
pub(super) enum Need {
    /// A component of the toolchain at hand.
    Component(&'static str),
    /// The nightly toolchain with these.
    Nightly(&'static [&'static str]),
    /// A tool that cargo installs: its crate, and the subcommand it brings.
    Tool(&'static str, &'static str),
}

/// What its argument names.
pub(super) enum Of {
    Crates(&'static [&'static str]),
    /// The same, with a run for each.
    EachCrate(&'static [&'static str]),
    Models,
    FuzzTargets,
}

/// What a run's output says how many of it did.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Tests,
    Inputs,
    Mutants,
}

/// Every crate whose tests run without a checker of their own. The demo's start real threads, by the clock.
const CRATES: &[&str] =
    &["mpsc-inbox", "steal-deque", "rbtree-aug", "timer-wheel", "sched-arch", "sched"];

const NIGHTLY_SOURCE: Need = Need::Nightly(&["rust-src"]);

macro_rules! runs {
    ($($words:literal $(with $name:literal = $value:expr)*),* $(,)?) => {
        &[$(Run { settings: &[$(($name, $value)),*], words: $words }),*]
    };
}

const LOOM: &str = "{test} --release --package verification --features loom --test loom-* {models}";
const SHUTTLE: &str =
    "{test} --release --package verification --features shuttle --test shuttle-* {models}";

pub(crate) const ALL: &[Checker] = &[
    Checker {
        name: "loom",
        about: "The models: every interleaving and every weak ordering within their bounds",
        needs: &[],
        of: Of::Models,
        settings: &[("RUSTFLAGS", "--cfg loom")],
        quick: &[Run {
            settings: &[("LOOM_MAX_PREEMPTIONS", pins::LOOM_MAX_PREEMPTIONS)],
            words: LOOM,
        }],
        long: &[Run {
            settings: &[("LOOM_MAX_PREEMPTIONS", pins::LOOM_MAX_PREEMPTIONS_LONG)],
            words: LOOM,
        }],
        unit: Unit::Tests,
    },
    Checker {
        name: "shuttle",
        about: "The models of long scenarios, under many random schedules",
        needs: &[],
        of: Of::Models,
        settings: &[("RUSTFLAGS", "--cfg shuttle")],
        quick: &[Run { settings: &[], words: SHUTTLE }],
        long: &[
            Run { settings: &[("VERIFICATION_SEED", "1")], words: SHUTTLE },
            Run { settings: &[("VERIFICATION_SEED", "2")], words: SHUTTLE },
            Run { settings: &[("VERIFICATION_SEED", "3")], words: SHUTTLE },
            Run { settings: &[("VERIFICATION_SEED", "4")], words: SHUTTLE },
            Run { settings: &[("VERIFICATION_SEED", "5")], words: SHUTTLE },
        ],
        unit: Unit::Tests,
    },
    Checker {
        name: "miri",
        about: "The leaves' tests under Miri, with both aliasing models and nothing suppressed",
        needs: &[Need::Nightly(&["miri", "rust-src"])],
        of: Of::Crates(&pins::LEAVES),
        settings: &[],
        quick: runs![
            "{nightly} miri {test} {crates} --tests" with "MIRIFLAGS" = pins::MIRI_FLAGS,
            "{nightly} miri {test} {crates} --tests" with "MIRIFLAGS" = pins::MIRI_TREE_BORROWS_FLAGS,
        ],
        long: runs![
            "{nightly} miri {test} {crates} --tests" with "MIRIFLAGS" = pins::MIRI_FLAGS,
            "{nightly} miri {test} {crates} --tests" with "MIRIFLAGS" = pins::MIRI_TREE_BORROWS_FLAGS,
            "{nightly} miri test --no-fail-fast {crates} --tests" with "MIRIFLAGS" = pins::MIRI_SEEDS_FLAGS,
            "{nightly} miri test --no-fail-fast {crates} --tests"
                with "MIRIFLAGS" = pins::MIRI_TREE_BORROWS_SEEDS_FLAGS,
            "{nightly} miri {test} {crates} --tests --target aarch64-unknown-linux-gnu"
                with "MIRIFLAGS" = pins::MIRI_FLAGS,
        ],
        unit: Unit::Tests,
    },
    Checker {
        name: "miri-threads",
        about: "Threads under Miri, each context a thread of its own: some of the tests, or all",
        needs: &[Need::Nightly(&["miri", "rust-src"])],
        of: Of::Crates(&["sched"]),
        settings: &[],
        quick: runs![
            "{nightly} miri test --no-fail-fast {crates} --test thread -- a_wake_of_a_preempted an_idle_cpu a_poll_on a_queued_thread"
                with "MIRIFLAGS" = pins::MIRI_FLAGS,
            "{nightly} miri test --no-fail-fast {crates} --test thread -- a_wake_of_a_preempted an_idle_cpu a_poll_on a_queued_thread"
                with "MIRIFLAGS" = pins::MIRI_TREE_BORROWS_FLAGS,
        ],
        long: runs![
            "{nightly} miri test --no-fail-fast {crates} --test thread" with "MIRIFLAGS" = pins::MIRI_FLAGS,
            "{nightly} miri test --no-fail-fast {crates} --test thread"
                with "MIRIFLAGS" = pins::MIRI_TREE_BORROWS_FLAGS,
        ],
        unit: Unit::Tests,
    },
    Checker {
        name: "asan",
        about: "The tests with AddressSanitizer: memory that is freed too early, or never",
        needs: &[],
        of: Of::Crates(CRATES),
        settings: &[("RUSTC_BOOTSTRAP", "1"), ("RUSTFLAGS", "-Zsanitizer=address")],
        quick: runs![
            "{test} {crates} --tests --target {host}",
            "{test} -p demo --test accounting --target {host}" with "ACCOUNTING_TASKS" = pins::ACCOUNTING_TASKS,
        ],
        long: runs![
            "{test} {crates} --tests --target {host}",
            "{test} -p demo --test accounting --target {host}" with "ACCOUNTING_TASKS" = pins::ACCOUNTING_TASKS_LONG,
            "{test} {crates} --tests --release --target {host}",
        ],
        unit: Unit::Tests,
    },
    Checker {
        name: "tsan",
        about: "The tests with ThreadSanitizer: data races on real threads; it sees no fences",
        needs: &[Need::Component("rust-src")],
        of: Of::Crates(CRATES),
        settings: &[("RUSTC_BOOTSTRAP", "1"), ("RUSTFLAGS", "-Zsanitizer=thread")],
        quick: runs![
            "{test} {crates} --tests -Zbuild-std --target {host}",
            "{test} -p demo --test accounting -Zbuild-std --target {host}"
                with "ACCOUNTING_TASKS" = pins::ACCOUNTING_TASKS,
        ],
        long: runs![
            "{test} {crates} --tests -Zbuild-std --target {host}",
            "{test} -p demo --test accounting -Zbuild-std --target {host}"
                with "ACCOUNTING_TASKS" = pins::ACCOUNTING_TASKS_LONG,
            "{test} {crates} --tests -Zbuild-std --release --target {host}",
        ],
        unit: Unit::Tests,
    },
    Checker {
        name: "fuzz",
        about: "The sequential structures against their models, on inputs that cover the code",
        needs: &[NIGHTLY_SOURCE, Need::Tool("cargo-fuzz", "fuzz")],
        of: Of::FuzzTargets,
        settings: &[],
        quick: runs![
            "{nightly} fuzz run --fuzz-dir verification/fuzz {target} {corpus} -- -max_total_time=15 -verbosity=0 -print_final_stats=1",
        ],
        long: runs![
            "{nightly} fuzz run --fuzz-dir verification/fuzz {target} {corpus} -- -max_total_time=600 -verbosity=0 -print_final_stats=1",
        ],
        unit: Unit::Inputs,
    },
    Checker {
        name: "careful",
        about: "The tests with a standard library that checks what its unsafe functions are given",
        needs: &[NIGHTLY_SOURCE, Need::Tool("cargo-careful", "careful")],
        of: Of::Crates(CRATES),
        settings: &[],
        quick: runs!["{nightly} careful test --no-fail-fast {crates} --tests"],
        long: runs![
            "{nightly} careful test --no-fail-fast {crates} --tests",
            "{nightly} careful test --no-fail-fast {crates} --tests --release",
        ],
        unit: Unit::Tests,
    },
    Checker {
        name: "coverage",
        about: "Which lines the tests reach; the long form writes pages",
        needs: &[Need::Component("llvm-tools"), Need::Tool("cargo-llvm-cov", "llvm-cov")],
        of: Of::Crates(CRATES),
        settings: &[],
        quick: runs!["llvm-cov {crates} --tests --no-fail-fast --summary-only"],
        long: runs!["llvm-cov {crates} --tests --no-fail-fast --html"],
        unit: Unit::Tests,
    },
    Checker {
        name: "cargo-mutants",
        about: "Code changed at random, not its orderings: assertions that assert nothing",
        needs: &[Need::Tool("cargo-mutants", "mutants")],
        of: Of::EachCrate(CRATES),
        settings: &[],
        quick: runs![
            "mutants {crates} --shard 0/20 --no-shuffle --timeout 60 --output target/cargo-mutants"
        ],
        long: runs!["mutants {crates} --timeout 60 --output target/cargo-mutants"],
        unit: Unit::Mutants,
    },
];
