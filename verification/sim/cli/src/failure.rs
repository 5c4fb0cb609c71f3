//! What a person needs of a run that failed: a small one, the command for it, and pictures of it.

use crate::options::{Options, replay};
use crate::results::Broken;
use anyhow::{Context, Result};
use demo::timeline::Timeline;
use sched_sim::{Outcome, Plan, shrink};
use std::fs;

/// Shrinks the run, and writes its timeline.
pub(crate) fn explain(broken: &Broken, options: &Options) -> Result<()> {
    let plan = Plan { cpus: broken.cpus, ..options.plan(broken.seed) };
    let run = |plan: &Plan| options.load.run(plan).violation;
    let violation = run(&plan).context("it fails no more: chance came from outside of the seed")?;
    println!("replay:  {}", replay(&plan, options.load));
    let mut small = plan;
    if !options.no_shrink {
        let shrunk = shrink(&small, &violation, run);
        println!("shrunk:  {}  ({} runs tried)", shrunk.violation, shrunk.runs);
        println!("replay:  {}", replay(&shrunk.plan, options.load));
        small = shrunk.plan;
    }
    write_timeline(&small, options)
}

/// Runs once more, and writes the files.
pub(crate) fn write_timeline(plan: &Plan, options: &Options) -> Result<()> {
    let outcome = options.load.run(&Plan { keep_records: true, ..plan.clone() });
    let folder = options.out.join(format!("seed-{}", plan.seed));
    let words =
        outcome.violation.as_ref().map_or_else(|| "no violation".to_owned(), ToString::to_string);
    let title = format!("seed {}, {} CPUs: {words}", plan.seed, plan.cpus);
    let timeline = timeline(plan.cpus, outcome);
    for file in timeline.write_to(&folder, &title)? {
        println!("written: {}", file.display());
    }
    let report = folder.join("violation.txt");
    fs::write(&report, format!("{words}\n{}\n", replay(plan, options.load)))?;
    println!("written: {}", report.display());
    Ok(())
}

/// As the demo's pages and Perfetto's files want it.
fn timeline(cpus: u32, outcome: Outcome) -> Timeline {
    let mut records: Vec<_> = outcome.history.records.into();
    // CPUs are told of in the order in which they ran, which is that of their times but for a step.
    records.sort_by_key(|record| record.time_ns);
    Timeline {
        cpus,
        start_ns: records.first().map_or(0, |record| record.time_ns),
        records,
        names: outcome.history.names,
        lost: outcome.history.lost,
        counts: outcome.measures.events,
    }
}
