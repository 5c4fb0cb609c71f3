//! What may go wrong, and how much of it a seed draws.

use crate::rng::Rng;
use std::fmt;
use std::str::FromStr;

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident = $name:literal;)*) => {
        /// One thing that may go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])* $fault,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$fault,)*];

            /// Its name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$fault => $name,)*
                }
            }
        }
    };
}

faults! {
    /// Reschedule interrupts take up to 50 µs, so that those to different CPUs overtake each other.
    IpiDelay = "ipi-delay";
    /// A reschedule interrupt comes twice.
    IpiDuplicate = "ipi-duplicate";
    /// Interrupts that nobody asked for, and halts that end without one.
    Spurious = "spurious";
    /// Each CPU's clock is up to a millisecond off.
    ClockSkew = "clock-skew";
    /// A CPU's clock stands still for up to 100 µs, then goes on where it should be.
    ClockStall = "clock-stall";
    /// A CPU stands still for up to 200 µs, anywhere, as under a hypervisor.
    CpuStall = "cpu-stall";
    /// The timer interrupt comes up to 200 µs late.
    LateTimer = "late-timer";
    /// Polls that compute for up to a millisecond without looking up.
    LongPoll = "long-poll";
    /// CPUs end their loops, with everything in its place, and come back.
    Hotplug = "hotplug";
    /// CPUs go offline, by themselves or asked for it, and others take what they have; they come back much later.
    Unplug = "unplug";
    /// CPUs are paused and resumed.
    Pause = "pause";
    /// Tasks are cancelled, some before their first poll, many at a time.
    Cancel = "cancel";
    /// Everybody is woken at once, several times; hundreds of tasks are spawned at once.
    Storm = "storm";
}

/// A set of [`Fault`]s. `Display` and `FromStr` speak the command line's language: `all`, `none`, or names with commas.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Faults(u32);

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self(0);
    /// Everything may.
    pub const ALL: Self = Self((1 << Fault::ALL.len()) - 1);

    /// Whether `fault` is in it.
    #[must_use]
    pub fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u32) != 0
    }

    /// With `fault` as well.
    #[must_use]
    pub fn with(self, fault: Fault) -> Self {
        Self(self.0 | (1 << fault as u32))
    }

    /// Without `fault`.
    #[must_use]
    pub fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << fault as u32))
    }

    /// Those in it.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |&fault| self.has(fault))
    }

    /// About half of them: where fewer things go wrong at a time, each goes further.
    pub(crate) fn swarm(self, rng: &mut Rng) -> Self {
        Self(self.0 & rng.next_u64() as u32)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => f.write_str("none"),
            Self::ALL => f.write_str("all"),
            some => f.write_str(&some.iter().map(Fault::name).collect::<Vec<_>>().join(",")),
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faults({self})")
    }
}

/// No fault has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault(pub String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        write!(f, "no fault is called `{}`; there are all, none, {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownFault {}

impl FromStr for Faults {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        match text {
            "none" => Ok(Self::NONE),
            "all" => Ok(Self::ALL),
            list => list.split(',').try_fold(Self::NONE, |faults, name| {
                let fault = Fault::ALL.iter().find(|fault| fault.name() == name.trim());
                fault.map(|&fault| faults.with(fault)).ok_or(UnknownFault(name.to_owned()))
            }),
        }
    }
}

/// How much of what a seed draws: every run is lively in another way.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    pub(crate) faults: Faults,
    /// Passages of yield points between two that count, at most.
    pub(crate) skip: u64,
    /// A yield point that counts takes less than 2 to this nanoseconds.
    pub(crate) point_bits: u32,
    /// A step takes up to so long, besides its polls.
    pub(crate) step_ns: u64,
    /// A CPU stalls at one of so many yield points that count; 0: never.
    pub(crate) stall_one_in: u64,
    /// An interrupt takes at most so long on its way.
    pub(crate) ipi_ns: u64,
    /// A timer is late by less than this.
    pub(crate) late_ns: u64,
    /// Mean distance of device interrupts on one CPU; 0: none.
    pub(crate) device_ns: u64,
}

/// The longest stall of a CPU.
pub(crate) const STALL_NS: u64 = 200_000;
/// The longest time for which a clock stands still.
pub(crate) const FREEZE_NS: u64 = 100_000;
/// The most by which a clock is off, either way.
pub(crate) const SKEW_NS: u64 = 1_000_000;
/// The longest stay away of a CPU.
pub(crate) const AWAY_NS: u64 = 300_000;
/// The same of one that is offline is less than 2 to this nanoseconds: longer than anything may be late.
pub(crate) const OFFLINE_BITS: u32 = 26;

impl Knobs {
    pub(crate) fn draw(rng: &mut Rng, faults: Faults) -> Self {
        let faults = faults.swarm(rng);
        let has = |fault, yes: u64, no: u64| if faults.has(fault) { yes } else { no };
        let skips = [3, 12, 40, 100, 300];
        Self {
            skip: skips[rng.below(5) as usize],
            point_bits: rng.between(3, 11) as u32,
            step_ns: rng.between(50, 500),
            stall_one_in: has(Fault::CpuStall, rng.between(50, 1_000), 0),
            ipi_ns: has(Fault::IpiDelay, 50_000, rng.between(50, 2_000)),
            late_ns: has(Fault::LateTimer, 200_000, 500),
            device_ns: [0, 20_000, 200_000][rng.below(3) as usize],
            faults,
        }
    }

    /// For measurements: a plain machine. A point is 10 ns, a step 150, an interrupt 600 to 1 000.
    pub(crate) fn plain() -> Self {
        Self {
            faults: Faults::NONE,
            skip: 6,
            point_bits: 5,
            step_ns: 150,
            stall_one_in: 0,
            ipi_ns: 1_000,
            late_ns: 200,
            device_ns: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for faults in
            [Faults::NONE, Faults::ALL, Faults::NONE.with(Fault::Pause).with(Fault::Storm)]
        {
            assert_eq!(faults.to_string().parse(), Ok(faults));
        }
        assert_eq!("pause,nil".parse::<Faults>(), Err(UnknownFault("nil".to_owned())));
        assert!(!Faults::ALL.without(Fault::Storm).has(Fault::Storm));
    }
}
