//! How long the current task has run.

/// The most that one look at the clock can charge: about 18 minutes. What a task ran beyond that
/// without a look was not at anybody's cost, or there would have been ticks.
pub(super) const MAX_LAP_NS: u64 = 1 << 40;

/// Between two looks at a clock. A clock that stands still or steps back charges nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    since_ns: u64,
}

impl Stopwatch {
    pub(super) const fn new() -> Self {
        Stopwatch { since_ns: 0 }
    }

    pub(super) fn start(&mut self, now_ns: u64) {
        self.since_ns = now_ns;
    }

    /// The time since the last look, in nanoseconds.
    pub(super) fn lap(&mut self, now_ns: u64) -> u64 {
        let lap_ns = now_ns.saturating_sub(self.since_ns).min(MAX_LAP_NS);
        self.since_ns = self.since_ns.max(now_ns);
        lap_ns
    }

    /// When `left_ns` more will have run.
    pub(super) fn after(&self, left_ns: u64) -> u64 {
        self.since_ns.saturating_add(left_ns)
    }
}
