//! Every version, target and bound that the chores depend on. Nothing of the kind stands elsewhere.

use std::time::Duration;

/// The crates that depend on nothing, each usable alone.
pub(crate) const LEAVES: [&str; 4] = ["mpsc-inbox", "steal-deque", "rbtree-aug", "timer-wheel"];

/// The crates of the façade.
pub(crate) const FACADE: [&str; 2] = ["sched-arch", "sched"];

/// The library that runs the façade in virtual time, on a host.
pub(crate) const SIMULATOR: &str = "sched-sim";

/// The crates with a feature that brings code.
pub(crate) const WITH_FEATURES: [&str; 6] =
    ["mpsc-inbox", "steal-deque", "rbtree-aug", "timer-wheel", "sched-arch", "sched"];

/// The crates with a feature `alloc`.
pub(crate) const WITH_ALLOC: [&str; 5] =
    ["mpsc-inbox", "steal-deque", "rbtree-aug", "timer-wheel", "sched"];

/// The features that bring code, and the crates that have them.
pub(crate) const FEATURES: [(&[&str], &str); 4] = [
    (&WITH_ALLOC, "alloc"),
    (&["sched"], "registry"),
    (&["sched"], "threads"),
    (&["sched-arch"], "hardware"),
];

/// The crates that use atomics, through `src/sync.rs`.
pub(crate) const WITH_ATOMICS: [&str; 3] = ["mpsc-inbox", "steal-deque", "sched"];

/// The leaves that build where there is no compare-and-swap.
pub(crate) const WITH_PORTABLE_ATOMICS: [&str; 2] = ["mpsc-inbox", "steal-deque"];

/// The module of each leaf's models; all other models are those of `sched`.
pub(crate) const MODELS: [(&str, &str); 2] =
    [("mpsc-inbox", "inbox::"), ("steal-deque", "deque::")];

/// Tasks of the demo's accounting under a sanitizer.
pub(crate) const ACCOUNTING_TASKS: &str = "4000";
pub(crate) const ACCOUNTING_TASKS_LONG: &str = "100000";

/// The oldest compiler that builds the leaves (`rust-version` in their manifests).
pub(crate) const LEAF_MSRV: &str = "1.85.0";

/// The oldest compiler that builds the façade: naked functions.
pub(crate) const FACADE_MSRV: &str = "1.88.0";

/// The toolchain with Miri. Any nightly will do: one that is installed is left as it is.
pub(crate) const NIGHTLY: &str = "nightly";

/// The machines without an operating system that everything must build for.
pub(crate) const BARE_METAL: [&str; 2] = ["x86_64-unknown-none", "aarch64-unknown-none"];

/// A machine without compare-and-swap, and the feature that brings one.
pub(crate) const WITHOUT_CAS: &str = "thumbv6m-none-eabi";
pub(crate) const CAS: &str = "portable-atomic/critical-section";

/// The compiler from Debian, for where rustup cannot download.
pub(crate) const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

/// The linker among `DEBIAN_PACKAGES`.
pub(crate) const DEBIAN_LINKER: &str = "ld.lld-22";

/// 64-bit Arm on this machine: how programs for it are linked, and run.
pub(crate) const ARM_TARGET: &str = "aarch64-unknown-linux-gnu";
pub(crate) const ARM_TOOLS: [&str; 2] = ["aarch64-linux-gnu-gcc", "qemu-aarch64"];
pub(crate) const ARM_PACKAGES: [&str; 3] =
    ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user"];
pub(crate) const ARM_LIBRARIES: &str = "/usr/aarch64-linux-gnu";

/// How long a boot may take, and one with the long forms.
pub(crate) const BOOT_LIMIT: Duration = Duration::from_secs(150);
pub(crate) const BOOT_LIMIT_LONG: Duration = Duration::from_secs(60 * 60);

/// How often loom may preempt in one execution: with three, all known bugs of the kind are found.
pub(crate) const LOOM_MAX_PREEMPTIONS: &str = "3";

/// The same, where it may take long.
pub(crate) const LOOM_MAX_PREEMPTIONS_LONG: &str = "5";

/// What Miri checks beyond its defaults.
pub(crate) const MIRI_FLAGS: &str = "-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check";

/// The same, under the other aliasing model.
pub(crate) const MIRI_TREE_BORROWS_FLAGS: &str =
    "-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check -Zmiri-tree-borrows";

/// Each of them, with many schedules and choices of what may be seen.
pub(crate) const MIRI_SEEDS_FLAGS: &str =
    "-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check -Zmiri-many-seeds=0..64";
pub(crate) const MIRI_TREE_BORROWS_SEEDS_FLAGS: &str = "-Zmiri-strict-provenance \
    -Zmiri-symbolic-alignment-check -Zmiri-tree-borrows -Zmiri-many-seeds=0..64";

/// How often a download is tried.
pub(crate) const DOWNLOAD_TRIES: u32 = 3;

/// Between two tries.
pub(crate) const DOWNLOAD_PAUSE: Duration = Duration::from_secs(2);

/// No command of a step may run longer: a hung test must not hide the steps after it.
pub(crate) const COMMAND_LIMIT: Duration = Duration::from_secs(15 * 60);

/// No command of a checker's long form may run longer.
pub(crate) const CHECKER_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);

/// How long one test may run on a mutant.
pub(crate) const MUTANT_LIMIT_SECONDS: u64 = 120;

/// The test command runs one of so many parts of the curated mutants, by turns.
pub(crate) const MUTANT_SHARDS: usize = 8;

/// From the polite signal to the last one. nextest gives its tests 10 s.
pub(crate) const KILL_GRACE: Duration = Duration::from_secs(12);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    /// The manifests say what users get, the pins what is checked: they must agree.
    #[test]
    fn msrv_pins_match_the_manifests() {
        let root = Workspace::find().unwrap().root;
        let leaves = LEAVES.map(|name| (name, LEAF_MSRV));
        let facade = ["sched/arch", "sched", "verification/sim"].map(|name| (name, FACADE_MSRV));
        for (folder, pin) in leaves.into_iter().chain(facade) {
            let text = std::fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
            let manifest: toml::Table = text.parse().unwrap();
            let version = manifest["package"]["rust-version"].as_str().unwrap();
            assert_eq!(format!("{version}.0"), pin, "{folder}");
        }
    }
}
