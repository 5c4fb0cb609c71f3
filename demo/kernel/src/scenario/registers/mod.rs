//! Interrupts leave every register as it was: patterns in all of them, on each CPU, while its timer interrupts it.

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod arch;

use super::runner::{Found, cpus, ensure, pinned};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use arch::{GENERAL, Registers, VECTOR, hold_registers};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use sched::Machine as _;

/// Interrupts taken while the registers are held.
const INTERRUPTS: u32 = 8;

/// Interrupts that the code which holds the registers still waits for. Read by assembly.
#[unsafe(export_name = "hold_left")]
static HOLD_LEFT: AtomicU32 = AtomicU32::new(0);

/// The CPU whose registers are held.
static HOLDER: AtomicUsize = AtomicUsize::new(0);

/// At the end of each interrupt's handler: changes what it may, if registers are held here.
pub(super) fn interrupted() {
    let here = SCHEDULER.machine().cpu().map_or(0, |cpu| cpu.index());
    // Ordering: Relaxed, here and below; all on this CPU while it counts.
    let left = HOLD_LEFT.load(Ordering::Relaxed);
    if left > 0 && HOLDER.load(Ordering::Relaxed) == here {
        HOLD_LEFT.store(left - 1, Ordering::Relaxed);
        arch::scribble();
    }
}

pub(super) async fn run(options: Options) -> Found {
    for (number, cpu) in cpus(options).enumerate() {
        let held = pinned("registers", cpu).spawn(async move { hold(number) });
        if let Some(changed) = held.await.map_err(|error| format!("{error:?}"))? {
            return Err(format!("{cpu}: {changed}").into());
        }
    }
    ensure!(HOLD_LEFT.load(Ordering::Relaxed) == 0, "nobody waited");
    Ok(format!(
        "{GENERAL} general and {VECTOR} vector registers on each CPU, through {INTERRUPTS} interrupts"
    ))
}

/// A number that no two registers share.
fn pattern(seed: u64, number: usize) -> u64 {
    (seed << 32 | number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

/// The first register that is not as it was.
fn hold(cpu: usize) -> Option<alloc::string::String> {
    let seed = cpu as u64;
    let wide = |number| {
        u128::from(pattern(seed, 100 + number)) << 64 | u128::from(pattern(seed, 200 + number))
    };
    let before = Registers {
        general: core::array::from_fn(|number| pattern(seed, number)),
        vector: core::array::from_fn(wide),
    };
    let mut after = Registers { general: [0; GENERAL], vector: [0; VECTOR] };
    HOLDER.store(cpu, Ordering::Relaxed);
    HOLD_LEFT.store(INTERRUPTS, Ordering::Relaxed);
    // SAFETY: it keeps the calling convention; the slice's timer brings the interrupts that it waits for.
    unsafe { hold_registers(&before, &mut after) };
    let general =
        before.general.iter().zip(&after.general).position(|(before, after)| before != after);
    let vector =
        before.vector.iter().zip(&after.vector).position(|(before, after)| before != after);
    match (general, vector) {
        (None, None) => None,
        (general, vector) => Some(format!("general {general:?}, vector {vector:?}: {after:x?}")),
    }
}
