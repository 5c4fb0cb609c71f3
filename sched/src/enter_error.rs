//! Why a CPU cannot come in.

use crate::CpuId;
use core::fmt;

/// Why a CPU cannot enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnterError {
    /// The machine says that the caller is no CPU.
    NoCpu,
    /// The CPU's index is not below the scheduler's number of CPUs.
    OutOfRange(CpuId),
    /// The CPU has entered already.
    AlreadyEntered(CpuId),
}

impl fmt::Display for EnterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCpu => f.write_str("the caller is no CPU of the machine"),
            Self::OutOfRange(cpu) => write!(f, "{cpu} is out of the scheduler's range"),
            Self::AlreadyEntered(cpu) => write!(f, "{cpu} has entered already"),
        }
    }
}

impl core::error::Error for EnterError {}
