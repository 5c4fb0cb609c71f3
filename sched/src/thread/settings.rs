//! What a kernel may set about threads.

use crate::class::{FairSettings, Nice, Throttle};

/// Settings of the scheduling classes; see [`Settings::threads`](crate::Settings::threads).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadSettings {
    /// The fair class.
    pub fair: FairSettings,
    /// The weight of a CPU's Normal and Background futures, all together, beside its fair threads.
    pub futures_nice: Nice,
    /// Turns of real-time threads of equal priority, in nanoseconds.
    pub realtime_turn_ns: u64,
    /// The share of the CPU that real-time threads have at most.
    pub realtime_throttle: Throttle,
}

impl ThreadSettings {
    /// The fair class's defaults, nice 0 for futures, turns of 100 ms, no throttling.
    pub const DEFAULT: Self = Self {
        fair: FairSettings::DEFAULT,
        futures_nice: Nice::DEFAULT,
        realtime_turn_ns: 100_000_000,
        realtime_throttle: Throttle::OFF,
    };
}

impl Default for ThreadSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
