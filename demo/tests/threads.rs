//! Threads on the hosted machine: beside futures, on two CPUs, and by their weights.
//!
//! `DEMO_FAIRNESS_SECONDS=5 cargo nextest run --release -p demo --test threads` is the long form.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

use demo::report::fair_shares;
use demo::rtapp::{DEFAULT_WORKLOAD, parse};
use demo::run::{Outcome, Plan, run};
use demo::workload::Name;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

fn outcome(name: Name, cpus: u32, seconds: f64) -> Outcome {
    let workload = parse(DEFAULT_WORKLOAD, "default.json").expect("it is good").workload;
    let duration = Duration::from_secs_f64(seconds);
    let plan = Plan { cpus, duration, name, workload, seed: 7 };
    let outcome = run(plan, &AtomicBool::new(false)).expect("there are threads enough");
    assert!(outcome.verdict.ok, "{:?}", outcome.verdict.faults);
    outcome
}

#[test]
fn threads_and_futures_share_every_cpu_and_the_books_add_up() {
    for cpus in [1, 2, 4] {
        let outcome = outcome(Name::Threads, cpus, 0.7);
        for (cpu, stats) in outcome.cpus.iter().enumerate() {
            assert!(stats.thread_runs > 10, "cpu{cpu} of {cpus}: {stats:?}");
            assert!(stats.polls > 10, "cpu{cpu} of {cpus}: {stats:?}");
        }
        let whats: Vec<_> = outcome.latencies.iter().map(|latency| latency.what).collect();
        assert_eq!(whats, ["deadline to real-time thread", "question to answer"]);
    }
}

/// The scheduler's own count, which does not mind what the operating system does meanwhile.
#[test]
fn greedy_threads_have_the_time_that_is_due_to_them() {
    let outcome = outcome(Name::Fairness, 1, 1.5);
    assert!(outcome.shares.iter().all(|share| share.work > 0), "{:?}", outcome.shares);
    let threads: Vec<_> = outcome.shares.iter().filter(|share| share.run_ns > 0).collect();
    assert_eq!(threads.len(), 3);
    let ran_ns: u64 = threads.iter().map(|share| share.run_ns).sum();
    let weights: u32 = threads.iter().map(|share| share.weight).sum();
    for share in threads {
        let had = share.run_ns as f64 / ran_ns as f64;
        let due = f64::from(share.weight) / f64::from(weights);
        // A slice is 3 ms: the least weighty one has some thirty of them.
        assert!((had / due - 1.0).abs() < 0.1, "{share:?}: {had} of {due}");
    }
}

/// By the work that they count themselves, which is worth something only on a machine that does nothing else: the long form.
#[test]
fn greedy_threads_and_futures_do_the_work_that_is_due_to_them() {
    let Ok(seconds) = std::env::var("DEMO_FAIRNESS_SECONDS") else { return };
    let seconds = seconds.parse().expect("seconds");
    let off = |_| {
        let outcome = outcome(Name::Fairness, 1, seconds);
        let shares = fair_shares(&outcome.shares);
        shares.iter().map(|share| (share.had / share.due - 1.0).abs()).fold(0.0, f64::max)
    };
    let best = (0..3).map(off).fold(f64::MAX, f64::min);
    println!("the best of three is {best:.4} off");
    assert!(best < 0.03, "the best of three is {best} off");
}
