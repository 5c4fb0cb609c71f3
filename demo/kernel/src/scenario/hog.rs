//! Threads that use the CPU for as long as they are left, and never yield: only the timer takes it from them.

use super::runner::{Fault, now_ns};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use sched::class::Nice;
use sched::thread::{Policy, Stack, ThreadBuilder, ThreadStats};
use sched::{CpuId, CpuSet, JoinHandle};

type Builder = ThreadBuilder<crate::arch::Machine, crate::Tracing, { crate::MAX_CPUS }>;

/// Bytes of a thread's stack: its own frames, and those of interrupts.
pub(super) const STACK_BYTES: usize = 16 << 10;

/// A stack from the heap.
pub(super) fn stack() -> Stack {
    match Stack::new(STACK_BYTES) {
        Some(stack) => stack,
        None => panic!("no memory for a stack"),
    }
}

/// Begins a thread for the CPUs of a set.
pub(super) fn thread_on(name: &'static str, cpus: impl IntoIterator<Item = CpuId>) -> Builder {
    match SCHEDULER.thread(name).affinity(CpuSet::from_iter(cpus)) {
        Ok(builder) => builder,
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Spawns it, on a stack from the heap.
pub(super) fn spawn<R: Send + 'static>(
    builder: Builder,
    run: impl FnOnce() -> R + Send + 'static,
) -> JoinHandle<R> {
    match builder.spawn(stack(), run) {
        Ok(handle) => handle,
        Err(error) => panic!("{error}"),
    }
}

/// Some of them, on one CPU.
pub(super) struct Hogs {
    over: Arc<AtomicBool>,
    hogs: Vec<(JoinHandle<()>, Arc<AtomicU64>)>,
}

/// What one of them had.
pub(super) struct Had {
    /// The turns of its loop that it counted itself.
    pub(super) turns: u64,
    /// What the scheduler counted.
    pub(super) stats: ThreadStats,
}

impl Hogs {
    /// One for each niceness. They end when they are told to, or, lest one that is never preempted holds up all, when it is late.
    pub(super) fn spawn(cpu: CpuId, nices: &[i8], limit_ns: u64) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let limit_ns = now_ns() + limit_ns;
        let hogs = nices.iter().map(|&nice| {
            let (ends, turns) = (over.clone(), Arc::new(AtomicU64::new(0)));
            let counts = turns.clone();
            let builder = thread_on("hog", [cpu]).policy(Policy::fair(Nice::new(nice)));
            let hog = move || {
                while !ends.load(Ordering::Relaxed) && now_ns() < limit_ns {
                    counts.fetch_add(1, Ordering::Relaxed);
                }
            };
            (spawn(builder, hog), turns)
        });
        let hogs = hogs.collect();
        Self { over, hogs }
    }

    /// The turns of each, so far and from now on.
    pub(super) fn turns(&self) -> Vec<Arc<AtomicU64>> {
        self.hogs.iter().map(|(_, turns)| turns.clone()).collect()
    }

    /// Their end, and what they had.
    pub(super) async fn end(self) -> Result<Vec<Had>, Fault> {
        self.over.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for (handle, turns) in self.hogs {
            let Some(thread) = handle.thread() else { return Err("a hog is no thread".into()) };
            handle.await.map_err(|error| format!("a hog: {error:?}"))?;
            all.push(Had { turns: turns.load(Ordering::Relaxed), stats: thread.stats() });
        }
        Ok(all)
    }
}

/// Lets them have a CPU for so long.
pub(super) async fn share(cpu: CpuId, nices: &[i8], window_ns: u64) -> Result<Vec<Had>, Fault> {
    let hogs = Hogs::spawn(cpu, nices, 4 * window_ns);
    SCHEDULER.sleep_ns(window_ns).await;
    hogs.end().await
}

/// Uses the CPU for so long.
pub(super) fn spin_ns(duration_ns: u64) {
    let end_ns = now_ns() + duration_ns;
    while now_ns() < end_ns {
        core::hint::spin_loop();
    }
}

/// The times of a scenario are so much longer in its long form.
pub(super) fn times(options: Options) -> u64 {
    if options.long { 10 } else { 1 }
}
