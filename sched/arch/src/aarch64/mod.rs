//! The parts of an aarch64 machine, and [`GicMachine`], made of them. All at EL1.
//!
//! | Part | What it is |
//! |---|---|
//! | [`interrupts`] | the IRQ mask; unmask-and-halt |
//! | [`Gic`] | software-generated interrupts, acknowledge and end, for GICv2 and GICv3 |
//! | [`timer`] | the generic timer: the clock's counter, and the virtual timer of EL1 |
//! | [`address_space`] | the page tables of what runs: `TTBR0_EL1` |
//! | [`CpuLocal`] | which CPU this is, by what `TPIDR_EL1` points to |
//!
//! The rules that hardware and this code keep:
//!
//! - **A1** An SGI is not seen before what its sender wrote: `dsb ishst` stands before it.
//! - **A2** `wfi` ends for a pending interrupt whether that is masked or not: it stands before the unmasking, so that no
//!   interrupt is taken between the last look and the halt. `dsb` before it completes what was written.
//! - **A3** The timer's interrupt is a level: it is switched off before its end is signalled, and on again by who sets it.

pub mod address_space;
mod gic;
pub mod interrupts;
mod local;
mod machine;
pub mod timer;

pub use gic::{Acknowledged, Gic, SgiTarget};
pub use local::CpuLocal;
pub use machine::{GicMachine, Interrupted, Setup};
