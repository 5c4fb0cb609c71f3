//! How long a CPU that searched in vain leaves the others alone.
//!
//! It holds for rounds alone: a CPU looks before it halts in any case (PB1), and where that look finds work the cooldown is over. So
//! it matters to who spins ([`spin_steps`](crate::Settings::spin_steps)) or ticks.

/// The time since the last round that brought nothing.
#[derive(Debug, Default)]
pub(crate) struct Cooldown {
    since_ns: Option<u64>,
}

impl Cooldown {
    /// A round brought nothing.
    pub(crate) fn begin(&mut self, now_ns: u64) {
        self.since_ns = Some(now_ns);
    }

    /// There may be work: somebody has said so.
    #[inline]
    pub(crate) fn end(&mut self) {
        self.since_ns = None;
    }

    /// Whether `cooldown_ns` have gone by. A clock that steps back ends it.
    #[inline]
    pub(crate) fn is_over(&self, cooldown_ns: u64, now_ns: impl FnOnce() -> u64) -> bool {
        self.since_ns.is_none_or(|since_ns| now_ns().wrapping_sub(since_ns) >= cooldown_ns)
    }
}
