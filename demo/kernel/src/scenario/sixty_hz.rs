//! A task of 60 Hz on each CPU in turn, woken from another, misses no period while a storm of tasks comes and goes.

use super::runner::{Fault, Found, cpus, ensure, ensure_in_time, here, median, now_ns, pinned};
use crate::SCHEDULER;
use crate::bell::Bell;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use sched::{Tier, yield_now};

const PERIOD_NS: u64 = 1_000_000_000 / 60;
const PERIODS: u64 = 12;

pub(super) async fn run(options: Options) -> Found {
    let over = Arc::new(AtomicBool::new(false));
    let storms: Vec<_> = cpus(options).map(|cpu| storm(cpu, over.clone())).collect();
    let mut all = Vec::new();
    for cpu in cpus(options) {
        all.push(one_cpu(options, cpu).await);
    }
    // Whatever was found: nothing of it is to be left for the next.
    over.store(true, Ordering::Relaxed);
    let mut born = 0;
    for storm in storms {
        born += storm.await.map_err(|error| format!("{error:?}"))?;
    }
    let mut late = Vec::new();
    for of_one in all {
        late.extend(of_one?);
    }
    ensure!(born > 0, "there was no storm");
    let (middle, worst) = (median(&mut late), late.last().copied().unwrap_or(0));
    ensure_in_time!(options, middle < PERIOD_NS, "half of the periods were seen {middle} ns late");
    Ok(format!(
        "{} periods beside {born} short tasks, seen after {} µs, {} µs at the most",
        late.len(),
        middle / 1_000,
        worst / 1_000
    ))
}

/// Tasks that end at once, spawned for as long as it is not over; answers how many.
fn storm(cpu: sched::CpuId, over: Arc<AtomicBool>) -> sched::JoinHandle<u64> {
    pinned("storm", cpu).tier(Tier::Background).spawn(async move {
        let mut born = 0;
        while !over.load(Ordering::Relaxed) {
            for _ in 0..8 {
                let _ = SCHEDULER.task("short").tier(Tier::Background).spawn(async {}).await;
                born += 1;
            }
            yield_now().await;
        }
        born
    })
}

/// How late each period was seen.
async fn one_cpu(options: Options, cpu: sched::CpuId) -> Result<Vec<u64>, Fault> {
    let shared = Arc::new((Bell::new(), AtomicU64::new(0)));
    let theirs = shared.clone();
    let task = pinned("60 Hz", cpu).tier(Tier::Critical).spawn(async move {
        let mut late = Vec::new();
        let mut seen = 0;
        while seen < PERIODS {
            let rung = theirs.0.wait().await;
            seen += rung;
            // Two rings at once: the period before was missed.
            late.push(
                (rung == 1 && here() == cpu).then(|| now_ns() - theirs.1.load(Ordering::Relaxed)),
            );
        }
        late
    });
    let Some(other) = cpus(options).cycle().nth(cpu.index() + 1) else { return Ok(Vec::new()) };
    let clock = pinned("clock", other).tier(Tier::Critical).spawn(async move {
        for _ in 0..PERIODS {
            SCHEDULER.sleep_ns(PERIOD_NS).await;
            shared.1.store(now_ns(), Ordering::Relaxed);
            shared.0.ring();
        }
    });
    let finished = clock.await;
    ensure!(finished.is_ok(), "the clock stopped");
    let late = task.await.map_err(|error| format!("{error:?}"))?;
    let missed = late.iter().filter(|late| late.is_none()).count();
    ensure_in_time!(options, missed == 0, "{missed} of {PERIODS} periods missed on {cpu}");
    Ok(late.into_iter().flatten().collect())
}
