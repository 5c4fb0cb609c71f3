//! rt-app's timers: when the next expiry is.

use crate::rtapp::TimerMode;
use std::sync::atomic::{AtomicU64, Ordering};

/// Before the first use.
const UNSET: u64 = u64::MAX;

/// The last expiry, of one instance or of all that share it.
#[derive(Debug)]
pub struct Timer(AtomicU64);

impl Default for Timer {
    fn default() -> Self {
        Self::new()
    }
}

impl Timer {
    /// One that has not been used.
    pub const fn new() -> Self {
        Self(AtomicU64::new(UNSET))
    }

    /// Goes on by a period, from `start_ns` at first. The deadline to sleep until; `None` if it has passed: an absolute
    /// timer then keeps to its grid, a relative one counts on from `now_ns`.
    pub fn advance(
        &self,
        mode: TimerMode,
        period_ns: u64,
        start_ns: u64,
        now_ns: u64,
    ) -> Option<u64> {
        let next_ns = |last_ns: u64| {
            let from_ns = if last_ns == UNSET { start_ns } else { last_ns };
            // Short of the mark for "unset".
            from_ns.saturating_add(period_ns).min(UNSET - 1)
        };
        let kept_ns = |last_ns: u64| match mode {
            TimerMode::Absolute => next_ns(last_ns),
            TimerMode::Relative => next_ns(last_ns).max(now_ns),
        };
        // Ordering: Relaxed; a number, which carries nothing else.
        let last_ns =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(kept_ns(last)));
        let deadline_ns = next_ns(last_ns.unwrap_or_else(|last| last));
        (deadline_ns > now_ns).then_some(deadline_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_timer_catches_up_on_its_grid() {
        let timer = Timer::new();
        let advance = |now| timer.advance(TimerMode::Absolute, 10, 100, now);
        assert_eq!(advance(101), Some(110));
        assert_eq!(advance(125), None, "120 is missed");
        assert_eq!(advance(125), Some(130));
    }

    #[test]
    fn a_relative_timer_counts_on_from_the_late_moment() {
        let timer = Timer::new();
        let advance = |now| timer.advance(TimerMode::Relative, 10, 100, now);
        assert_eq!(advance(101), Some(110));
        assert_eq!(advance(125), None);
        assert_eq!(advance(126), Some(135));
    }
}
