//! The scheduler's two handlers, watched: what an interrupt does at the most.

use crate::SCHEDULER;
use core::sync::atomic::{AtomicU64, Ordering};
use sched::{Interrupts, Machine as _};

/// What the machine's interrupts call.
pub(crate) struct Handlers;

/// The most timers that one interrupt has fired.
static MOST_FIRED: AtomicU64 = AtomicU64::new(0);

/// Timer interrupts so far.
static TIMER_INTERRUPTS: AtomicU64 = AtomicU64::new(0);

impl Interrupts for Handlers {
    fn on_kick(&self) {
        SCHEDULER.on_kick();
        crate::scenario::interrupted();
    }

    fn on_timer(&self) {
        let before = fired_here();
        SCHEDULER.on_timer();
        crate::scenario::interrupted();
        // Ordering: Relaxed, here and below: numbers, read when all is over.
        MOST_FIRED.fetch_max(fired_here() - before, Ordering::Relaxed);
        TIMER_INTERRUPTS.fetch_add(1, Ordering::Relaxed);
    }
}

fn fired_here() -> u64 {
    let cpu = SCHEDULER.machine().cpu();
    cpu.and_then(|cpu| SCHEDULER.cpu_stats(cpu)).map_or(0, |stats| stats.timers_fired)
}

/// The most timers that one interrupt has fired, and how many interrupts there were.
#[cfg(feature = "alloc")]
pub(crate) fn timer_interrupts() -> (u64, u64) {
    (MOST_FIRED.load(Ordering::Relaxed), TIMER_INTERRUPTS.load(Ordering::Relaxed))
}
