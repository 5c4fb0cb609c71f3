//! Throttling: a class may have so much of each period, so that the classes below it have the rest.

/// How much of each period a class may have.
///
/// Nothing here acts: the class charges what it ran, and picks nothing while it is throttled; the loop
/// can ask, and sets its timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    runtime_ns: u64,
    period_ns: u64,
    began_ns: u64,
    used_ns: u64,
}

impl Throttle {
    /// No limit.
    pub const OFF: Self = Self::new(u64::MAX, u64::MAX);

    /// At most `runtime_ns` of each `period_ns`, both in nanoseconds. A period of 0 counts as 1.
    #[must_use]
    pub const fn new(runtime_ns: u64, period_ns: u64) -> Self {
        let period_ns = if period_ns == 0 { 1 } else { period_ns };
        Throttle { runtime_ns, period_ns, began_ns: 0, used_ns: 0 }
    }

    /// Charges what was used until now. What went beyond the limit is charged to the periods that
    /// follow.
    pub(super) fn charge(&mut self, ran_ns: u64, now_ns: u64) {
        self.used_ns = self.used_ns.saturating_add(ran_ns);
        let periods = now_ns.saturating_sub(self.began_ns) / self.period_ns;
        self.began_ns = self.began_ns.saturating_add(periods.saturating_mul(self.period_ns));
        self.used_ns = self.used_ns.saturating_sub(periods.saturating_mul(self.runtime_ns));
    }

    /// Whether the class had, when it was charged last, all that it may have.
    #[must_use]
    pub const fn is_throttled(&self) -> bool {
        self.used_ns >= self.runtime_ns
    }

    /// How much more it may have in this period, in nanoseconds.
    #[must_use]
    pub const fn left_ns(&self) -> u64 {
        self.runtime_ns.saturating_sub(self.used_ns)
    }

    /// When the next period begins.
    #[must_use]
    pub const fn next_period_ns(&self) -> u64 {
        self.began_ns.saturating_add(self.period_ns)
    }
}
