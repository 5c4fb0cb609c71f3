//! The name of a CPU.

use core::fmt;

/// A CPU, by its dense index: 0, 1, 2 … in any order of coming up, each index used by one CPU at a time.
///
/// It is an index into per-CPU arrays and nothing else; map the hardware's own ids (APIC id, MPIDR) to it at
/// start-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuId(u32);

impl CpuId {
    /// The CPU with this index.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The index, for arrays.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The index as a number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for CpuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cpu{}", self.0)
    }
}
