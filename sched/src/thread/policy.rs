//! How a thread shares its CPU.

use crate::class::Nice;
use crate::sync::{AtomicU64, Ordering, const_fn};
use core::fmt;

/// How a thread shares its CPU with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// By weight, earliest eligible virtual deadline first, beside all futures but the Critical ones.
    Fair {
        /// Its weight.
        nice: Nice,
        /// How much service it asks for at once, in nanoseconds: clamped to 0.1 ms to 100 ms; 0 for the setting.
        slice_ns: u64,
    },
    /// Before all fair ones: the greatest priority first, equals in turns. 0 to 99; what is beyond counts as 99.
    Realtime {
        /// Greater is more urgent.
        priority: u8,
    },
    /// Before everything, Critical futures too, until it waits: for the kernel's own short interventions.
    Stop,
}

impl Policy {
    /// Fair, nice 0, the slice of the settings.
    pub const DEFAULT: Self = Self::fair(Nice::DEFAULT);

    /// Fair, with the slice of the settings.
    pub const fn fair(nice: Nice) -> Self {
        Self::Fair { nice, slice_ns: 0 }
    }

    /// The running level that a CPU publishes while it runs such a thread.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::Fair { .. } => FAIR_LEVEL,
            Self::Realtime { priority } => REALTIME_LEVEL + priority.min(MAX_PRIORITY),
            Self::Stop => u8::MAX,
        }
    }

    /// What a push of such a thread compares with the published level: a fair one always asks for a look, as only the class
    /// can tell whether it comes before what runs.
    pub(crate) fn push_level(self) -> u8 {
        match self {
            Self::Fair { .. } => FAIR_LEVEL + 1,
            _ => self.level(),
        }
    }

    fn pack(self) -> u64 {
        match self {
            Self::Fair { nice, slice_ns } => {
                // A slice is at most 100 ms, so that it fits above the two bytes.
                (slice_ns.min(u64::from(u32::MAX)) << 16) | (u64::from(nice.get() as u8) << 8)
            }
            Self::Realtime { priority } => (u64::from(priority) << 8) | REALTIME,
            Self::Stop => STOP,
        }
    }

    fn unpack(word: u64) -> Self {
        let byte = (word >> 8) as u8;
        match word & KIND {
            REALTIME => Self::Realtime { priority: byte },
            STOP => Self::Stop,
            _ => Self::Fair { nice: Nice::new(byte as i8), slice_ns: word >> 16 },
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Where the levels of threads stand among those of [`Tier`](crate::Tier)s: Background 1, Normal 2, Critical 250.
const FAIR_LEVEL: u8 = 2;
const REALTIME_LEVEL: u8 = 100;
const MAX_PRIORITY: u8 = 99;

const KIND: u64 = 0xff;
const REALTIME: u64 = 1;
const STOP: u64 = 2;

/// A policy in one word, so that it is never seen half changed.
pub(crate) struct AtomicPolicy(AtomicU64);

impl AtomicPolicy {
    const_fn! {
        /// [`Policy::DEFAULT`].
        pub(crate) const fn new() -> Self {
            Self(AtomicU64::new(0))
        }
    }

    pub(crate) fn get(&self) -> Policy {
        // Ordering: Relaxed; a value of its own, which says nothing about others.
        Policy::unpack(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, policy: Policy) {
        // Ordering: Relaxed; as for `get`.
        self.0.store(policy.pack(), Ordering::Relaxed);
    }
}

impl fmt::Debug for AtomicPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_policy_comes_back_as_it_went_in() {
        let word = AtomicPolicy::new();
        assert_eq!(word.get(), Policy::DEFAULT);
        for policy in [
            Policy::Stop,
            Policy::Realtime { priority: 0 },
            Policy::Realtime { priority: 255 },
            Policy::fair(Nice::MIN),
            Policy::Fair { nice: Nice::MAX, slice_ns: 100_000_000 },
        ] {
            word.set(policy);
            assert_eq!(word.get(), policy);
        }
    }

    #[test]
    fn levels_keep_the_order_of_classes() {
        let realtime = |priority| Policy::Realtime { priority }.level();
        assert!(Policy::DEFAULT.push_level() < realtime(0));
        assert!(realtime(98) < realtime(99) && realtime(99) == realtime(255));
        assert!(realtime(99) < crate::Tier::Critical.level());
        assert!(crate::Tier::Critical.level() < Policy::Stop.level());
        assert_eq!(Policy::DEFAULT.level(), crate::Tier::Normal.level());
    }
}
