//! With nothing to do every CPU halts, and stays so.

use super::runner::{Fault, Found, cpus, ensure, ensure_in_time, now_ns};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::vec::Vec;
use sched::{CpuStats, Machine as _};

const WINDOW_MS: u64 = 200;

/// What each CPU did so far. A kick ends each halt, so that it is accounted for.
async fn snapshot(options: Options) -> Vec<CpuStats> {
    let machine = SCHEDULER.machine();
    for cpu in cpus(options) {
        let saved = machine.mask();
        machine.kick(cpu);
        // SAFETY: of the `mask` above: nothing in between gives the CPU away.
        unsafe { machine.restore(saved) };
    }
    SCHEDULER.sleep_ms(5).await;
    cpus(options).filter_map(|cpu| SCHEDULER.cpu_stats(cpu)).collect()
}

pub(super) async fn run(options: Options) -> Found {
    let before = snapshot(options).await;
    let begin_ns = now_ns();
    SCHEDULER.sleep_ms(WINDOW_MS).await;
    let after = snapshot(options).await;
    let window_ns = now_ns() - begin_ns;
    let mut least = 100;
    for (cpu, (before, after)) in before.iter().zip(&after).enumerate() {
        let steps = after.steps - before.steps;
        // The window's sleep, the kicks and the sleeps around them; nobody else has a reason to wake.
        ensure!(steps < 40, "cpu{cpu} made {steps} steps with nothing to do");
        // It may not have come to answer the last kick yet.
        if after.halts == before.halts {
            return Err(Fault::Late(format!("cpu{cpu} did not halt")));
        }
        let percent = (after.idle_ns - before.idle_ns) * 100 / window_ns;
        least = least.min(percent);
        ensure_in_time!(options, percent >= 95, "cpu{cpu} was idle for {percent} %");
    }
    ensure!(after.len() == options.cpus, "{} of {} CPUs are there", after.len(), options.cpus);
    Ok(format!("each CPU idle for {least} % or more"))
}
