//! Burning CPU time: a calibrated loop.

use super::Context;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Work between two chances to yield.
pub(super) const CHUNK_NS: u64 = 20_000;

/// A fixed amount of work, in terms of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    rounds_per_ms: u64,
}

impl Work {
    /// Measures how much work this machine does when nobody disturbs it: the best of many short tries.
    #[must_use]
    pub fn calibrated() -> Self {
        const ROUNDS: u64 = 50_000;
        let time = || {
            let start = Instant::now();
            burn(ROUNDS);
            start.elapsed()
        };
        let best = (0..50).map(|_| time()).min().unwrap_or(Duration::from_millis(1));
        let best_ns = u64::try_from(best.as_nanos()).unwrap_or(u64::MAX).max(1);
        Self { rounds_per_ms: (ROUNDS * 1_000_000 / best_ns).max(1) }
    }

    /// Does what takes `duration_ns` undisturbed, without a chance to yield.
    pub fn spin(self, duration_ns: u64) {
        burn(duration_ns.saturating_mul(self.rounds_per_ms) / 1_000_000);
    }

    /// Does what takes `duration_ns` undisturbed, and lets others run in between. Time that others take is not
    /// counted, and neither is time that the operating system takes the CPU away for.
    pub async fn run(self, context: &Context, duration_ns: u64) {
        let mut left_ns = duration_ns;
        while left_ns > 0 {
            let chunk_ns = left_ns.min(CHUNK_NS);
            self.spin(chunk_ns);
            left_ns -= chunk_ns;
            context.breathe().await;
        }
    }

    /// Is busy until `duration_ns` have passed, and lets others run in between. Time that others take is counted.
    pub async fn run_until(self, context: &Context, duration_ns: u64) {
        let end_ns = context.now_ns().saturating_add(duration_ns);
        loop {
            let left_ns = end_ns.saturating_sub(context.now_ns());
            if left_ns == 0 {
                return;
            }
            self.spin(left_ns.min(CHUNK_NS));
            context.breathe().await;
        }
    }
}

/// `rounds` steps, each of which needs the one before.
fn burn(rounds: u64) {
    let mut state = black_box(1_u64);
    for _ in 0..rounds {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
}
