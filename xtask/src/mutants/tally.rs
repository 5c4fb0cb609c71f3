//! How many mutants there were, and what became of them.

use std::fmt;
use std::ops::AddAssign;

use anyhow::{Result, bail};

/// Mutants of one kind, or of all.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) total: usize,
    pub(crate) killed: usize,
    /// Those that live although nobody wrote down why they may.
    pub(crate) open: Vec<String>,
}

impl Tally {
    /// An error that names each mutant that is neither killed nor excused; else how many were killed.
    pub(crate) fn verdict(self) -> Result<u64> {
        if self.open.is_empty() {
            return Ok(self.killed as u64);
        }
        bail!("not killed: {}; {self}", self.open.join(", "))
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.killed += other.killed;
        self.open.extend(other.open);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} mutants killed", self.killed, self.total)?;
        match self.total - self.killed - self.open.len() {
            0 => Ok(()),
            excused => write!(f, ", {excused} alive for a written reason"),
        }
    }
}
