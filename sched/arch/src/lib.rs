#![doc = include_str!("../README.md")]
#![no_std]

mod cpu_id;
mod machine;
mod masked;

pub use cpu_id::CpuId;
pub use machine::{Interrupts, Machine};
pub use masked::Masked;
