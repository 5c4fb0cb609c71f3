//! Many seeds with all faults: what every change must pass, and what the mutants with `tool = "sim"` must fail.

use sched_sim::{Fault, Faults, Outcome, Plan, run_steady, run_threads, run_traffic};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;

/// Seeds of a campaign: fewer where assertions are on, which slow it down. `SIM_SEEDS=<number>` runs others.
fn seeds() -> u64 {
    let ordinary = if cfg!(debug_assertions) { 160 } else { 1_000 };
    std::env::var("SIM_SEEDS")
        .map_or(ordinary, |seeds| seeds.parse().expect("SIM_SEEDS is a number"))
}

/// Runs plans on all cores until one fails, and tells how soon.
fn campaign(seeds: u64, run: fn(&Plan) -> Outcome, plan: impl Fn(u64) -> Plan + Sync) {
    let (next, first, steps) = (AtomicU64::new(0), AtomicU64::new(u64::MAX), AtomicU64::new(0));
    let work = || {
        loop {
            let seed = next.fetch_add(1, SeqCst);
            if seed >= seeds.min(first.load(SeqCst)) {
                return;
            }
            let Outcome { violation, steps: took, .. } = run(&plan(seed));
            steps.fetch_add(took, SeqCst);
            if let Some(violation) = violation {
                println!("seed {seed}: {violation}");
                first.fetch_min(seed, SeqCst);
            }
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (0..cores).for_each(|_| drop(scope.spawn(work)));
    });
    let (first, steps) = (first.into_inner(), steps.into_inner());
    assert_eq!(
        first,
        u64::MAX,
        "an invariant is broken: found by seed {first}, after {steps} steps"
    );
}

fn plan(seed: u64, cpus: u32, faults: Faults) -> Plan {
    Plan { seed, cpus, steps: 10_000, faults, keep_records: false, measure: false }
}

/// Every other seed without faults but storms, which are load: what faults hide shows there.
#[test]
fn few_cpus() {
    campaign(seeds(), run_traffic, |seed| {
        let faults = if seed % 2 == 0 { Faults::ALL } else { Faults::NONE.with(Fault::Storm) };
        plan(seed, 1 + (seed / 2 % 6) as u32, faults)
    });
}

#[test]
fn many_cpus() {
    campaign(seeds() / 4, run_traffic, |seed| {
        let faults = if seed % 2 == 0 { Faults::ALL } else { Faults::NONE.with(Fault::Storm) };
        plan(seed, 7 + (seed * 13 % 58) as u32, faults)
    });
}

/// Threads among futures, with half of the faults in half of the runs.
#[test]
fn threads_among_futures() {
    campaign(seeds(), run_threads, |seed| {
        let faults = if seed % 2 == 0 { Faults::ALL } else { Faults::NONE.with(Fault::Storm) };
        plan(seed, 1 + (seed / 2 % 6) as u32, faults)
    });
}

/// Fair threads that only compute: what each is owed stays within the bounds of EEVDF.
#[test]
fn steady_threads() {
    campaign(seeds(), run_steady, |seed| Plan {
        steps: 3_000,
        measure: true,
        ..plan(seed, 1 + (seed % 4) as u32, Faults::NONE)
    });
}

#[test]
fn a_seed_of_threads_is_one_run() {
    for (seed, faults) in [(1, Faults::ALL), (2, Faults::NONE), (3, Faults::ALL)] {
        let plan = plan(seed, 3, faults);
        let [first, second] = [(); 2].map(|()| run_threads(&plan));
        assert_eq!(first.history.digest, second.history.digest);
        assert_eq!(first.violation, second.violation);
    }
}
