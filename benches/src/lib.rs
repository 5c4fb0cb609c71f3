//! What several benchmarks share: a machine of one CPU that is driven by hand.

use sched::{CpuId, Machine, Scheduler, Settings};
use std::time::Instant;

/// One CPU, the calling thread; nothing interrupts it.
#[derive(Debug)]
pub struct OneCpu(Instant);

// SAFETY: there is one CPU and no interrupt handler, so the rules of the contract hold trivially.
unsafe impl Machine for OneCpu {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        Some(CpuId::new(0))
    }

    fn now_ns(&self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }

    fn mask(&self) {}

    unsafe fn restore(&self, (): ()) {}

    fn kick(&self, _: CpuId) {}

    unsafe fn halt(&self) {}

    fn set_timer(&self, _: u64) {}

    fn seed(&self) -> u64 {
        0
    }
}

/// A scheduler that the caller steps.
pub type OneCpuScheduler = Scheduler<OneCpu, (), 64>;

/// A leaked scheduler on this thread.
pub fn one_cpu() -> &'static OneCpuScheduler {
    Box::leak(Box::new(Scheduler::new(OneCpu(Instant::now()), (), Settings::DEFAULT)))
}
