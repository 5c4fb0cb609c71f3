//! What can be set about the fair class.

/// The least and the greatest slice that a task gets, in nanoseconds.
pub const SLICE_RANGE_NS: (u64, u64) = (100_000, 100_000_000);

/// What can be set. Out of range counts as the nearest in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FairSettings {
    /// The request of a task that does not say its own, in nanoseconds: [`SLICE_RANGE_NS`].
    pub slice_ns: u64,
    /// If given, slices shrink to this time shared among all runnable tasks, but not below
    /// `min_granularity_ns`; in nanoseconds.
    pub latency_ns: Option<u64>,
    /// The least that `latency_ns` shrinks a slice to, in nanoseconds.
    pub min_granularity_ns: u64,
    /// How far apart ticks are at most, in nanoseconds: how much longer than its slice a task may run.
    pub tick_ns: u64,
    /// Whether a task that was picked runs on, while it is eligible, until it had the shortest slice
    /// in the queue, or its own: fewer switches. It breaks the bound on lag, by design: a deadline
    /// may be missed by one such slice more.
    pub run_to_parity: bool,
    /// Whether a task that goes to sleep while it owes service stays in the queue until it does not.
    pub delay_dequeue: bool,
}

impl FairSettings {
    /// Slices of 3 ms that do not shrink, ticks of 1 ms, no protection, delayed dequeue.
    pub const DEFAULT: Self = Self {
        slice_ns: 3_000_000,
        latency_ns: None,
        min_granularity_ns: 500_000,
        tick_ns: 1_000_000,
        run_to_parity: false,
        delay_dequeue: true,
    };

    /// The latency that is usual where slices shrink, in nanoseconds.
    pub const LATENCY_NS: u64 = 6_000_000;

    /// The length of a request for which the task says `wish_ns`, among `runnable` tasks.
    pub(super) fn request_ns(&self, wish_ns: u64, runnable: usize) -> u32 {
        let wish_ns = if wish_ns == 0 { self.slice_ns } else { wish_ns };
        let slice_ns = wish_ns.clamp(SLICE_RANGE_NS.0, SLICE_RANGE_NS.1);
        let slice_ns = match self.latency_ns {
            None => slice_ns,
            Some(latency_ns) => {
                let shared_ns = latency_ns / (runnable as u64).max(1);
                slice_ns.min(shared_ns.max(self.min_granularity_ns).max(SLICE_RANGE_NS.0))
            }
        };
        slice_ns as u32
    }

    /// How far from V a lag may be, as service in nanoseconds, where `longest_ns` is the longest slice.
    pub(super) fn lag_limit_ns(&self, longest_ns: u32) -> u64 {
        u64::from(longest_ns) + self.tick_ns.min(SLICE_RANGE_NS.1)
    }
}

impl Default for FairSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
