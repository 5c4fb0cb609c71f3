#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(all(feature = "hardware", target_arch = "aarch64"))]
pub mod aarch64;
mod cpu_id;
mod machine;
mod masked;
mod rate;
#[cfg(all(feature = "hardware", any(target_arch = "aarch64", target_arch = "x86_64")))]
mod set_once;
mod switch;
#[cfg(all(feature = "hardware", target_arch = "x86_64"))]
pub mod x86_64;

pub use cpu_id::CpuId;
pub use machine::{Interrupts, Machine};
pub use masked::Masked;
pub use rate::{Clock, Rate};
pub use switch::{Context, Entry, FIRST_FRAME_BYTES, Switch};
