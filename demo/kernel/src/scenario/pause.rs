//! Each CPU in turn stops, polls nothing meanwhile, and goes on. None is exempt.

use super::runner::{Fault, Found, cpus, ensure, now_ns, pinned};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use core::sync::atomic::{AtomicBool, Ordering};
use sched::{CpuId, yield_now};

const LIMIT_NS: u64 = 10_000_000_000;

pub(super) async fn run(options: Options) -> Found {
    for cpu in cpus(options) {
        // The one who pauses and resumes stands on another CPU.
        let Some(other) = cpus(options).cycle().nth(cpu.index() + 1) else { continue };
        let done = pinned("pauser", other).spawn(async move { one_cpu(cpu).await });
        done.await.map_err(|error| format!("{error:?}"))??;
    }
    Ok(format!("each of {} CPUs stopped and went on", options.cpus))
}

async fn one_cpu(cpu: CpuId) -> Result<(), Fault> {
    static RAN: AtomicBool = AtomicBool::new(false);
    RAN.store(false, Ordering::SeqCst);
    ensure!(SCHEDULER.pause(cpu), "{cpu} is out of range");
    let limit_ns = now_ns() + LIMIT_NS;
    while !SCHEDULER.is_paused(cpu) {
        ensure!(now_ns() < limit_ns, "{cpu} does not stop");
        yield_now().await;
    }
    let task = pinned("paused", cpu).spawn(async { RAN.store(true, Ordering::SeqCst) });
    let polls = || SCHEDULER.cpu_stats(cpu).map_or(0, |stats| stats.polls);
    let before = polls();
    SCHEDULER.sleep_ms(5).await;
    let ran = RAN.load(Ordering::SeqCst) || polls() != before;
    SCHEDULER.resume(cpu);
    ensure!(!ran, "{cpu} polls while it is paused");
    ensure!(task.await.is_ok() && RAN.load(Ordering::SeqCst), "{cpu} does not go on");
    Ok(())
}
