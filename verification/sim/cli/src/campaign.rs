//! All seeds, on all cores.

use crate::options::Options;
use crate::results::{Broken, Results};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// After so many violations a campaign ends: one of them is to be mended first.
const MOST_VIOLATIONS: usize = 20;

/// Runs the seeds of this shard.
pub(crate) fn run(options: &Options) -> Results {
    let begun = Instant::now();
    let seeds = Mutex::new(options.my_seeds());
    let total = options.my_seeds().count() as u64;
    let bar = ProgressBar::new(total);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {eta} left {msg}");
    bar.set_style(style.expect("a template"));
    let results = Mutex::new(Results::default());
    let jobs =
        options.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let work = || {
        loop {
            let next = seeds.lock().expect("no panic").next();
            let Some(seed) = next else { break };
            let plan = options.plan(seed);
            let outcome = options.load.run(&plan);
            let mut results = results.lock().expect("no panic");
            results.add(seed, &outcome);
            if let Some(violation) = outcome.violation {
                results.violations.push(Broken::new(&plan, options.load, &violation));
                bar.set_message(format!("{} violations", results.violations.len()));
            }
            bar.inc(1);
            if results.violations.len() >= MOST_VIOLATIONS {
                break;
            }
        }
    };
    thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(work))));
    bar.finish_and_clear();
    let mut results = results.into_inner().expect("no panic");
    results.violations.sort_by_key(|broken| broken.seed);
    results.seconds = begun.elapsed().as_secs_f64();
    results
}
