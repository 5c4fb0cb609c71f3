//! CPU-bound threads that never yield share their CPU by weight, preempted by its timer: equal ones alike, nice ones as the table
//! has it. On each CPU.

use super::hog::{Had, share, times};
use super::runner::{Fault, Found, cpus, ensure, ensure_in_time};
use crate::options::Options;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use sched::CpuId;
use sched::class::Nice;

const WINDOW_NS: u64 = 300_000_000;

/// How far from its part of the whole a thread's CPU time may be, and the work that it counted itself, in thousandths of the whole: a
/// slice in a window of a hundred. Where the host's other doings disturb, more.
const EXACT_PER_MILLE: u64 = 10;
const TIME_PER_MILLE: u64 = 60;
const WORK_PER_MILLE: u64 = 150;

/// Three that are equal.
pub(super) async fn equal(options: Options) -> Found {
    all_cpus(options, &[0, 0, 0]).await
}

/// One that is favoured, one that is not, one that is nice.
pub(super) async fn nice(options: Options) -> Found {
    all_cpus(options, &[-5, 0, 5]).await
}

async fn all_cpus(options: Options, nices: &[i8]) -> Found {
    let mut said = String::new();
    for cpu in cpus(options) {
        let had = share(cpu, nices, WINDOW_NS * times(options)).await?;
        said = check(options, cpu, nices, &had)?;
    }
    Ok(said)
}

fn check(options: Options, cpu: CpuId, nices: &[i8], had: &[Had]) -> Result<String, Fault> {
    let per_mille = |numbers: Vec<u64>| -> Vec<u64> {
        let sum = numbers.iter().sum::<u64>().max(1);
        numbers.iter().map(|number| number * 1_000 / sum).collect()
    };
    let due = per_mille(nices.iter().map(|&nice| Nice::new(nice).weight().into()).collect());
    let time = per_mille(had.iter().map(|had| had.stats.run_ns).collect());
    let work = per_mille(had.iter().map(|had| had.turns).collect());
    for had in had {
        ensure!(had.turns > 0, "a thread had no turn on {cpu}");
        // It never yields; so often it was made to.
        // Where CPUs share the host's, a tick may last as long as a turn of the least weighty one.
        let preempted = had.stats.preempted;
        ensure_in_time!(options, preempted > 2, "preempted {preempted} times on {cpu}");
        ensure!(had.stats.migrations == 0, "a pinned thread moved from {cpu}");
    }
    let is_near = |shares: &[u64], limit| {
        shares.iter().zip(&due).all(|(share, due)| share.abs_diff(*due) <= limit)
    };
    let (for_time, for_work) = if options.exact {
        (EXACT_PER_MILLE, EXACT_PER_MILLE)
    } else {
        (TIME_PER_MILLE, WORK_PER_MILLE)
    };
    ensure_in_time!(options, is_near(&time, for_time), "{cpu}: {time:?} ‰ for {due:?} ‰");
    ensure_in_time!(options, is_near(&work, for_work), "{cpu}: work {work:?} for {due:?} ‰");
    let preempted: u64 = had.iter().map(|had| had.stats.preempted).sum();
    ensure!(preempted > 2, "preempted {preempted} times on {cpu}, all together");
    Ok(format!("time {time:?} ‰, work {work:?} ‰, for {due:?} ‰; preempted {preempted} times"))
}
