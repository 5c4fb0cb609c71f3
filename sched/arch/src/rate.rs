//! Ticks of a hardware counter and nanoseconds, by multiplication.
//!
//! - **R1** A deadline is never early: when the counter has gone on by [`ticks`](Rate::ticks) of a duration, at least that
//!   duration has passed by [`ns`](Rate::ns).
//! - **R2** A clock made of it does not step back: [`ns`](Rate::ns) never falls while its argument grows.

/// The frequency of a counter, as two fixed-point factors: neither direction divides.
///
/// From 1 MHz to 10 GHz they are off by less than one part in 2²² together. Wait-free, any context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds for each tick, times 2³², rounded down.
    ns_per_tick: u64,
    /// Ticks for each nanosecond, times 2³², rounded up.
    ticks_per_ns: u64,
}

impl Rate {
    /// A counter that ticks `frequency_hz` times a second; less than 1 is taken as 1, more than 4·10¹⁸ as that.
    pub const fn from_hz(frequency_hz: u64) -> Self {
        let frequency_hz = match frequency_hz {
            0 => 1,
            1..4_000_000_000_000_000_000 => frequency_hz as u128,
            _ => 4_000_000_000_000_000_000,
        };
        let ns_per_tick = (1_000_000_000 << 32) / frequency_hz;
        // R1: of the factor that `ns` uses, not of the frequency itself.
        let ticks_per_ns = (1u128 << 64).div_ceil(ns_per_tick);
        let largest = u64::MAX as u128;
        Self {
            ns_per_tick: ns_per_tick as u64,
            ticks_per_ns: if ticks_per_ns > largest { u64::MAX } else { ticks_per_ns as u64 },
        }
    }

    /// How long so many ticks take, rounded down; `u64::MAX` for all that is longer.
    pub const fn ns(self, ticks: u64) -> u64 {
        saturate((ticks as u128 * self.ns_per_tick as u128) >> 32)
    }

    /// The fewest ticks, or one more, that take `ns`; `u64::MAX` for all that is more.
    pub const fn ticks(self, ns: u64) -> u64 {
        let product = ns as u128 * self.ticks_per_ns as u128;
        saturate((product + ((1 << 32) - 1)) >> 32)
    }
}

const fn saturate(number: u128) -> u64 {
    if number > u64::MAX as u128 { u64::MAX } else { number as u64 }
}

/// A counter since a moment, as nanoseconds: what [`Machine::now_ns`](crate::Machine::now_ns) and
/// [`set_timer`](crate::Machine::set_timer) want of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    rate: Rate,
    start_ticks: u64,
}

impl Clock {
    /// The clock that reads 0 when the counter reads `start_ticks`.
    pub const fn new(rate: Rate, start_ticks: u64) -> Self {
        Self { rate, start_ticks }
    }

    /// The time when the counter reads `ticks`; 0 before the start, as a CPU sees it whose counter is a little behind.
    pub const fn ns_at(self, ticks: u64) -> u64 {
        self.rate.ns(ticks.saturating_sub(self.start_ticks))
    }

    /// How many ticks after `now_ticks` the clock reads at least `at_ns`; 0 if it does already.
    pub const fn ticks_until(self, at_ns: u64, now_ticks: u64) -> u64 {
        self.rate.ticks(at_ns.saturating_sub(self.ns_at(now_ticks)))
    }

    /// What the counter reads when the clock reads at least `at_ns`; `now_ticks` if it does already.
    pub const fn ticks_at(self, at_ns: u64, now_ticks: u64) -> u64 {
        now_ticks.saturating_add(self.ticks_until(at_ns, now_ticks))
    }
}
