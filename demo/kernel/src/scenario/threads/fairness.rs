//! Threads that never yield share each CPU by their weights.

use super::super::runner::{Found, cpus, ensure, ensure_in_time};
use super::{Work, thread};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use sched::class::Nice;
use sched::thread::Policy;

const NICES: [i8; 3] = [-5, 0, 5];
const TIME_NS: u64 = 300_000_000;

pub(in super::super) async fn run(options: Options) -> Found {
    let mut said = Vec::new();
    for cpu in cpus(options) {
        let before = SCHEDULER.totals().preempted;
        let works = NICES.map(|_| Arc::new(Work::default()));
        let threads: Vec<_> = NICES
            .iter()
            .zip(&works)
            .map(|(nice, work)| {
                let work = work.clone();
                thread("spinner", cpu, Policy::fair(Nice::new(*nice)), move || work.work())
            })
            .collect();
        SCHEDULER.sleep_ns(TIME_NS * if options.long { 10 } else { 1 }).await;
        for work in &works {
            work.over.store(true, Ordering::Relaxed);
        }
        let mut ran_ns = Vec::new();
        for mut thread in threads {
            let Some(counted) = thread.thread() else { return Err("it is no thread".into()) };
            (&mut thread).await.map_err(|error| format!("{error:?}"))?;
            ran_ns.push(counted.stats().run_ns);
        }
        let done = works.map(|work| work.done.load(Ordering::Relaxed));
        let preempted = SCHEDULER.totals().preempted - before;
        ensure!(preempted >= 10, "{preempted} preemptions on {cpu}");
        ensure!(done[0] > done[1] && done[1] > done[2] && done[2] > 0, "shares of {cpu}: {done:?}");
        let all: u64 = ran_ns.iter().sum();
        let weight = |nice: i8| u64::from(Nice::new(nice).weight());
        let weights: u64 = NICES.iter().map(|nice| weight(*nice)).sum();
        for (ran_ns, nice) in ran_ns.iter().zip(NICES) {
            // In thousandths of what is due.
            let share = ran_ns * weights / (all / 1_000 * weight(nice)).max(1);
            ensure_in_time!(
                options,
                (900..=1_100).contains(&share),
                "nice {nice} of {cpu} had {share} thousandths of its share"
            );
            if cpu.index() == 0 {
                said.push(share);
            }
        }
    }
    Ok(format!("thousandths of what is due to nice -5, 0, 5 on the first CPU: {said:?}"))
}
