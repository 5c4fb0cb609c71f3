//! A machine of one CPU that is driven by hand.

use sched::{CpuId, Machine};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// One CPU, the calling thread, with a clock; nothing interrupts it.
#[derive(Debug)]
pub(crate) struct OneCpu<C>(pub(crate) C);

/// What says the time.
pub(crate) trait Clock: Sync {
    fn now_ns(&self) -> u64;
}

/// The system's clock, from this moment on.
impl Clock for Instant {
    fn now_ns(&self) -> u64 {
        self.elapsed().as_nanos() as u64
    }
}

/// A clock that is set.
impl Clock for AtomicU64 {
    fn now_ns(&self) -> u64 {
        self.load(Ordering::Relaxed)
    }
}

// SAFETY: there is one CPU and no interrupt handler, so the rules of the contract hold trivially.
unsafe impl<C: Clock> Machine for OneCpu<C> {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        Some(CpuId::new(0))
    }

    fn now_ns(&self) -> u64 {
        self.0.now_ns()
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
