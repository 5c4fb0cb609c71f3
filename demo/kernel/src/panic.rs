//! A panic on any CPU stops all, says what is known, and ends in failure.

use crate::console::print_at_the_end;
use crate::{MAX_CPUS, SCHEDULER, arch};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};
use sched::{CpuId, Machine as _};

/// Somebody panics: all others stop.
static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let machine = SCHEDULER.machine();
    machine.mask();
    if PANICKING.swap(true, Ordering::AcqRel) {
        // A second one, here or elsewhere, has nothing to add.
        arch::park()
    }
    arch::stop_others();
    match machine.cpu() {
        Some(cpu) => print_at_the_end(format_args!("\nPANIC on {cpu}: {info}\n")),
        None => print_at_the_end(format_args!("\nPANIC on no CPU: {info}\n")),
    }
    dump();
    arch::exit(false)
}

/// Whether a CPU that was told to stop should.
pub(crate) fn is_panicking() -> bool {
    PANICKING.load(Ordering::Acquire)
}

/// What each CPU that was ever there did.
fn dump() {
    for cpu in (0..MAX_CPUS as u32).map(CpuId::new) {
        let Some(stats) = SCHEDULER.cpu_stats(cpu).filter(|stats| stats.steps > 0) else {
            continue;
        };
        let state = if SCHEDULER.is_idle(cpu) {
            "idle"
        } else if SCHEDULER.is_paused(cpu) {
            "paused"
        } else {
            "busy"
        };
        print_at_the_end(format_args!(
            "{cpu}: {state}, {} steps, {} polls, {} halts, wakes {} placed {} drained, \
             kicks {} sent {} received, {} timers, {} stolen\n",
            stats.steps,
            stats.polls,
            stats.halts,
            stats.wakes_placed,
            stats.wakes_drained,
            stats.kicks_sent,
            stats.kicks_received,
            stats.timers_fired,
            stats.steals_won,
        ));
    }
}
