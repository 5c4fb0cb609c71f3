//! The parts of an x86_64 machine, and [`ApicMachine`], made of them.
//!
//! | Part | What it is |
//! |---|---|
//! | [`interrupts`] | the interrupt flag; unmask-and-halt |
//! | [`LocalApic`] | IPIs, end-of-interrupt, timer: through memory (xAPIC) or registers (x2APIC) |
//! | [`tsc`] | the clock's counter, and how fast it counts |
//! | [`address_space`] | the page tables of what runs: `CR3` |
//! | [`FpuState`] | the x87 and SSE registers of a thread that uses them |
//! | [`CpuLocal`] | which CPU this is, by what GS points to |
//!
//! The rules that hardware and this code keep:
//!
//! - **X1** An IPI is not seen before what its sender wrote: a write to the xAPIC's page is ordered after earlier stores by
//!   its memory type (uncached), a write to an x2APIC register by `mfence; lfence`.
//! - **X2** The xAPIC's command is two writes: interrupts are masked from the first to the second.
//! - **X3** `sti` lets no interrupt in before the instruction after it has begun: with `hlt` there, one that became pending
//!   while they were masked ends the halt. One asm block, so that nothing comes between.

pub mod address_space;
mod apic;
mod bus;
mod fpu;
pub mod interrupts;
mod local;
mod machine;
pub mod tsc;

pub use apic::{Command, LocalApic, TimerMode};
pub use bus::{Bus, Hardware};
pub use fpu::FpuState;
pub use local::CpuLocal;
pub use machine::{ApicMachine, Setup, Vectors};
