//! Futures and threads on the same CPUs: neither starves the other, whichever of them does not yield. The futures of a CPU are one
//! member of its fair class, so beside one thread they have half of it.

use super::hog::{Hogs, spawn, spin_ns, thread_on, times};
use super::runner::{Fault, Found, cpus, ensure, ensure_in_time, median, now_ns, pinned};
use crate::SCHEDULER;
use crate::bell::Bell;
use crate::options::Options;
use alloc::format;
use core::sync::atomic::{AtomicU64, Ordering};
use sched::{CpuId, Tier};

const WINDOW_NS: u64 = 200_000_000;
const SLEEPS: usize = 20;

/// How long a sleeper may wait for its turn beside one thread: a slice and some ticks, and as much again for the host.
const LATE_NS: u64 = 10_000_000;

/// Passes between a thread and a future.
const PASSES: u64 = 200;

/// The longest that they take.
const LIMIT_NS: u64 = 20_000_000_000;

pub(super) async fn run(options: Options) -> Found {
    let mut last = (0, 0);
    for cpu in cpus(options) {
        last = one_cpu(options, cpu).await?;
        passes(cpu).await?;
    }
    let (futures, late_ns) = last;
    Ok(format!(
        "beside a thread that never yields a poll that never ends has {futures} ‰, a sleeper is {} µs late; {PASSES} passes",
        late_ns / 1_000
    ))
}

/// What part of the CPU the futures had, in thousandths, and how late half of the sleeps were.
async fn one_cpu(options: Options, cpu: CpuId) -> Result<(u64, u64), Fault> {
    let window_ns = WINDOW_NS * times(options);
    let hogs = Hogs::spawn(cpu, &[0], 4 * window_ns);
    let turns_of_thread = hogs.turns();
    // One poll for all of the window: it is preempted, and gone on with. No other future of the CPU has a turn meanwhile, but for
    // Critical ones.
    let endless = pinned("endless", cpu).spawn(async move {
        let end_ns = now_ns() + window_ns;
        let before = turns_of_thread[0].load(Ordering::Relaxed);
        let mut turns = 0u64;
        let own = AtomicU64::new(0);
        while now_ns() < end_ns {
            // As the thread does it.
            own.fetch_add(1, Ordering::Relaxed);
            turns += 1;
        }
        (turns, turns_of_thread[0].load(Ordering::Relaxed) - before)
    });
    let sleeper = pinned("sleeper", cpu).tier(Tier::Critical).spawn(async move {
        let mut late = [0; SLEEPS];
        for late in &mut late {
            let due_ns = now_ns() + window_ns / SLEEPS as u64;
            SCHEDULER.sleep_until(due_ns).await;
            *late = now_ns().saturating_sub(due_ns);
        }
        late
    });
    let (future, thread) = endless.await.map_err(|error| format!("the endless poll: {error:?}"))?;
    let mut late = sleeper.await.map_err(|error| format!("the sleeper: {error:?}"))?;
    let thread_had = hogs.end().await?;
    ensure!(thread > 0 && future > 0, "{cpu}: {thread} turns of the thread, {future} of the poll");
    if thread_had[0].stats.preempted <= 2 {
        return Err(Fault::Late("the thread was not preempted".into()));
    }
    let futures = future * 1_000 / (thread + future);
    ensure_in_time!(options, (350..=650).contains(&futures), "{cpu}: futures had {futures} ‰");
    let late_ns = median(&mut late);
    ensure_in_time!(options, late_ns < LATE_NS, "{cpu}: half of the sleeps late by {late_ns} ns");
    Ok((futures, late_ns))
}

/// A thread and a future wake each other, beside a thread that never yields.
async fn passes(cpu: CpuId) -> Result<(), Fault> {
    static OF_THREAD: Bell = Bell::new();
    static OF_FUTURE: Bell = Bell::new();
    let hogs = Hogs::spawn(cpu, &[10], LIMIT_NS);
    let thread = spawn(thread_on("player", [cpu]), || {
        let mut rung = 0;
        while rung < PASSES {
            rung += SCHEDULER.wait(OF_THREAD.wait()).unwrap_or(PASSES);
            spin_ns(1_000);
            OF_FUTURE.ring();
        }
        rung
    });
    let future = pinned("player", cpu).spawn(async {
        let mut rung = 0;
        while rung < PASSES {
            OF_THREAD.ring();
            rung += OF_FUTURE.wait().await;
        }
        rung
    });
    let of_thread = thread.await.map_err(|error| format!("{error:?}"))?;
    let of_future = future.await.map_err(|error| format!("{error:?}"))?;
    hogs.end().await?;
    ensure!(of_thread == PASSES && of_future == PASSES, "{of_thread} and {of_future} passes");
    Ok(())
}
