//! Interrupts leave every register as it was: patterns in all of them, on each CPU, while its timer interrupts it.

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod arch;

use super::hog::{spawn, thread_on};
use super::runner::{Fault, Found, cpus, ensure, pinned};
use crate::SCHEDULER;
use crate::attached::{Attached, attachment};
use crate::options::Options;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use arch::{GENERAL, Registers, STATUS, VECTOR, hold_registers};
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
        let held = pinned("registers", cpu).spawn(async move {
            HOLDER.store(number, Ordering::Relaxed);
            HOLD_LEFT.store(INTERRUPTS, Ordering::Relaxed);
            hold(number as u64)
        });
        if let Some(changed) = held.await.map_err(|error| format!("{error:?}"))? {
            return Err(format!("{cpu}: {changed}").into());
        }
    }
    ensure!(HOLD_LEFT.load(Ordering::Relaxed) == 0, "nobody waited");
    Ok(format!(
        "{GENERAL} general and {VECTOR} vector registers on each CPU, through {INTERRUPTS} interrupts"
    ))
}

/// Threads that hold different registers on one CPU at the same time.
const HOLDERS: u64 = 3;

/// Interrupts meanwhile: each has some turns.
const INTERRUPTS_OF_THREADS: u32 = 40;

/// The same through preemption: threads that never yield hold patterns of their own, and the timer gives the CPU from one to the
/// next in the midst of it.
pub(super) async fn preempted(options: Options) -> Found {
    let mut least = u64::MAX;
    for (number, cpu) in cpus(options).enumerate() {
        HOLDER.store(number, Ordering::Relaxed);
        HOLD_LEFT.store(INTERRUPTS_OF_THREADS, Ordering::Relaxed);
        let holders = (0..HOLDERS).map(|seed| {
            let attached = Box::leak(Box::new(Attached::new(0)));
            let holder = thread_on("holder", [cpu]).attachment(attachment(attached));
            spawn(holder, move || hold(seed))
        });
        for holder in holders.collect::<Vec<_>>() {
            let thread = holder.thread();
            if let Some(changed) = holder.await.map_err(|error| format!("{error:?}"))? {
                return Err(format!("{cpu}: {changed}").into());
            }
            least = least.min(thread.map_or(0, |thread| thread.stats().preempted));
        }
    }
    if least == 0 {
        return Err(Fault::Late("a thread was not preempted".into()));
    }
    Ok(format!("{HOLDERS} threads on each CPU, each preempted {least} times or more"))
}

/// A number that no two registers share.
fn pattern(seed: u64, number: usize) -> u64 {
    (seed << 32 | number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

/// The registers that are not as they were.
fn hold(seed: u64) -> Option<alloc::string::String> {
    let wide = |number| {
        let half = |which| u128::from(pattern(seed, which + number));
        half(100) << 64 | half(200)
    };
    let before = Registers {
        general: core::array::from_fn(|number| pattern(seed, number)),
        status: arch::status(seed),
        vector: core::array::from_fn(wide),
    };
    let mut after = Registers { general: [0; GENERAL], status: [0; STATUS], vector: [0; VECTOR] };
    // SAFETY: it keeps the calling convention; the slice's timer brings the interrupts that it waits for.
    unsafe { hold_registers(&before, &mut after) };
    if after == before {
        return None;
    }
    let general =
        before.general.iter().zip(&after.general).position(|(before, after)| before != after);
    let vector =
        before.vector.iter().zip(&after.vector).position(|(before, after)| before != after);
    Some(format!("general {general:?}, vector {vector:?}, or status: {after:x?}"))
}
