//! Each CPU in turn goes offline, under load and asked from another one, and comes back: none is exempt, and nothing is lost.

use super::runner::{Fault, Found, cpus, ensure, here, now_ns, pinned};
use crate::options::Options;
use crate::{SCHEDULER, cpus as machine};
use alloc::format;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use sched::{CpuId, IfPinned, JoinHandle, OfflineError, yield_now};

const LIMIT_NS: u64 = 10_000_000_000;
const CHILDREN: usize = 64;
const SLEEP_NS: u64 = 30_000_000;

pub(super) async fn run(options: Options) -> Found {
    let evacuated = SCHEDULER.totals().evacuated;
    for cpu in cpus(options) {
        // The one who asks stands on another CPU.
        let Some(other) = cpus(options).cycle().nth(cpu.index() + 1) else { continue };
        let done = pinned("unplugger", other).spawn(async move {
            given_up(cpu).await?;
            waited_for(cpu).await
        });
        done.await.map_err(|error| format!("{error:?}"))??;
    }
    let moved = SCHEDULER.totals().evacuated - evacuated;
    Ok(format!("each of {} CPUs went twice and came back, {moved} tasks moved", options.cpus))
}

/// It goes with tasks of its own, which run elsewhere meanwhile.
async fn given_up(cpu: CpuId) -> Result<(), Fault> {
    let sleeper = pinned("sleeper", cpu).spawn(async {
        let end_ns = now_ns() + SLEEP_NS;
        SCHEDULER.sleep_until(end_ns).await;
        (here(), now_ns() >= end_ns)
    });
    let parent = pinned("parent", cpu).spawn(async {
        let child = |_| SCHEDULER.spawn(child());
        (0..CHILDREN).map(child).collect::<Vec<JoinHandle<()>>>()
    });
    let children = parent.await.map_err(|error| format!("{error:?}"))?;
    let refused = SCHEDULER.offline(cpu, IfPinned::Refuse);
    ensure!(refused == Err(OfflineError::Pinned(1)), "a sleeper is pinned to {cpu}: {refused:?}");
    leave(cpu, IfPinned::Widen).await?;
    let polls = || SCHEDULER.cpu_stats(cpu).map_or(0, |stats| stats.polls);
    let before = polls();
    for child in children {
        child.await.map_err(|error| format!("{error:?}"))?;
    }
    let (ran_on, in_time) = sleeper.await.map_err(|error| format!("{error:?}"))?;
    ensure!(in_time && ran_on != cpu, "the sleep that {cpu} left behind ends on {ran_on}");
    ensure!(polls() == before, "{cpu} polls while it is offline");
    come_back(cpu).await
}

async fn child() {
    for _ in 0..4 {
        yield_now().await;
        SCHEDULER.sleep_ns(1_000_000).await;
    }
}

/// It goes, and what only it may run waits for it.
async fn waited_for(cpu: CpuId) -> Result<(), Fault> {
    static RAN: AtomicBool = AtomicBool::new(false);
    RAN.store(false, Ordering::SeqCst);
    leave(cpu, IfPinned::Refuse).await?;
    let waits = pinned("stranded", cpu).spawn(async {
        RAN.store(true, Ordering::SeqCst);
        here()
    });
    SCHEDULER.sleep_ms(5).await;
    ensure!(!RAN.load(Ordering::SeqCst), "a task of {cpu} alone runs elsewhere");
    come_back(cpu).await?;
    let ran_on = waits.await.map_err(|error| format!("{error:?}"))?;
    ensure!(ran_on == cpu, "a task of {cpu} alone runs on {ran_on}");
    Ok(())
}

async fn leave(cpu: CpuId, if_pinned: IfPinned) -> Result<(), Fault> {
    SCHEDULER.offline(cpu, if_pinned).map_err(|error| format!("{cpu}: {error}"))?;
    until(|| SCHEDULER.has_left(cpu)).await.ok_or_else(|| format!("{cpu} does not go"))?;
    ensure!(SCHEDULER.online().all(|online| online != cpu), "{cpu} is online and has left");
    Ok(())
}

async fn come_back(cpu: CpuId) -> Result<(), Fault> {
    machine::plug(cpu);
    let is_back = || SCHEDULER.online().any(|online| online == cpu);
    until(is_back).await.ok_or_else(|| format!("{cpu} does not come back"))?;
    Ok(())
}

async fn until(condition: impl Fn() -> bool) -> Option<()> {
    let limit_ns = now_ns() + LIMIT_NS;
    while !condition() {
        if now_ns() > limit_ns {
            return None;
        }
        yield_now().await;
    }
    Some(())
}
