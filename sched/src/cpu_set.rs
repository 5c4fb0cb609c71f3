//! Sets of CPUs: a plain one for affinities, an atomic one for what CPUs tell each other.

use crate::sync::{AtomicU64, Ordering, const_fn};
use core::fmt;
use sched_arch::CpuId;

/// The most CPUs a scheduler can have.
pub const MAX_CPUS: usize = 1024;

const WORDS: usize = MAX_CPUS / 64;

/// A set of CPUs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CpuSet([u64; WORDS]);

impl CpuSet {
    /// No CPU.
    pub const EMPTY: Self = Self([0; WORDS]);
    /// Every CPU there can be.
    pub const ALL: Self = Self([u64::MAX; WORDS]);

    /// With `cpu` as well. A CPU of index [`MAX_CPUS`] or more is left out.
    #[must_use]
    pub const fn with(mut self, cpu: CpuId) -> Self {
        if cpu.index() < MAX_CPUS {
            self.0[cpu.index() / 64] |= 1 << (cpu.index() % 64);
        }
        self
    }

    /// Whether `cpu` is in it.
    pub const fn contains(&self, cpu: CpuId) -> bool {
        cpu.index() < MAX_CPUS && self.0[cpu.index() / 64] & (1 << (cpu.index() % 64)) != 0
    }

    /// The CPUs in it, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = CpuId> + '_ {
        let words = self.0.iter().zip((0..MAX_CPUS).step_by(64));
        let indices = words.flat_map(|(&word, first)| Bits(word).map(move |bit| first + bit));
        indices.map(|index| CpuId::new(index as u32))
    }

    /// The one CPU in it; `None` if there are none or several.
    pub(crate) fn only(&self) -> Option<CpuId> {
        let index = self.0.iter().position(|&word| word != 0)?;
        let cpu = CpuId::new((index * 64) as u32 + self.0[index].trailing_zeros());
        (*self == Self::EMPTY.with(cpu)).then_some(cpu)
    }

    /// Whether no CPU is in it.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; WORDS]
    }
}

impl FromIterator<CpuId> for CpuSet {
    fn from_iter<I: IntoIterator<Item = CpuId>>(cpus: I) -> Self {
        cpus.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("all");
        }
        f.debug_set().entries(self.iter().map(CpuId::index)).finish()
    }
}

/// A set of CPUs that every CPU may change and read.
///
/// Each operation is one atomic access to one word, so wait-free, and callable from anywhere. The caller says
/// which ordering it needs, because only the caller knows what the bit stands for.
pub(crate) struct AtomicCpuSet([AtomicU64; WORDS]);

impl AtomicCpuSet {
    const_fn! {
        /// No CPU.
        pub(crate) const fn new() -> Self {
            #[cfg(not(loom))]
            return Self([const { AtomicU64::new(0) }; WORDS]);
            #[cfg(loom)]
            return Self(core::array::from_fn(|_| AtomicU64::new(0)));
        }
    }

    /// The word and the bit; a CPU that there cannot be has a place, but no bit.
    #[inline]
    fn place(cpu: CpuId) -> (usize, u64) {
        let bit = if cpu.index() < MAX_CPUS { 1 << (cpu.index() % 64) } else { 0 };
        (cpu.index() / 64 % WORDS, bit)
    }

    /// Puts `cpu` in; tells whether it was not in before.
    pub(crate) fn insert(&self, cpu: CpuId, ordering: Ordering) -> bool {
        let (word, bit) = Self::place(cpu);
        self.0[word].fetch_or(bit, ordering) & bit == 0
    }

    /// Takes `cpu` out; tells whether it was in.
    pub(crate) fn remove(&self, cpu: CpuId, ordering: Ordering) -> bool {
        let (word, bit) = Self::place(cpu);
        self.0[word].fetch_and(!bit, ordering) & bit != 0
    }

    /// Whether `cpu` is in.
    #[inline]
    pub(crate) fn contains(&self, cpu: CpuId, ordering: Ordering) -> bool {
        let (word, bit) = Self::place(cpu);
        self.0[word].load(ordering) & bit != 0
    }

    /// Whether a CPU below `limit` is both in this and in `set`.
    pub(crate) fn meets(&self, set: &CpuSet, limit: usize, ordering: Ordering) -> bool {
        let words = self.0.iter().zip(&set.0).take(limit.div_ceil(64));
        words.into_iter().any(|(word, &other)| word.load(ordering) & other != 0)
    }

    /// Whether no CPU but `cpu` is in any of the words that hold those below `limit`.
    #[inline]
    pub(crate) fn has_none_but(&self, cpu: CpuId, limit: usize, ordering: Ordering) -> bool {
        let (own, bit) = Self::place(cpu);
        let mut words = self.0.iter().take(limit.div_ceil(64)).enumerate();
        words.all(|(index, word)| word.load(ordering) & !(if index == own { bit } else { 0 }) == 0)
    }

    /// Whether none of the words that hold the CPUs below `limit` has a member.
    #[inline]
    pub(crate) fn is_empty(&self, limit: usize, ordering: Ordering) -> bool {
        self.0.iter().take(limit.div_ceil(64)).all(|word| word.load(ordering) == 0)
    }

    /// How many CPUs are in the words that hold those below `limit`.
    #[inline]
    pub(crate) fn count(&self, limit: usize, ordering: Ordering) -> usize {
        let words = self.0.iter().take(limit.div_ceil(64));
        words.map(|word| word.load(ordering).count_ones() as usize).sum()
    }

    /// The CPUs below `limit` that are in, in ascending order from `first` on and around once. Each word is
    /// read once (the first one twice), when the walk comes to it.
    pub(crate) fn iter_from(
        &self,
        first: usize,
        limit: usize,
        ordering: Ordering,
    ) -> impl Iterator<Item = CpuId> + '_ {
        let limit = limit.min(MAX_CPUS);
        let words = limit.div_ceil(64).max(1);
        let (first_word, first_bit) = (first / 64 % words, first % 64);
        (0..=words)
            .flat_map(move |step| {
                let word = (first_word + step) % words;
                // The word that holds `first` comes first for its upper part and last for its lower part.
                let part = match step {
                    0 => u64::MAX << first_bit,
                    _ if step == words => !(u64::MAX << first_bit),
                    _ => u64::MAX,
                };
                Bits(self.0[word].load(ordering) & part).map(move |bit| word * 64 + bit)
            })
            .filter(move |&index| index < limit)
            .map(|index| CpuId::new(index as u32))
    }
}

/// The set bits of a word, lowest first.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    extern crate std;
    use super::*;
    use std::{vec, vec::Vec};

    #[test]
    fn set_knows_its_members_and_ignores_impossible_ones() {
        let set = CpuSet::EMPTY.with(CpuId::new(0)).with(CpuId::new(64)).with(CpuId::new(u32::MAX));
        assert!(set.contains(CpuId::new(0)) && set.contains(CpuId::new(64)));
        assert!(!set.contains(CpuId::new(1)) && !set.contains(CpuId::new(u32::MAX)));
        assert_eq!(set.iter().map(CpuId::index).collect::<Vec<_>>(), vec![0, 64]);
        assert!(CpuSet::EMPTY.is_empty() && !set.is_empty());
    }

    #[test]
    fn walk_starts_anywhere_and_sees_each_member_once() {
        let set = AtomicCpuSet::new();
        for index in [0, 3, 63, 64, 100, 199, 200] {
            assert!(set.insert(CpuId::new(index), Ordering::Relaxed));
        }
        let from = |first, limit| -> Vec<usize> {
            set.iter_from(first, limit, Ordering::Relaxed).map(CpuId::index).collect()
        };
        assert_eq!(from(0, 200), vec![0, 3, 63, 64, 100, 199]);
        assert_eq!(from(63, 200), vec![63, 64, 100, 199, 0, 3]);
        assert_eq!(from(101, 200), vec![199, 0, 3, 63, 64, 100]);
        assert_eq!(from(5, 64), vec![63, 0, 3]);
        assert!(set.remove(CpuId::new(3), Ordering::Relaxed));
        assert!(!set.remove(CpuId::new(3), Ordering::Relaxed));
        let beyond = CpuId::new(5_000);
        set.insert(beyond, Ordering::Relaxed);
        assert!(!set.contains(beyond, Ordering::Relaxed) && !set.remove(beyond, Ordering::Relaxed));
        assert_eq!(
            from(9_999, usize::MAX).len(),
            6,
            "no CPU is added, and none out of range asked for"
        );
        assert_eq!(from(0, 64), vec![0, 63]);
    }
}
