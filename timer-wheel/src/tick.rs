//! Which tick to arm for: the modes of a timer.
//!
//! A timer has one tick, and the wheel fires it exactly then. Everything else a timer can want (to
//! be relative, to be approximate, to wake up together with others, to come again) is a way to
//! choose that tick, and goes with `arm` and `rearm` alike.

use core::num::NonZeroU64;

use crate::entry::Linked;
use crate::wheel::Wheel;

/// The roundest tick of `earliest..=latest`: the multiple of the highest power of two.
///
/// Timers whose ranges overlap tend to get the same tick, and one wake-up serves them all. Round
/// ticks are cheap as well: a timer is not moved further down than to the level on which its tick
/// starts a block. `latest` is taken to be `earliest` if it is before. O(1).
///
/// ```
/// # use timer_wheel::within;
/// assert_eq!(within(1_000, 1_100), 1_024);
/// assert_eq!(within(1_010, 1_050), 1_024);
/// assert_eq!(within(1_000, 1_000), 1_000);
/// ```
pub const fn within(earliest: u64, latest: u64) -> u64 {
    if latest <= earliest {
        return earliest;
    }
    match earliest.checked_sub(1) {
        // Below the highest bit in which the two differ, nothing is fixed: all of it becomes zero.
        Some(before) => latest & (u64::MAX << (before ^ latest).ilog2()),
        None => 0,
    }
}

/// When a periodic timer comes next, see [`Wheel::next_period`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextPeriod {
    /// The tick to arm for.
    pub tick: u64,
    /// Periods that have passed already, and are left out.
    pub missed: u64,
}

impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>
    Wheel<T, LEVELS, SLOTS, STRANDS>
{
    /// The tick `ticks` after [`now`](Self::now); `u64::MAX` if that is further than time goes. O(1).
    pub const fn after(&self, ticks: u64) -> u64 {
        self.now().saturating_add(ticks)
    }

    /// For timers that need not be exact: the roundest tick that is not before `deadline_tick`, and
    /// later by at most an eighth of the time until then. O(1).
    ///
    /// So a timer for 8 000 ticks from now fires up to 1 000 ticks late, and one for fewer than 8 on
    /// the tick. In return there is nearly no cascade: armed within the horizon when no work is left
    /// over, and with `SLOTS` at least 32, it is moved at most twice before it fires, however far away
    /// it is, and not at all if the tick found starts a block of the level that it is armed on.
    pub const fn coarse(&self, deadline_tick: u64) -> u64 {
        let ahead = deadline_tick.saturating_sub(self.now());
        within(deadline_tick, deadline_tick.saturating_add(ahead / 8))
    }

    /// When a timer that was armed for `last_tick` and comes every `period_ticks` is to fire next,
    /// without drift: a whole number of periods after `last_tick`.
    ///
    /// The overrun rule: a period whose tick is not after [`now`](Self::now) is missed. It is left
    /// out and counted, so a timer that is late fires once, not once for each period, and is in step
    /// again. `u64::MAX` if time ends before. O(1).
    ///
    /// ```
    /// # use core::num::NonZeroU64;
    /// # use core::ptr::NonNull;
    /// # use timer_wheel::{Entry, Linked, Wheel};
    /// # struct Beat { entry: Entry<Beat> }
    /// # // SAFETY: one entry, used for nothing else, and no reference is made.
    /// # unsafe impl Linked for Beat {
    /// #     type Handle = &'static Beat;
    /// #     unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
    /// #         // SAFETY: `node` is live, so the place exists; its address is not null.
    /// #         unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
    /// #     }
    /// # }
    /// # let beat: &'static Beat = Box::leak(Box::new(Beat { entry: Entry::new() }));
    /// # let mut wheel: Wheel<Beat> = Wheel::new();
    /// const PERIOD_TICKS: NonZeroU64 = NonZeroU64::new(100).unwrap();
    /// wheel.arm(beat, 100)?;
    /// // The turn comes late: 200, 300 and 400 have passed as well.
    /// _ = wheel.turn(430, 32);
    /// let beat = wheel.pop_fired().unwrap();
    /// let next = wheel.next_period(beat.entry.deadline(), PERIOD_TICKS);
    /// assert_eq!((next.tick, next.missed), (500, 3));
    /// wheel.arm(beat, next.tick)?;
    /// # Ok::<(), timer_wheel::AlreadyArmed<&'static Beat>>(())
    /// ```
    pub const fn next_period(&self, last_tick: u64, period_ticks: NonZeroU64) -> NextPeriod {
        let missed = self.now().saturating_sub(last_tick) / period_ticks.get();
        // Not after `now`, so it fits.
        let last_missed = last_tick + missed * period_ticks.get();
        NextPeriod { tick: last_missed.saturating_add(period_ticks.get()), missed }
    }

    /// The latest round tick until which a CPU may sleep, if timers may fire up to `slack_ticks`
    /// late: the roundest from [`next_event`](Self::next_event) to that many ticks after it.
    ///
    /// CPUs and other sources of wake-ups that choose in this way meet on the same ticks, and events
    /// close to one another share one. With work left over it is not after [`now`](Self::now): no
    /// sleep. `None` if nothing is armed. O(1).
    pub fn next_wakeup(&self, slack_ticks: u64) -> Option<u64> {
        let event = self.next_event()?;
        let due = event <= self.now();
        Some(if due { event } else { within(event, event.saturating_add(slack_ticks)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roundest_tick_is_found() {
        let range = if cfg!(miri) { 12 } else { 120 };
        for base in [0, 1 << 20, u64::MAX - range] {
            for earliest in base..base + range {
                for latest in earliest..base + range {
                    let best = (earliest..=latest).max_by_key(|tick| tick.trailing_zeros());
                    assert_eq!(Some(within(earliest, latest)), best, "{earliest} {latest}");
                }
            }
        }
        assert_eq!(within(0, u64::MAX), 0);
        assert_eq!(within(1, u64::MAX), 1 << 63);
        assert_eq!(within(u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(within(9, 3), 9, "an empty range is its first tick");
    }
}
