//! Interrupts leave every register as it was: patterns in all of them, on each CPU, while its timer interrupts it.

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod arch;

use super::runner::{Found, cpus, ensure, pinned};
use super::threads::on;
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use arch::{GENERAL, Registers, VECTOR, hold_registers};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use sched::Machine as _;
use sched::class::Nice;
use sched::thread::Policy;

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

/// The same in two threads at once, which take the CPU from one another meanwhile.
pub(super) async fn in_threads(options: Options) -> Found {
    const TWO: usize = 2;
    for cpu in cpus(options) {
        HOLDER.store(cpu.index(), Ordering::Relaxed);
        HOLD_LEFT.store(INTERRUPTS * 4, Ordering::Relaxed);
        let before = SCHEDULER.totals().preempted;
        let handles: alloc::vec::Vec<_> = (0..TWO)
            .map(|which| {
                let policy = Policy::Fair { nice: Nice::DEFAULT, slice_ns: 500_000 };
                let builder = SCHEDULER.thread("holder").policy(policy);
                let builder = builder.attachment(crate::arch::vector_state());
                let hold = move || hold_pattern(which + TWO * cpu.index());
                on(cpu, builder, hold)
            })
            .collect();
        for handle in handles {
            if let Some(changed) = handle.await.map_err(|error| format!("{error:?}"))? {
                return Err(format!("{cpu}: {changed}").into());
            }
        }
        let preempted = SCHEDULER.totals().preempted - before;
        ensure!(preempted >= 2, "{preempted} preemptions on {cpu}");
    }
    ensure!(HOLD_LEFT.load(Ordering::Relaxed) == 0, "nobody waited");
    Ok(format!("{GENERAL} general and {VECTOR} vector registers, in two threads on each CPU"))
}

/// A number that no two registers share.
fn pattern(seed: u64, number: usize) -> u64 {
    (seed << 32 | number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

/// The first register that is not as it was.
fn hold(cpu: usize) -> Option<alloc::string::String> {
    HOLDER.store(cpu, Ordering::Relaxed);
    HOLD_LEFT.store(INTERRUPTS, Ordering::Relaxed);
    hold_pattern(cpu)
}

fn hold_pattern(seed: usize) -> Option<alloc::string::String> {
    let seed = seed as u64;
    let wide = |number| {
        u128::from(pattern(seed, 100 + number)) << 64 | u128::from(pattern(seed, 200 + number))
    };
    let before = Registers {
        general: core::array::from_fn(|number| pattern(seed, number)),
        vector: core::array::from_fn(wide),
    };
    let mut after = Registers { general: [0; GENERAL], vector: [0; VECTOR] };
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
