//! What a kernel author puts into the simulator: a machine, a load, and a scheduler with a class of its own.
//!
//! `cargo run` runs a hundred seeds of each.

mod class;
mod machine;

use sched_sim::{Faults, Outcome, Plan};

fn plan(seed: u64) -> Plan {
    let cpus = 1 + (seed % 8) as u32;
    Plan { seed, cpus, steps: 3_000, faults: Faults::ALL, keep_records: false, measure: false }
}

/// The first seed that fails, if any.
fn campaign(what: &str, run: impl Fn(&Plan) -> Outcome + Sync + Send) {
    let failed = (0..100).find_map(|seed| {
        let outcome = sched_sim::on_a_large_stack(|| run(&plan(seed)));
        Some((seed, outcome.violation?))
    });
    match failed {
        Some((seed, violation)) => println!("{what}: seed {seed}: {violation}"),
        None => println!("{what}: 100 seeds, no violation"),
    }
}

fn main() {
    campaign("sched on a mailbox machine", machine::run);
    campaign("a round-robin class", class::run);
    campaign("a round-robin class that forgets a thread", class::run_forgetful);
}
